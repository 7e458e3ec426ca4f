/** The screen as lines, from what is known and the size of the terminal. Pure. */
import type { Colors } from 'picocolors/types.js';
import {
  formatCount,
  formatDateTime,
  formatDuration,
  formatInterval,
  formatRate,
  formatShare,
} from '../views/format.js';
import { IDLE_SECONDS, rejectedTotal } from '../views/stats.js';
import { PRESETS, type Preset } from '../views/view.js';
import type { Connection, Frame, List } from './frames.js';
import { cut, fit, pad, printable, width } from './printable.js';
import type { Choice } from './views.js';

/** A second. */
export interface Rates {
  readonly accepted: number;
  readonly rejected: number;
}

export interface Screen {
  readonly url: string;
  readonly choice: Choice;
  readonly connection: Connection;
  /** Null before the first. */
  readonly frame: Frame | null;
  readonly rates: Rates | null;
  /** Since the frame came, by this machine's clock. */
  readonly frameAgeSeconds: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** From here on the two lists stand side by side. */
const SIDE_BY_SIDE_COLUMNS = 72;
const GAP = '   ';
/** Lines that are no list: title, totals, interval, and the keys below. */
const FRAMING_ROWS = 4;
/** A list is its title and a key at least. */
const LIST_ROWS_MIN = 2;
const KEY_COLUMNS_MIN = 4;
const BAR_COLUMNS_MIN = 4;
const SHARE_COLUMNS = '>99.9%'.length;
/** A column's eighths. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** As many lines as there are rows, none wider than the columns. */
export function render(screen: Screen, { columns, rows }: Size, colors: Colors): string[] {
  const { frame } = screen;
  const head = [titleLine(screen, columns, colors)];
  if (frame !== null) {
    head.push(cut(totalsText(screen, frame), columns));
    head.push(colors.dim(cut(intervalText(screen.choice, frame), columns)));
  }
  const keys = keysLine(screen.choice, columns, colors);
  const room = rows - FRAMING_ROWS;
  const body = frame === null ? [] : listLines(frame, { columns, rows: room }, colors);
  const above = [...head, ...body].slice(0, Math.max(1, rows - 1));
  if (rows <= above.length) return above.slice(0, rows);
  return [...above, ...Array<string>(rows - 1 - above.length).fill(''), keys];
}

function titleLine(screen: Screen, columns: number, colors: Colors): string {
  const [color, state] = stateOf(screen, colors);
  const title = `event-tally ${printable(screen.url)}`;
  const stateText = cut(state, columns);
  const room = columns - width(stateText) - 2;
  if (room < width('event-tally')) return color(stateText);
  return `${colors.bold(fit(title, room))}  ${color(stateText)}`;
}

type Color = (text: string) => string;

function stateOf(
  { connection, frame, frameAgeSeconds }: Screen,
  colors: Colors,
): [color: Color, text: string] {
  switch (connection.state) {
    case 'connecting':
      return [colors.yellow, 'connecting'];
    case 'lost': {
      const verb = connection.refused ? 'refused' : 'reconnecting';
      return [colors.red, `${verb}: ${printable(connection.reason)}`];
    }
    case 'live': {
      if (frame === null) return [colors.yellow, 'connected'];
      const ago = frame.stats.last_line_seconds_ago;
      if (ago === null) return [colors.yellow, 'no line yet'];
      const idle = ago + frameAgeSeconds;
      if (idle < IDLE_SECONDS) return [colors.green, 'counting'];
      return [colors.yellow, `idle for ${formatDuration(idle)}`];
    }
  }
}

function totalsText({ rates, connection }: Screen, { stats }: Frame): string {
  const { accepted, late, ahead, sources } = stats;
  const rejected = rejectedTotal(stats);
  const judged = accepted + rejected;
  const share = judged > 0 ? ` (${formatShare(rejected, judged)})` : '';
  const isLive = rates !== null && connection.state === 'live';
  const parts = [
    `${isLive ? formatRate(rates.accepted) : '–'} events/s`,
    `${formatCount(accepted)} accepted`,
    `${formatCount(rejected)} rejected${share}`,
  ];
  if (isLive && rates.rejected > 0) parts.push(`${formatRate(rates.rejected)} rejected/s`);
  if (late > 0) parts.push(`${formatCount(late)} late`);
  if (ahead > 0) parts.push(`${formatCount(ahead)} ahead`);
  parts.push(`${formatCount(sources.length)} ${sources.length === 1 ? 'source' : 'sources'}`);
  return parts.join(' · ');
}

function intervalText({ preset, until }: Choice, { types, stats }: Frame): string {
  const parts: string[] = [titleOf(preset)];
  if (types.window !== null) {
    parts.push(formatInterval(types.window));
    parts.push(until === 'now' ? 'until now' : 'until the newest event');
    const newest = stats.last_event_time;
    if (newest !== null && newest < types.window.start) {
      parts.push(`the newest event is of ${formatDateTime(newest)}: press u`);
    }
  }
  return parts.join(' · ');
}

function titleOf({ label }: Preset): string {
  return label.toLowerCase();
}

function keysLine({ preset, until }: Choice, columns: number, colors: Colors): string {
  const labels = PRESETS.map((each, i) => `${i + 1} ${titleOf(each)}`);
  labels.push(`u until ${until === 'now' ? 'newest' : 'now'}`, 'q quit');
  const text = labels.join('  ');
  if (width(text) > columns) {
    return colors.dim(cut(`1–${PRESETS.length} window  u until  q quit`, columns));
  }
  const current = PRESETS.indexOf(preset);
  return labels
    .map((label, i) => (i === current ? colors.inverse(label) : colors.dim(label)))
    .join('  ');
}

function listLines({ types, words }: Frame, { columns, rows }: Size, colors: Colors): string[] {
  if (columns >= SIDE_BY_SIDE_COLUMNS) {
    const each = Math.floor((columns - width(GAP)) / 2);
    const left = listOf('types', types, { columns: each, rows }, colors);
    const right = listOf('words', words, { columns: each, rows }, colors);
    return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
      return `${left[i] ?? ' '.repeat(each)}${GAP}${right[i] ?? ''}`;
    });
  }
  // One below the other; the types, mostly the fewer, get what they need of a half.
  const half = Math.max(Math.floor(rows / 2), LIST_ROWS_MIN);
  const above = listOf('types', types, { columns, rows: half }, colors);
  return [...above, ...listOf('words', words, { columns, rows: rows - above.length }, colors)];
}

