import { expect } from 'chai';
import { AnswerTooLargeError, bodyOf } from '#consumer/http/body.js';
import { linesOf } from '../support/plain-counts.js';
import { BAD_PARAMETER, expectProblem } from '../support/problem.js';
import { Service } from '../support/service.js';

describe('bodyOf', () => {
  it('puts texts end to end, in UTF-8, however long they are', () => {
    const texts = ['', 'a', 'é€😀'.repeat(50_000), '', 'b'.repeat(70_000), 'c'];
    expect(bodyOf(texts).toString()).to.equal(texts.join(''));
    expect(bodyOf([])).to.have.lengthOf(0);
  });

  it('takes as many bytes as may be, and no more', () => {
    expect(bodyOf(['éé', 'a'], 5)).to.have.lengthOf(5);
    expect(() => bodyOf(['éé', 'ab'], 5)).to.throw(AnswerTooLargeError);
    const endless = (function* () {
      for (;;) yield 'x'.repeat(1000);
    })();
    expect(() => bodyOf(endless, 1_000_000)).to.throw(AnswerTooLargeError);
  });
});

describe('counts whose keys are long', function () {
  this.timeout(120_000);
  // Each byte of such a key has six in JSON, and one in CSV.
  const keyBytes = 60_000;
  const keys = Math.ceil(33_554_432 / (6 * keyBytes));
  const service = Service.use({ wordsMax: keys, keyBytesMax: 65_536, lineBytesMax: 1_048_576 });
  before(() => {
    const words = Array.from({ length: keys }, (_, i) => `${i}-${'\u0001'.repeat(keyBytes)}`);
    return service().read(linesOf(words.map((word) => ({ type: 'a', time: 1, words: [word] }))));
  });

  for (const query of ['', '?format=list', '?window=2h&until=latest']) {
    it(`are refused where they are too much for one answer: ${query || 'flat'}`, async () => {
      const response = await service().fetch(`/events/countWords${query}`);
      const problem = await expectProblem(response, BAD_PARAMETER);
      expect(problem).to.include({
        parameter: 'limit',
        expected: 'so small that the answer has at most 33,554,432 bytes',
      });
      expect(problem.detail).to.match(/^limit is missing: /);
    });
  }

  it('are given with a limit, or where they need less room', async () => {
    expect(Object.keys(await service().get('/events/countWords?limit=3'))).to.have.lengthOf(3);
    const csv = await (await service().fetch('/events/countWords?format=csv')).text();
    expect(csv.match(/\r\n/g)).to.have.lengthOf(keys + 1);
  });
});
