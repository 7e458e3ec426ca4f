import { expect } from 'chai';
import { BAD_PARAMETER, expectProblem } from '../support/problem.js';
import { Service } from '../support/service.js';

interface RejectedDocument {
  readonly rejected: readonly (Record<string, unknown> & { at: number })[];
}

const withoutTime = ({ rejected }: RejectedDocument) => rejected.map(({ at, ...rest }) => rest);

describe('GET /events/rejected', () => {
  context('when nothing was rejected', () => {
    const service = Service.use();

    it('answers with an empty list', async () => {
      await service().read('{"event_type":"a","data":"","timestamp":1}\n\n');
      expect(await service().get('/events/rejected')).to.deep.equal({ rejected: [] });
    });

    it('takes no parameters', async () => {
      const response = await service().fetch('/events/rejected?limit=5');
      const problem = await expectProblem(response, BAD_PARAMETER);
      expect(problem).to.include({ parameter: 'limit', expected: 'no parameters' });
    });

    it('answers HEAD without a body', async () => {
      const response = await service().fetch('/events/rejected', { method: 'HEAD' });
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.match(/^application\/json/);
      expect(await response.text()).to.equal('');
    });
  });

  for (const ingestWorkers of [1, 2]) {
    context(`when lines of several sources were rejected, with ${ingestWorkers} threads`, () => {
      const service = Service.use({ ingestWorkers, ingestToken: 'secret', lineBytesMax: 1000 });
      const startedAt = Date.now() / 1000;
      before(async () => {
        await service().read('{ "corrupt\0\r\n', 'a.fifo');
        await service().read('{"type":"a","data":"b","timestamp":1}\n', 'b.fifo');
        await service().read(`${'x'.repeat(900)}`, 'a.fifo');
        await service().read(`${'x'.repeat(900)}\n`, 'a.fifo');
        await post('[]\n{"event_type":"a","data":null,"timestamp":1}');
      });
      const post = async (body: string) => {
        const headers = { Authorization: 'Bearer secret', 'Content-Type': 'application/x-ndjson' };
        const response = await service().fetch('/events', { method: 'POST', headers, body });
        expect(response.status).to.equal(200);
      };

      it('tells of them, the newest first', async () => {
        const document = await service().get<RejectedDocument>('/events/rejected');
        expect(withoutTime(document)).to.deep.equal([
          {
            reason: 'not_an_event',
            source: 'POST /events',
            bytes: 44,
            text: '{"event_type":"a","data":null,"timestamp":1}',
            field: 'data',
            problem: 'is null, not a string',
            fields: ['event_type', 'data', 'timestamp'],
          },
          { reason: 'not_an_event', source: 'POST /events', bytes: 2, text: '[]' },
          { reason: 'too_long', source: 'a.fifo', bytes: 1800, text: 'x'.repeat(200) },
          {
            reason: 'not_an_event',
            source: 'b.fifo',
            bytes: 37,
            text: '{"type":"a","data":"b","timestamp":1}',
            field: 'event_type',
            problem: 'is missing',
            fields: ['type', 'data', 'timestamp'],
          },
          { reason: 'not_json', source: 'a.fifo', bytes: 12, text: '{ "corrupt\\u0000\\u000d' },
        ]);
        const times = document.rejected.map(({ at }) => at);
        expect(times).to.deep.equal(times.toSorted((a, b) => b - a));
        for (const time of times) expect(time).to.be.within(startedAt, Date.now() / 1000);
      });

      it('tells the same when it is asked again', async () => {
        const [first, second] = [await get(), await get()];
        expect(second).to.equal(first);
      });
      const get = async () => (await service().fetch('/events/rejected')).text();

      it('tells of the last 20', async () => {
        const lines = Array.from({ length: 50 }, (_, i) => `${i}\n`);
        await post(lines.join(''));
        const { rejected } = await service().get<RejectedDocument>('/events/rejected');
        expect(rejected.map(({ text }) => text)).to.deep.equal(
          Array.from({ length: 20 }, (_, i) => `${49 - i}`),
        );
      });
    });
  }

  context('when the fields are named otherwise', () => {
    const service = Service.use({
      mapping: {
        eventType: ['alert', 'kind'],
        data: null,
        timestamp: ['when'],
        timestampFormat: 'iso8601',
        value: null,
      },
    });

    it('names them as they are in the configuration', async () => {
      await service().read('{"alert":{"kind":""}}\n{"alert":{"kind":"a"},"when":"today"}\n');
      const document = await service().get<RejectedDocument>('/events/rejected');
      expect(document.rejected.map(({ field, problem }) => [field, problem])).to.deep.equal([
        ['when', 'is not an ISO 8601 date and time'],
        ['alert.kind', 'is an empty string'],
      ]);
    });
  });
});
