import type { RejectionReason } from '@event-tally/shared/line.js';
import type { RejectedLine } from '#consumer/tally/rejected-lines.js';
import type { ScannedEvent } from './read-batch.js';

export interface ModelResult {
  readonly events: ScannedEvent[];
  blank: number;
  readonly rejected: Record<RejectionReason, number>;
  readonly rejectedLines: RejectedLine[];
}

/** What becomes of a stream's bytes under the default mapping, as plainly as it can be said. */
export function modelOf(bytes: Uint8Array, lineBytesMax: number): ModelResult {
  const result = {
    events: [],
    blank: 0,
    rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
    rejectedLines: [],
  } as ModelResult;
  const reject = (reason: RejectionReason, bytes: number, text: string) => {
    result.rejected[reason]++;
    result.rejectedLines.push({ reason, bytes, text });
  };
  let first = true;
  for (
    let start = 0, end = bytes.indexOf(10);
    end !== -1;
    start = end + 1, end = bytes.indexOf(10, start)
  ) {
    const line = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end));
    const mark = first && line.startsWith('\ufeff') ? 1 : 0;
    if (end - start > lineBytesMax) {
      const beginning = [...line].slice(0, Math.min(200, Math.floor(lineBytesMax / 4)));
      reject('too_long', end - start, beginning.join(''));
    } else if (line.trim() === '') result.blank++;
    else {
      const judged = judge(line.slice(mark));
      if (typeof judged === 'string') reject(judged, end - start, line.slice(mark));
      else result.events.push(judged);
    }
    if (end - start > lineBytesMax || line.trim() !== '') first = false;
  }
  return result;
}

function judge(line: string): ScannedEvent | RejectionReason {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'not_json';
  }
  const {
    event_type: type,
    data,
    timestamp: time,
    value,
  } = Object(json) as Record<string, unknown>;
  const isEvent =
    typeof type === 'string' &&
    type !== '' &&
    typeof data === 'string' &&
    Number.isFinite(time) &&
    (time as number) >= 0 &&
    (value === undefined || Number.isFinite(value));
  if (!isEvent) return 'not_an_event';
  return {
    type: type.toWellFormed(),
    words: [...(data.toWellFormed().match(/\S+/g) ?? [])],
    time: time as number,
    value: (value as number | undefined) ?? null,
  };
}
