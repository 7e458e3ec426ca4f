import { expect } from 'chai';

export const NOT_FOUND = { status: 404, type: 'not-found', title: 'Not Found' };
export const NOT_ALLOWED = { status: 405, type: 'method-not-allowed', title: 'Method Not Allowed' };
export const BAD_PARAMETER = { status: 400, type: 'bad-parameter', title: 'Bad Request' };
export const BAD_BODY = { status: 400, type: 'bad-body', title: 'Bad Request' };
export const UNAUTHORIZED = { status: 401, type: 'unauthorized', title: 'Unauthorized' };
export const TOO_LARGE = { status: 413, type: 'body-too-large', title: 'Payload Too Large' };
export const UNSUPPORTED = {
  status: 415,
  type: 'unsupported-media-type',
  title: 'Unsupported Media Type',
};
export const INTERNAL = { status: 500, type: 'internal', title: 'Internal Server Error' };
export const UNAVAILABLE = { status: 503, type: 'unavailable', title: 'Service Unavailable' };

/** Expects a problem document and resolves to it. */
export async function expectProblem(
  response: Response,
  { status, type, title }: { status: number; type: string; title: string },
): Promise<Record<string, unknown>> {
  expect(response.status).to.equal(status);
  expect(response.headers.get('content-type')).to.match(/^application\/problem\+json(;|$)/);
  expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).to.include({ status, title, type: `urn:event-tally:problem:${type}` });
  expect(problem.detail).to.be.a('string').and.not.equal('');
  return problem;
}
