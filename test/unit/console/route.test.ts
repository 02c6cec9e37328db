import { expect, it } from 'vitest';
import { hrefOf, parseRoute, type Route } from '../../../src/console/route.js';

const JID = 'a1'.repeat(16);
const VERTEX = '0f'.repeat(16);

it('every place has an address, and the address leads back', () => {
  const places: readonly Route[] = [
    { page: 'jobs' },
    { page: 'submit' },
    { page: 'submit', restore: { jid: 'ab'.repeat(16), from: '/data/a b/%2f/chk-1' } },
    { page: 'job', jid: JID, tab: 'graph', vertex: null },
    { page: 'job', jid: JID, tab: 'graph', vertex: VERTEX },
    { page: 'job', jid: JID, tab: 'graph', vertex: VERTEX, to: JID },
    { page: 'job', jid: JID, tab: 'checkpoints', vertex: null },
  ];
  for (const place of places) expect(parseRoute(hrefOf(place))).toEqual(place);
});

it('what names no place is the list of jobs', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/jobs/123', `#/jobs/${JID}/nothing`]) {
    expect(parseRoute(hash)).toEqual({ page: 'jobs' });
  }
  expect(parseRoute(`#/jobs/${JID}/graph/<script>`)).toMatchObject({ page: 'job', vertex: null });
});
