/**
 * Bytes allocated per record in steady state: the job runs with few records and with many, and the difference is
 * divided, so that starting up does not count. Callers: `child.mjs`, for the case `garbage`, with
 * `--import lib/garbage-probe.mjs`, which counts in every thread.
 */
import { rmSync, readdirSync, readFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare as prepareJob, run as runJob } from './run-job.mjs';

export { prepareJob as prepare };

/** The long run has this many times the records of the short one. */
const FACTOR = 5;

/**
 * Options: those of `run-job.mjs`.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run(request) {
  const short = await allocatedBy({ ...request, rows: Math.ceil(request.rows / FACTOR) });
  const long = await allocatedBy(request);
  const records = long.records - short.records;
  const bytes = long.bytes - short.bytes;
  return {
    records: long.records,
    elapsedMs: long.elapsedMs,
    measures: { bytesPerRecord: Math.max(0, bytes / records) },
    answer: null,
  };
}

async function allocatedBy(request) {
  const directory = join(tmpdir(), `millrace-bench-garbage-${process.pid}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  process.env.MILLRACE_BENCH_GARBAGE = directory;
  try {
    const startMs = performance.now();
    const { records } = await runJob(request);
    const elapsedMs = performance.now() - startMs;
    const counts = readdirSync(directory).map((file) =>
      Number(readFileSync(join(directory, file), 'utf8')),
    );
    if (counts.length < request.threads)
      throw new Error('A thread did not tell what it allocated.');
    return { records, elapsedMs, bytes: counts.reduce((sum, count) => sum + count, 0) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
