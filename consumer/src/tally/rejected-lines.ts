import type { FieldMapping } from '@event-tally/shared/event.js';
import { createEventFaultFinder, type EventFault } from '@event-tally/shared/event-fault.js';
import { isObject } from '@event-tally/shared/field-path.js';
import type { RejectionReason } from '@event-tally/shared/line.js';
import { firstCharacters, shownText } from './shown-text.js';

/** Rejected lines that are kept, the last ones. */
export const REJECTED_LINES_MAX = 20;
/** Characters (code points) of a rejected line that are shown. */
const TEXT_CHARACTERS_MAX = 200;
/** A line that is too long begins with what is kept of it in so many bytes: a character has four at most. */
export const TOO_LONG_BYTES_KEPT = 4 * TEXT_CHARACTERS_MAX;
/** Names of a rejected object's fields that are shown, and the characters of each. */
const FIELDS_MAX = 20;
const FIELD_CHARACTERS_MAX = 100;

/** A line that became no event, as a scanner gives it. */
export interface RejectedLine {
  readonly reason: RejectionReason;
  /** Before its LF, all of them. */
  readonly bytes: number;
  /** As it was decoded: the whole line, of one that is too long no more than its beginning. */
  readonly text: string;
}

/**
 * What is kept of a line that is too long: as many characters as are shown, or as any scanner can have of
 * it, however its bytes came, before it lets go of it. A character has four bytes at most.
 */
export function beginningOfTooLong(text: string, lineBytesMax: number): string {
  const characters = Math.min(TEXT_CHARACTERS_MAX, Math.floor(lineBytesMax / 4));
  return firstCharacters(text, characters);
}

/** What is told of a rejected line. */
export interface RejectedLineReport {
  readonly reason: RejectionReason;
  /** Arrival time, Unix seconds. */
  readonly at: number;
  readonly source: string;
  readonly bytes: number;
  /** Its beginning, control characters escaped. */
  readonly text: string;
  /** Of an object that is not an event. */
  readonly fault: EventFault | null;
  /** Names of the outermost fields, of an object that is not an event. */
  readonly fields: readonly string[] | null;
}

interface Kept {
  readonly line: RejectedLine;
  readonly source: string;
  readonly at: number;
}

/**
 * The last lines that were rejected, over all sources of a thread. What is wrong with a line is found
 * out when it is first asked for; its text is kept whole until then, and no longer.
 *
 * A text is kept as the scanner gave it. It may be cut out of all that was decoded at once, which V8 then
 * keeps alive: a read and the unfinished line before it, so that memory is bounded by REJECTED_LINES_MAX of
 * those. To copy each text would cost a stream of long corrupt lines a quarter of its speed.
 */
export class RejectedLines {
  readonly #findFault: (json: Record<string, unknown>) => EventFault | null;
  /** Oldest first. */
  readonly #lines: (Kept | RejectedLineReport)[] = [];

  constructor(mapping: FieldMapping) {
    this.#findFault = createEventFaultFinder(mapping);
  }

  /** Oldest first. */
  add(lines: readonly RejectedLine[], source: string, at: number): void {
    if (lines.length === 0) return;
    for (const line of lines) this.#lines.push({ line, source, at });
    this.#lines.splice(0, this.#lines.length - REJECTED_LINES_MAX);
  }

  /** Newest first. */
  reports(): RejectedLineReport[] {
    for (const [i, line] of this.#lines.entries()) {
      if ('line' in line) this.#lines[i] = this.#report(line);
    }
    return (this.#lines as RejectedLineReport[]).toReversed();
  }

  #report({ line: { reason, bytes, text }, source, at }: Kept): RejectedLineReport {
    const json = reason === 'not_an_event' ? parsed(text) : null;
    const shown = shownText(text, TEXT_CHARACTERS_MAX);
    const report = { reason, at, source, bytes, text: shown, fault: null, fields: null };
    if (!isObject(json)) return report;
    const names = Object.keys(json).slice(0, FIELDS_MAX);
    const fields = names.map((name) => shownText(name, FIELD_CHARACTERS_MAX));
    return { ...report, fault: this.#findFault(json), fields };
  }
}

/** A scanner said that it is JSON. Were it wrong, that would be no reason to end the thread that reports it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
