/**
 * The one format of all state files: a line that names the file and its version, then records.
 *
 *   "event-tally journal 2\n"  ( length: u32 │ CRC-32 of the length: u32 │ CRC-32 of the payload: u32 │ payload )…
 *
 * A file that was being written when its writer died ends in the middle of a record, or, after a loss of
 * power, in a record of which not every page was written. That is a torn tail, and all before it is
 * whole. Anything else is damage. The length has a check of its own so that the two can be told apart.
 */
import { crc32 } from 'node:zlib';
import { ByteWriter } from './bytes.js';

export const FORMAT_VERSION = 2;
export const RECORD_HEADER_BYTES = 12;

export type FileKind = 'checkpoint' | 'journal';

export function fileHead(kind: FileKind): Buffer {
  return Buffer.from(`event-tally ${kind} ${FORMAT_VERSION}\n`);
}

/** Collects records, in one buffer that is used again. */
export class RecordWriter {
  readonly #writer = new ByteWriter();

  /** All records since `clear`; valid until the next. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#writer.bytes;
  }

  clear(): void {
    this.#writer.clear();
  }

  add(write: (payload: ByteWriter) => void): void {
    const writer = this.#writer;
    const start = writer.length;
    for (let i = 0; i < RECORD_HEADER_BYTES; i += 4) writer.reserveUint32();
    write(writer);
    const { bytes } = writer;
    const payload = bytes.subarray(start + RECORD_HEADER_BYTES);
    writer.patchUint32(start, payload.length);
    writer.patchUint32(start + 4, checksum(bytes.subarray(start, start + 4)));
    writer.patchUint32(start + 8, checksum(payload));
  }
}

export interface RecordsRead {
  /** Offset behind the last whole record. */
  readonly wholeBytes: number;
  /** What is wrong behind it; null: nothing is behind it. */
  readonly fault: null | 'torn' | 'damaged';
}

/** The bytes are no state file, or one of another version. */
export class ForeignFileError extends Error {
  override readonly name = 'ForeignFileError';
}

/** Calls back for each whole record up to the first that is not. Throws ForeignFileError. */
export function readRecords(
  kind: FileKind,
  bytes: Uint8Array,
  onPayload: (payload: Uint8Array) => void,
): RecordsRead {
  const head = fileHead(kind);
  if (bytes.length === 0) return { wholeBytes: 0, fault: null };
  if (bytes.length < head.length && head.subarray(0, bytes.length).equals(bytes)) {
    return { wholeBytes: 0, fault: 'torn' };
  }
  if (!head.equals(bytes.subarray(0, head.length))) {
    throw new ForeignFileError(foreignness(kind, bytes));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = head.length;
  while (at < bytes.length) {
    const payloadAt = at + RECORD_HEADER_BYTES;
    if (payloadAt > bytes.length) return { wholeBytes: at, fault: 'torn' };
    if (view.getUint32(at + 4, true) !== checksum(bytes.subarray(at, at + 4))) {
      const isUnwritten = bytes.subarray(at).every((byte) => byte === 0);
      return { wholeBytes: at, fault: isUnwritten ? 'torn' : 'damaged' };
    }
    const end = payloadAt + view.getUint32(at, true);
    if (end > bytes.length) return { wholeBytes: at, fault: 'torn' };
    const payload = bytes.subarray(payloadAt, end);
    if (view.getUint32(at + 8, true) !== checksum(payload)) {
      return { wholeBytes: at, fault: end === bytes.length ? 'torn' : 'damaged' };
    }
    onPayload(payload);
    at = end;
  }
  return { wholeBytes: at, fault: null };
}

/** CRC-32, of ISO 3309. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** Whether the bytes begin as a state file of this kind, of whatever version. */
export function hasHead(kind: FileKind, bytes: Uint8Array): boolean {
  return versionOf(bytes)?.kind === kind;
}

function versionOf(bytes: Uint8Array): { readonly kind: string; readonly version: string } | null {
  const [line] = Buffer.from(bytes.subarray(0, 64)).toString('latin1').split('\n');
  const [, kind, version] = /^event-tally (\w+) (\d+)$/.exec(line ?? '') ?? [];
  return kind === undefined || version === undefined ? null : { kind, version };
}

function foreignness(kind: FileKind, bytes: Uint8Array): string {
  const found = versionOf(bytes);
  return found?.kind === kind
    ? `it is of version ${found.version}; this program reads version ${FORMAT_VERSION}`
    : `it is no ${kind} of event-tally`;
}
