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
  max,
  type SinkConnector,
  start,
  sum,
} from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import counting from '../fixtures/jobs/counting.mjs';
import countingTwice from '../fixtures/jobs/counting-twice.mjs';
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
  let held: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-rescale-'));
    mkdirSync(join(directory, 'marks'));
    mkdirSync(join(directory, 'out'));
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(join(directory, 'in.ndjson'), `${lines.join('\n')}\n`);
    // Keeps the jobs from their end until they have been rescaled, however slow the machine.
    held = join(directory, 'held');
    writeFileSync(held, '');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it.each([
    { of: 'failing-often', incremental: false, failures: 0, isolate: 'none' },
    { of: 'failing-often', incremental: true, failures: 2, isolate: 'none' },
    { of: 'failing-often', incremental: true, failures: 0, isolate: 'process' },
    { of: 'counting', incremental: true, failures: 0, isolate: 'none' },
  ] as const)('shows every result once (%o)', async ({ of, incremental, failures, isolate }) => {
    const execution = await start(of === 'counting' ? counting : failingOften, {
      params: {
        input: join(directory, 'in.ndjson'),
        output: join(directory, 'out'),
        marks: join(directory, 'marks'),
        failEvery: failures === 0 ? 1e9 : 5000,
        failures,
        pauseEvery: 20,
        held,
      },
      parallelism: 2,
      maxParallelism: 16,
      isolate,
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
      if (report !== null && report.from !== report.to) {
        reached.push(report.to);
        rmSync(held, { force: true });
        const widths = execution.plan.vertices.map((vertex) => vertex.parallelism);
        if (failures === 0) expect(Math.max(...widths)).toBe(report.to);
      }
      if (execution.state === 'FINISHED') break;
    }
    rmSync(held, { force: true });
    await execution.finished;
    const all = KEYS * PER_KEY;
    expect(tally()).toEqual({ rows: all, distinct: all, wrong: 0 });
    if (failures === 0) {
      expect(reached.length).toBeGreaterThan(0);
      expect(reached).toEqual([3, 1, 4, 2].slice(0, reached.length));
    }
    const told = (await following).flatMap((event) =>
      event.type === 'rescaled' ? [event.report.to] : [],
    );
    expect(told).toEqual(reached);
    if (failures === 0) expect(execution.restarts).toBe(0);
  });

  /** Rows that are wrong, and how many there are of each. */
  function tally(): { readonly rows: number; readonly distinct: number; readonly wrong: number } {
    const seen = new Set<string>();
    let [rows, wrong] = [0, 0];
    for (const part of readdirSync(join(directory, 'out'))) {
      const lines = readFileSync(join(directory, 'out', part), 'utf8')
        .trim()
        .split('\n');
      for (const line of lines.slice(1)) {
        const [key, number, ...counts] = line.split(',');
        if (counts.length === 0 || counts.some((count) => count !== number)) wrong++;
        seen.add(`${key}/${number}`);
        rows++;
      }
    }
    return { rows, distinct: seen.size, wrong };
  }

  it.each([1, 2, 3, 4])(
    'keeps state of every kind, at random instants, through failures (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const failures = random.below(3);
      const execution = await start(countingTwice, {
        params: {
          input: join(directory, 'in.ndjson'),
          output: join(directory, 'out'),
          marks: join(directory, 'marks'),
          failEvery: 3000 + random.below(3000),
          failures,
          pauseEvery: 10,
          perKey: PER_KEY,
        },
        parallelism: 1 + random.below(3),
        maxParallelism: 16,
        baseDirectory: directory,
        settings: {
          'execution.checkpointing.interval': random.below(2) === 0 ? '20ms' : '150ms',
          'execution.checkpointing.dir': 'checkpoints',
          'execution.checkpointing.incremental': random.below(2) === 0,
          'execution.checkpointing.tolerableFailedCheckpoints': 100,
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.delay': '5ms',
          'restartStrategy.fixedDelay.attempts': 10,
        },
      });
      let rescaled = 0;
      for (let turn = 0; turn < 5 && execution.state !== 'FINISHED'; turn++) {
        await sleep(random.below(120));
        const report = await execution.rescale(1 + random.below(4)).catch(() => null);
        if (report !== null && report.from !== report.to) rescaled++;
      }
      await execution.finished;
      const all = KEYS * PER_KEY + KEYS;
      expect(tally()).toEqual({ rows: all, distinct: all, wrong: 0 });
      if (failures === 0) expect(rescaled).toBeGreaterThan(0);
    },
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

  const unbounded = { runtime: 'in-thread', parallelism: 2 } as const;
  const options = { ...unbounded, maxParallelism: 8 };
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

  /** How often each key has come, by way of two operators of different widths. */
  const counted = (output: SinkConnector, until: number) =>
    job('counted', (flow) => {
      const rolling = { emit: 'updates', parallelism: 86 } as const;
      flow
        .from(numbers(until))
        .keyBy('key')
        .aggregate({ rows: count() }, { ...rolling, uid: 'wide' })
        .map(({ key, rows }) => ({ key, rows }))
        .keyBy('key')
        .aggregate({ most: max('rows') }, { uid: 'narrow' })
        .to(output);
    });
  /** The same in one step, with little between source and operator. */
  const countedOnce = (output: SinkConnector, until: number) =>
    job('counted', (flow) => {
      flow
        .from(numbers(until), { parallelism: 1 })
        .keyBy('key')
        .aggregate({ most: count() }, { uid: 'narrow' })
        .to(output);
    });
  const keyGroups = ({ plan }: JobExecution) =>
    Object.fromEntries(
      plan.vertices.flatMap(({ operators, maxParallelism }) =>
        operators.map(({ spec }) => [spec.uid, maxParallelism] as const),
      ),
    );
  const eachCame = (until: number) =>
    Array.from({ length: 7 }, (_, key) => {
      const times = Array.from({ length: until }, (_, n) => n).filter((n) => n % 7 === key).length;
      return { key, most: times * 3 };
    });

  it('leaves each operator the number of key groups that it began with', async () => {
    const seen = collectSink<{ key: number; most: number }>();
    const execution = await start(counted(seen, 300), { ...unbounded, settings });
    expect(keyGroups(execution)).toMatchObject({ wide: 256, narrow: 128 });
    expect(await execution.rescale(3)).toMatchObject({ from: 2, to: 3 });
    expect(keyGroups(execution)).toMatchObject({ wide: 256, narrow: 128 });
    await expect(execution.rescale(129)).rejects.toMatchObject({ code: 'PARALLELISM_INVALID' });
    await execution.finished;
    expect(seen.rows.toSorted((a, b) => a.key - b.key)).toEqual(eachCame(300));
  });

  it('is not needed to go on wider: operators take over the key groups of their state', async () => {
    const baseDirectory = mkdtempSync(join(tmpdir(), 'millrace-rescale-'));
    const begin = (parallelism: number, more: Record<string, unknown>, output = collectSink()) =>
      start(countedOnce(output, 400), {
        ...unbounded,
        parallelism,
        baseDirectory,
        settings: { ...settings, 'execution.checkpointing.dir': 'checkpoints', ...more },
      });
    try {
      const first = await begin(2, {});
      for await (const event of first.events()) if (event.type === 'checkpoint') break;
      const saved = await first.savepoint({ directory: 'saved', stop: 'suspend' });
      await first.finished;
      const from = { 'execution.stateRecovery.path': saved.path };
      const seen = collectSink<{ key: number; most: number }>();
      const second = await begin(86, from, seen);
      // By itself it would have 256.
      expect(keyGroups(second)).toMatchObject({ narrow: 128 });
      await second.finished;
      expect(seen.rows.toSorted((a, b) => a.key - b.key)).toEqual(eachCame(400));
      await expect(begin(129, from)).rejects.toMatchObject({ code: 'PARALLELISM_INVALID' });
      await expect(begin(2, { ...from, maxParallelism: 256 })).rejects.toMatchObject({
        code: 'PARALLELISM_INVALID',
      });
    } finally {
      rmSync(baseDirectory, { recursive: true, force: true });
    }
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
