import { expect } from 'chai';
import { READ_BYTES_MIN, ReadSize } from '#consumer/sources/read-size.js';

const BYTES_MAX = 524_288;
const MEBIBYTE = 2 ** 20;

describe('ReadSize', () => {
  let size: ReadSize;
  beforeEach(() => {
    size = new ReadSize(BYTES_MAX);
  });

  it('allows what a pipe holds until a pace is known', () => {
    expect(size.next(1)).to.equal(READ_BYTES_MIN);
    expect(size.next(64)).to.equal(READ_BYTES_MIN);
  });

  it('allows what is counted in half a millisecond at the pace of the last read', () => {
    size.note(MEBIBYTE, 0.001);
    expect(size.next(1)).to.equal(BYTES_MAX);
    size.note(300_000, 0.0005);
    expect(size.next(1)).to.equal(300_000);
  });

  it('divides that by the FIFOs', () => {
    size.note(300_000, 0.0005);
    expect(size.next(2)).to.equal(150_000);
    expect(size.next(0), 'before the first is open').to.equal(300_000);
  });

  it('allows what a pipe holds at the least', () => {
    size.note(MEBIBYTE / 4, 10);
    expect(size.next(1)).to.equal(READ_BYTES_MIN);
    size.note(300_000, 0.0005);
    expect(size.next(64)).to.equal(READ_BYTES_MIN);
  });

  it('takes no pace from what is short, or from a clock that stands still', () => {
    size.note(70, 0.001);
    size.note(MEBIBYTE, 0);
    expect(size.next(1)).to.equal(READ_BYTES_MIN);
    size.note(300_000, 0.0005);
    size.note(70, 0.001);
    expect(size.next(1)).to.equal(300_000);
  });
});
