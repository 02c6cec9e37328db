/** Looking at the records of a job that runs: in threads, on the caller's thread, in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { col, type JobExecution, job, collectSink, start, type TapOptions } from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';
import endless from '../fixtures/jobs/endless.mjs';

let execution: JobExecution | null = null;

afterEach(async () => {
  execution?.cancel();
  await execution?.finished.catch(() => {});
  execution = null;
});

interface Reading {
  readonly sensor: number;
}

/** What a tap gives up to its end. */
async function tapped(options: TapOptions, running = execution): Promise<readonly Reading[]> {
  const records: Reading[] = [];
  const tap = running?.tap(options);
  if (tap === undefined) throw new Error('Nothing runs.');
  for await (const { record } of tap) records.push(record as Reading);
  return records;
}

const WAYS = [
  ['threads', { runtime: 'threads' }],
  ['the thread of the caller', { runtime: 'in-thread' }],
  ['a process of its own', { isolate: 'process' }],
] as const;

describe.each(WAYS)('a tap on a job in %s', (_name, settings) => {
  it('shows records that pass an edge, filtered, up to the limit', async () => {
    execution = await start(endless, { parallelism: 2, settings });
    await running(execution);
    const filter = 'sensor in (2, 4)';
    const records = await tapped({ operator: 'map', filter, sample: 500, limit: 1500 });
    expect(records).toHaveLength(1500);
    expect(records.every(({ sensor }) => sensor === 2 || sensor === 4)).toBe(true);
    expect(execution.state).toBe('RUNNING');
  });

  it('refuses what there is not, with the nearest name', async () => {
    execution = await start(endless, { parallelism: 1, settings });
    await running(execution);
    await expect(tapped({ operator: 'mapp' })).rejects.toMatchObject({
      code: 'OPERATOR_UNKNOWN',
      advice: 'Did you mean "map"?',
    });
    await expect(tapped({ operator: 'map', filter: 'sensr = 1' })).rejects.toMatchObject({
      code: 'FIELD_UNKNOWN',
    });
    await expect(tapped({ operator: 'map', filter: 'sensor =' })).rejects.toMatchObject({
      code: 'EXPRESSION_INVALID',
    });
    await expect(tapped({ operator: 'map', limit: 0 })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });
});

/** Settles when the job runs. */
async function running(job: JobExecution): Promise<void> {
  while (job.state !== 'RUNNING') await sleep(5);
}

describe('a tap', () => {
  it('tells how much passed beside what it showed, and ends when nobody reads any more', async () => {
    execution = await start(endless, { parallelism: 2 });
    const tap = execution.tap({ operator: 'readings', sample: 2 });
    let seen = 0;
    for await (const { at, subtask, kind } of tap) {
      expect(at).toBe('readings');
      expect([0, 1]).toContain(subtask);
      expect(kind).toBe('+I');
      if (++seen === 20) break;
    }
    expect(tap.counts.shown).toBe(20);
    expect(tap.counts.passed).toBeGreaterThan(200);
    expect(tap.counts.looked).toBeLessThan(tap.counts.passed);
    expect(await tap.next()).toEqual({ value: undefined, done: true });
  });

  it('shows what a sink is given and what goes into an operator', async () => {
    execution = await start(endless, { parallelism: 1 });
    const given = await tapped({ operator: 'discard', limit: 3 });
    expect(given.every((record) => 'readings' in record)).toBe(true);
    const input = await tapped({ operator: 'aggregate', side: 'input', limit: 3 });
    expect(input.every((record) => !('readings' in record))).toBe(true);
  });

  it('is refused inside a chain, and names its ends', async () => {
    const chained = job('chained', (flow) => {
      flow
        .from([{ n: 1 }], { name: 'numbers' })
        .map(({ n }) => ({ n: n + 1 }), { name: 'first' })
        .map(({ n }) => ({ n: n + 1 }), { name: 'second' })
        .to(collectSink());
    });
    execution = await start(chained);
    await expect(tapped({ operator: 'first' })).rejects.toMatchObject({
      code: 'TAP_UNAVAILABLE',
      advice: expect.stringContaining('"numbers -> first" or "second -> collect"'),
    });
  });

  it('goes on over another parallelism', async () => {
    const settings = { 'execution.checkpointing.interval': '1h' };
    execution = await start(endless, { parallelism: 1, maxParallelism: 8, settings });
    await running(execution);
    const tap = execution.tap({ operator: 'map', filter: col('sensor').gt(1) });
    await tap.next();
    await execution.rescale(2);
    const subtasks = new Set<number>();
    for await (const { subtask } of tap) {
      subtasks.add(subtask);
      if (subtasks.size === 2) break;
    }
    expect(subtasks).toEqual(new Set([0, 1]));
  });

  it('ends with the job', async () => {
    execution = await start(endless, { parallelism: 1 });
    const tap = execution.tap({ operator: 'map' });
    await tap.next();
    execution.cancel();
    for await (const _ of tap);
    await expect(execution.finished).rejects.toMatchObject({ code: 'JOB_CANCELED' });
  });
});
