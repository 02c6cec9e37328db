/**
 * The limit of `startup`, embedded: as many bare worker threads as the job has, started and ended.
 */
import { onThreads, serveThread } from '../lib/threads.mjs';

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ threads }) {
  const startMs = performance.now();
  await onThreads(import.meta.url, threads, () => null);
  const elapsedMs = performance.now() - startMs;
  return { records: 1, elapsedMs, measures: { startMs: elapsedMs }, answer: null };
}

serveThread(() => null);
