import { Counter, Gauge, Registry } from 'prom-client';
import type { IngestStats } from '../ingest/ingest-client.js';
import { SOURCE_STATES } from '../sources/source.js';
import { KEY_KINDS } from '../tally/key-table.js';
import type { KeyTotal } from '../tally/ranking.js';

/** What one scrape knows of the ingest threads. */
export interface IngestScrape {
  /** Unix seconds. */
  readonly now: number;
  readonly ready: boolean;
  /** Null when the threads gave no answer. */
  readonly stats: IngestStats | null;
  /** Of each thread; null where it is not there. */
  readonly loopUtilizations: readonly (number | null)[];
  /** Of all threads in sum, as the distinct keys are those of all. */
  readonly keysMax: { readonly types: number; readonly words: number };
  readonly topTypes: readonly KeyTotal[];
}

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

/**
 * A registry for this scrape alone: two scrapes at once do not write into each other's numbers, and what
 * the threads no longer know of is not there. No label but `type`, which is asked for, comes from the
 * stream.
 */
export function ingestMetrics(scrape: IngestScrape): Registry {
  const { stats, ready, loopUtilizations, topTypes } = scrape;
  const registry = new Registry();
  const gauge = (name: string, help: string, series: readonly Series[]) => {
    if (series.length === 0) return; // without labels it would come into being as 0
    const metric = new Gauge({ ...configuration(name, help, series), registers: [registry] });
    for (const [labels, value] of series) metric.set(labels, value);
  };
  const counter = (name: string, help: string, series: readonly Series[]) => {
    if (series.length === 0) return;
    const metric = new Counter({ ...configuration(name, help, series), registers: [registry] });
    for (const [labels, value] of series) metric.inc(labels, value);
  };

  gauge('ready', 'Whether /readyz answers 200.', one(Number(ready)));
  gauge(
    'ingest_running',
    'Whether the ingest threads answered; without them most other numbers are missing.',
    one(Number(stats !== null)),
  );
  gauge(
    'ingest_loop_utilization_ratio',
    'Share of the time for which the event loop of an ingest thread was busy since the scrape before, or over 10 s where that was later.',
    loopUtilizations.flatMap((ratio, thread) =>
      ratio === null ? [] : [[{ thread: String(thread) }, ratio]],
    ),
  );
  if (stats !== null) addStats(stats, scrape, { gauge, counter });
  counter(
    'events_by_type_total',
    'Accepted events of the most frequent types.',
    topTypes.map(({ key, count }) => [{ type: key }, count]),
  );
  return registry;
}

type Add = (name: string, help: string, series: readonly Series[]) => void;

function addStats(
  stats: IngestStats,
  { now, keysMax }: IngestScrape,
  { gauge, counter }: { readonly gauge: Add; readonly counter: Add },
): void {
  const { accepted, blank, rejected, windows, sources, scanner, state } = stats;
  const { lastEventTime, lastLineSecondsAgo } = stats;
  const bySource = (value: (source: (typeof sources)[number]) => number): Series[] =>
    sources.map((source) => [{ source: source.name }, value(source)]);
  const byKind = (value: (kind: (typeof KEY_KINDS)[number]) => number): Series[] =>
    KEY_KINDS.map((kind) => [{ kind }, value(kind)]);

  counter(
    'lines_total',
    'Lines read.',
    bySource(({ lines }) => lines),
  );
  counter(
    'bytes_total',
    'Bytes read.',
    bySource(({ bytes }) => bytes),
  );
  counter('events_accepted_total', 'Lines that were events, and counted.', one(accepted));
  counter('lines_blank_total', 'Lines of white space.', one(blank));
  counter(
    'lines_rejected_total',
    'Lines that were no events, by reason.',
    Object.entries(rejected).map(([reason, lines]) => [{ reason }, lines]),
  );
  counter('scanner_lines_total', 'Lines scanned, by which scanner.', [
    [{ scanner: scanner.name }, scanner.lines],
  ]);
  counter(
    'scanner_fallback_lines_total',
    'Of them, lines that were handed to the reference scanner.',
    one(scanner.fallbackLines),
  );
  counter('events_late_total', 'Accepted events that were too old for windows.', one(windows.late));
  counter(
    'events_ahead_total',
    'Accepted events that were too far ahead of the clock for windows.',
    one(windows.ahead),
  );
  gauge(
    'keys_distinct',
    'Distinct event types and words.',
    byKind((kind) => stats[kind].distinct),
  );
  gauge(
    'keys_distinct_max',
    'Distinct event types and words that the ingest threads count by name at most, in sum.',
    byKind((kind) => keysMax[kind]),
  );
  counter(
    'keys_overflow_total',
    'Occurrences of event types and words past a bound, counted together.',
    byKind((kind) => stats[kind].overflow),
  );
  gauge('window_cells', 'Pairs of a key and a bucket of time.', one(windows.cells.used));
  gauge(
    'window_cells_max',
    'Pairs of a key and a bucket of time that are kept at most.',
    one(windows.cells.max),
  );
  counter(
    'window_cells_folded_total',
    'Occurrences in windows that were counted together, as all cells were in use.',
    one(windows.cells.folded),
  );
  gauge(
    'source_state',
    'Whether a source is in a state.',
    sources.flatMap(({ name, state: current }) =>
      SOURCE_STATES.map((state): Series => [{ source: name, state }, Number(state === current)]),
    ),
  );
  if (state !== null) {
    gauge(
      'state_journal_bytes',
      'Bytes of the journals since the newest checkpoint.',
      one(state.journalBytes),
    );
    counter('state_checkpoints_total', 'Checkpoints taken.', one(state.checkpoints));
    if (state.lastCheckpointSeconds !== null) {
      gauge(
        'state_last_checkpoint_seconds',
        'How long the last checkpoint took.',
        one(state.lastCheckpointSeconds),
      );
    }
    if (state.lastCheckpointPauseSeconds !== null) {
      gauge(
        'state_last_checkpoint_pause_seconds',
        'How long reading stood still for the last checkpoint at a time, at most.',
        one(state.lastCheckpointPauseSeconds),
      );
    }
    gauge(
      'state_fault',
      'Whether the counts cannot be kept; /readyz says why.',
      one(Number(state.fault !== null)),
    );
  }
  if (lastEventTime !== null) {
    gauge(
      'last_event_age_seconds',
      'From the newest event time, not counting those ahead, to now.',
      one(now - lastEventTime),
    );
  }
  if (lastLineSecondsAgo !== null) {
    gauge('last_line_age_seconds', 'Since the last line was read.', one(lastLineSecondsAgo));
  }
}

function one(value: number): [Series] {
  return [[{}, value]];
}

function configuration(name: string, help: string, series: readonly Series[]) {
  return { name: `event_tally_${name}`, help, labelNames: Object.keys(series[0]?.[0] ?? {}) };
}
