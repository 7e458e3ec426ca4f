/**
 * Numbers, texts and blobs to bytes and back. Whole numbers are LEB128 varints, seven bits a byte, least
 * first; doubles are IEEE 754, little endian; texts are UTF-8. What has no fixed length begins with it.
 */
const encoder = new TextEncoder();
/** A key or a name that is no UTF-8 was not written by ByteWriter. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The most bytes that a whole number up to 2^53 takes. */
const VARINT_BYTES_MAX = 8;

export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All that was written; valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** A whole number from 0 to 2^53. */
  uint(value: number): void {
    this.#fit(VARINT_BYTES_MAX);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > 0x7f_ff_ff_ff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  /** Of each index from … to - 1 the whole numbers at it in both columns, as `uint` would. */
  uintPairs(first: Uint32Array, second: Float64Array, from: number, to: number): void {
    this.#fit(2 * VARINT_BYTES_MAX * (to - from));
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = from; i < to; i++) {
      let rest = first[i] as number;
      while (rest > 0x7f) {
        bytes[at++] = rest | 0x80;
        rest >>>= 7;
      }
      bytes[at++] = rest;
      const large = second[i] as number;
      if (large > 0x7f) {
        this.#length = at;
        this.uint(large);
        at = this.#length;
      } else bytes[at++] = large;
    }
    this.#length = at;
  }

  double(value: number): void {
    this.#fit(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  blob(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.#fit(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.#fit(VARINT_BYTES_MAX + 3 * text.length);
    if (text.length < 0x80) {
      // Most texts are short: room for a length of one byte, which is put right if it takes two.
      const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length + 1));
      if (written < 0x80) {
        this.#bytes[this.#length] = written;
        this.#length += 1 + written;
        return;
      }
    }
    this.blob(encoder.encode(text));
  }

  /** Overwrites four bytes that were written before, at an offset, with an unsigned number. */
  patchUint32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Leaves room for a number that is patched later; its offset. */
  reserveUint32(): number {
    this.#fit(4);
    this.#length += 4;
    return this.#length - 4;
  }

  #fit(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + more, 2 * this.#bytes.length));
    grown.set(this.bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what ByteWriter has written. Throws a RangeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError('the bytes end within a number');
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
    }
  }

  double(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** A view of the bytes that are read. */
  blob(): Uint8Array {
    const length = this.uint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('the bytes end within a blob');
    const blob = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return blob;
  }

  text(): string {
    return decoder.decode(this.blob());
  }
}
