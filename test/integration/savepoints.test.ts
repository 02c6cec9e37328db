import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobExecution, type MillraceError, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../src/base/node-disk.js';
import { disposeSavepoint } from '../../src/checkpoint/dispose-savepoint.js';
import drained from '../fixtures/jobs/drained.mjs';
import failingOften from '../fixtures/jobs/failing-often.mjs';

const KEYS = 30;
const PER_KEY = 800;

describe('a savepoint', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-savepoints-'));
    mkdirSync(join(directory, 'marks'));
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(join(directory, 'in.ndjson'), `${lines.join('\n')}\n`);
    writeFileSync(join(directory, 'held'), '');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Jobs come to their end only after this, however slow the machine is that stops them before. */
  const release = (): void => rmSync(join(directory, 'held'));

  function begin(
    out: string,
    parallelism: number,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<JobExecution> {
    mkdirSync(join(directory, out), { recursive: true });
    return start(failingOften, {
      params: {
        input: join(directory, 'in.ndjson'),
        output: join(directory, out),
        marks: join(directory, 'marks'),
        failEvery: 1e9,
        failures: 0,
        pauseEvery: 20,
        held: join(directory, 'held'),
      },
      parallelism,
      maxParallelism: 16,
      baseDirectory: directory,
      settings: {
        'execution.checkpointing.interval': '50ms',
        'execution.checkpointing.dir': 'checkpoints',
        ...settings,
      },
    });
  }

  async function checkpointed(execution: JobExecution): Promise<void> {
    for await (const event of execution.events()) {
      if (event.type === 'checkpoint' && event.report.status === 'completed') return;
    }
  }

  /** Numbers that are visible in a directory, how often, and whether state counted them right. */
  function outputOf(...outs: readonly string[]): { rows: number; distinct: number; wrong: number } {
    const seen = new Set<string>();
    let [rows, wrong] = [0, 0];
    for (const out of outs) {
      for (const part of readdirSync(join(directory, out))) {
        const lines = readFileSync(join(directory, out, part), 'utf8')
          .trim()
          .split('\n');
        for (const line of lines.slice(1)) {
          const [key, number, expected] = line.split(',');
          if (number !== expected) wrong++;
          seen.add(`${key}/${number}`);
          rows++;
        }
      }
    }
    return { rows, distinct: seen.size, wrong };
  }

  const whole = { rows: KEYS * PER_KEY, distinct: KEYS * PER_KEY, wrong: 0 };

  it('with stop ends the job, which goes on at another parallelism', async () => {
    const first = await begin('out', 2);
    await checkpointed(first);
    const report = await first.savepoint({ directory: 'saved', stop: 'suspend' });
    await first.finished;
    release();
    expect(report).toMatchObject({ kind: 'savepoint', status: 'completed' });
    const before = outputOf('out');
    expect(before.rows).toBeGreaterThan(0);
    expect(before.rows).toBeLessThan(whole.rows);
    const second = await begin('out', 3, { 'execution.stateRecovery.path': report.path });
    expect(second.restored?.mapping.lost).toEqual([]);
    await second.finished;
    expect(outputOf('out')).toEqual(whole);
  });

  it('with stop is what the latest goes on from, and cannot be deleted until then', async () => {
    const first = await begin('out', 2);
    await checkpointed(first);
    const { path } = await first.savepoint({ directory: 'saved', stop: 'suspend' });
    await first.finished;
    release();
    const checkpoints = join(directory, 'checkpoints');
    const dispose = () => disposeSavepoint(nodeDisk, path ?? '', checkpoints);
    expect(dispose).toThrow(expect.objectContaining({ code: 'CHECKPOINT_IN_USE' }));
    const second = await begin('out', 2, { 'execution.stateRecovery.path': 'latest' });
    expect(second.restored?.path).toBe(path);
    await second.finished;
    expect(outputOf('out')).toEqual(whole);
    dispose();
    expect(existsSync(path ?? '')).toBe(false);
  });

  it('is gone on from by the latest also by a job that began from it and took no checkpoint', async () => {
    const first = await begin('out', 2);
    await checkpointed(first);
    const { path } = await first.savepoint({ directory: 'saved', stop: 'suspend' });
    await first.finished;
    const settings = {
      'execution.stateRecovery.path': path,
      'execution.checkpointing.interval': '1h',
      'execution.checkpointing.minPause': '1h',
      'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
    };
    const second = await begin('out', 1, settings);
    second.cancel();
    await second.finished.catch(() => {});
    const third = await begin('out', 1, { 'execution.stateRecovery.path': 'latest' });
    expect(third.restored?.path).toBe(path);
    third.cancel();
    await third.finished.catch(() => {});
  });

  it.each(['noClaim', 'claim'])(
    '%s: whose it is after a job has begun from it',
    async (claimMode) => {
      const first = await begin('out', 2);
      await checkpointed(first);
      const { path } = await first.savepoint({ directory: 'saved', stop: 'suspend' });
      await first.finished;
      release();
      const second = await begin('out', 2, {
        'execution.stateRecovery.path': path,
        'execution.stateRecovery.claimMode': claimMode,
      });
      await second.finished;
      expect(outputOf('out')).toEqual(whole);
      expect(existsSync(path ?? '')).toBe(claimMode === 'noClaim');
    },
  );

  it('is refused in the claim mode that belongs to nobody', async () => {
    await expect(
      begin('out', 1, {
        'execution.stateRecovery.path': 'saved',
        'execution.stateRecovery.claimMode': 'legacy',
      }),
    ).rejects.toMatchObject({ code: 'FEATURE_UNSUPPORTED' });
  });

  it('can be moved, and many jobs begin from it', async () => {
    const first = await begin('out', 2);
    await checkpointed(first);
    const { path } = await first.savepoint({ directory: 'saved', stop: 'suspend' });
    await first.finished;
    release();
    const moved = join(directory, 'elsewhere');
    cpSync(path ?? '', moved, { recursive: true });
    rmSync(join(directory, 'saved'), { recursive: true });
    const rows = outputOf('out').rows;
    for (const parallelism of [1, 2]) {
      const settings = { 'execution.stateRecovery.path': moved };
      const fork = await begin('out', parallelism, settings);
      expect(fork.restored?.checkpoint).toBeGreaterThan(0);
      await fork.finished;
      // Both add what the first had not done, to the same directory: that of the savepoint.
    }
    expect(outputOf('out').rows).toBe(rows + 2 * (whole.rows - rows));
    expect(outputOf('out').wrong).toBe(0);
  });

  it('of a job that is canceled before its next checkpoint has all that was prepared for it', async () => {
    const first = await begin('out', 2, { 'execution.checkpointing.interval': '1h' });
    while (first.metrics().vertices.every(({ rowsIn }) => rowsIn < 100)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { path } = await first.savepoint({ directory: 'saved' });
    first.cancel();
    await first.finished.catch(() => {});
    release();
    expect(readdirSync(join(directory, 'out')).every((name) => name.startsWith('.'))).toBe(true);
    const second = await begin('out', 2, { 'execution.stateRecovery.path': path });
    await second.finished;
    expect(outputOf('out')).toEqual(whole);
  });

  it('is refused by a job that takes no checkpoints or names no directory', async () => {
    const execution = await begin('out', 1);
    const error = await execution.savepoint().then(
      () => null,
      (reason: MillraceError) => reason,
    );
    expect(error?.code).toBe('CHECKPOINT_FAILED');
    expect(error?.message).toContain('directory');
    execution.cancel();
    await execution.finished.catch(() => {});
    const without = await start(failingOften, {
      params: { input: join(directory, 'in.ndjson'), output: join(directory, 'plain') },
      parallelism: 1,
    });
    const refused = await without.savepoint().catch((reason: MillraceError) => reason.code);
    expect(refused).toBe('CHECKPOINT_FAILED');
    without.cancel();
    await without.finished.catch(() => {});
  });

  it('drains a job: what operators held back is visible, too', async () => {
    const output = join(directory, 'drained');
    const counted = (): number =>
      readdirSync(output)
        .flatMap((part) => readFileSync(join(output, part), 'utf8').trim().split('\n').slice(1))
        .reduce((rows, line) => rows + Number(line.split(',')[3]), 0);
    const read = async (settings: Record<string, string>): Promise<[number, string | null]> => {
      const execution = await start(drained, {
        params: { output },
        parallelism: 2,
        baseDirectory: directory,
        settings: {
          'execution.checkpointing.interval': '50ms',
          'execution.checkpointing.dir': 'checkpoints',
          ...settings,
        },
      });
      await checkpointed(execution);
      const stop = { directory: join(directory, 'sp'), stop: 'drain' } as const;
      const { path } = await execution.savepoint(stop);
      const { metrics } = await execution.finished;
      return [metrics.vertices.find(({ isSource }) => isSource)?.rowsIn ?? 0, path];
    };
    const [before, path] = await read({});
    expect(before).toBeGreaterThan(0);
    expect(counted()).toBe(before);
    // Their operators have ended: state that is gone is not taken for none.
    await expect(read({ 'execution.stateRecovery.path': path ?? '' })).rejects.toMatchObject({
      code: 'FEATURE_UNSUPPORTED',
      message: expect.stringContaining('drained'),
    });
  });
});
