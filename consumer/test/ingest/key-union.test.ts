import { expect } from 'chai';
import { KeyUnion } from '#consumer/ingest/key-union.js';

describe('KeyUnion', () => {
  it('counts each key once, as the lists grow', () => {
    const union = new KeyUnion();
    const a = ['', 'x', 'y'];
    const b = ['', 'y'];
    expect(union.size([a, b])).to.equal(3);
    expect(union.size([a, b])).to.equal(3);
    a.push('z');
    b.push('z', 'w');
    expect(union.size([a, b])).to.equal(5);
  });

  it('forgets the keys of a list that was replaced', () => {
    const union = new KeyUnion();
    const a = ['', 'x'];
    expect(union.size([a, ['', 'y']])).to.equal(3);
    expect(union.size([a, ['']])).to.equal(2);
    expect(union.size([['', 'x', 'z'], ['']])).to.equal(3);
  });
});
