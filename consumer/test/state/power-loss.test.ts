/** The power goes at any moment: what was made to last is there, all before it too, and nothing twice. */
import { expect } from 'chai';
import fc from 'fast-check';
import pWaitFor from 'p-wait-for';
import { IngestSubject } from '../support/ingest-subject.js';
import { MemoryFiles } from '../support/memory-files.js';

const FOLDER = '/state/1/0';
const WAIT = { interval: 1, timeout: 20_000 };
const LIVES = 3;

describe('when the power goes', () => {
  /** Reads words until it is enough; how many lasted then. */
  async function live(memory: MemoryFiles, sent: string[], posts: number): Promise<number> {
    const subject = new IngestSubject();
    await subject.begin(FOLDER, memory.files);
    const kept = Object.keys(subject.words()).length;
    sent.splice(kept); // what came after it is lost
    let lasting = memory.isSynced ? kept : 0;
    for (let i = 0; i < posts; i++) {
      const word = `word${sent.length}`;
      if (await subject.post(word)) sent.push(word);
      if (memory.isSynced) lasting = sent.length;
      // Turns of the event loop, in some of which a checkpoint comes a step further.
      for (let turn = i % 4; turn > 0; turn--) await new Promise(setImmediate);
    }
    return lasting;
  }

  async function recover(memory: MemoryFiles): Promise<Readonly<Record<string, number>>> {
    const subject = new IngestSubject();
    await subject.begin(FOLDER, memory.files);
    const words = subject.words();
    memory.kill();
    return words;
  }

  it('loses no more than was not made to last, and from the end only', async () => {
    let lost = 0;
    let lasted = 0;
    const life = fc.record({
      posts: fc.nat({ max: 30 }),
      chances: fc.array(fc.nat(), { minLength: 1 }),
    });
    const property = fc.asyncProperty(fc.array(life, { maxLength: LIVES }), async (each) => {
      let memory = new MemoryFiles();
      const sent: string[] = [];
      for (const { posts, chances } of each) {
        const lasting = await live(memory, sent, posts);
        let next = 0;
        const chance = (max: number) => (chances[next++ % chances.length] as number) % (max + 1);
        const after = memory.afterPowerLoss(chance);
        memory.kill();
        memory = after;
        const words = await recover(memory.copy());
        const kept = Object.keys(words).length;
        expect(words).to.deep.equal(
          Object.fromEntries(sent.slice(0, kept).map((word) => [word, 1])),
        );
        expect(kept).to.be.at.least(lasting);
        lost += sent.length - kept;
        lasted += lasting;
      }
      memory.kill();
    });
    await fc.assert(property, { numRuns: 100 });
    expect(lost, 'it would show a loss').to.be.above(0);
    expect(lasted, 'and something that has to last').to.be.above(0);
  }).timeout(60_000);

  it('has what was read a while ago, also where that was by a process that was killed since', async () => {
    const first = new MemoryFiles();
    const subject = new IngestSubject();
    await subject.begin(FOLDER, first.files);
    expect(await subject.post('word')).to.equal(true);
    const atLeast = (memory: MemoryFiles) => recover(memory.afterPowerLoss(() => 0));
    expect(await atLeast(first)).to.deep.equal({});
    const second = first.afterKill();
    first.kill();
    await new IngestSubject().begin(FOLDER, second.files);
    await pWaitFor(async () => (await atLeast(second)).word === 1, WAIT);
    second.kill();
  });
});
