import {
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
import { type ExecutionEvent, type RunOptions, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import failingOften from '../fixtures/jobs/failing-often.mjs';

const KEYS = 50;
const PER_KEY = 1200;

describe('a job that takes checkpoints and fails', () => {
  let directory: string;
  let input: string;
  let params: Record<string, unknown>;

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

  async function runToEnd(options: RunOptions<unknown>) {
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
      for await (const event of execution.events()) events.push(event);
    })();
    await execution.finished;
    await watched;
    return { restarts: execution.restarts, events };
  }

  it('passes a damaged one over, names it, and goes on from the one before', async () => {
    const options = {
      params: { ...params, failures: 0, pauseEvery: 100 },
      parallelism: 2,
      baseDirectory: directory,
      settings: {
        'execution.checkpointing.interval': '15ms',
        'execution.checkpointing.dir': 'checkpoints',
        'execution.checkpointing.numRetained': 3,
        'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
        'execution.stateRecovery.path': 'latest',
      },
    };
    const first = await start(failingOften, options);
    for await (const event of first.events()) {
      if (event.type === 'checkpoint' && event.report.id === 4) first.cancel();
    }
    const [job] = readdirSync(join(directory, 'checkpoints'));
    const home = join(directory, 'checkpoints', job);
    const ids = readdirSync(home).flatMap((name) =>
      existsSync(join(home, name, '_metadata')) ? [Number(name.replace('chk-', ''))] : [],
    );
    const newest = Math.max(...ids);
    const metadata = join(home, `chk-${newest}`, '_metadata');
    const bytes = readFileSync(metadata);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(metadata, bytes);
    const second = await start(failingOften, options);
    expect(second.restored?.checkpoint).toBe(newest - 1);
    expect(second.restored?.damaged.map(({ code, where }) => [code, where.file])).toEqual([
      ['CHECKPOINT_CORRUPT', metadata],
    ]);
    second.cancel();
    await second.finished.catch(() => {});
  }, 60_000);

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
    it(`loses and repeats nothing: ${name}`, { timeout: 120_000 }, async () => {
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
    });
  }
});
