import type { RejectionReason } from '@event-tally/shared/line.js';
import type { ScannedEvent } from './read-batch.js';

export interface ModelResult {
  readonly events: ScannedEvent[];
  blank: number;
  readonly rejected: Record<RejectionReason, number>;
}

/** What becomes of a stream's bytes under the default mapping, as plainly as it can be said. */
export function modelOf(bytes: Uint8Array, lineBytesMax: number): ModelResult {
  const result = {
    events: [],
    blank: 0,
    rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
  } as ModelResult;
  let first = true;
  for (
    let start = 0, end = bytes.indexOf(10);
    end !== -1;
    start = end + 1, end = bytes.indexOf(10, start)
  ) {
    const line = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, end));
    const mark = first && line.startsWith('\ufeff') ? 1 : 0;
    if (end - start > lineBytesMax) result.rejected.too_long++;
    else if (line.trim() === '') result.blank++;
    else judge(line.slice(mark), result);
    if (end - start > lineBytesMax || line.trim() !== '') first = false;
  }
  return result;
}

function judge(line: string, result: ModelResult): void {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    result.rejected.not_json++;
    return;
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
  if (!isEvent) result.rejected.not_an_event++;
  else {
    const words = data.toWellFormed().match(/\S+/g) ?? [];
    result.events.push({
      type: type.toWellFormed(),
      words: [...words],
      time: time as number,
      value: (value as number | undefined) ?? null,
    });
  }
}
