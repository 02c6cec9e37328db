/** What sinks of users that commit in two phases are told of whose output it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineSink, defineSource, type JobExecution, job, start } from 'millrace';
import { afterEach, beforeEach, expect, it } from 'vitest';

interface Prepared {
  readonly name: string;
  readonly numbers: readonly number[];
}

/** A target in which output waits to be shown, that of all runs in one place. */
class Target {
  readonly pending = new Map<string, readonly number[]>();
  readonly shown = new Map<string, readonly number[]>();
  /** The runs of writers, of commits and of rollbacks. */
  readonly opened = new Set<string>();
  readonly committed = new Set<string>();
  readonly rolledBack: string[] = [];
  #names = 0;

  sink() {
    return defineSink<{ n: number }, Prepared>({
      name: 'target',
      parallelism: 1,
      open: ({ runId }) => {
        this.opened.add(runId);
        let numbers: number[] = [];
        return {
          write(records) {
            numbers.push(...records.map(({ n }) => n));
          },
          prepareCommit: () => {
            if (numbers.length === 0) return [];
            const prepared = { name: `${runId}/${this.#names++}`, numbers };
            this.pending.set(prepared.name, numbers);
            numbers = [];
            return [prepared];
          },
        };
      },
      commit: (prepared, { runId }) => {
        for (const { name, numbers } of prepared) {
          this.committed.add(runId);
          if (!this.pending.delete(name) && !this.shown.has(name)) {
            throw new Error(`${name} was thrown away before it was shown.`);
          }
          this.shown.set(name, numbers);
        }
      },
      rollback: ({ runId, kept }) => {
        this.rolledBack.push(runId);
        const names = new Set(kept.map(({ name }) => name));
        for (const name of this.pending.keys()) {
          if (name.startsWith(`${runId}/`) && !names.has(name)) this.pending.delete(name);
        }
      },
    });
  }

  /** What a run has shown, in order. */
  numbersOf(runId: string): readonly number[] {
    const own = [...this.shown].filter(([name]) => name.startsWith(runId));
    return own.flatMap(([, numbers]) => numbers).toSorted((a, b) => a - b);
  }
}

let baseDirectory: string;

beforeEach(() => {
  baseDirectory = mkdtempSync(join(tmpdir(), 'millrace-two-phase-'));
});

afterEach(() => rmSync(baseDirectory, { recursive: true, force: true }));

const ALL = Array.from({ length: 400 }, (_, n) => n);

function begin(target: Target, failsAt: number, from: string | null): Promise<JobExecution> {
  let hasFailed = false;
  const numbers = defineSource<{ n: number }, number>({
    name: 'numbers',
    plan: () => [{ id: 'all', data: 0 }],
    async *read(_split, position) {
      for (let n = position; n < ALL.length; n++) {
        yield { n };
        if (n % 4 === 0) await sleep(1);
      }
    },
  });
  const copy = job('copy', (flow) => {
    flow
      .from(numbers, { uid: 'numbers' })
      .map(
        ({ n }) => {
          if (n !== failsAt || hasFailed) return { n };
          hasFailed = true;
          throw new Error('Failing, as planned.');
        },
        { uid: 'map' },
      )
      .to(target.sink(), { uid: 'target' });
  });
  return start(copy, {
    runtime: 'in-thread',
    baseDirectory,
    settings: {
      'execution.checkpointing.interval': '10ms',
      'execution.checkpointing.dir': 'checkpoints',
      'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
      ...(from === null ? {} : { 'execution.stateRecovery.path': from }),
      'restartStrategy.type': 'fixedDelay',
      'restartStrategy.fixedDelay.attempts': 5,
      'restartStrategy.fixedDelay.delay': 0,
    },
  });
}

async function checkpointed(execution: JobExecution): Promise<void> {
  for await (const event of execution.events()) {
    if (event.type === 'checkpoint' && event.report.status === 'completed') return;
  }
}

it('a job keeps its run over failures, and one that is forked from it throws nothing of it away', async () => {
  const target = new Target();
  const first = await begin(target, 200, null);
  await checkpointed(first);
  const { path } = await first.savepoint({ directory: 'saved' });
  const second = await begin(target, 300, path);
  await Promise.all([first.finished, second.finished]);
  expect(first.restarts + second.restarts).toBe(2);
  const [own, forked, ...others] = target.opened;
  expect(others).toEqual([]);
  expect(own).toMatch(/^[0-9a-f]{32}$/);
  expect(forked).toMatch(/^[0-9a-f]{32}$/);
  // Each was told of its own after its failure, and of nothing else.
  expect(new Set(target.rolledBack)).toEqual(new Set([own, forked]));
  expect(target.rolledBack).toHaveLength(2);
  expect(target.committed).toEqual(new Set([own, forked]));
  // What the savepoint held is shown under the run that had prepared it, whoever does so.
  expect(target.numbersOf(own)).toEqual(ALL);
  const rest = target.numbersOf(forked);
  expect(rest).toEqual(ALL.slice(ALL.length - rest.length));
  expect(target.pending.size).toBe(0);
});

it('a job that goes on from its own checkpoints goes on under its run', async () => {
  const target = new Target();
  const first = await begin(target, -1, 'latest');
  await checkpointed(first);
  first.cancel();
  await first.finished.catch(() => {});
  const second = await begin(target, 300, 'latest');
  expect(second.restored).not.toBeNull();
  await second.finished;
  expect(target.opened.size).toBe(1);
  expect(target.numbersOf([...target.opened][0])).toEqual(ALL);
  expect(target.pending.size).toBe(0);
});
