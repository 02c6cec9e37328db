/** Profiles of jobs that run: in threads, on the caller's thread, in a process of its own. */
import { Worker } from 'node:worker_threads';
import { type JobExecution, start } from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';
import hot from '../fixtures/jobs/hot.mjs';
import { poll } from './server/server-harness.js';
import { hotFunctions, stacksOf } from '../../src/runtime/job-profile.js';

let execution: JobExecution | null = null;

afterEach(async () => {
  execution?.cancel();
  await execution?.finished.catch(() => {});
  execution = null;
});

const WAYS = [
  ['threads', { runtime: 'threads' }, [0, 1]],
  ['the thread of the caller', { runtime: 'in-thread' }, [-1]],
  ['a process of its own', { isolate: 'process' }, [0, 1]],
] as const;

describe.each(WAYS)('a profile of a job in %s', (_name, settings, slots) => {
  it('names the function in which the time goes, as that of its chain', async () => {
    const running = await start(hot, { parallelism: 2, settings });
    execution = running;
    await untilFlowing(running);
    const chain = running.plan.vertices.find(({ source }) => source === null)?.id;
    const names = async () => {
      const { threads, startMs, endMs } = await running.profile({ seconds: 0.5 });
      expect(endMs).toBeGreaterThan(startMs);
      expect(threads.map(({ slot }) => slot).toSorted((a, b) => a - b)).toEqual(slots);
      const own = stacksOf({ threads }).filter(({ owner }) => owner?.vertex === chain);
      return hotFunctions(own).map(({ name }) => name);
    };
    // A machine that does other things may let nothing run in between.
    await poll(names, (found) => found.some((name) => /^rateSlowly hot\.mjs:\d+$/.test(name)));
    expect(running.state).toBe('RUNNING');
  });
});

it('a profile is refused of what does not run, and of no time', async () => {
  const running = await start(hot, { parallelism: 1, settings: { runtime: 'threads' } });
  execution = running;
  await untilFlowing(running);
  await expect(running.profile({ seconds: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  await expect(running.profile({ seconds: 61 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  running.cancel();
  await running.finished.catch(() => {});
  await expect(running.profile()).rejects.toMatchObject({ code: 'JOB_NOT_RUNNING' });
});

it('two profiles at once are taken one after the other', async () => {
  const running = await start(hot, { parallelism: 1, settings: { runtime: 'threads' } });
  execution = running;
  await untilFlowing(running);
  const looks = [running.profile({ seconds: 0.1 }), running.profile({ seconds: 0.1 })];
  const [first, second] = await Promise.all(looks);
  expect(second?.startMs).toBeGreaterThanOrEqual(first?.endMs ?? Infinity);
});

it('a job that was started in a worker thread says why it cannot be profiled', async () => {
  const worker = new Worker(new URL('../fixtures/profile-in-worker.mjs', import.meta.url));
  const told = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  await worker.terminate();
  expect(told).toBe('PROFILE_UNAVAILABLE');
});

/** Until records have come through its function, so that it has been compiled. */
async function untilFlowing(running: JobExecution): Promise<void> {
  await expect.poll(() => running.metrics().vertices.at(-1)?.rowsIn ?? 0).toBeGreaterThan(10_000);
}
