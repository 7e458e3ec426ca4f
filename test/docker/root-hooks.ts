import type { Context, RootHookObject } from 'mocha';
import { compose, docker, engineProblem, note, PROJECT, removeFolders } from './stack.js';

const BUILD_MS_MAX = 600_000;

let isUsable = false;

/** Builds the images once, says what a failed test's containers said, leaves nothing behind. */
export const mochaHooks: RootHookObject = {
  async beforeAll(this: Context) {
    this.timeout(BUILD_MS_MAX);
    const problem = await engineProblem();
    if (problem !== null) {
      if (process.env.CI) throw new Error(`the Docker tests cannot run: ${problem}`);
      process.stdout.write(`Docker tests skipped: ${problem}\n`);
      this.skip();
    }
    isUsable = true;
    const start = performance.now();
    await compose(['build']);
    note(`docker compose build: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  },

  async afterEach(this: Context) {
    if (this.currentTest?.state !== 'failed') return;
    process.stdout.write(`${await compose(['ps', '--all'])}\n`);
    process.stdout.write(`${await compose(['logs', '--no-color', '--tail', '50'])}\n`);
  },

  async afterAll() {
    if (!isUsable) return;
    await compose(['down', '--volumes']);
    // `down --rmi local` removes no image once the containers are gone.
    await docker('image', 'rm', '--force', `${PROJECT}-producer`, `${PROJECT}-consumer`);
    await removeFolders();
    const left = await docker('ps', '--all', '--quiet', '--filter', `name=^${PROJECT}`);
    if (left !== '') throw new Error(`containers left behind: ${left}`);
  },
};
