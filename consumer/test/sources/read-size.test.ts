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
    expect(size.next(1, 0)).to.equal(READ_BYTES_MIN);
    expect(size.next(64, 0)).to.equal(READ_BYTES_MIN);
  });

  it('allows what is counted in three milliseconds at the pace of the last read', () => {
    size.note(300_000, 0.003);
    expect(size.next(1, 0)).to.equal(300_000);
    size.note(MEBIBYTE / 2, 0.012);
    expect(size.next(1, 0)).to.equal(MEBIBYTE / 8);
  });

  it('allows a sixth of that for a tenth of a second after a question', () => {
    size.note(450_000, 0.0025);
    size.noteQuestion(100);
    expect(size.next(1, 100)).to.equal(90_000);
    expect(size.next(1, 100.09)).to.equal(90_000);
    expect(size.next(1, 100.11)).to.equal(BYTES_MAX);
    size.noteQuestion(100.11);
    expect(size.next(1, 100.12)).to.equal(90_000);
  });

  it('allows no more than a buffer holds', () => {
    size.note(8 * MEBIBYTE, 0.001);
    expect(size.next(1, 0)).to.equal(BYTES_MAX);
    expect(size.next(4, 0)).to.equal(BYTES_MAX);
  });

  it('divides that by the FIFOs', () => {
    size.note(300_000, 0.003);
    expect(size.next(2, 0)).to.equal(150_000);
    expect(size.next(0, 0), 'before the first is open').to.equal(300_000);
  });

  it('allows what a pipe holds at the least', () => {
    size.note(MEBIBYTE / 4, 10);
    expect(size.next(1, 0)).to.equal(READ_BYTES_MIN);
    size.note(300_000, 0.003);
    expect(size.next(64, 0)).to.equal(READ_BYTES_MIN);
    size.noteQuestion(0);
    expect(size.next(1, 0)).to.equal(READ_BYTES_MIN);
  });

  it('takes no pace from what is short, or from a clock that stands still', () => {
    size.note(70, 0.001);
    size.note(MEBIBYTE, 0);
    expect(size.next(1, 0)).to.equal(READ_BYTES_MIN);
    size.note(300_000, 0.003);
    size.note(70, 0.001);
    expect(size.next(1, 0)).to.equal(300_000);
  });
});
