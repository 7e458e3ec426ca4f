/**
 * The scanners of a thread that share one instance of the WebAssembly module, with its copy of the key
 * tables. What the module does is told in `assembly/index.ts`.
 *
 *   read ──▶ memory of the module ──▶ scan ──▶ columns in that memory, which the batch has views of
 *                                      │ ▲
 *          a key that is new: newKey ◀─┘ └─ a line that is not worth its code: the reference scanner
 *
 * The KeyTables are the authority for ids: they are asked for every key that the module does not know, and
 * what they were given by others (restored, or by the reference scanner) is copied before the next lines.
 */
import { type FieldMapping, TIMESTAMP_FORMATS } from '@event-tally/shared/event.js';
import { REJECTION_REASONS, type RejectionReason } from '@event-tally/shared/line.js';
import type { EventBatch } from '../../tally/event-batch.js';
import { KEY_KINDS, type KeyKind, type KeyTable } from '../../tally/key-table.js';
import { REJECTED_LINES_MAX } from '../../tally/rejected-lines.js';
import { ReferenceScanner } from '../reference-scanner.js';
import { SCAN_BYTES_MAX, type Scanner, type ScannerOptions } from '../scanner.js';
import type { ScannerCounts, Scanners } from '../scanners.js';
import { powersOfTen } from './powers-of-ten.js';
import { SimdBatch } from './simd-batch.js';
import {
  type Addresses,
  instantiate,
  LINE_LF,
  LINE_TEXT,
  LINES,
  readAddresses,
  type SimdExports,
} from './simd-module.js';
import { SimdScanner } from './simd-scanner.js';
import type { WebAssemblyModule } from './web-assembly.js';

/** Bytes of a key that lie in its slot; room for the others is reserved, at most so much for each kind. */
const KEY_HEAD_BYTES = 16;
const KEY_RESTS_BYTES_MAX = 268_435_456;
/** Of the hash's factors, two for every eight bytes of a key: those for its length and its last bytes. */
const FACTORS_BYTES_MORE = 64;

export interface SimdScannersOptions extends ScannerOptions {
  readonly module: WebAssemblyModule;
  /** Fills it with random bytes that nobody can foresee: who knows them can make keys collide. */
  readonly fillRandom: (bytes: Uint8Array) => void;
}

export class SimdScanners implements Scanners {
  readonly name = 'simd';
  readonly readBuffer: Uint8Array;
  readonly batch: SimdBatch;
  readonly lineBytesMax: number;
  readonly #tables: Readonly<Record<KeyKind, KeyTable>>;
  readonly #module: SimdExports;
  readonly #addresses: Addresses;
  readonly #memory: Buffer;
  readonly #account: Uint32Array;
  readonly #reference: ReferenceScanner;
  /** Ids of each kind that the module has seen; it has none for the overflow key. */
  readonly #knownIds = { types: 1, words: 1 };
  #lines = 0;
  #fallbackLines = 0;

