/** What the page says of the API's answers: pure, for the server and for the browser. */
import { parseFieldPath } from '@event-tally/shared/field-path.js';
import {
  formatCount,
  formatDuration,
  formatInterval,
  formatShare,
  formatTime,
} from '../views/format.js';
import { IDLE_SECONDS, type Outcomes, rejectedTotal } from '../views/stats.js';
import { PRESETS } from '../views/view.js';
import type { Colours } from './colours.js';
import type { ListDocument, RejectedDocument, StatsDocument } from './documents.js';
import { LIST_ROWS_MAX } from './page-limits.js';
import { FIELD_VARIABLES, type FieldVariable, type PageSettings } from './settings.js';
import { formatKey } from './shown-key.js';
import { isWithin } from './view.js';

export type StateKind = 'waiting' | 'counting' | 'idle' | 'unreachable';

/** `stats` null: the counts cannot be had. */
export function stateOf(
  stats: StatsDocument | null,
  lastLineSecondsAgo: number | null,
): { kind: StateKind; text: string } {
  if (stats === null) return { kind: 'unreachable', text: 'Reconnecting' };
  if (lastLineSecondsAgo === null) return { kind: 'waiting', text: 'Waiting for the first line' };
  if (lastLineSecondsAgo < IDLE_SECONDS) return { kind: 'counting', text: 'Counting' };
  return { kind: 'idle', text: `Idle for ${formatDuration(lastLineSecondsAgo)}` };
}

export interface Figure {
  readonly name: 'accepted' | 'rejected' | 'late' | 'ahead';
  readonly label: string;
  readonly count: number;
  /** What stands beside the number. */
  readonly note: string;
  /** Shown at 0 as well. */
  readonly isConstant: boolean;
}

export function figuresOf(stats: Outcomes): Figure[] {
  const rejected = rejectedTotal(stats);
  const lines = stats.accepted + rejected;
  return [
    {
      name: 'accepted',
      label: 'accepted',
      count: stats.accepted,
      note: formatShare(stats.accepted, lines),
      isConstant: true,
    },
    {
      name: 'rejected',
      label: 'rejected',
      count: rejected,
      note: formatShare(rejected, lines),
      isConstant: true,
    },
    { name: 'late', label: 'late', count: stats.late, note: 'in no window', isConstant: false },
    { name: 'ahead', label: 'ahead', count: stats.ahead, note: 'in no window', isConstant: false },
  ];
}

const STATE_WORDS: Readonly<Record<string, string>> = { not_a_fifo: 'not a FIFO' };

export function sourceState(state: string): string {
  return STATE_WORDS[state] ?? state;
}

/** 3 sources: 2 open, 1 idle */
export function sourcesText({ sources }: StatsDocument): string {
  if (sources.length === 0) return 'no sources';
  const counts = new Map<string, number>();
  for (const { state } of sources) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) =>
    counts.size === 1 ? sourceState(state) : `${formatCount(count)} ${sourceState(state)}`,
  );
  const noun = sources.length === 1 ? 'source' : 'sources';
  return `${formatCount(sources.length)} ${noun}: ${states.join(', ')}`;
}

export interface Row {
  readonly rank: number;
  readonly key: string;
  readonly shown: string;
  readonly count: number;
  readonly share: string;
  /** Of the largest, 0 to 100. */
  readonly barPercent: number;
  /** Null: none of its own. */
  readonly colour: number | null;
}

/** Rows of a list, or of those of its keys that have `filter` in them, in any case. */
export function rowsOf(
  { counts, total }: ListDocument,
  { colours, filter = '', rowsMax }: { colours?: Colours; filter?: string; rowsMax: number },
): Row[] {
  const largest = counts[0]?.count ?? 0;
  const wanted = filter.toLowerCase();
  const rows: Row[] = [];
  for (const [i, { key, count }] of counts.entries()) {
    if (rows.length === rowsMax) break;
    if (!key.toLowerCase().includes(wanted)) continue;
    rows.push({
      rank: i + 1,
      key,
      shown: formatKey(key),
      count,
      share: formatShare(count, total),
      barPercent: Math.round((count / largest) * 10_000) / 100,
      colour: colours?.get(key) ?? null,
    });
  }
  return rows;
}

const NOUNS = {
  types: { one: 'type', many: 'types', occurrences: 'events' },
  words: { one: 'word', many: 'words', occurrences: 'words' },
} as const;
export type ListKind = keyof typeof NOUNS;

