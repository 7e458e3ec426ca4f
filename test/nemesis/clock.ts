/**
 * Preloaded into a consumer (`NODE_OPTIONS=--import=…`): its clock is ahead of the machine's by the
 * seconds in the file CLOCK_OFFSET_FILE, in all of its threads.
 */
import fs from 'node:fs';

const LOOK_INTERVAL_MS = 10;

const machineNow = Date.now;
let offsetMs = 0;
const look = () => {
  offsetMs = 1000 * Number(fs.readFileSync(process.env.CLOCK_OFFSET_FILE as string, 'utf8'));
};
look();
setInterval(look, LOOK_INTERVAL_MS).unref();
Date.now = () => machineNow() + offsetMs;
