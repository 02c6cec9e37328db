import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import {
  type DevBuild,
  type DevEvent,
  type DevProcess,
  DevSession,
} from '../../../src/cli/dev-session.js';
import type { CheckpointReport } from '../../../src/checkpoint/contract.js';
import type { ExecutionEvent, JobResult } from '../../../src/runtime/execution.js';
import { EventStream } from '../../../src/runtime/event-stream.js';
import type { AdmittedRestore } from '../../../src/runtime/job-process.js';
import { NO_METRICS } from '../../../src/runtime/no-metrics.js';

/** How a process of a build behaves. */
interface Behaviour {
  readonly planError?: string;
  /** Does not come up when it is to go on from something, unless state may be left out. */
  readonly refusesState?: boolean;
  readonly savepointFails?: boolean;
}

const RESULT = { state: 'FINISHED' } as JobResult;

class FakeProcess implements DevProcess {
  readonly finished: Promise<JobResult>;
  readonly stream = new EventStream<ExecutionEvent>();
  readonly log: string[];
  readonly name: string;
  readonly behaviour: Behaviour;
  resolve: (result: JobResult) => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor(name: string, behaviour: Behaviour, log: string[]) {
    this.name = name;
    this.behaviour = behaviour;
    this.log = log;
    this.finished = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.finished.catch(() => {});
  }

  planned(): ReturnType<DevProcess['planned']> {
    const { planError } = this.behaviour;
    if (planError !== undefined) return Promise.reject(new Error(planError));
    return Promise.resolve({ slots: 2 } as Awaited<ReturnType<DevProcess['planned']>>);
  }

  admit(restore: AdmittedRestore | null = null): void {
    const from = restore === null ? 'nothing' : restore.path;
    this.log.push(
      `${this.name} from ${from}${restore?.allowNonRestored === true ? ' in part' : ''}`,
    );
    if (this.behaviour.refusesState === true && restore !== null && !restore.allowNonRestored) {
      this.reject(new MillraceError('STATE_NOT_RESTORED', 'The state has no place.'));
    } else this.stream.push({ type: 'state', state: 'RUNNING', atMs: 0 });
  }

  async savepoint({ stop }: { readonly stop?: string } = {}): Promise<CheckpointReport> {
    if (this.behaviour.savepointFails === true) throw new Error('The disk is full.');
    const path = `sp-${this.name}-${this.log.length}`;
    if (stop !== undefined) this.resolve(RESULT);
    this.log.push(`${this.name} ${stop ?? 'saves'}`);
    return { path } as CheckpointReport;
  }

  events(): AsyncIterableIterator<ExecutionEvent> {
    return this.stream.subscribe();
  }

  metrics() {
    return NO_METRICS;
  }

  cancel(): void {
    this.log.push(`${this.name} canceled`);
    this.reject(new MillraceError('JOB_CANCELED', 'The job was canceled.'));
  }

  kill(): void {
    this.log.push(`${this.name} killed`);
    this.reject(new Error('killed'));
  }
}

/** A session whose builds are taken from `builds` in turn; null does not compile. */
function session(builds: Record<string, Behaviour | null>) {
  const log: string[] = [];
  const told: DevEvent[] = [];
  const processes: FakeProcess[] = [];
  const names = Object.keys(builds);
  const dev = new DevSession({
    clock: { epochMs: () => 0, monotonicMs: () => 0 },
    scratch: 'scratch',
    build: async (): Promise<DevBuild> => {
      const name = names.shift() ?? '';
      const behaviour = builds[name];
      if (behaviour === null || behaviour === undefined) throw new Error(`${name} is no code`);
      return {
        key: name,
        savepointDirectory: 'kept',
        launch: () => {
          const process = new FakeProcess(name, behaviour, log);
          processes.push(process);
          return process;
        },
      };
    },
    discard: (path) => log.push(`discard ${path}`),
    tell: (event) => told.push(event),
  });
  const types = (): readonly string[] =>
    told.map(({ type }) => type).filter((type) => type !== 'event');
  return { dev, log, told, types, processes };
}

describe('a job that is being written', () => {
  it('goes on with new code from the savepoint of the old one, of which none is left', async () => {
    const { dev, log, types } = session({ a: {}, b: {}, c: {} });
    for (const why of ['start', 'change', 'change'] as const) await dev.changed(why);
    expect(types()).toEqual(['running', 'running', 'running']);
    expect(log).toEqual([
      'a from nothing',
      'a suspend',
      'b from sp-a-1',
      'b suspend',
      'discard sp-a-1',
      'c from sp-b-3',
    ]);
  });

  it('keeps the old code where the new one does not compile or cannot be planned', async () => {
    const { dev, log, told } = session({ a: {}, b: null, c: { planError: 'no field' } });
    for (const why of ['start', 'change', 'change'] as const) await dev.changed(why);
    expect(log).toEqual(['a from nothing']);
    expect(told).toMatchObject([
      { type: 'event' },
      { type: 'running' },
      { type: 'refused', at: 'compile', runs: true },
      { type: 'refused', at: 'plan', runs: true },
    ]);
  });

  it('goes back to the old code, and leaves state out or begins when it is told to', async () => {
    const { dev, log, types } = session({ a: {}, b: { refusesState: true } });
    await dev.changed('start');
    await dev.changed();
    expect(types()).toEqual(['running', 'refused', 'running']);
    await dev.leaveOut();
    expect(log.slice(-2)).toEqual(['discard sp-a-1', 'b from sp-a-4 in part']);
    await dev.startClean();
    expect(log.slice(-2)).toEqual(['b canceled', 'b from nothing']);
  });

  it('lets the old code go on where its state cannot be saved', async () => {
    const { dev, log, told } = session({ a: { savepointFails: true }, b: {} });
    await dev.changed('start');
    await dev.changed();
    expect(told.at(-1)).toMatchObject({ type: 'refused', at: 'savepoint', runs: true });
    expect(log).toEqual(['a from nothing', 'b killed']);
    await dev.savepoint();
    expect(told.at(-1)).toMatchObject({ type: 'savepointFailed' });
  });

  it('goes on from the last checkpoint of code that has failed, and begins after what has finished', async () => {
    const { dev, log, told, processes } = session({ a: {}, b: {}, c: {} });
    await dev.changed('start');
    const report = { status: 'completed', kind: 'checkpoint', path: 'chk-7' } as CheckpointReport;
    const statistics = {} as Extract<ExecutionEvent, { type: 'checkpoint' }>['statistics'];
    processes[0]?.stream.push({ type: 'checkpoint', report, statistics });
    await Promise.resolve();
    processes[0]?.reject(new Error('bad record'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.at(-1)).toMatchObject({ type: 'failed', from: 'chk-7' });
    await dev.changed();
    processes[1]?.resolve(RESULT);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.at(-1)).toMatchObject({ type: 'finished' });
    await dev.changed();
    expect(log).toEqual(['a from nothing', 'b from chk-7', 'c from nothing']);
  });

  it('pauses, goes on, does nothing for code that is the same, and ends', async () => {
    const { dev, log, types } = session({ a: {} });
    await dev.changed('start');
    await dev.pause();
    await dev.pause();
    await dev.restart();
    await dev.close();
    await dev.restart();
    expect(types()).toEqual(['running', 'paused', 'running', 'running']);
    expect(log).toEqual([
      'a from nothing',
      'a suspend',
      'a from sp-a-1',
      'a suspend',
      'discard sp-a-1',
      'a from sp-a-3',
      'a canceled',
    ]);
  });
});
