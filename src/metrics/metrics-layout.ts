/**
 * The layout of a run's metrics in shared memory: one block per subtask, then one per channel (ring). Callers:
 * the writers and readers of metrics. Runs on: any thread. Invariant: a block has one writer and lies two cache
 * lines apart from blocks of other writers. Values are plain stores of aligned words, which cannot tear; a
 * reader may see two counters of one block a moment apart.
 */
import { assert } from '../base/assert.js';

/** The states of a subtask, as Flink names them; metrics hold the index. */
export const TASK_STATES = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** Int32 words of a subtask's block, from its start. */
export const TASK_WORDS = {
  /** Index of the operator whose user function runs, -1 for none. */
  currentOperator: 0,
  /** Goes up with every step of the subtask, and wraps: a watchdog compares for equality. */
  progress: 1,
  state: 2,
  /** 1 + the number of the split of its source that holds the subtask's event time back; 0 for none. */
  heldBySplit: 3,
} as const;
/** The words that generated code may write. */
export const TASK_CONTROL_WORDS = 2;

/** Float64 values of a subtask's block, from `TASK_VALUES_OFFSET`. */
export const TASK_VALUES = {
  rowsIn: 0,
  rowsOut: 1,
  bytesIn: 2,
  bytesOut: 3,
  batchesIn: 4,
  busyMs: 5,
  backpressuredMs: 6,
  idleMs: 7,
  loopLagMs: 8,
  badRecords: 9,
  lateRecords: 10,
  heapUsedBytes: 11,
  heapLimitBytes: 12,
  /** Monotonic time at which the current step began, 0 between steps. */
  entryMs: 13,
  /** The least watermark behind the outputs of the chain, and `TIME_STATUS`. */
  watermarkMs: 14,
  timeStatus: 15,
  /** Records whose calls of an asynchronous function are under way. */
  callsInFlight: 16,
  /** Wall clock at which the oldest of them was made, 0 for none. */
  oldestCallMs: 17,
  /** Of look-ups: records that found their key in the cache or did not, and calls made and failed. */
  lookupHits: 18,
  lookupMisses: 19,
  lookupLoads: 20,
  lookupFailures: 21,
  /** Rows in the cache of look-ups, and what they take, about. */
  cachedRows: 22,
  cachedBytes: 23,
  /** What the state tables of the slot hold. */
  slotStateBytes: 24,
  /** What lies in files without a name, and what was written to them, read from them, and how often. */
  spilledBytes: 25,
  spilledBytesOut: 26,
  spilledBytesIn: 27,
  spillReads: 28,
  /** Look-ups of state that was not in memory, and those of them that found it on disk. */
  coldLookups: 29,
  coldHits: 30,
  /** What the state tables of the subtask hold. */
  stateBytes: 31,
} as const;

/** Float64 values of a channel's block. */
export const CHANNEL_VALUES = {
  rows: 0,
  bytes: 1,
  queuedBytes: 2,
  capacityBytes: 3,
  /** The last watermark that was sent, and `TIME_STATUS`. */
  watermarkMs: 4,
  timeStatus: 5,
} as const;

/** Bits of a `timeStatus`; none of them is set at the start. */
export const TIME_STATUS = { hasWatermark: 1, isIdle: 2 } as const;

/** The values of a subtask's block begin a pair of cache lines behind its words. */
export const TASK_VALUES_OFFSET = 128;
export const TASK_BLOCK_BYTES = 384;
/** The channels of one subtask lie side by side and have one writer; neighbours differ rarely. */
export const CHANNEL_BLOCK_BYTES = 128;

/** Bytes of the metrics of a run with so many subtasks and channels. */
export function metricsBytes(subtasks: number, channels: number): number {
  return subtasks * TASK_BLOCK_BYTES + channels * CHANNEL_BLOCK_BYTES;
}

/** Where the block of a subtask begins. */
export function taskOffset(subtask: number): number {
  return subtask * TASK_BLOCK_BYTES;
}

/** Where the block of a channel begins. */
export function channelOffset(subtasks: number, channel: number): number {
  return subtasks * TASK_BLOCK_BYTES + channel * CHANNEL_BLOCK_BYTES;
}

/** The words of a subtask's block. */
export function taskWords(memory: SharedArrayBuffer, subtask: number): Int32Array {
  requireBlock(memory, taskOffset(subtask), TASK_BLOCK_BYTES);
  return new Int32Array(memory, taskOffset(subtask), Object.keys(TASK_WORDS).length);
}

/** The values of a subtask's block. */
export function taskValues(memory: SharedArrayBuffer, subtask: number): Float64Array {
  requireBlock(memory, taskOffset(subtask), TASK_BLOCK_BYTES);
  const offset = taskOffset(subtask) + TASK_VALUES_OFFSET;
  return new Float64Array(memory, offset, Object.keys(TASK_VALUES).length);
}

/** The values of a channel's block. */
export function channelValues(
  memory: SharedArrayBuffer,
  subtasks: number,
  channel: number,
): Float64Array {
  const offset = channelOffset(subtasks, channel);
  requireBlock(memory, offset, CHANNEL_BLOCK_BYTES);
  return new Float64Array(memory, offset, Object.keys(CHANNEL_VALUES).length);
}

function requireBlock(memory: SharedArrayBuffer, offset: number, bytes: number): void {
  assert(
    Number.isInteger(offset) && offset >= 0 && offset + bytes <= memory.byteLength,
    'A block of metrics lies within the metrics of the run.',
  );
}
