/** The seven uses of savepoints that `docs/savepoints.md` describes. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectSink, defineSource, job, type JobDefinition, start } from 'millrace';
import { diffSavepoints, SavepointReader, SavepointWriter } from 'millrace/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { savepointOfEveryState } from '../fixtures/every-state.mjs';
import { runCli } from './run-cli.js';

const NUMBER = { kind: 'number' } as const;

/** The first `until` numbers, by whether they are odd; then the source waits. */
const numbers = (until: number) =>
  defineSource<{ odd: boolean; n: number }>({
    name: 'numbers',
    bounded: false,
    async *read(_split, position, { signal }) {
      for (let n = position; n < until; n++) yield { odd: n % 2 === 1, n };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });

interface Variant {
  readonly until: number;
  /** What a number adds to its sum. */
  readonly weight?: number;
  /** Whether the version of the job counts, too. */
  readonly counts?: boolean;
}

/** Sums of odd and of even numbers. */
function sums({ until, weight = 1, counts = false }: Variant): JobDefinition {
  return job('sums', (flow) => {
    const keyed = flow.from(numbers(until), { uid: 'numbers' }).keyBy('odd');
    keyed
      .process<{ odd: boolean; sum: number }>(
        ({ state }) => {
          const sum = state.value<number>({ name: 'sum', type: NUMBER });
          return {
            processElement({ odd, n }, { collect }) {
              sum.update((sum.value() ?? 0) + n * weight);
              collect({ odd, sum: sum.value() ?? 0 });
            },
          };
        },
        { uid: 'sums' },
      )
      .to(collectSink(), { uid: 'summed' });
    if (!counts) return;
    keyed
      .process<number>(
        ({ state }) => {
          const count = state.value<number>({ name: 'count', type: NUMBER });
          return {
            processElement(_record, { collect }) {
              count.update((count.value() ?? 0) + 1);
              collect(count.value() ?? 0);
            },
          };
        },
        { uid: 'counts' },
      )
      .to(collectSink(), { uid: 'counted' });
  });
}

describe('a savepoint serves to', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-uses-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Runs until the numbers have been read, and stops with a savepoint. */
  async function runTo(
    variant: Variant,
    from: string | null = null,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const execution = await start(sums(variant), {
      runtime: 'in-thread',
      baseDirectory: directory,
      settings: {
        'execution.checkpointing.interval': '1h',
        'execution.checkpointing.dir': 'checkpoints',
        'execution.checkpointing.savepointDir': 'savepoints',
        ...(from === null ? {} : { 'execution.stateRecovery.path': from }),
        ...settings,
      },
    });
    const ended = execution.finished.catch((error: unknown) => error);
    const read = variant.until - (from === null ? 0 : positionIn(from));
    const sinks = () => execution.metrics().vertices.filter(({ name }) => name.endsWith('collect'));
    while (!sinks().every(({ rowsIn }) => rowsIn === read)) {
      const failed = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5))]);
      if (failed instanceof Error) throw failed;
    }
    const { path } = await execution.savepoint({ stop: 'suspend' });
    await ended;
    return path ?? '';
  }

  function positionIn(path: string): number {
    const reader = SavepointReader.read(path);
    const source = reader.operators.find(({ uid }) => uid === 'numbers')?.source;
    reader.close();
    return source?.inHand[0]?.position as number;
  }

  function sumsIn(path: string, state = 'sum', uid = 'sums'): Record<string, unknown> {
    const reader = SavepointReader.read(path);
    const entries = [...reader.readKeyedState(uid, state)];
    reader.close();
    return Object.fromEntries(entries.map(({ key, value }) => [String(key), value]));
  }

  it('upgrade a job, and to go back', async () => {
    const before = await runTo({ until: 10 });
    expect(sumsIn(before)).toEqual({ false: 20, true: 25 });
    const upgraded = await runTo({ until: 14, counts: true }, before);
    expect(sumsIn(upgraded)).toEqual({ false: 42, true: 49 });
    expect(sumsIn(upgraded, 'count', 'counts')).toEqual({ false: 2, true: 2 });
    // Back to where it was, or on from here without what is new.
    expect(sumsIn(await runTo({ until: 14 }, before))).toEqual({ false: 42, true: 49 });
    await expect(runTo({ until: 16 }, upgraded)).rejects.toMatchObject({
      code: 'STATE_NOT_RESTORED',
    });
    const without = { 'execution.stateRecovery.ignoreUnclaimedState': true };
    const back = await runTo({ until: 16 }, upgraded, without);
    expect(sumsIn(back)).toEqual({ false: 56, true: 64 });
  });

  it('move a job to another machine', async () => {
    const path = await runTo({ until: 10 });
    const moved = join(directory, 'elsewhere');
    cpSync(path, moved, { recursive: true });
    rmSync(join(directory, 'savepoints'), { recursive: true });
    rmSync(join(directory, 'checkpoints'), { recursive: true, force: true });
    expect(sumsIn(await runTo({ until: 12 }, moved))).toEqual({ false: 30, true: 36 });
  });

  it('upgrade Millrace itself', async () => {
    const written = fileURLToPath(new URL('../fixtures/checkpoints/1/savepoint', import.meta.url));
    const params = { out: null };
    const on = await savepointOfEveryState(directory, 25, { from: written, begun: 20, params });
    expect(SavepointReader.read(on ?? '').count('keeper', 'total')).toBe(5);
  });

  it('change the parallelism, and the maximum parallelism', async () => {
    const params = { out: null };
    const path = (await savepointOfEveryState(directory, 20, { params })) ?? '';
    const wider = join(directory, 'wider');
    SavepointWriter.fromExistingSavepoint(path).withMaxParallelism(16).write(wider);
    const options = { params, begun: 20, from: wider, parallelism: 3, maxParallelism: 16 };
    const on = SavepointReader.read((await savepointOfEveryState(directory, 25, options)) ?? '');
    expect(on.operators.find(({ uid }) => uid === 'keeper')).toMatchObject({
      parallelism: 3,
      maxParallelism: 16,
    });
    expect(on.count('keeper', 'total')).toBe(5);
    on.close();
  });

  it('try two variants from the same state', async () => {
    const path = await runTo({ until: 10 });
    const [a, b] = [
      await runTo({ until: 12 }, path),
      await runTo({ until: 12, weight: 100 }, path),
    ];
    expect(sumsIn(a)).toEqual({ false: 30, true: 36 });
    expect(sumsIn(b)).toEqual({ false: 1020, true: 1125 });
    const [left, right] = [SavepointReader.read(a), SavepointReader.read(b)];
    const { states } = diffSavepoints(left, right);
    expect(states).toEqual([
      expect.objectContaining({ uid: 'sums', state: 'sum', changed: 2, same: 0 }),
    ]);
    left.close();
    right.close();
  });

  it('pause a job, and to resume it', async () => {
    let path = await runTo({ until: 4 });
    for (const until of [4, 7, 10]) path = await runTo({ until }, path);
    expect(sumsIn(path)).toEqual({ false: 20, true: 25 });
  });

  it('archive what a job knew', async () => {
    const path = await runTo({ until: 10 });
    const archive = join(directory, 'archive');
    cpSync(path, archive, { recursive: true });
    const { stdout, code } = await runCli(
      ['state', 'export', archive, 'sums', 'sum', '--to', 'sums', '--json'],
      { cwd: directory },
    );
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ records: 2 })]);
    expect(sumsIn(await runTo({ until: 12 }, archive))).toEqual({ false: 30, true: 36 });
    expect(sumsIn(archive)).toEqual({ false: 20, true: 25 });
  });
});
