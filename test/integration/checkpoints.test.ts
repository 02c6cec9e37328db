import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type ExecutionEvent, type MillraceError, type RunOptions, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import failingOften from '../fixtures/jobs/failing-often.mjs';

const KEYS = 50;
const PER_KEY = 1200;

describe('a job that takes checkpoints and fails', () => {
  let directory: string;
  let input: string;
  let params: Record<string, unknown>;
  /** Where this file is a job does not come to its end, however slow the machine. */
  let held: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-checkpoints-'));
    for (const name of ['marks', 'out']) mkdirSync(join(directory, name));
    input = join(directory, 'in.ndjson');
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(input, `${lines.join('\n')}\n`);
    const [marks, output] = [join(directory, 'marks'), join(directory, 'out')];
    params = { input, output, marks, failEvery: 9000, failures: 5 };
    held = join(directory, 'held');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** What was lost, written twice, or out of order, in all of the parts. */
  function checkOutput(): { lost: number; duplicated: number; wrong: number } {
    const seen = new Map<string, number>();
    let wrong = 0;
    const out = join(directory, 'out');
    for (const part of readdirSync(out)) {
      expect(part, 'nothing is left behind that was not committed').toMatch(/^part-/);
      for (const line of readFileSync(join(out, part), 'utf8').trim().split('\n').slice(1)) {
        const [key, number, expected] = line.split(',');
        if (number !== expected) wrong++;
        const id = `${key}/${number}`;
        seen.set(id, (seen.get(id) ?? 0) + 1);
      }
    }
    const duplicated = [...seen.values()].filter((times) => times > 1).length;
    return { lost: KEYS * PER_KEY - seen.size, duplicated, wrong };
  }

  async function runToEnd(
    options: RunOptions<unknown>,
    see: (event: ExecutionEvent) => void = () => {},
  ) {
    const execution = await start(failingOften, {
      params,
      ...options,
      settings: {
        'execution.checkpointing.interval': '15ms',
        'restartStrategy.type': 'fixedDelay',
        'restartStrategy.fixedDelay.attempts': 1000,
        'restartStrategy.fixedDelay.delay': '1ms',
        ...options.settings,
      },
    });
    const events: ExecutionEvent[] = [];
    const watched = (async () => {
      for await (const event of execution.events()) {
        events.push(event);
        see(event);
      }
    })();
    await execution.finished;
    await watched;
    return { restarts: execution.restarts, events };
  }

  it('passes a damaged one over, names it, and goes on from the one before', async () => {
    const { options, metadata } = await killed();
    const [newest] = metadata.slice(-1);
    const bytes = readFileSync(newest);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(newest, bytes);
    const second = await start(failingOften, options);
    expect(second.restored?.path).toBe(dirname(metadata.at(-2) ?? ''));
    expect(second.restored?.damaged.map(({ code, where }) => [code, where.file])).toEqual([
      ['CHECKPOINT_CORRUPT', newest],
    ]);
    second.cancel();
    await second.finished.catch(() => {});
  });

  /** Runs the job until it has taken some checkpoints, of which three are kept. */
  async function killed(settings: Record<string, unknown> = {}) {
    writeFileSync(held, '');
    const options = {
      params: { ...params, failures: 0, held },
      parallelism: 2,
      baseDirectory: directory,
      settings: {
        'execution.checkpointing.interval': '15ms',
        'execution.checkpointing.dir': 'checkpoints',
        'execution.checkpointing.numRetained': 3,
        'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
        'execution.stateRecovery.path': 'latest',
        ...settings,
      },
    };
    const execution = await start(failingOften, options);
    for await (const event of execution.events()) {
      if (event.type === 'checkpoint' && event.report.id === 5) execution.cancel();
    }
    const [job] = readdirSync(join(directory, 'checkpoints'));
    const home = join(directory, 'checkpoints', job);
    const metadata = readdirSync(home)
      .map((name) => join(home, name, '_metadata'))
      .filter((path) => existsSync(path))
      .toSorted();
    return { options, home, metadata };
  }

  it('goes on without further checkpoints where they have no room, and tells so', async () => {
    const settings = {
      'execution.checkpointing.dir': 'checkpoints',
      'execution.checkpointing.maxDirectorySize': 1,
      'execution.checkpointing.interval': '10ms',
    };
    writeFileSync(held, '');
    const options = {
      params: { ...params, failures: 0, held },
      parallelism: 2,
      baseDirectory: directory,
      settings,
    };
    const { events } = await runToEnd(options, (event) => {
      const isRefused = event.type === 'checkpoint' && event.report.reason === 'overQuota';
      if (isRefused) rmSync(held, { force: true });
    });
    expect(checkOutput()).toEqual({ lost: 0, duplicated: 0, wrong: 0 });
    const reports = events.flatMap((event) => (event.type === 'checkpoint' ? [event.report] : []));
    const refused = reports.filter(({ reason }) => reason === 'overQuota');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0].error?.message).toMatch(/maxDirectorySize is 1 B/);
    expect(refused[0].directoryBytes).toBeGreaterThan(0);
    const completed = reports.filter(({ status }) => status === 'completed');
    // The first one, and the final one, without which nothing would become visible.
    expect(completed.length).toBeGreaterThanOrEqual(2);
    expect(completed.every(({ directoryBytes }) => (directoryBytes ?? 0) > 0)).toBe(true);
  });

  it.each(['of its own id', 'of an id that nobody can tell the job of'])(
    'does not begin anew where all checkpoints are damaged, but names each: %s',
    async (whose) => {
      const { options, home, metadata } = await killed();
      expect(metadata).toHaveLength(3);
      for (const path of metadata) {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] ^= 1;
        writeFileSync(path, bytes);
      }
      const moved = join(
        directory,
        'checkpoints',
        whose === 'of its own id' ? basename(home) : 'x',
      );
      renameSync(home, moved);
      const error: unknown = await start(failingOften, options).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
      const { message, advice } = error as MillraceError;
      for (const path of metadata) {
        const file = join(moved, basename(dirname(path)), '_metadata');
        expect(message).toContain(`${file} at byte 12: A checkpoint is damaged.`);
      }
      expect(advice).toMatch(/To begin anew, which repeats output, run without --from, or move/);
      rmSync(moved, { recursive: true });
      const anew = await start(failingOften, options);
      expect(anew.restored).toBeNull();
      anew.cancel();
      await anew.finished.catch(() => {});
    },
  );

  it('has nothing to do once it had finished, unless it is told to begin anew', async () => {
    const checkpoints = join(directory, 'checkpoints');
    const settings = {
      'execution.checkpointing.interval': '15ms',
      'execution.checkpointing.dir': 'checkpoints',
      'execution.stateRecovery.path': 'latest',
    };
    const run = async (more: Record<string, unknown>, given = {}) => {
      const options = {
        params: { ...params, failures: 0, ...given },
        parallelism: 2,
        baseDirectory: directory,
        settings: { ...settings, ...more },
      };
      const execution = await start(failingOften, options);
      const { hadFinishedMs } = await execution.finished;
      expect(execution.state).toBe('FINISHED');
      return hadFinishedMs;
    };
    expect(await run({})).toBeNull();
    const [home] = readdirSync(checkpoints);
    expect(readdirSync(join(checkpoints, home)).toSorted()).toEqual(
      expect.arrayContaining(['finished']),
    );
    const { mtimeMs } = statSync(join(checkpoints, home, 'finished'));
    expect(Math.abs(((await run({})) ?? 0) - mtimeMs)).toBeLessThan(60_000);
    expect(await run({ isolate: 'process' })).toBeGreaterThan(0);
    expect(checkOutput()).toEqual({ lost: 0, duplicated: 0, wrong: 0 });
    const refused = await start(failingOften, {
      params: { ...params, failures: 0 },
      baseDirectory: directory,
      settings,
    });
    await expect(refused.savepoint()).rejects.toMatchObject({ code: 'CHECKPOINT_FAILED' });
    expect(await run({ 'execution.stateRecovery.ifFinished': 'anew' })).toBeNull();
    expect(checkOutput().duplicated).toBe(KEYS * PER_KEY);
    // Other parameters make another run of it.
    expect(await run({}, { pauseEvery: 10_000 })).toBeNull();
    expect(await run({}, { pauseEvery: 10_000 })).toBeGreaterThan(0);
    // One that was not told to go on has an id of its own, and takes the place of the others.
    expect(await run({ 'execution.stateRecovery.path': undefined })).toBeNull();
    expect(readdirSync(checkpoints)).not.toContain(home);
    expect(await run({})).toBeGreaterThan(0);
    const damaged = join(checkpoints, readdirSync(checkpoints)[0], 'finished');
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(damaged, bytes);
    await expect(run({})).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
  });

  const cases: readonly (RunOptions<unknown> & { readonly name: string })[] = [
    { name: 'on the calling thread, in memory', runtime: 'in-thread', parallelism: 1 },
    { name: 'on two threads, in memory', parallelism: 2 },
    { name: 'on two threads, in a directory', parallelism: 2, settings: { dir: true } },
    {
      name: 'five subtasks, changes only',
      parallelism: 5,
      settings: { dir: true, incremental: true },
    },
    {
      name: 'two threads, small frames',
      parallelism: 2,
      settings: { 'exchange.batchRows': 7, dir: true },
    },
  ];

  for (const { name, settings: given = {}, ...options } of cases) {
    it(`loses and repeats nothing: ${name}`, async () => {
      const { dir, incremental, ...settings } = given as Record<string, unknown>;
      const { restarts, events } = await runToEnd({
        ...options,
        baseDirectory: directory,
        settings: {
          ...settings,
          ...(dir === true ? { 'execution.checkpointing.dir': 'checkpoints' } : {}),
          ...(incremental === true ? { 'execution.checkpointing.incremental': true } : {}),
        },
      });
      expect(checkOutput()).toEqual({ lost: 0, duplicated: 0, wrong: 0 });
      expect(restarts).toBeGreaterThanOrEqual(5);
      const completed = events.filter(
        (event) => event.type === 'checkpoint' && event.report.status === 'completed',
      );
      expect(completed.length).toBeGreaterThan(0);
      const sizes = completed.flatMap((event) =>
        event.type === 'checkpoint' ? [event.report.fullBytes - event.report.bytes] : [],
      );
      expect(Math.min(...sizes)).toBe(0);
      if (incremental !== true) expect(Math.max(...sizes)).toBe(0);
    });
  }
});
