import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { collectsLate } from '../../../src/memory/late-collection.js';
import { resourceLimitsFor } from '../../../src/memory/resource-limits.js';

/** Makes 320 MB of which 24 are alive at any time, long enough to grow old; tells how many full collections that took. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { PerformanceObserver, constants } = require('node:perf_hooks');
let full = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) {
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full++;
  }
}).observe({ entryTypes: ['gc'] });
const alive = [];
let made = 0;
const step = () => {
  for (let piece = 0; piece < 20; piece++) alive[made++ % 30] = new Array(100_000).fill(1.5);
  if (made < 400) setTimeout(step, 1);
  else setTimeout(() => parentPort.postMessage(full), 20);
};
step();
`;

async function collections(heapBytes: number, isLate: boolean): Promise<number> {
  const resourceLimits = resourceLimitsFor(heapBytes);
  const started = isLate ? collectsLate(resourceLimits) : () => {};
  const worker = new Worker(PROGRAM, { eval: true, resourceLimits });
  worker.once('online', started);
  const [full] = await once(worker, 'message');
  await worker.terminate();
  return full;
}

describe('a thread that collects late', () => {
  it('lets garbage pile up to a share of its heap, and no thread that is started later does', async () => {
    const late = await collections(2 ** 30, true);
    const after = await collections(2 ** 30, false);
    expect(after).toBeGreaterThan(late + 2);
  });

  it('leaves the flags alone where its heap is small, so that compiled code is taken', async () => {
    const late = await collections(2 ** 30, true);
    const started = collectsLate(resourceLimitsFor(256 * 2 ** 20));
    const meanwhile = await collections(2 ** 30, false);
    started();
    expect(meanwhile).toBeGreaterThan(late + 2);
  });

  it('collects as always where its heap is small', async () => {
    expect(await collections(64 * 2 ** 20, true)).toBeGreaterThan(3);
  });
});
