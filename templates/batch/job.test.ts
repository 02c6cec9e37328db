import { runOnArrays } from 'millrace/testing';
import { expect, test } from 'vitest';
import pages from './job.js';

test('counts the visits of each page, but for those that failed', async () => {
  const visits = [
    { page: '/home', status: 200, ms: 20 },
    { page: '/home', status: 200, ms: 40 },
    { page: '/home', status: 503, ms: 9000 },
    { page: '/cart', status: 404, ms: 5 },
  ];
  const run = await runOnArrays(pages, { sources: { visits } });
  const found = run.records<{ page: string }>('pages');
  expect(found.toSorted((a, b) => a.page.localeCompare(b.page))).toEqual([
    { page: '/cart', visits: 1, meanMs: 5, worstMs: 5 },
    { page: '/home', visits: 2, meanMs: 30, worstMs: 40 },
  ]);
});
