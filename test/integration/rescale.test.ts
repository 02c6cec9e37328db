/** Jobs that go on at another parallelism while they run. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  collectSink,
  count,
  defineSink,
  defineSource,
  type ExecutionEvent,
  type JobExecution,
  job,
  start,
  sum,
} from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import failingOften from '../fixtures/jobs/failing-often.mjs';

const KEYS = 30;
const PER_KEY = 800;

/** The events of a job from now on to its end. */
async function eventsOf(execution: JobExecution): Promise<readonly ExecutionEvent[]> {
  const events: ExecutionEvent[] = [];
  for await (const event of execution.events()) events.push(event);
  return events;
}

describe('rescaling a job that runs in threads', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-rescale-'));
    mkdirSync(join(directory, 'marks'));
    mkdirSync(join(directory, 'out'));
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(join(directory, 'in.ndjson'), `${lines.join('\n')}\n`);
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it.each([
    { incremental: false, failures: 0 },
    { incremental: true, failures: 2 },
  ])(
    'shows every result once (%o)',
    async ({ incremental, failures }) => {
      const execution = await start(failingOften, {
        params: {
          input: join(directory, 'in.ndjson'),
          output: join(directory, 'out'),
          marks: join(directory, 'marks'),
          failEvery: failures === 0 ? 1e9 : 5000,
          failures,
          pauseEvery: 20,
        },
        parallelism: 2,
        maxParallelism: 16,
        baseDirectory: directory,
        settings: {
          'execution.checkpointing.interval': '50ms',
          'execution.checkpointing.dir': 'checkpoints',
          'execution.checkpointing.incremental': incremental,
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.delay': '10ms',
          'restartStrategy.fixedDelay.attempts': 10,
        },
      });
      const following = eventsOf(execution);
      const reached: number[] = [];
      for (const parallelism of [3, 1, 4, 2]) {
        await sleep(60);
        // A failure may come in between, after which the job goes on as it was; it may then be what is asked for.
        const report = await execution.rescale(parallelism).catch(() => null);
        if (report !== null && report.from !== report.to) reached.push(report.to);
        if (execution.state === 'FINISHED') break;
      }
      await execution.finished;
      const seen = new Set<string>();
      let [rows, wrong] = [0, 0];
      for (const part of readdirSync(join(directory, 'out'))) {
        const lines = readFileSync(join(directory, 'out', part), 'utf8')
          .trim()
          .split('\n');
        for (const line of lines.slice(1)) {
          const [key, number, expected] = line.split(',');
          if (number !== expected) wrong++;
          seen.add(`${key}/${number}`);
          rows++;
        }
      }
      const all = KEYS * PER_KEY;
      expect({ rows, distinct: seen.size, wrong }).toEqual({ rows: all, distinct: all, wrong: 0 });
      if (failures === 0) {
        expect(reached.length).toBeGreaterThan(0);
        expect(reached).toEqual([3, 1, 4, 2].slice(0, reached.length));
      }
      const told = (await following).flatMap((event) =>
        event.type === 'rescaled' ? [event.report.to] : [],
      );
      expect(told).toEqual(reached);
      if (failures === 0) expect(execution.restarts).toBe(0);
    },
    60_000,
  );
});

describe('rescaling a job on the calling thread', () => {
  const numbers = (until: number) =>
    defineSource<{ key: number; n: number }, number>({
      name: 'numbers',
      plan: () => [0, 1, 2].map((data) => ({ id: `split-${data}`, data })),
      interleave: true,
      async *read({ data }, position) {
        for (let n = position; n < until; n++) {
          yield { key: n % 7, n: n * 3 + data };
          if (n % 4 === 0) await sleep(1);
        }
      },
    });

  const options = { runtime: 'in-thread', parallelism: 2, maxParallelism: 8 } as const;
  const settings = { 'execution.checkpointing.interval': '20ms' };

  it('keeps its state in memory, whichever phases its aggregations have', async () => {
    const seen = collectSink<Record<string, unknown>>();
    const totals = job('totals', (flow) => {
      flow
        .from(numbers(600))
        .keyBy('key')
        .aggregate({ rows: count(), total: sum('n') })
        .to(seen);
    });
    const execution = await start(totals, { ...options, settings });
    for (const parallelism of [1, 5, 2]) {
      await sleep(30);
      const report = await execution.rescale(parallelism);
      expect(report).toMatchObject({ to: parallelism });
      const widths = execution.plan.vertices.map((vertex) => vertex.parallelism);
      expect(Math.max(...widths)).toBe(parallelism);
    }
    expect(await execution.rescale(2)).toMatchObject({ from: 2, to: 2, checkpoint: null });
    await execution.finished;
    expect(execution.restarts).toBe(0);
    const total = seen.rows.reduce((all, row) => all + Number(row['total']), 0);
    expect(seen.rows).toHaveLength(7);
    expect(total).toBe((1799 * 1800) / 2);
  });

  it('goes on as before when it does not come up', async () => {
    const committed = new Map<number, readonly number[]>();
    let parts = 0;
    let isBroken = false;
    const fragile = defineSink<{ n: number }>({
      name: 'fragile',
      open({ parallelism }) {
        if (isBroken && parallelism === 4) throw new Error('four are too many');
        let pending: number[] = [];
        return {
          write(records) {
            pending.push(...records.map(({ n }) => n));
          },
          prepareCommit() {
            const prepared = pending.length === 0 ? [] : [{ id: parts++, numbers: pending }];
            pending = [];
            return prepared;
          },
        };
      },
      commit(prepared: readonly { readonly id: number; readonly numbers: readonly number[] }[]) {
        // Committing twice is committing once.
        for (const { id, numbers: of } of prepared) committed.set(id, of);
      },
    });
    const copy = job('copy', (flow) => {
      flow.from(numbers(400)).rebalance().to(fragile);
    });
    const execution = await start(copy, { ...options, settings });
    isBroken = true;
    await sleep(20);
    const failure = await execution.rescale(4).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RESCALE_FAILED' });
    expect(String((failure as Error).cause)).toContain('four are too many');
    expect(execution.plan.vertices.every(({ parallelism }) => parallelism <= 2)).toBe(true);
    await execution.finished;
    const rows = [...committed.values()].flat();
    expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1200 }, (_, n) => n));
    expect(execution.restarts).toBe(0);
  });

  it('refuses what cannot be, before anything is done', async () => {
    const definition = job('copy', (flow) => {
      flow.from(numbers(300)).to(collectSink());
    });
    const execution = await start(definition, { ...options, settings });
    await expect(execution.rescale(9)).rejects.toMatchObject({ code: 'PARALLELISM_INVALID' });
    await expect(execution.rescale(0)).rejects.toMatchObject({ code: 'PARALLELISM_INVALID' });
    const first = execution.rescale(3);
    await expect(execution.rescale(4)).rejects.toMatchObject({ code: 'RESCALE_FAILED' });
    await first;
    await execution.finished;
    await expect(execution.rescale(2)).rejects.toMatchObject({ code: 'RESCALE_FAILED' });
    const plain = await start(definition, options);
    await expect(plain.rescale(3)).rejects.toMatchObject({
      code: 'RESCALE_FAILED',
      cause: { message: expect.stringContaining('takes no checkpoints') },
    });
    await plain.finished;
  });
});
