import { expect } from 'chai';
import fc from 'fast-check';
import { assignColours, COLOURS } from '#consumer/dashboard/colours.js';

const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `type-${i}`);

describe('colours of types', () => {
  it('are of each of the first, and of no further ones', () => {
    const colours = assignColours(new Map(), keysOf(COLOURS + 2));
    expect([...colours.keys()].sort()).to.deep.equal(keysOf(COLOURS));
    expect(new Set(colours.values())).to.have.property('size', COLOURS);
  });

  it('do not depend on the ranking', () => {
    const keys = keysOf(COLOURS);
    const colours = assignColours(new Map(), keys);
    const other = assignColours(new Map(), keys.toReversed());
    for (const key of keys) expect(other.get(key)).to.equal(colours.get(key));
  });

  it('stay, and those of a new type come from one that is no longer among the first', () => {
    const before = assignColours(new Map(), keysOf(COLOURS));
    const keys = ['new', ...keysOf(COLOURS)];
    const after = assignColours(before, keys);
    const lost = `type-${COLOURS - 1}`;
    expect(after.get('new')).to.equal(before.get(lost));
    expect(after.has(lost)).to.equal(false);
    for (const key of keysOf(COLOURS - 1)) expect(after.get(key)).to.equal(before.get(key));
  });

  it('are one each for the first, whatever came before', () => {
    const ranking = fc.uniqueArray(fc.constantFrom(...keysOf(20)));
    fc.assert(
      fc.property(fc.array(ranking, { maxLength: 20 }), (rankings) => {
        let colours = assignColours(new Map(), []);
        for (const keys of rankings) {
          const before = colours;
          colours = assignColours(before, keys);
          const first = keys.slice(0, COLOURS);
          expect(new Set(colours.values())).to.have.property('size', colours.size);
          for (const key of first) {
            expect(colours.get(key)).to.be.within(0, COLOURS - 1);
            if (before.has(key)) expect(colours.get(key)).to.equal(before.get(key));
          }
        }
      }),
    );
  });
});
