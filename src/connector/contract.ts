/**
 * The public contracts of sources and sinks. Built-in connectors use nothing else. A connector value is made
 * in the job module, so every slot rebuilds it; what must be decided once (files, splits, schema) is decided by
 * `plan` before the job starts and reaches the slots as plain data. Runs on: see each method.
 */
import type { FunctionLogger } from '../base/function-log.js';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { WireError } from '../base/errors.js';
import type { OwnedMetrics } from '../metrics/user-metrics.js';
import type { Batch } from '../record/batch.js';
import type { FieldPath } from '../record/field-tree.js';
import type { Schema } from '../record/schema.js';
import type { ValueFilter } from '../record/value-filter.js';
import type { StreamSchemas } from '../record/schema-registry.js';

export type { StreamSchemas };

/** Plain data that structured clone can carry. */
export type PlainData = unknown;

/** A piece of the input that one reader reads from start to end; a batch never spans two splits. */
export interface Split {
  /** Unique within the source, stable across runs over the same input. */
  readonly id: string;
  /** Size for progress and balancing, when known. */
  readonly bytes: number | null;
  readonly rows: number | null;
  readonly data: PlainData;
}

/** A split and how far it has been read: the unit of a source's checkpoint. */
export interface SplitPosition {
  readonly split: Split;
  /** Reader-defined, plain; reading on from here gives exactly the rows not yet given. */
  readonly position: PlainData;
}

/** What `SourceConnector.plan` decides. Plain data. */
export interface SourcePlan {
  /** Schema of the records as far as it is known; null when only reading will tell. */
  readonly schema: Schema | null;
  readonly splits: readonly Split[];
  /** Total size for progress, when known. */
  readonly bytes: number | null;
  readonly rows: number | null;
  /** Anything else the readers need. */
  readonly data: PlainData;
}

/** Given to `plan`. */
export interface PlanContext {
  readonly parallelism: number;
  readonly disk: Disk;
  /** Directory that relative paths are resolved against. */
  readonly baseDirectory: string;
}

/** A source of records of type T. */
export interface SourceConnector<T = unknown> {
  readonly kind: 'source';
  /** Short type name, such as 'csv'. */
  readonly type: string;
  /** Display name, such as 'csv flights/*.csv'. */
  readonly name: string;
  /** Schema of the records that the user declared, which a job that goes on from a checkpoint takes up. */
  readonly schema?: Schema;
  readonly bounded: boolean;
  /** True when it reads things that exist only on the caller's thread (iterables, streams, closures). */
  readonly host: boolean;
  /** Upper bound of useful parallelism, null for none. */
  readonly maxParallelism: number | null;
  /** What a restart after a failure can promise. */
  readonly guarantee: 'exactly-once' | 'at-least-once' | 'at-most-once';
  /** Number of records when it is known without planning, for choosing how to run small jobs. */
  readonly rows?: number;
  /** Where records that cannot be parsed go, when the policy is to keep them. */
  readonly deadLetters?: SinkConnector | null;
  /**
   * Whether splits are dealt out to the subtasks at the start and each reader reads all of its own side by side; a
   * reader takes one split after the other otherwise. Readers then say which split a batch is of.
   */
  readonly interleaves?: boolean;
  /** Whether readers read only the columns named in `ReaderContext.columns`. */
  readonly projects: boolean;
  /** Whether readers may leave out rows that `ReaderContext.filter` does not want; they give all of them otherwise. */
  readonly filters?: boolean;
  /** How much of each row is checked; absent where there is no choice. */
  readonly validate?: 'projected' | 'full';
  /** Runs once on the caller's thread before the job starts. */
  plan(context: PlanContext): SourcePlan | Promise<SourcePlan>;
  /** Runs in the slot (on the caller's thread when `host`). May be async to load a library lazily. */
  open(context: ReaderContext): SourceReader | Promise<SourceReader>;
  /** Never set; carries the record type for inference. */
  readonly __record?: T;
}

/** A record that cannot be parsed. */
export interface BadRecord {
  readonly file: string | null;
  readonly line: number | null;
  readonly byteOffset: number | null;
  readonly bytes: Uint8Array;
  readonly error: WireError;
}

/** Given to `open`. */
export interface ReaderContext {
  readonly plan: SourcePlan;
  readonly subtask: number;
  readonly parallelism: number;
  /** Names of the wanted columns; null for all. */
  readonly columns: readonly string[] | null;
  /**
   * Paths to the wanted fields of columns of objects, `['bid', 'price']`, where not all fields of the objects are
   * wanted. A column to which no path leads is wanted whole; readers may always read whole ones. Absent: no paths.
   */
  readonly paths?: readonly FieldPath[];
  /** What all filters behind the source have in common; null or absent: nothing. Readers may always give all rows. */
  readonly filter?: ValueFilter | null;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly baseDirectory: string;
  readonly schemas: StreamSchemas;
  /** Rows a batch should have at most. */
  readonly batchRows: number;
  /** Tells the scheduler that `poll` is worth calling again; any time, from callbacks too. */
  wake(): void;
  /** Metrics of the source in this subtask: `metricGroup(context.metrics)`. */
  readonly metrics: OwnedMetrics;
  /** The log of the job, for the source in this subtask. */
  readonly log: FunctionLogger;
  /** Counts a bad record and keeps it for the dead letters; throws when the policy is to fail. */
  badRecord(record: BadRecord): void;
}

