/**
 * The live page as the server sends it: everything but the chart, of the moment of the request. The
 * browser's part (client/) writes later numbers into the same elements, by their ids, and makes further
 * rows from the templates at the end.
 */
import { formatCount, formatDateTime } from '../views/format.js';
import { type Outcomes, rejectedTotal } from '../views/stats.js';
import { type View, viewQuery } from '../views/view.js';
import type { Colours } from './colours.js';
import { type Command, curlCommands, firstEventCommand } from './commands.js';
import type { ListDocument, RejectedDocument, StatsDocument } from './documents.js';
import { type Html, html } from './html.js';
import { LIST_ROWS_MAX, LIST_ROWS_SHORT, REJECTED_ROWS_SHORT } from './page-limits.js';
import type { PageSettings } from './settings.js';
import {
  emptyListText,
  type Figure,
  fieldVariables,
  figuresOf,
  intervalText,
  type ListKind,
  listSummary,
  needsAdvice,
  overflowText,
  presenceText,
  type RejectedRow,
  type Row,
  rejectedFields,
  rejectedRow,
  retentionText,
  rowsOf,
  sourceState,
  sourcesText,
  stateOf,
} from './texts.js';
import { type Choice, proposedView, untilChoices, viewAddress, windowChoices } from './view.js';

export interface PageModel {
  readonly settings: PageSettings;
  readonly view: View;
  /** Scheme, host and port that the page was asked for at. */
  readonly origin: string;
  /** Unix seconds. */
  readonly now: number;
  /** Null when the ingest threads cannot be asked. */
  readonly stats: StatsDocument | null;
  /** Of the view, at the same moment as the stats; null where there is a problem instead. */
  readonly lists: Readonly<Record<ListKind, ListDocument>> | null;
  /** Why there are no numbers; null when there are. */
  readonly problem: string | null;
  /** Newest first. */
  readonly rejected: readonly RejectedDocument[];
  readonly colours: Colours;
}

