/**
 * The functions that make a custom sink, as users write them. Callers: `define-sink.ts` and the writer behind it. Runs
 * on: see each function.
 */
import type { FunctionLogger } from '../../base/function-log.js';
import { MillraceError } from '../../base/errors.js';
import type { MetricGroup } from '../../metrics/user-metrics.js';
import type { SinkConnector } from '../contract.js';

/** Given to `open`. */
export interface SinkContext {
  readonly subtask: number;
  readonly parallelism: number;
  readonly baseDirectory: string;
  /** As in `TwoPhaseContext`: part of the names of whatever is written and not shown yet. */
  readonly runId: string;
  /** Metrics of the sink in this subtask. */
  readonly metrics: MetricGroup;
  /** The log of the job, for the sink in this subtask. */
  readonly log: FunctionLogger;
}

/** The target of one subtask. */
export interface CustomWriter<T> {
  /** Takes records; the next ones come when the returned promise, if any, has settled. */
  write(records: readonly T[]): void | Promise<void>;
  /** Called when input runs dry and at the end: pushes out what is buffered. */
  flush?(): void | Promise<void>;
  /** Called once, also after a failure. */
  close?(): void | Promise<void>;
}

/** What makes a custom sink. */
export interface CustomSink<T> {
  readonly name: string;
  /** True when it uses things that exist only on the caller's thread; default false. */
  readonly host?: boolean;
  /** Number of writers; default that of the input. */
  readonly parallelism?: number;
  /** What the target makes of repetitions after a failure; default 'at-least-once'. */
  readonly guarantee?: SinkConnector['guarantee'];
  /** Names of the fields it needs; default all. */
  readonly columns?: readonly string[];
  open(context: SinkContext): CustomWriter<T> | Promise<CustomWriter<T>>;
}

/** The target of one subtask of a sink that commits in two phases. */
export interface TwoPhaseWriter<T, C> extends CustomWriter<T> {
  /**
   * Called at the barrier of a checkpoint, after `flush`, and at the end: makes what was written since the last call
   * ready to be committed, durably, and gives what `commit` needs for it: plain data, which goes into the checkpoint.
   */
  prepareCommit(endOfInput: boolean): readonly C[] | Promise<readonly C[]>;
}

/** Given to `commit`. */
export interface TwoPhaseContext {
  readonly baseDirectory: string;
  /**
   * 32 hex digits of the run of the job under which the output was written. It stays over failures, changes of the
   * parallelism, and starts that go on from checkpoints of the job's own or from a snapshot that was claimed; a job
   * that begins, or begins from a snapshot that others may go on from as well, has one of its own. Empty for what was
   * prepared before sinks had it.
   */
  readonly runId: string;
}

/** Given to `rollback`. */
export interface RollbackContext<C> extends TwoPhaseContext {
  /** What savepoints hold and nobody has shown: it is not to be thrown away. */
  readonly kept: readonly C[];
}

/**
 * What makes a sink that shows every record exactly once, also when the job fails and goes on from a checkpoint:
 * records are prepared at the barrier and shown once the checkpoint has completed.
 */
export interface TwoPhaseSink<T, C> extends CustomSink<T> {
  open(context: SinkContext): TwoPhaseWriter<T, C> | Promise<TwoPhaseWriter<T, C>>;
  /**
   * Shows what was prepared. On the caller's thread. Called again after a failure for what a checkpoint holds, so doing
   * it twice must be the same as doing it once.
   */
  commit(committables: readonly C[], context: TwoPhaseContext): void | Promise<void>;
  /**
   * Throws away what was written under `runId` and never shown: before an attempt that goes on, after what its
   * checkpoint holds was committed, and when the job has failed or was canceled. What is of other runs belongs to jobs
   * that may still show it. On the caller's thread.
   *
   * @example
   * rollback: ({ runId, kept }) => {
   *   for (const name of pendingOf(runId)) if (!kept.includes(name)) rmSync(name);
   * },
   */
  rollback?(context: RollbackContext<C>): void | Promise<void>;
}

/** What a function of the sink threw, as an error of the job. */
export function customFault(cause: unknown, name: string): MillraceError {
  if (MillraceError.is(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('SINK_FAILED', `Writing to ${name} failed: ${reason}`, { cause });
}