/** `batch` holds rows. */
export const POLL_BATCH = 0;
/** Nothing now; `wake` will be called. */
export const POLL_WAIT = 1;
/** The reader has no split, or has finished the ones it had: give it another with `addSplit`. */
export const POLL_NEED_SPLIT = 2;
/** The split `splitId` has no more rows; poll again. For readers that have other splits still. */
export const POLL_SPLIT_END = 3;
export type PollResult =
  | typeof POLL_BATCH
  | typeof POLL_WAIT
  | typeof POLL_NEED_SPLIT
  | typeof POLL_SPLIT_END;

/** Reads splits. Never blocks longer than one read of a local file; runs on the slot's thread. */
export interface SourceReader {
  /** Gives the reader a split, from `position` when it is being restored (null: from its start). */
  addSplit(split: Split, position: PlainData): void;
  /** Makes the next batch available as `batch`. The batch before it becomes invalid. */
  poll(): PollResult;
  readonly batch: Batch | null;
  /** The split that the last poll was about; left out by readers that have one split at a time. */
  readonly splitId?: string;
  /**
   * Reads nothing more of some splits for now, and of others again: those that are ahead of the rest in event time,
   * where watermarks are aligned. Left out by readers that have one split at a time, which are held back as a whole.
   */
  pauseOrResumeSplits?(pause: readonly string[], resume: readonly string[]): void;
  /** Splits in hand and their exact positions after the first `rows` rows of `batch` (all when omitted). */
  positions(rows?: number): readonly SplitPosition[];
  /** Input bytes consumed so far, for progress. */
  readonly bytesRead: number;
  /** Rows left out so far by `ReaderContext.filter`, which count as read; absent: none. */
  readonly rowsPassed?: number;
  close(): void;
}

/** What a sink writer hands over for commit. Plain data. */
export type Committable = PlainData;

/** A sink of records of type T. */
export interface SinkConnector<T = unknown> {
  readonly kind: 'sink';
  readonly type: string;
  readonly name: string;
  /** True when it writes to things that exist only on the caller's thread. */
  readonly host: boolean;
  /** Parallelism the sink insists on, null for that of its input. */
  readonly parallelism: number | null;
  readonly guarantee: 'exactly-once' | 'at-least-once' | 'at-most-once';
  /** Names of the fields it needs, null for all. */
  readonly columns: readonly string[] | null;
  /** Names of fields that must be there, where it takes all; none when absent. */
  readonly requires?: readonly string[];
  /** Runs once on the caller's thread before the job starts: checks and prepares the target. */
  plan(context: PlanContext): PlainData | Promise<PlainData>;
  /** Runs in the slot (on the caller's thread when `host`). */
  open(context: WriterContext): SinkWriter | Promise<SinkWriter>;
  /** Makes results visible, idempotently; on the caller's thread, after all writers of an epoch prepared. */
  commit?(committables: readonly Committable[], context: CommitContext): void | Promise<void>;
  /**
   * Goes on after an earlier attempt, whose `plan` it is given: throws away what that left behind and did not commit,
   * unless that belongs to others, and gives the plan of the next one. Called on the caller's thread after `commit` of
   * what the checkpoint holds; absent, the plan stays as it is.
   */
  resume?(context: ResumeContext): PlainData | Promise<PlainData>;
  /** Throws away what was prepared or half written, when the job failed or was canceled. */
  abort?(plan: PlainData, context: CommitContext): void | Promise<void>;
  /** Never set; carries the record type for inference. */
  readonly __record?: T;
}

/** Given to `SinkConnector.open`. */
export interface WriterContext {
  readonly plan: PlainData;
  readonly subtask: number;
  readonly parallelism: number;
  /** Distinguishes attempts, so that file names never collide. */
  readonly attempt: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly baseDirectory: string;
  /** Metrics of the sink in this subtask: `metricGroup(context.metrics)`. */
  readonly metrics: OwnedMetrics;
  /** The log of the job, for the sink in this subtask. */
  readonly log: FunctionLogger;
  wake(): void;
}

/** Given to `resume`. */
export interface ResumeContext extends CommitContext {
  /**
   * Whether what was prepared under the plan is of this job alone. Not so when it begins from a snapshot that the job
   * which took it, or others, may go on from as well: their output is not to be thrown away.
   */
  readonly isOwn: boolean;
}

/** Given to `commit`, `resume` and `abort`. */
export interface CommitContext {
  readonly plan: PlainData;
  /** What savepoints hold of this sink and nobody has made visible: it is not to be thrown away. */
  readonly kept: readonly Committable[];
  readonly disk: Disk;
  readonly baseDirectory: string;
}

/** Writes batches. Runs on the slot's thread; never blocks longer than one write to a local file. */
export interface SinkWriter {
  /** Takes rows from `fromRow` on; returns how many it took. Fewer than all: no room now, `wake` will be called. */
  write(batch: Batch, fromRow: number): number;
  /** Pushes buffered rows out as far as a reader of the target may see them at once; false: call again. */
  flush(): boolean;
  /** At a barrier and at the end of input: closes what is open and hands it over for commit; null: not yet. */
  prepareCommit(endOfInput: boolean): readonly Committable[] | null;
  /** Bytes written so far. */
  readonly bytesWritten: number;
  close(): void;
}
