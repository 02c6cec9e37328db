/**
 * A job that is being written: it runs, and when its code changes the new code takes over with the state. New code is
 * bundled and planned in a process of its own while the old one still runs; then the old one is suspended with a
 * savepoint and the new one goes on from it. Code that does not get that far leaves the old one running; where it
 * cannot take up the state, the old code goes on from the same savepoint. Callers: `dev-command.ts`. Runs on: the main
 * thread, on which no code of the job ever runs. Invariants: one change after the other; of the processes at most one
 * runs the job.
 */
import type { Clock } from '../base/clock.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { ExecutionEvent, JobResult } from '../runtime/execution.js';
import type { AdmittedRestore, JobProcess } from '../runtime/job-process.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import { NO_METRICS } from '../runtime/no-metrics.js';

/** As much of a job process as a session needs. */
export type DevProcess = Pick<
  JobProcess,
  'admit' | 'cancel' | 'events' | 'finished' | 'kill' | 'metrics' | 'planned' | 'savepoint'
>;

/** Code that can be launched any number of times. */
export interface DevBuild {
  launch(): DevProcess;
  /** The same for the same code and settings. */
  readonly key: string;
  /** Where savepoints that the user asks for go. */
  readonly savepointDirectory: string;
}

/** What a session needs. */
export interface DevWorld {
  readonly clock: Clock;
  /** Of savepoints that carry the state from one process to the next. */
  readonly scratch: string;
  /** The job as its files are now. Rejects when they cannot be compiled, or the configuration is wrong. */
  build(): Promise<DevBuild>;
  /** Deletes a savepoint of `scratch`. */
  discard(path: string): void;
  tell(event: DevEvent): void;
}

/** What a session tells. */
export type DevEvent =
  /** It runs, from the beginning where `from` is null. Milliseconds since the change that it came of. */
  | {
      readonly type: 'running';
      readonly why: DevReason;
      readonly from: string | null;
      readonly tookMs: number;
      /** How long nothing ran. */
      readonly awayMs: number;
    }
  /** The new code is not run; `runs` says whether the old one still is. */
  | {
      readonly type: 'refused';
      readonly at: 'compile' | 'plan' | 'savepoint' | 'restore';
      readonly error: unknown;
      readonly runs: boolean;
    }
  /** What was saved comes to the same code. */
  | { readonly type: 'unchanged' }
  | { readonly type: 'event'; readonly event: ExecutionEvent }
  | { readonly type: 'finished'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: unknown; readonly from: string | null }
  | { readonly type: 'paused'; readonly from: string | null }
  | { readonly type: 'savepoint'; readonly report: CheckpointReport }
  | { readonly type: 'savepointFailed'; readonly error: unknown };

/** Why it runs. */
export type DevReason = 'start' | 'change' | 'restart' | 'clean' | 'unpause' | 'rollback';

interface Running {
  readonly build: DevBuild;
  readonly process: DevProcess;
  readonly slots: number;
  /** The session itself ends it, so that its end is no news. */
  isLeaving: boolean;
}

