import { DEFAULT_MAPPING, type FieldMapping } from '@event-tally/shared/event.js';
import type { RejectionReason } from '@event-tally/shared/line.js';
import type { RejectedLine } from '#consumer/tally/rejected-lines.js';
import type { ScannedEvent } from './read-batch.js';

export interface ModelResult {
  readonly events: ScannedEvent[];
  blank: number;
  readonly rejected: Record<RejectionReason, number>;
  readonly rejectedLines: RejectedLine[];
}

/** What becomes of a stream's bytes, as plainly as it can be said. */
export function modelOf(bytes: Uint8Array, lineBytesMax: number): ModelResult {
  return new LineModel(DEFAULT_MAPPING, lineBytesMax).read(bytes, 0);
}

/** What becomes of the bytes of a stream that comes in reads. */
export class LineModel {
  readonly #mapping: FieldMapping;
  readonly #lineBytesMax: number;
  #unfinished: Uint8Array = new Uint8Array(0);
  #first = true;

  constructor(mapping: FieldMapping, lineBytesMax: number) {
    this.#mapping = mapping;
    this.#lineBytesMax = lineBytesMax;
  }

  /** Of the lines that end in this read. */
  read(bytes: Uint8Array, arrivalTime: number): ModelResult {
    const result: ModelResult = {
      events: [],
      blank: 0,
      rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
      rejectedLines: [],
    };
    const all = Buffer.concat([this.#unfinished, bytes]);
    let start = 0;
    for (let end = all.indexOf(10); end !== -1; end = all.indexOf(10, start)) {
      this.#readLine(all.subarray(start, end), arrivalTime, result);
      start = end + 1;
    }
    this.#unfinished = all.subarray(start);
    return result;
  }

  #readLine(bytes: Uint8Array, arrivalTime: number, result: ModelResult): void {
    const reject = (reason: RejectionReason, text: string) => {
      result.rejected[reason]++;
      result.rejectedLines.push({ reason, bytes: bytes.length, text });
    };
    const line = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    if (bytes.length > this.#lineBytesMax) {
      const beginning = [...line].slice(0, Math.min(200, Math.floor(this.#lineBytesMax / 4)));
      reject('too_long', beginning.join(''));
      this.#first = false;
    } else if (line.trim() === '') {
      result.blank++;
    } else {
      const text = this.#first && line.startsWith('\ufeff') ? line.slice(1) : line;
      const judged = judge(text, this.#mapping, arrivalTime);
      if (typeof judged === 'string') reject(judged, text);
      else result.events.push(judged);
      this.#first = false;
    }
  }
}

function judge(
  line: string,
  mapping: FieldMapping,
  arrivalTime: number,
): ScannedEvent | RejectionReason {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'not_json';
  }
  if (!isObject(json)) return 'not_an_event';
  const type = follow(json, mapping.eventType);
  const data = mapping.data === null ? '' : follow(json, mapping.data);
  const value = mapping.value === null ? undefined : follow(json, mapping.value);
  const time = timeOf(json, mapping, arrivalTime);
  const isEvent =
    typeof type === 'string' &&
    type !== '' &&
    typeof data === 'string' &&
    Number.isFinite(time) &&
    time >= 0 &&
    (value === undefined || Number.isFinite(value));
  if (!isEvent) return 'not_an_event';
  return {
    type: type.toWellFormed(),
    words: [...(data.toWellFormed().match(/\S+/g) ?? [])],
    time,
    value: (value as number | undefined) ?? null,
  };
}

function isObject(json: unknown): json is object {
  return Object.prototype.toString.call(json) === '[object Object]';
}

function follow(json: object, path: readonly string[]): unknown {
  let value: unknown = json;
  for (const name of path) {
    const members: [string, unknown][] = isObject(value) ? Object.entries(value) : [];
    value = members.find(([member]) => member === name)?.[1];
  }
  return value;
}

/** NaN where there is none. */
function timeOf(
  json: object,
  { timestamp, timestampFormat }: FieldMapping,
  arrivalTime: number,
): number {
  if (timestampFormat === 'arrival') return arrivalTime;
  const time = follow(json, timestamp);
  if (timestampFormat === 'iso8601') return typeof time === 'string' ? iso8601(time) : Number.NaN;
  if (typeof time !== 'number') return Number.NaN;
  return timestampFormat === 'unix_ms' ? time / 1000 : time;
}

/** By way of the platform's own reading of the parts that it agrees on. */
function iso8601(text: string): number {
  const match =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(:\d\d)?([.,]\d+)?(Z|([+-])(\d\d):?(\d\d))?$/i.exec(text);
  if (match === null) return Number.NaN;
  const [, date, hour, minute, second = ':00', fraction = '.0', , sign, zoneHour, zoneMinute] =
    match;
  if (match[4] === undefined && match[5] !== undefined) return Number.NaN;
  const midnight = new Date(`${date}T00:00:00Z`);
  const isDate =
    Number.isFinite(midnight.getTime()) && midnight.toISOString().startsWith(`${date}`);
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second.slice(1)) <= 60;
  const isZone = Number(zoneHour ?? 0) < 24 && Number(zoneMinute ?? 0) < 60;
  if (!isDate || !isTime || !isZone) return Number.NaN;
  const east = sign === '-' ? -1 : 1;
  const minutes =
    Number(hour) * 60 +
    Number(minute) -
    east * (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0));
  const whole = midnight.getTime() / 1000 + minutes * 60 + Number(second.slice(1));
  return whole < 0 ? whole : Number(`${whole}.${fraction.slice(1, 7)}`);
}