export function renderPage(model: PageModel): string {
  const { settings, view, origin } = model;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>event-tally</title>
<link rel="icon" href="/dashboard/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/dashboard/page.css">
<script type="module" src="/dashboard/page.js"></script>
</head>
<body data-settings="${JSON.stringify(settings)}">
<a class="skip" href="#counts">Skip to the counts</a>
${header(model)}
<main>
${figures(model)}
${viewChoices(model)}
<p id="problem" class="notice bad"${hiddenIf(model.problem === null)}>${model.problem}</p>
${proposal(model)}
${firstEvent(model)}
${advice(model)}
<div id="sections" class="sections"${hiddenIf(model.lists === null)}>
<section class="card chart" aria-labelledby="chart-title">
<div class="head"><h2 id="chart-title">Events a second</h2><p id="chart-summary" class="sub"></p></div>
<div class="legend"><ul id="legend"></ul><p id="legend-time" class="sub"></p></div>
<div id="chart" class="plot"></div>
<p id="chart-empty" class="empty" hidden></p>
</section>
<div id="counts" class="lists">
${list('types', 'Types', model)}
${list('words', 'Words', model)}
</div>
${rejectedLines(model)}
${commands(curlCommands(origin, view))}
</div>
</main>
<footer>
<p>Without JavaScript this page shows the moment at which it was loaded: <a href="${viewAddress(view)}">load it again</a>.</p>
</footer>
<p id="announcement" class="unseen" role="status"></p>
<template id="row-template">${row(EMPTY_ROW)}</template>
<template id="rejected-template">${rejectedItem(EMPTY_REJECTED)}</template>
<template id="source-template">${source('', '', null)}</template>
<template id="legend-template">${LEGEND_ITEM}</template>
</body>
</html>
`.text;
}

const LEGEND_ITEM = html`<li><span class="swatch"></span><bdi dir="auto"></bdi> <span class="rate"></span></li>`;

function hiddenIf(condition: boolean): Html | null {
  return condition ? html` hidden` : null;
}

function header({ stats }: PageModel): Html {
  const { kind, text } = stateOf(stats, stats?.last_line_seconds_ago ?? null);
  return html`<header class="top">
<h1>event-tally</h1>
<p id="state" data-kind="${kind}"><span class="dot"></span><span id="state-text">${text}</span></p>
<nav aria-label="API"><a href="/docs">API</a> <a href="/openapi.json">OpenAPI</a> <a href="/stats">Stats</a></nav>
</header>`;
}

const NOTHING_READ: Outcomes = {
  accepted: 0,
  rejected: { too_long: 0, not_json: 0, not_an_event: 0 },
  late: 0,
  ahead: 0,
};

function figures({ stats }: PageModel): Html {
  return html`<section id="figures" aria-label="State" data-batch="${stats?.batch ?? ''}">
<dl class="figures">
<div><dt>events a second</dt><dd><span id="rate" class="number">–</span> <span class="note">last 5 s</span></dd></div>
${figuresOf(stats ?? NOTHING_READ).map(figure)}
</dl>
<details class="sources"${hiddenIf(stats === null)}>
<summary id="sources-summary">${stats === null ? null : sourcesText(stats)}</summary>
<ul id="sources">${(stats?.sources ?? []).map(({ name, state, reason }) => source(name, state, reason))}</ul>
</details>
</section>`;
}

function figure({ name, label, count, note, isConstant }: Figure): Html {
  return html`<div id="${name}"${hiddenIf(count === 0 && !isConstant)}><dt>${label}</dt><dd><data class="number" value="${count}">${formatCount(count)}</data> <span class="note">${note}</span></dd></div>
`;
}

function source(name: string, state: string, reason: string | null): Html {
  return html`<li data-state="${state}"><bdi class="name">${name}</bdi> <span class="state">${sourceState(state)}</span> <span class="reason">${reason}</span></li>`;
}

function viewChoices({ settings, view, lists }: PageModel): Html {
  const retention = retentionText(settings.retentionSeconds);
  const untils = untilChoices(view.window === null ? { ...view, window: '' } : view);
  while (untils.length < 3) untils.push({ ...untils[0]!, label: '', isCurrent: false });
  return html`<nav class="view" aria-label="Window">
<ul id="windows" class="choices">${windowChoices(view, settings.retentionSeconds).map(choice)}</ul>
<ul id="untils" class="choices"${hiddenIf(view.window === null)}>${untils.map(choice)}</ul>
<p id="interval" class="sub">${lists === null ? null : intervalText(lists.types)}</p>
<p class="sub"${hiddenIf(retention === '')}>${retention}</p>
</nav>`;
}

function choice({ label, view, isCurrent, isAnswerable }: Choice): Html {
  if (!isAnswerable) {
    return html`<li><a aria-disabled="true" role="link" title="further back than RETENTION">${label}</a></li>`;
  }
  const current = isCurrent ? html` aria-current="true"` : null;
  return html`<li${hiddenIf(label === '')}><a href="${viewAddress(view)}"${current}>${label}</a></li>`;
}

function proposal({ view, stats, lists }: PageModel): Html {
  const lastEventTime = stats?.last_event_time ?? null;
  const proposed = proposedView(view, lists?.types.window ?? null, lastEventTime);
  const time = lastEventTime === null ? '' : formatDateTime(lastEventTime);
  return html`<p id="proposal" class="notice"${hiddenIf(proposed === null)}>The newest event is of <span id="newest">${time}</span> UTC, before this window. <a id="proposed" href="${viewAddress(proposed ?? view)}">Show it until the newest event</a></p>`;
}

function firstEvent({ settings, stats, origin, now }: PageModel): Html {
  // A redirect to where no FIFO is would make a file.
  const names = (stats?.sources ?? [])
    .filter(({ state }) => state === 'open' || state === 'idle')
    .map(({ name }) => name);
  return html`<section id="first-event" class="card welcome" aria-labelledby="first-event-title"${hiddenIf(stats === null || stats.lines > 0)}>
<h2 id="first-event-title">Nothing has been read yet</h2>
<p>One JSON object a line makes an event. This sends the first${settings.takesPosts ? '' : ', from where event-tally was started or in its container'}:</p>
${commandBlock('first-event-command', firstEventCommand(settings, origin, names, now))}
<p class="sub">The page moves by itself once it comes.</p>
</section>`;
}

function advice({ stats, rejected, settings }: PageModel): Html {
  const isNeeded = stats !== null && needsAdvice(stats);
  const fields = rejectedFields(rejected);
  return html`<section id="advice" class="card welcome" aria-labelledby="advice-title"${hiddenIf(!isNeeded)}>
<h2 id="advice-title">Lines come, but none is an event</h2>
<p id="advice-fields"${hiddenIf(fields.length === 0)}>The last JSON object among them has the fields <span id="advice-names">${fields.map((name) => html`<code><bdi>${name}</bdi></code> `)}</span></p>
<p>Say in the consumer’s environment (for Docker in the file <code>.env</code>) where an event’s type, text and time are, and start it again:</p>
<table class="plain">
<thead><tr><th scope="col">variable</th><th scope="col">is now</th><th scope="col">in that object</th></tr></thead>
<tbody>
${fieldVariables(settings).map(
  ({
    name,
    field,
  }) => html`<tr data-field="${field}"><th scope="row"><code>${name}</code></th><td><code>${field}</code></td><td class="presence">${presenceText(field, fields)}</td></tr>
`,
)}<tr><th scope="row"><code>TIMESTAMP_FORMAT</code></th><td><code>${settings.timestampFormat}</code></td><td>unix, unix_ms, iso8601 or arrival</td></tr>
</tbody>
</table>
</section>`;
}

function list(kind: ListKind, title: string, { lists, settings, view, colours }: PageModel): Html {
  const document = lists?.[kind] ?? null;
  const options = kind === 'types' ? { colours } : {};
  const rows = document === null ? [] : rowsOf(document, { ...options, rowsMax: LIST_ROWS_MAX });
  const overflow = document === null ? '' : overflowText(kind, document);
  const filter =
    kind === 'types'
      ? null
      : html`<input id="filter" type="search" hidden placeholder="Filter" aria-label="Filter words" autocomplete="off" spellcheck="false">`;
  return html`<section id="${kind}" class="card list" aria-labelledby="${kind}-title" data-batch="${document?.batch ?? ''}" data-query="${viewQuery(view)}">
<div class="head"><h2 id="${kind}-title">${title}</h2>${filter}<p class="sub summary">${document === null ? null : listSummary(kind, document)}</p></div>
<table class="ranking" aria-labelledby="${kind}-title">
<thead><tr><th scope="col" class="rank"><abbr title="rank">#</abbr></th><th scope="col" class="key">${NOUN[kind]}</th><th scope="col" class="count">count</th><th scope="col" class="share">share</th></tr></thead>
<tbody>
${rows.map(row)}</tbody>
</table>
<p class="empty"${hiddenIf(rows.length > 0)}>${emptyListText(kind, settings, view.window !== null)}</p>
<p class="overflow sub"${hiddenIf(overflow === '')}>${overflow}</p>
<button type="button" class="more"${hiddenIf(rows.length <= LIST_ROWS_SHORT)} aria-expanded="false">Show more</button>
</section>`;
}

const NOUN: Readonly<Record<ListKind, string>> = { types: 'type', words: 'word' };
const EMPTY_ROW: Row = {
  rank: 0,
  key: '',
  shown: '',
  count: 0,
  share: '',
  barPercent: 0,
  colour: null,
};

function row({ rank, key, shown, count, share, barPercent, colour }: Row): Html {
  return html`<tr data-key="${key}" data-colour="${colour ?? ''}"><td class="rank">${rank}</td><th scope="row" class="key" title="${key}"><bdi dir="auto">${shown}</bdi><svg class="bar" aria-hidden="true"><rect width="${barPercent}%" height="100%"/></svg></th><td class="count"><data value="${count}">${formatCount(count)}</data></td><td class="share">${share}</td></tr>
`;
}

const EMPTY_REJECTED: RejectedRow = {
  reason: '',
  time: '',
  source: '',
  text: '',
  size: '',
  problem: '',
};

function rejectedLines({ rejected, stats }: PageModel): Html {
  const total = stats === null ? 0 : rejectedTotal(stats);
  return html`<section id="rejected-lines" class="card rejected" aria-labelledby="rejected-title">
<div class="head"><h2 id="rejected-title">Last rejected lines</h2><p class="sub"><a href="/events/rejected">as JSON</a></p></div>
<ol>${rejected.map((line) => rejectedItem(rejectedRow(line)))}</ol>
<p class="empty"${hiddenIf(total > 0)}>No line has been rejected.</p>
<button type="button" class="more"${hiddenIf(rejected.length <= REJECTED_ROWS_SHORT)} aria-expanded="false">Show more</button>
</section>`;
}

function rejectedItem({ reason, time, source, text, size, problem }: RejectedRow): Html {
  return html`<li><span class="reason">${reason}</span> <code dir="auto">${text}</code> <span class="problem">${problem}</span> <span class="when"><bdi class="source">${source}</bdi> · <span class="size">${size}</span> · <span class="time">${time}</span></span></li>
`;
}

function commands(all: readonly Command[]): Html {
  return html`<section class="card terminal" aria-labelledby="commands-title">
<div class="head"><h2 id="commands-title">The same in a terminal</h2></div>
<dl>${all.map(({ name, label, text }) => html`<div><dt>${label}</dt><dd>${commandBlock(`command-${name}`, text)}</dd></div>`)}</dl>
</section>`;
}

function commandBlock(id: string, text: string): Html {
  return html`<div class="command"><pre id="${id}" tabindex="0"><code>${text}</code></pre><button type="button" class="copy" data-copies="${id}">Copy</button></div>`;
}