  /** Throws a RangeError or WebAssembly.RuntimeError where there is not enough memory. */
  constructor(options: SimdScannersOptions) {
    const { mapping, lineBytesMax, types, words } = options;
    this.lineBytesMax = lineBytesMax;
    this.#tables = { types, words };
    const module = instantiate(options.module, (kind, key, bytes) =>
      this.#newKey(KEY_KINDS[kind] as KeyKind, key, bytes),
    );
    this.#module = module;
    const keyBytesMax = Math.max(types.limits.keyBytesMax, words.limits.keyBytesMax);
    const names = pathsOf(mapping).flatMap((path) => path ?? []);
    const factorsBytes = 2 * keyBytesMax + FACTORS_BYTES_MORE;
    const addresses = readAddresses(
      module,
      module.setUp(
        lineBytesMax,
        SCAN_BYTES_MAX,
        Math.max(keyBytesMax, ...names.map((name) => Buffer.byteLength(name))),
        factorsBytes,
        REJECTED_LINES_MAX,
        TIMESTAMP_FORMATS.indexOf(mapping.timestampFormat),
        names.some((name) => name.toWellFormed().includes('\ufffd')),
      ),
    );
    this.#addresses = addresses;
    for (const [kind, of] of KEY_KINDS.entries()) {
      const { keysMax, keyBytesMax } = this.#tables[of].limits;
      const restsBytes = keysMax * Math.max(0, keyBytesMax - KEY_HEAD_BYTES);
      const room = Math.min(restsBytes, KEY_RESTS_BYTES_MAX);
      module.setUpKeyTable(kind, keysMax, keyBytesMax, room);
    }
    this.#addFields(mapping);

    // All memory is there now, and stays where it is.
    const { buffer } = module.memory;
    this.#memory = Buffer.from(buffer);
    this.#account = new Uint32Array(buffer, addresses.account, 8);
    options.fillRandom(new Uint8Array(buffer, addresses.factors, factorsBytes));
    const powers = powersOfTen();
    new BigUint64Array(buffer, addresses.powers, powers.length).set(powers);
    this.readBuffer = new Uint8Array(buffer, addresses.readBuffer, SCAN_BYTES_MAX);
    this.batch = new SimdBatch(this.#memory, addresses, lineBytesMax);

    this.#reference = new ReferenceScanner(options);
    this.#reference.resume({
      tail: new Uint8Array(0),
      bytes: 0,
      isSkipping: false,
      contentSeen: true, // a byte order mark that is dropped is not handed to it
    });
  }

  create(): Scanner {
    return new SimdScanner(this);
  }

  counts(): ScannerCounts {
    return { lines: this.#lines, fallbackLines: this.#fallbackLines };
  }

  /** Begins the next batch. `contentSeen`: as of Unfinished. */
  begin(arrivalTime: number, contentSeen: boolean): void {
    this.#copyNewKeys();
    this.#module.begin(arrivalTime, contentSeen);
  }

  /** Scans lines, the first of which begins with other bytes; the last byte is an LF. */
  scanLines(beginning: Uint8Array, rest: Uint8Array, arrivalTime: number): void {
    const { readBuffer } = this.#addresses;
    let at = rest.byteOffset;
    if (rest.buffer !== this.#memory.buffer) {
      at = readBuffer;
      this.#memory.set(rest, at);
    }
    const end = at + rest.length;
    at -= beginning.length;
    if (beginning.length > 0) this.#memory.set(beginning, at);
    for (;;) {
      at = this.#module.scan(at, end);
      if (at === end) break;
      if (at > end) throw new Error(`scanned ${at - end} bytes more than there are`);
      this.#scanByReference(at, arrivalTime);
      at = (this.#account[LINE_LF] as number) + 1;
    }
    this.#lines += this.#account[LINES] as number;
  }

  /** Counts a line that came to its end without being scanned here. */
  countLine(): void {
    this.#lines++;
  }

  /** Hands a line to the reference scanner and takes over what that makes of it. */
  #scanByReference(start: number, arrivalTime: number): void {
    const module = this.#module;
    const text = this.#account[LINE_TEXT] as number;
    const lf = this.#account[LINE_LF] as number;
    const batch: EventBatch = this.#reference.scan(
      this.#memory.subarray(text, lf + 1),
      arrivalTime,
    );
    const [wordIds, [end]] = [batch.wordIds, batch.wordOffsets.subarray(batch.length)];
    for (const id of wordIds.subarray(0, end)) module.addWord(id);
    if (batch.length === 1) {
      const { eventTimes, typeIds, values } = batch;
      module.addEvent(eventTimes[0] as number, typeIds[0] as number, values[0] as number);
    } else {
      const isReason = (reason: RejectionReason) => batch.rejected[reason] === 1;
      module.reject(REJECTION_REASONS.findIndex(isReason), start, text, lf);
    }
    module.countLine();
    this.#fallbackLines++;
    this.#copyNewKeys();
  }

  #newKey(of: KeyKind, key: number, bytes: number): number {
    const id = this.#tables[of].idOfBytes(this.#memory, key, key + bytes);
    this.#knownIds[of] = this.#tables[of].size;
    return id;
  }

  /** Copies the keys that the tables got from elsewhere. */
  #copyNewKeys(): void {
    for (const [kind, of] of KEY_KINDS.entries()) {
      let id = this.#knownIds[of];
      if (id === this.#tables[of].size) continue;
      for (const key of this.#tables[of].keysFrom(id)) {
        const bytes = this.#memory.write(key, this.#addresses.scratch);
        this.#module.addKey(kind, this.#addresses.scratch, bytes, id++);
      }
      this.#knownIds[of] = id;
    }
  }

  #addFields(mapping: FieldMapping): void {
    const { root, scratch } = this.#addresses;
    for (const [part, path] of pathsOf(mapping).entries()) {
      if (path === null) continue;
      let node = root;
      for (const name of path) {
        // The memory may have grown with the name before.
        const bytes = Buffer.from(this.#module.memory.buffer).write(name, scratch);
        node = this.#module.nodeOf(node, scratch, bytes);
      }
      this.#module.addPart(node, part);
    }
  }
}

/** Where the parts of an event stand, in the module's order; null where a part is not read. */
function pathsOf({ eventType, data, timestamp, timestampFormat, value }: FieldMapping) {
  return [eventType, data, timestampFormat === 'arrival' ? null : timestamp, value];
}
