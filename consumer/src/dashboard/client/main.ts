/** The browser's part of the live page: wiring only. */

import type { View } from '../../views/view.js';
import type { CountsFrame, ProblemDocument } from '../documents.js';
import type { PageSettings } from '../settings.js';
import { addressedView, showChoices, showInterval, watchChoices } from './choices.js';
import { announce, byId, setHidden, setText } from './dom.js';
import { Feed } from './feed.js';
import { Lists } from './lists.js';
import { RejectedLines } from './rejected.js';
import { StateLine } from './state.js';
import { enableCopying, showCommands } from './terminal.js';
import { Timeline } from './timeline.js';

const TICK_MS = 1000;

const settings = JSON.parse(document.body.dataset.settings ?? '{}') as PageSettings;
let view: View = addressedView();
let lastFrame: CountsFrame | null = null;
/** The view cannot be answered: nor can its chart. */
let isRefused = false;

const state = new StateLine();
const lists = new Lists(settings, view);
const rejected = new RejectedLines();
const timeline = new Timeline({
  retentionSeconds: settings.retentionSeconds,
  until: ({ until }) =>
    until === 'latest'
      ? (lastFrame?.stats.last_event_time ?? 0) + 1
      : Math.min(state.serverSeconds(), until === 'now' ? Number.POSITIVE_INFINITY : Number(until)),
  coloursFor: (keys) => lists.coloursFor(keys),
});

const feed = new Feed({
  onFrame(frame) {
    lastFrame = frame;
    showProblem(null);
    state.show(frame);
    lists.show(frame);
    showInterval(view, frame);
    setHidden(byId('first-event'), frame.stats.lines > 0);
    void rejected.show(frame.stats);
  },
  onProblem: showProblem,
  onLost: () => state.lose(),
});

function showProblem(problem: ProblemDocument | null): void {
  isRefused = problem !== null;
  setHidden(byId('problem'), problem === null);
  setHidden(byId('sections'), problem !== null);
  if (problem !== null) setText(byId('problem'), problem.detail);
}

function watch(): void {
  timeline.stop();
  lists.watch(view);
  if (document.hidden) feed.stop();
  else {
    feed.watch(view);
    void timeline.move(view);
  }
}

watchChoices(() => {
  view = addressedView();
  showChoices(view, settings.retentionSeconds);
  showCommands(view);
  announce(byId('windows').querySelector('[aria-current]')?.textContent ?? '');
  watch();
});
// A browser has six connections to a server over HTTP/1.1: a page that nobody sees takes none.
document.addEventListener('visibilitychange', watch);
addEventListener('online', watch);
setInterval(() => {
  if (document.hidden) return;
  state.tick();
  if (!isRefused) void timeline.move(view);
}, TICK_MS);

showCommands(view);
enableCopying();
watch();
