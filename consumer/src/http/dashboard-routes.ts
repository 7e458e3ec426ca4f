import fs from 'node:fs/promises';
import type { ParsedUrlQuery } from 'node:querystring';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { assignColours } from '../dashboard/colours.js';
import { type PageModel, renderPage } from '../dashboard/page.js';
import { LIST_ROWS_MAX } from '../dashboard/page-limits.js';
import { type PageConfig, pageSettings } from '../dashboard/settings.js';
import { parseView } from '../dashboard/view.js';
import { type Counts, type IngestClient, IngestUnavailableError } from '../ingest/ingest-client.js';
import type { WindowRequest } from '../tally/interval.js';
import type { KeyKind } from '../tally/key-table.js';
import { rank } from '../tally/ranking.js';
import { refusalsAsProblems } from './counts-routes.js';
import { listDocument, rejectedDocument, statsDocument } from './documents.js';
import { readParameters, toWindowRequest } from './parameters.js';
import { ProblemError } from './problem.js';
import { revalidation } from './revalidation.js';
import type { SharedAnswers } from './shared-answers.js';
import { SharedWork } from './shared-work.js';

const VIEW_PARAMETERS = ['window', 'until', 'align'] as const;

/** Nothing but what is served from here, and no text that becomes HTML. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Made by the workspace's script `bundle`. */
const ASSETS = new URL('../dashboard/assets/', import.meta.url);
const ASSET_TYPES = {
  'page.js': 'text/javascript',
  'page.css': 'text/css',
  'icon.svg': 'image/svg+xml',
  // The bundle has uPlot in it, whose licence goes with every copy.
  'uplot-license.txt': 'text/plain',
} as const;

/** The live page at /, and the files that it loads from /dashboard/. */
export function addDashboardRoutes(
  router: Router,
  ingest: IngestClient,
  answers: SharedAnswers,
  config: PageConfig,
): void {
  const settings = pageSettings(config, ingest.retentionSeconds);
  const parts = { ingest, answers, looks: new SharedWork() };

  router.get('/', async (context) => {
    const moment = await currentMoment(context, parts);
    const keys = moment.lists?.types.counts.map(({ key }) => key) ?? [];
    context.set({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    });
    context.type = 'html';
    context.body = renderPage({
      ...moment,
      settings,
      view: parseView(new URLSearchParams(context.querystring)),
      origin: `${context.protocol}://${context.host}`,
      now: Date.now() / 1000,
      colours: assignColours(new Map(), keys),
    });
  });

  for (const [name, type] of Object.entries(ASSET_TYPES)) {
    router.get(`/dashboard/${name}`, revalidation, async (context) => {
      context.set('Cache-Control', 'no-cache');
      context.type = type;
      context.body = await fs.readFile(new URL(name, ASSETS));
    });
  }
}

type Moment = Pick<PageModel, 'stats' | 'lists' | 'rejected' | 'problem'>;

interface MomentParts {
  readonly ingest: IngestClient;
  readonly answers: SharedAnswers;
  /** At stats alone. */
  readonly looks: SharedWork;
}

/** What the page shows; where nothing can be asked the reason, with 503. */
async function currentMoment(context: Context, parts: MomentParts): Promise<Moment> {
  try {
    return await momentOfView(context, parts);
  } catch (error) {
    if (!(error instanceof IngestUnavailableError)) throw error;
    context.status = 503;
    context.set('Retry-After', '1');
    return { stats: null, lists: null, rejected: [], problem: error.message };
  }
}

/** Of a view that cannot be answered the reason, with the status that the API gives. */
async function momentOfView(
  context: Context,
  { ingest, answers, looks }: MomentParts,
): Promise<Moment> {
  try {
    // What else is in the address of a page is not the API's: links get such things on their way.
    const query = pick(context.query, VIEW_PARAMETERS);
    const parameters = readParameters(query, VIEW_PARAMETERS);
    const window = toWindowRequest(query, parameters, ingest.retentionSeconds);
    const name = JSON.stringify(['page', window]);
    const moment = answers.run(name, context.req.socket, () => momentOfWindow(ingest, window));
    return await refusalsAsProblems(context, moment);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const stats = await looks.run('', context.req.socket, () => ingest.stats());
    context.status = 400;
    return { stats: statsDocument(stats), lists: null, rejected: [], problem: error.message };
  }
}

async function momentOfWindow(ingest: IngestClient, window: WindowRequest | null): Promise<Moment> {
  const { stats, counts } = await ingest.snapshot(['types', 'words'], window);
  const [types, words] = counts as readonly [Counts, Counts];
  return {
    stats: statsDocument(stats),
    lists: { types: list('types', types), words: list('words', words) },
    rejected: rejectedDocument(await ingest.rejected()).rejected,
    problem: null,
  };
}

function pick(query: ParsedUrlQuery, names: readonly string[]): ParsedUrlQuery {
  return Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name)));
}

function list(of: KeyKind, counts: Counts) {
  return listDocument(of, counts, rank(counts.keys, LIST_ROWS_MAX));
}
