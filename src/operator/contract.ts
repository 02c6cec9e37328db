/**
 * The resumable operator contract. A chain task is one subtask of one compiled chain; the scheduler steps it
 * and it never blocks: every call does bounded work, says why it stopped, and resumes at a record, timer or
 * window boundary. Everything stateful later (windows, timers, joins, checkpoints) uses these same methods.
 * Callers: runtime, the contract suite. Runs on: worker (the slot's thread) or the in-thread runtime.
 */
import type { CallsReport } from '../metrics/task-metrics.js';
import type { Batch } from '../record/batch.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import type { Schema } from '../record/schema.js';
import type { KeptTable } from '../state/state-writer.js';
import type { FunctionInspection } from './function-inspection.js';

/** All of the call's work is done. */
export const STEP_DONE = 0;
/** An output has no room; call again with the same arguments when it has. */
export const STEP_OUT_OF_OUTPUT = 1;
/** The budget is used up; call again with the same arguments. */
export const STEP_OUT_OF_BUDGET = 2;
/** As many calls are under way as may be; call again with the same arguments when one has been answered. */
export const STEP_OUT_OF_CALLS = 3;
/** Why a resumable call returned. */
export type StepResult =
  | typeof STEP_DONE
  | typeof STEP_OUT_OF_OUTPUT
  | typeof STEP_OUT_OF_BUDGET
  | typeof STEP_OUT_OF_CALLS;

/** Where a resumable call stands; the caller keeps it between calls and sets it to 0 before the first. */
export interface Cursor {
  position: number;
}

/** Where a chain's results go. One port per downstream edge or sink of the chain. */
export interface OutputPort {
  /** Number of downstream subtasks this port deals to (1 for forward edges and sinks). */
  readonly channels: number;
  /** One builder per channel once opened; a broadcast port has one builder for all. */
  readonly builders: readonly BatchBuilder[];
  /**
   * Proposes the schema of the rows to come (names already pruned to the wanted ones) for the edge and makes
   * builders for what was agreed: `builders[0].schema`, which may be wider than `schema`. Rows of an older
   * version are handed on first; false when they cannot be, call again later.
   */
  open(schema: Schema, options: PortOptions): boolean;
  /** Hands builder `channel` on and resets it; false when the consumer has no room (the rows stay). */
  flush(channel: number): boolean;
  /**
   * Hands a batch of the schema and marks of the builders on, after what `flush` handed on before; false when the
   * consumer has no room: call again with the same batch, which stays as it is until then. Ports of edges offer
   * it.
   */
  send?(channel: number, batch: Batch): boolean;
  /** Whether what is handed on to a channel is read where it is, so that nothing need be copied for it. */
  lends?(channel: number): boolean;
}

/** Which system columns the rows of a port carry. */
export interface PortOptions {
  readonly times: boolean;
  readonly kinds: boolean;
}

/** Where the state of a task goes at a barrier and comes from at restore. */
export interface SnapshotSink {
  /**
   * `name` is unique within the operator `uid`; `bytes` belong to the sink after the call. A piece with `isChanges`
   * goes on top of those before it of the same uid, name and key group, of this snapshot and of those that it is based
   * on, if there are any; one without begins anew. `keyGroup` -1: what belongs to no key, which is always whole.
   */
  put(uid: string, name: string, keyGroup: number, bytes: Uint8Array, isChanges: boolean): void;
}

/**
 * The state of a task as it was when the snapshot began, written in slices between the rows that follow. One that is
 * neither confirmed nor aborted, because it has been overtaken, needs no call.
 */
export interface TaskSnapshot {
  /** The tables that it holds; absent where that is not known. */
  readonly tables?: readonly KeptTable[];
  /**
   * Writes at most about `entriesMax` entries and puts the pieces that are complete; true when all has been put.
   * Between calls of the task only. 8192 entries take about a
   * millisecond. Rows in between pay for entries that they change before they are written: larger steps cost less.
   */
  step(sink: SnapshotSink, entriesMax: number): boolean;
  /**
   * The checkpoint that it is part of has completed: snapshots that begin from now on hold what changed since this
   * one. To be called when it is written, and before the next one begins; when it is called later, the one begun
   * meanwhile holds more than it has to.
   */
  confirm(): void;
  /** Gives it up, written or not: the next one holds what changed since the last one that was confirmed. */
  abort(): void;
}

export interface SnapshotSource {
  /**
   * Every piece that was put under `uid` and `name`, of the key groups this subtask owns (-1: not keyed); changes after
   * what they are based on.
   */
  get(
    uid: string,
    name: string,
  ): Iterable<{ readonly keyGroup: number; readonly bytes: Uint8Array }>;
}

