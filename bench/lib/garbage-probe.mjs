/**
 * Counts what each worker thread of a program allocates, on V8's heap and beside it: `node --import` runs it in each of
 * them. Callers: the case `garbage`. Runs on: every thread. The counts go to the directory in MILLRACE_BENCH_GARBAGE.
 *
 * Between two collections the heap grows by what is allocated; what a collection frees is known from before and after
 * it. So the sum of all growths is what was allocated.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { isMainThread, threadId, Worker } from 'node:worker_threads';
import { join } from 'node:path';

/** Time for a worker that ends by itself to write its count before whoever started it terminates it. */
const GRACE_MS = 300;

if (isMainThread) {
  const terminate = Worker.prototype.terminate;
  Worker.prototype.terminate = async function terminateLater() {
    await pause(GRACE_MS);
    return terminate.call(this);
  };
} else {
  const first = heapBytes(statistics());
  const profiler = new GCProfiler();
  profiler.start();
  process.once('exit', () => {
    const last = heapBytes(statistics());
    const { statistics: collections } = profiler.stop();
    let allocated = 0;
    let after = first;
    for (const { beforeGC, afterGC } of collections) {
      allocated += heapBytes(beforeGC.heapStatistics) - after;
      after = heapBytes(afterGC.heapStatistics);
    }
    const path = join(process.env.MILLRACE_BENCH_GARBAGE, `thread-${threadId}`);
    writeFileSync(path, String(allocated + last - after));
  });
}

/** In the names that the profiler uses. */
function statistics() {
  const { used_heap_size: usedHeapSize, external_memory: externalMemory } = getHeapStatistics();
  return { usedHeapSize, externalMemory };
}

function heapBytes({ usedHeapSize, externalMemory }) {
  return usedHeapSize + externalMemory;
}
