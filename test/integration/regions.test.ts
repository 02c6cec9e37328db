import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExecutionEvent, type MillraceError, type RunOptions, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import twoParts from '../fixtures/jobs/two-parts.mjs';

const KEYS = 40;
const PER_KEY = 600;

describe('a job of two parts that share nothing', () => {
  let directory: string;
  let outputs: readonly string[];
  let marks: string;
  let params: Record<string, unknown>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-regions-'));
    outputs = ['out', 'beside'].map((name) => join(directory, name));
    marks = join(directory, 'marks');
    for (const path of [...outputs, marks]) mkdirSync(path);
    const input = join(directory, 'in.ndjson');
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(input, `${lines.join('\n')}\n`);
    params = { input, outputs, marks, failEvery: 1500, failures: 5, pauseEvery: 30 };
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** What was lost, written twice, or out of order, in all of the parts of an output. */
  function flawsOf(output: string): Record<string, number> {
    const seen = new Map<string, number>();
    let wrong = 0;
    for (const part of readdirSync(output)) {
      expect(part, 'nothing is left behind that was not committed').toMatch(/^part-/);
      for (const line of readFileSync(join(output, part), 'utf8').trim().split('\n').slice(1)) {
        const [key, number, expected] = line.split(',');
        if (number !== expected) wrong++;
        seen.set(`${key}/${number}`, (seen.get(`${key}/${number}`) ?? 0) + 1);
      }
    }
    const duplicated = [...seen.values()].filter((times) => times > 1).length;
    return { lost: KEYS * PER_KEY - seen.size, duplicated, wrong };
  }

  const FLAWLESS = { lost: 0, duplicated: 0, wrong: 0 };
  /** How many subtasks of the part that never fails have begun. */
  const begunBeside = (): number => readFileSync(join(marks, 'beside'), 'utf8').length;

  async function runToEnd(options: RunOptions<unknown>) {
    const execution = await start(twoParts, { params, parallelism: 2, ...options });
    const events: ExecutionEvent[] = [];
    const watched = (async () => {
      for await (const event of execution.events()) events.push(event);
    })();
    const error = await execution.finished.then(
      () => null,
      (thrown: MillraceError) => thrown,
    );
    await watched;
    return { execution, error, events };
  }

  /** The names of the chains that each restart was of. */
  function restarted({ execution, events }: Awaited<ReturnType<typeof runToEnd>>): string[] {
    return events.flatMap((event) =>
      event.type !== 'restart'
        ? []
        : [
            event.vertices
              ?.map((id) => execution.plan.vertices[id].sinks[0]?.identity.uid ?? '')
              .join('') ?? 'all',
          ],
    );
  }

  /** Both of its subtasks may fail at once, which is one failure of the part. */
  function expectPartial(run: Awaited<ReturnType<typeof runToEnd>>): void {
    const restarts = restarted(run);
    expect(new Set(restarts)).toEqual(new Set(['files']));
    expect(run.execution.restarts).toBe(restarts.length);
  }

  const RESTARTS = {
    'restartStrategy.type': 'fixedDelay',
    'restartStrategy.fixedDelay.attempts': 10,
    'restartStrategy.fixedDelay.delay': '5ms',
  };
  const CHECKPOINTS = {
    ...RESTARTS,
    'execution.checkpointing.interval': '20ms',
  };

  for (const [name, more] of [
    ['in memory', {}],
    ['in a directory', { dir: true }],
    ['in a directory, incremental', { dir: true, incremental: true }],
    ['unaligned', { dir: true, unaligned: true }],
  ] as const) {
    it(`restarts only the part that fails, with checkpoints ${name}`, async () => {
      const settings = {
        ...CHECKPOINTS,
        ...('dir' in more ? { 'execution.checkpointing.dir': join(directory, 'checkpoints') } : {}),
        'execution.checkpointing.incremental': 'incremental' in more,
        'execution.checkpointing.unaligned.enabled': 'unaligned' in more,
      };
      const run = await runToEnd({ settings });
      expect(run.error).toBe(null);
      expectPartial(run);
      expect(begunBeside()).toBe(2);
      expect(outputs.map(flawsOf)).toEqual([FLAWLESS, FLAWLESS]);
      expect(run.execution.checkpoints.counts.completed).toBeGreaterThan(2);
    });
  }

  it('restarts a part from its start without checkpoints', async () => {
    const run = await runToEnd({ settings: RESTARTS });
    expect(run.error).toBe(null);
    expectPartial(run);
    expect(begunBeside()).toBe(2);
    expect(outputs.map(flawsOf)).toEqual([FLAWLESS, FLAWLESS]);
  });

  it('fails as a whole when a part has failed too often', async () => {
    const settings = { ...CHECKPOINTS, 'restartStrategy.fixedDelay.attempts': 2 };
    const run = await runToEnd({ settings });
    expect(run.error?.message).toContain('as planned');
    expect(restarted(run)).toEqual(['files', 'files']);
    expect(run.execution.state).toBe('FAILED');
  });

  it('can be canceled while a part waits for its restart', async () => {
    const settings = { ...CHECKPOINTS, 'restartStrategy.fixedDelay.delay': '1h' };
    const execution = await start(twoParts, { params, parallelism: 2, settings });
    for await (const event of execution.events()) {
      if (event.type !== 'restart') continue;
      expect(execution.state).toBe('RESTARTING');
      await expect(execution.checkpoint()).rejects.toMatchObject({ code: 'CHECKPOINT_FAILED' });
      execution.cancel();
    }
    await expect(execution.finished).rejects.toMatchObject({ code: 'JOB_CANCELED' });
    expect(
      outputs.flatMap((output) => readdirSync(output)).filter((part) => part.startsWith('.')),
    ).toEqual([]);
  });
});