/** One subtask of one chain. */
export interface ChainTask {
  /** Opens the clients of the chain's functions, before anything else; null when that has been done at once. */
  open(): PromiseLike<void> | null;
  /** Records whose calls are under way; null for a chain that makes none. */
  readonly callsInFlight: number | null;
  /** The same with what else is to be known of them. */
  readonly callsReport: CallsReport | null;
  /**
   * Consumes rows of a batch of input `input` from `cursor.position`, at most `budgetRows`; `cursor.position`
   * is the first row not yet consumed when it returns.
   */
  step(input: number, batch: Batch, cursor: Cursor, budgetRows: number): StepResult;
  /**
   * The input has this watermark: every operator, head to tail, takes the one that is its own and fires what is
   * due, in slices. After DONE `outputWatermark` and `isOutputIdle` say what the caller is to send on. With the
   * watermark of before it is a tick, at which the chain's own assigners of event time bring theirs up to date.
   */
  advance(watermarkMs: number, cursor: Cursor, budgetRows: number): StepResult;
  /**
   * Whether `advance` or `advanceProcessingTime` has left off where rows may be stepped before its next call, if
   * `admits` says so of their batch.
   */
  readonly isBetweenSlices: boolean;
  /**
   * Between two slices: whether what comes of the rows of a batch is what would have come of them after the last slice,
   * and after all that is due at the newest watermark of the input.
   */
  admits(input: number, batch: Batch, watermarkMs: number): boolean;
  /** Says before `advance` whether the whole input is idle. */
  inputIdle(isIdle: boolean): void;
  /** Whether a tick may change a watermark, so that `advance` is worth calling at each interval. */
  readonly needsTicks: boolean;
  /** Whether a watermark came up in the chain: `advance` is to be called before the next `step`. */
  readonly isTimeDue: boolean;
  /**
   * For the chain of a source, between two batches: the rows to come are of a split, by its number in the source's
   * plan; a split has given its last row. Watermarks are made for each split then.
   */
  enterSplit(split: number): void;
  endSplit(split: number): void;
  /**
   * Splits in hand that are to be read no further for now, because they are too far ahead of their group in event
   * time; for others that ends. Asked after each tick.
   */
  splitsAhead(): readonly number[];
  /** The split that no other is behind in event time; -1 when there is none. */
  readonly heldBySplit: number;
  /** Whether the chain's source is to read no more for now, because it is too far ahead of its group in event time. */
  readonly isAhead: boolean;
  /** How often the chain and its group look at each other; `Infinity` when it is in none. */
  readonly alignIntervalMs: number;
  /** The watermark behind an output, by its index, and whether nothing is to be expected there for now. */
  outputWatermark(output: number): number;
  isOutputIdle(output: number): boolean;
  /** The least watermark behind any output, and whether all of them are idle. */
  readonly time: { readonly watermarkMs: number; readonly isIdle: boolean };
  /** Fires what was to happen before `nowMs` by the wall clock, in slices. */
  advanceProcessingTime(nowMs: number, cursor: Cursor, budgetRows: number): StepResult;
  /** When `advanceProcessingTime` is next worth calling, by the wall clock; `Infinity` for never. */
  readonly nextProcessingTimer: number;
  /** Others held the task back for so long (no room, alignment): time that counts for no idleness. */
  heldBack(forMs: number): void;
  /** Pre-barrier hooks head to tail: pre-aggregates and sink writers hand on what belongs before the barrier. */
  prepareBarrier(cursor: Cursor, budgetRows: number): StepResult;
  /**
   * Freezes the state of all operators, in a time that does not depend on its size, to be written tail to head.
   * Between calls of `step`, after `prepareBarrier`, when the snapshot before is written or aborted. What it holds is
   * everything when `full`, else what changed since the last one that was confirmed, or since the state that
   * was restored; everything when there is neither. One that is not `isConfirmable`, such as a savepoint, is nothing
   * that later ones build on.
   */
  beginSnapshot(full: boolean, isConfirmable?: boolean): TaskSnapshot;
  /** Writes the state of all operators at once, as a full snapshot that nothing builds on. */
  snapshot(sink: SnapshotSink): void;
  /** Fills the state of all operators; before the first `step` only. */
  restore(source: SnapshotSource): void;
  /** What the process functions hold, head to tail, to be read between two calls. */
  inspect(): readonly FunctionInspection[];
  /** All inputs have ended: emits what is held back, in slices. */
  endOfInput(cursor: Cursor, budgetRows: number): StepResult;
  /** Hands partly filled builders on; false when an output has no room. */
  flush(): boolean;
  /** Frees state, and gives calls up; safe at any time, twice too. */
  close(): void;
  /** Settles when what `close` began is over; null when nothing takes time. */
  readonly closed: PromiseLike<unknown> | null;
}