/** The session. */
export class DevSession {
  readonly #world: DevWorld;
  #running: Running | null = null;
  /** What the job goes on from when nothing runs. */
  #kept: string | null = null;
  /** The savepoint that has last carried the state over. */
  #carried: string | null = null;
  /** The newest code that could be compiled, though its state may not have been restored. */
  #candidate: DevBuild | null = null;
  #isPaused = false;
  #isClosed = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(world: DevWorld) {
    this.#world = world;
  }

  get slots(): number {
    return Math.max(1, this.#running?.slots ?? 1);
  }

  metrics(): RunMetricsSnapshot {
    return this.#running?.process.metrics() ?? NO_METRICS;
  }

  /** Runs the job for the first time, or what has become of it since. */
  changed(why: 'start' | 'change' = 'change'): Promise<void> {
    return this.#inTurn((askedMs) => this.#change(why, askedMs));
  }

  /** The same code again, with its state. */
  restart(): Promise<void> {
    return this.#inTurn((askedMs) => this.#again('restart', askedMs, this.#keptRestore));
  }

  /** The newest code from the beginning; what the job had done is not taken up. */
  startClean(): Promise<void> {
    return this.#inTurn(async (askedMs) => {
      await this.#endOld();
      this.#kept = null;
      await this.#again('clean', askedMs, () => null);
    });
  }

  /** The newest code with the state that it takes up; the rest of it is left out. */
  leaveOut(): Promise<void> {
    return this.#inTurn((askedMs) =>
      this.#again('restart', askedMs, () => restoreOf(this.#kept, true)),
    );
  }

  /** Suspends the job, or lets a suspended one go on. */
  pause(): Promise<void> {
    return this.#inTurn(async (askedMs) => {
      if (this.#isPaused) {
        await this.#again('unpause', askedMs, this.#keptRestore);
      } else if (this.#running !== null) {
        if (!(await this.#suspendOld())) return;
        this.#isPaused = true;
        this.#world.tell({ type: 'paused', from: this.#kept });
      }
    });
  }

  /** A savepoint for the user to keep. */
  savepoint(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running === null) return;
      const { process, build } = this.#running;
      try {
        const report = await process.savepoint({ directory: build.savepointDirectory });
        this.#world.tell({ type: 'savepoint', report });
      } catch (error) {
        this.#world.tell({ type: 'savepointFailed', error });
      }
    });
  }

  /** Cancels the job. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endOld();
    await this.#queue;
    await this.#endOld();
  }

  readonly #keptRestore = (): AdmittedRestore | null => restoreOf(this.#kept, false);

  #inTurn(act: (askedMs: number) => Promise<void>): Promise<void> {
    const askedMs = this.#world.clock.monotonicMs();
    this.#queue = this.#queue.then(async () => {
      if (!this.#isClosed) await act(askedMs);
    });
    return this.#queue;
  }

  async #change(why: DevReason, askedMs: number): Promise<void> {
    const build = await this.#world.build().catch((error: unknown) => {
      this.#refuse('compile', error);
      return null;
    });
    if (build === null) return;
    this.#candidate = build;
    if (this.#running?.build.key === build.key) return this.#world.tell({ type: 'unchanged' });
    await this.#replace(build, why, askedMs, this.#keptRestore);
  }

  /** The newest code, in place of what runs. */
  async #again(
    why: DevReason,
    askedMs: number,
    restore: () => AdmittedRestore | null,
  ): Promise<void> {
    const build = this.#candidate;
    if (build !== null) await this.#replace(build, why, askedMs, restore);
  }

  async #replace(
    build: DevBuild,
    why: DevReason,
    askedMs: number,
    restore: () => AdmittedRestore | null,
  ): Promise<void> {
    const process = build.launch();
    let slots: number;
    try {
      ({ slots } = await process.planned());
    } catch (error) {
      return this.#refuse('plan', error);
    }
    const old = this.#running?.build ?? null;
    const leftMs = this.#world.clock.monotonicMs();
    if (!(await this.#suspendOld())) return process.kill();
    this.#isPaused = false;
    const from = restore();
    const error = await this.#comesUp({ build, process, slots, isLeaving: false }, from);
    if (error === null) {
      const nowMs = this.#world.clock.monotonicMs();
      const [tookMs, awayMs] = [nowMs - askedMs, nowMs - leftMs];
      return this.#world.tell({ type: 'running', why, from: from?.path ?? null, tookMs, awayMs });
    }
    const goesBack = old !== null && old !== build && this.#kept !== null;
    this.#refuse('restore', error, goesBack);
    if (goesBack) await this.#goBack(old, leftMs);
  }

  /** The code that ran before, from where it was left. */
  async #goBack(build: DevBuild, leftMs: number): Promise<void> {
    const process = build.launch();
    try {
      const { slots } = await process.planned();
      const from = this.#keptRestore();
      const error = await this.#comesUp({ build, process, slots, isLeaving: false }, from);
      if (error !== null) throw error;
      const tookMs = this.#world.clock.monotonicMs() - leftMs;
      const path = from?.path ?? null;
      this.#world.tell({ type: 'running', why: 'rollback', from: path, tookMs, awayMs: tookMs });
    } catch (error) {
      this.#world.tell({ type: 'failed', error, from: this.#kept });
    }
  }

  #refuse(
    at: Extract<DevEvent, { readonly type: 'refused' }>['at'],
    error: unknown,
    runs = this.#running !== null,
  ): void {
    this.#world.tell({ type: 'refused', at, error, runs });
  }

  /** Admits a process and waits until its job runs; what kept it from that, null when it does. */
  async #comesUp(running: Running, restore: AdmittedRestore | null): Promise<unknown> {
    const { process } = running;
    const events = process.events();
    this.#running = running;
    process.admit(restore);
    return new Promise((resolve) => {
      const isUp = { value: false };
      const up = (): void => {
        isUp.value = true;
        resolve(null);
      };
      void this.#follow(events, up);
      void process.finished.then(
        (result) => {
          up();
          this.#ended(running, { type: 'finished', result });
        },
        (error: unknown) => {
          if (isUp.value) this.#ended(running, { type: 'failed', error, from: this.#kept });
          else {
            if (this.#running === running) this.#running = null;
            resolve(error);
          }
        },
      );
    });
  }

  async #follow(events: AsyncIterable<ExecutionEvent>, onRunning: () => void): Promise<void> {
    for await (const event of events) {
      if (event.type === 'checkpoint') this.#keep(event.report);
      if (event.type === 'state' && event.state === 'RUNNING') onRunning();
      this.#world.tell({ type: 'event', event });
    }
  }

  /** What a job that fails later goes on from. Savepoints of the user's are the user's. */
  #keep({ status, kind, path }: CheckpointReport): void {
    if (status === 'completed' && kind === 'checkpoint' && path !== null) this.#kept = path;
  }

  #ended(running: Running, event: DevEvent): void {
    if (this.#running === running) this.#running = null;
    if (running.isLeaving || this.#isClosed) return;
    // What has finished begins anew with the next change.
    if (event.type === 'finished') this.#kept = null;
    this.#world.tell(event);
  }

  /** Suspends what runs, and keeps its savepoint; false when it cannot be suspended and goes on. */
  async #suspendOld(): Promise<boolean> {
    const running = this.#running;
    if (running === null) return true;
    running.isLeaving = true;
    const directory = this.#world.scratch;
    const suspended = running.process.savepoint({ directory, stop: 'suspend' });
    try {
      const { path } = await suspended;
      await running.process.finished;
      this.#takeOver(path);
      return true;
    } catch (error) {
      running.isLeaving = false;
      // When it has ended by itself meanwhile, its end is settled in this very turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#running === null) return true;
      this.#refuse('savepoint', error);
      return false;
    }
  }

  /** The savepoint before is needed no longer: the job has come to this one from it. */
  #takeOver(path: string | null): void {
    this.#kept = path;
    if (this.#carried !== null) this.#world.discard(this.#carried);
    this.#carried = path;
  }

  async #endOld(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    running.isLeaving = true;
    running.process.cancel();
    await running.process.finished.catch(() => {});
    this.#running = null;
  }
}

function restoreOf(path: string | null, allowNonRestored: boolean): AdmittedRestore | null {
  return path === null ? null : { path, allowNonRestored };
}