/** Lines that are as wide as there are columns. */
function listOf(
  title: string,
  { total, distinct, overflow, counts }: List,
  { columns, rows }: Size,
  colors: Colors,
): string[] {
  if (rows < 1) return [];
  const folded = overflow > 0 ? `, ${formatCount(overflow)} past a bound` : '';
  const heading = `${title}: ${formatCount(distinct)} distinct, ${formatCount(total)} counted${folded}`;
  const shown = counts.slice(0, rows - 1).map(({ key, count }) => ({
    key: printable(key),
    count,
    text: formatCount(count),
  }));
  const largest = Math.max(0, ...shown.map(({ count }) => count));
  const countColumns = Math.max(0, ...shown.map(({ text }) => width(text)));
  const free = columns - countColumns - SHARE_COLUMNS - 2;
  const keyColumns = Math.min(
    Math.max(KEY_COLUMNS_MIN, ...shown.map(({ key }) => width(key))),
    Math.max(KEY_COLUMNS_MIN, Math.floor(free / 2)),
  );
  const barColumns = free - keyColumns - 1;
  const lines = shown.map(({ key, count, text }) => {
    const number = text.padStart(countColumns);
    if (barColumns < BAR_COLUMNS_MIN) {
      const room = columns - countColumns - 1;
      return room < KEY_COLUMNS_MIN ? fit(key, columns) : `${fit(key, room)} ${number}`;
    }
    const bar = pad(barOf(largest > 0 ? count / largest : 0, barColumns), barColumns);
    const share = formatShare(count, total).padStart(SHARE_COLUMNS);
    return `${fit(key, keyColumns)} ${colors.cyan(bar)} ${number} ${colors.dim(share)}`;
  });
  return [colors.bold(fit(heading, columns)), ...lines];
}

/** A bar of a share of the columns, exact to an eighth of one; what is more than nothing is seen. */
function barOf(share: number, columns: number): string {
  const eighths = Math.max(share > 0 ? 1 : 0, Math.round(share * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string);
}
