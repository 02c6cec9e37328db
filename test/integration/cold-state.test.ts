/** State of which most is on disk, since the slots have next to no memory for it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  count,
  datagen,
  discard,
  integers,
  job,
  ndjson,
  run,
  sequence,
  session,
  sliding,
  start,
  sum,
  tumbling,
} from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import coldTotals, { failures } from '../fixtures/jobs/cold-totals.mjs';

const CHILD = fileURLToPath(new URL('../crash/cold-state-child.mjs', import.meta.url));
const KEYS = 25_000;
const ROWS = 60_000;
/** Some 16 MB for the state of a slot. */
const LITTLE = { 'slot.memory': '64mb', 'slot.managedFraction': 0.25 } as const;
const ENOUGH = { 'slot.memory': '256mb', 'slot.managedFraction': 0.4 } as const;
const NO_RESTART = { 'restartStrategy.type': 'none' } as const;
const NAMES = ['aggregated', 'reduced', 'processed'] as const;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cold-'));
  failures.at = [];
  failures.seen = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Results by name, each sorted. */
type Rows = readonly (readonly string[])[];

const output = (): string => join(directory, 'out');
const outputRows = (): Rows => NAMES.map((name) => linesOf(join(output(), name)));
const params = (more: object = {}) => ({ rows: ROWS, keys: KEYS, output: output(), ...more });

let expected: Rows | null = null;

/** What comes of it in memory and without disturbance. */
async function expectedRows(): Promise<Rows> {
  if (expected === null) {
    await run(coldTotals, { params: params(), runtime: 'in-thread' });
    expected = outputRows();
    rmSync(output(), { recursive: true });
    failures.seen = 0;
  }
  return expected;
}

const settings = (more: object = {}) => ({
  ...LITTLE,
  'state.backend': 'lsm',
  'state.localDir': join(directory, 'local'),
  'execution.checkpointing.interval': '100ms',
  'execution.checkpointing.dir': join(directory, 'checkpoints'),
  'execution.checkpointing.incremental': true,
  ...more,
});