/** 5 distinct words, 1,240 in all */
export function listSummary(kind: ListKind, { distinct, total }: ListDocument): string {
  const { one, many, occurrences } = NOUNS[kind];
  const inAll =
    occurrences === 'events' ? `${formatCount(total)} events` : `${formatCount(total)} in all`;
  return `${formatCount(distinct)} distinct ${distinct === 1 ? one : many} · ${inAll}`;
}

/** What a filter found among the keys that were asked for. */
export function filterText(found: number, { distinct, counts }: ListDocument): string {
  const most = found === LIST_ROWS_MAX ? 'at least ' : '';
  const among =
    counts.length < distinct
      ? `the ${formatCount(counts.length)} most frequent of ${formatCount(distinct)}`
      : formatCount(distinct);
  return `${most}${formatCount(found)} of ${among} words`;
}

/** What of the total is under no key; empty when nothing is. */
export function overflowText(kind: ListKind, { overflow }: ListDocument): string {
  if (overflow === 0) return '';
  const bound = kind === 'types' ? 'EVENT_TYPES_MAX' : 'WORDS_MAX';
  const are = overflow === 1 ? 'is' : 'are';
  return `${formatCount(overflow)} more ${are} counted together, under no key of their own: past ${bound} or WINDOW_CELLS_MAX, or longer than KEY_BYTES_MAX.`;
}

export function emptyListText(kind: ListKind, settings: PageSettings, isWindow: boolean): string {
  if (kind === 'words' && settings.fields.DATA_FIELD === '') {
    return 'Words are not counted: DATA_FIELD is set to nothing.';
  }
  return isWindow ? `No ${NOUNS[kind].many} in this window.` : `No ${NOUNS[kind].many} yet.`;
}

/** What a list in this window covers. */
export function intervalText({ window, since }: Pick<ListDocument, 'window' | 'since'>): string {
  if (window === null) return 'All events since the start';
  const exact = window.resolution === 1 ? 'to the second' : 'to whole minutes';
  const cut = since !== null && window.start === since ? ', as far as the retention reaches' : '';
  return `${formatInterval(window)}, event time, ${exact}${cut}`;
}

/** Why some windows cannot be chosen; empty when all can. */
export function retentionText(retentionSeconds: number): string {
  const missing = PRESETS.filter((preset) => !isWithin(retentionSeconds, preset)).map(
    ({ label }) => label,
  );
  if (missing.length === 0) return '';
  return `${missing.join(', ')}: not with RETENTION at ${formatDuration(retentionSeconds)}.`;
}

const REASONS: Readonly<Record<RejectedDocument['reason'], string>> = {
  too_long: 'too long',
  not_json: 'not JSON',
  not_an_event: 'not an event',
};

export interface RejectedRow {
  readonly reason: string;
  readonly time: string;
  readonly source: string;
  readonly text: string;
  readonly size: string;
  /** What was wrong; empty when there is no more to say than the reason. */
  readonly problem: string;
}

export function rejectedRow(line: RejectedDocument): RejectedRow {
  const { reason, at, source, bytes, text, field, problem } = line;
  return {
    reason: REASONS[reason],
    time: formatTime(at),
    source,
    text,
    size: bytes === 1 ? '1 byte' : `${formatCount(bytes)} bytes`,
    problem: field === undefined ? '' : `${field} ${problem ?? 'is wrong'}`,
  };
}

/** Whether lines come and none of them is an event: the field names are wrong, most likely. */
export function needsAdvice(stats: StatsDocument): boolean {
  return stats.accepted === 0 && rejectedTotal(stats) > 0;
}

/** The fields of the last rejected line that had any. */
export function rejectedFields(rejected: readonly RejectedDocument[]): readonly string[] {
  return rejected.find(({ fields }) => fields !== undefined)?.fields ?? [];
}

/** The variables that name fields, with what they are now; those that are not read are left out. */
export function fieldVariables({ fields }: PageSettings): { name: FieldVariable; field: string }[] {
  return FIELD_VARIABLES.map((name) => ({ name, field: fields[name] })).filter(
    ({ field }) => field !== '',
  );
}

/** Whether a line with these fields has that one. Of a path only the outermost name can be told. */
export function presenceText(field: string, fields: readonly string[]): string {
  const path = parseFieldPath(field);
  if (fields.length === 0 || path === null) return '';
  return fields.includes(path[0]) ? 'is there' : 'is not there';
}
