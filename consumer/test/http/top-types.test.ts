import { expect } from 'chai';
import { TopTypes } from '#consumer/http/top-types.js';

const ranking = (...keys: string[]) => keys.map((key, i) => ({ key, count: 100 - i }));
const keysOf = (types: readonly { key: string }[]) => types.map(({ key }) => key).join(' ');

describe('TopTypes', () => {
  it('are the first n', () => {
    const top = new TopTypes(2);
    expect(keysOf(top.update(ranking()))).to.equal('');
    expect(keysOf(top.update(ranking('a')))).to.equal('a');
    expect(keysOf(top.update(ranking('a', 'b', 'c', 'd')))).to.equal('a b');
  });

  it('keep one that was overtaken as long as it is among the first 2n', () => {
    const top = new TopTypes(2);
    top.update(ranking('a', 'b', 'c', 'd', 'e'));
    expect(keysOf(top.update(ranking('a', 'c', 'b', 'd', 'e')))).to.equal('a c b');
    expect(keysOf(top.update(ranking('a', 'b', 'c', 'd', 'e')))).to.equal('a b c');
    expect(keysOf(top.update(ranking('a', 'd', 'e', 'c', 'b')))).to.equal('a d c');
    expect(keysOf(top.update(ranking('a', 'd', 'b', 'c', 'e')))).to.equal('a d c');
  });

  it('are never more than 2n', () => {
    const top = new TopTypes(2);
    for (const order of ['abcdef', 'cdabef', 'efabcd', 'fedcba', 'badcfe']) {
      expect(top.update(ranking(...order)).length).to.be.within(2, 4);
    }
  });

  it('are none where none are asked for', () => {
    expect(new TopTypes(0).update(ranking('a', 'b'))).to.deep.equal([]);
  });
});