describe('state that is larger than the memory of its slots', () => {
  it('is too large for memory alone', async () => {
    const more = { ...NO_RESTART, 'state.backend': 'memory' };
    const options = { params: params(), runtime: 'in-thread', settings: settings(more) } as const;
    await expect(run(coldTotals, options)).rejects.toMatchObject({
      code: 'MEMORY_EXHAUSTED',
      advice: expect.stringContaining('state.backend'),
    });
  });

  it.each([true, false])(
    'gives the same results, also after failures (incremental: %s)',
    async (isIncremental) => {
      const wanted = await expectedRows();
      failures.at = [20_000, 40_000];
      const execution = await start(coldTotals, {
        params: params(),
        runtime: 'in-thread',
        parallelism: 1,
        settings: settings({
          'execution.checkpointing.incremental': isIncremental,
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.attempts': 10,
          'restartStrategy.fixedDelay.delay': '1ms',
        }),
      });
      await execution.finished;
      expect(failures.at).toEqual([]);
      expect(execution.checkpoints.counts.completed).toBeGreaterThan(2);
      expect(outputRows()).toEqual(wanted);
      const counts = execution.metrics().vertices.flatMap(({ subtasks }) => subtasks);
      const sum = (name: keyof (typeof counts)[number]): number =>
        counts.reduce((all, task) => all + Number(task[name]), 0);
      expect(sum('coldHits')).toBeGreaterThan(0);
      expect(sum('coldLookups')).toBeGreaterThan(sum('coldHits'));
      expect(sum('spillReads')).toBeGreaterThan(0);
      expect(sum('spilledBytesOut')).toBeGreaterThan(0);
      // All files are gone with the job.
      expect(sum('spilledBytes')).toBe(0);
      expect(readdirSync(join(directory, 'local'))).toEqual([]);
    },
  );

  it.each([
    ['lsm', 'memory'],
    ['memory', 'lsm'],
  ])('goes on from a savepoint of %s with %s, at another parallelism', async (from, to) => {
    const wanted = await expectedRows();
    const settingsOf = (backend: string) =>
      settings({ 'state.backend': backend, ...(backend === 'lsm' ? {} : ENOUGH) });
    const options = { runtime: 'threads', maxParallelism: 16 } as const;
    const first = await start(coldTotals, {
      ...options,
      params: params({ rowsPerSecond: 5000 }),
      parallelism: 2,
      settings: settingsOf(from),
    });
    let taken = 0;
    for await (const event of first.events()) {
      if (event.type !== 'checkpoint' || event.report.status !== 'completed') continue;
      if (++taken === 2) break;
    }
    const saved = join(directory, 'saved');
    const { path } = await first.savepoint({ directory: saved, stop: 'suspend' });
    await first.finished;
    const second = await start(coldTotals, {
      ...options,
      params: params({ rowsPerSecond: 1_000_000 }),
      parallelism: 3,
      settings: { ...settingsOf(to), 'execution.stateRecovery.path': path },
    });
    await second.finished;
    expect(outputRows()).toEqual(wanted);
  });

  it('survives SIGKILL, and leaves no file behind', async () => {
    const wanted = await expectedRows();
    const options = {
      params: params({ rowsPerSecond: 20_000 }),
      settings: settings({ 'execution.stateRecovery.path': 'latest' }),
    };
    const lives: string[] = [];
    while (lives.at(-1)?.includes('finished') !== true) {
      lives.push(await life(options, lives.length < 2 ? 4 : null));
      expect(readdirSync(join(directory, 'local'))).toEqual([]);
      expect(lives.length).toBeLessThan(5);
    }
    expect(lives.length).toBeGreaterThan(1);
    expect(lives.slice(1).every((text) => text.includes('restored'))).toBe(true);
    expect(outputRows()).toEqual(wanted);
  });

  it.each([
    ['tumbling', tumbling('25s'), 0.05],
    ['sliding', sliding('30s', '10s'), 0.1],
    ['session', session('20s'), 0.1],
  ])(
    'may be of %s windows, which give the same results, also after a failure',
    async (_, windows, share) => {
      let left = 0;
      const windowed = job('windowed', (flow) => {
        flow
          .from(
            datagen({
              rows: 60_000,
              seed: 5,
              fields: { at: sequence(0), user: integers(1, 100_000), amount: integers(1, 9) },
            }),
          )
          .map((record) => {
            if (--left === 0) throw new Error('as it should');
            return record;
          })
          .assignTimestamps('at')
          .keyBy('user')
          .window(windows as never)
          .aggregate({ n: count(), total: sum('amount') })
          .to(ndjson(output()));
      });
      const rowsOf = async (more: object, failsAfter: number): Promise<readonly string[]> => {
        left = failsAfter;
        const execution = await start(windowed, {
          runtime: 'in-thread',
          parallelism: 1,
          settings: settings({
            'restartStrategy.type': 'fixedDelay',
            'restartStrategy.fixedDelay.attempts': 10,
            'restartStrategy.fixedDelay.delay': '1ms',
            ...more,
          }),
        });
        await execution.finished;
        const tasks = execution.metrics().vertices.flatMap(({ subtasks }) => subtasks);
        reads = tasks.reduce((all, { spillReads }) => all + spillReads, 0);
        const rows = linesOf(output());
        for (const made of ['out', 'checkpoints'])
          rmSync(join(directory, made), { recursive: true });
        return rows;
      };
      let reads = 0;
      const wanted = await rowsOf({ ...ENOUGH, 'state.backend': 'memory' }, 0);
      expect(wanted.length).toBeGreaterThan(40_000);
      expect(reads).toBe(0);
      expect(await rowsOf({ 'slot.managedFraction': share }, 45_000)).toEqual(wanted);
      expect(left).toBeLessThan(0);
      expect(reads).toBeGreaterThan(0);
    },
  );

  it('has keys with timers in memory, and says so when they are too large for that', async () => {
    const waiting = job('waiting', (flow) => {
      flow
        .from(datagen({ rows: 100_000, fields: { at: sequence(0), user: sequence(0) } }))
        .assignTimestamps('at')
        .keyBy('user')
        .process(() => ({
          processElement: ({ at }, { timers }) => timers.registerEventTime(at + 3_600_000),
          onTimer: () => undefined,
        }))
        .to(discard());
    });
    const tiny = settings({ ...NO_RESTART, 'slot.managedFraction': 0.03 });
    const options = { runtime: 'in-thread', settings: tiny } as const;
    await expect(run(waiting, options)).rejects.toMatchObject({
      code: 'MEMORY_EXHAUSTED',
      advice: expect.stringContaining('timer'),
    });
  });
});

/** One life of the child, which is killed after so many checkpoints; what it wrote. */
function life(options: object, killAfter: number | null): Promise<string> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)]);
  let text = '';
  return new Promise((resolve) => {
    const read = (part: Buffer): void => {
      text += part.toString();
      if (killAfter !== null && text.split('taken').length > killAfter) child.kill('SIGKILL');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', () => resolve(text));
  });
}

function linesOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .filter((line) => line !== '')
    .toSorted();
}
