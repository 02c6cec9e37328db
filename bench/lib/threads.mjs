/**
 * Runs a function of a limit's module on several threads at once, the calling one being none of them, as Millrace does
 * too. Callers: the limits. The module that calls `onThreads` is imported again in each thread and must call
 * `serveThread` there.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * Starts `count` threads and gives what each returned, in order.
 *
 * @param {string} moduleUrl `import.meta.url` of the module whose function runs
 * @param {number} count
 * @param {(index: number) => unknown} taskOf what each thread is given
 * @returns {Promise<any[]>}
 */
export function onThreads(moduleUrl, count, taskOf) {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      onThread(moduleUrl, { index, count, task: taskOf(index) }),
    ),
  );
}

function onThread(moduleUrl, given) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(moduleUrl), { workerData: { benchThread: given } });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('A thread ended without an answer.')));
  });
}

/**
 * In a thread that `onThreads` started: calls the function and sends what it returns. Elsewhere does nothing.
 *
 * @param {(task: any, index: number, count: number) => unknown} work may be async
 */
export async function serveThread(work) {
  const given = workerData?.benchThread;
  if (isMainThread || given === undefined || parentPort === null) return;
  parentPort.postMessage(await work(given.task, given.index, given.count));
}
