import { WebAssembly, type WebAssemblyMemory, type WebAssemblyModule } from './web-assembly.js';

/** What the WebAssembly module in `assembly/` gives and takes. Its numbers are addresses in its memory. */
export interface SimdExports {
  readonly memory: WebAssemblyMemory;
  setUp(
    lineBytesMax: number,
    readBytes: number,
    scratchBytes: number,
    factorsBytes: number,
    rejectedMax: number,
    timestampFormat: number,
    hasReplacedNames: boolean,
  ): number;
  setUpKeyTable(kind: number, keysMax: number, keyBytesMax: number, restBytes: number): void;
  nodeOf(above: number, name: number, nameBytes: number): number;
  addPart(node: number, part: number): void;
  addKey(kind: number, key: number, bytes: number, id: number): void;
  begin(arrivalTime: number, hasContent: boolean): void;
  scan(from: number, end: number): number;
  countLine(): void;
  reject(reason: number, start: number, text: number, lf: number): void;
  addWord(id: number): void;
  addEvent(time: number, typeId: number, value: number): void;
}

/** What the module asks for the id of a key that it does not know. */
export type NewKey = (kind: number, key: number, bytes: number) => number;

export function instantiate(module: WebAssemblyModule, newKey: NewKey): SimdExports {
  const instance = new WebAssembly.Instance(module, { 'key-map': { newKey } });
  return instance.exports as unknown as SimdExports;
}

/** Where things are, and how long columns, in the order in which `setUp` writes it. */
export const ADDRESSES = [
  'readBuffer',
  'account',
  'rejectedLines',
  'eventTimes',
  'values',
  'typeIds',
  'wordOffsets',
  'wordIds',
  'factors',
  'powers',
  'root',
  'scratch',
  'eventsMax',
  'wordsMax',
] as const;
export type Addresses = Readonly<Record<(typeof ADDRESSES)[number], number>>;

export function readAddresses({ memory }: SimdExports, at: number): Addresses {
  const values = new Uint32Array(memory.buffer, at, ADDRESSES.length);
  const entries = ADDRESSES.map((name, i) => [name, values[i] as number]);
  return Object.fromEntries(entries) as Addresses;
}

/** Indices into the account of a scan, 32-bit numbers. */
export const LINES = 0;
export const BLANK = 1;
/** Of the first of REJECTION_REASONS, the others after it. */
export const REJECTED = 2;
export const EVENTS = 5;
export const LINE_TEXT = 6;
export const LINE_LF = 7;
