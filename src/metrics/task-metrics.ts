/**
 * Counting for a subtask and for a channel, on the thread that owns them. Callers: the slot's loop and ports. Runs on:
 * see each class. Invariant: a writer never reads what another thread writes, so that counting costs a load and a store
 * in its own cache. `read-task-metrics.ts` reads them anywhere.
 */
import {
  CHANNEL_VALUES,
  channelValues,
  TASK_CONTROL_WORDS,
  TASK_STATES,
  TASK_VALUES,
  TASK_WORDS,
  type TaskState,
  TIME_STATUS,
  taskValues,
  taskWords,
} from './metrics-layout.js';

/** What an asynchronous function of a subtask tells of its calls. */
export interface CallsReport {
  /** Records whose results have not been handed on. */
  readonly inFlight: number;
  /** Calls that have been made and not answered: of those in flight, the ones that wait for nothing else. */
  readonly unanswered: number;
  /** Answers that have come so far. */
  readonly answers: number;
  /** Wall clock at which the first of those that wait for an answer was made; 0 when none does. */
  readonly oldestSinceMs: number;
  /** Null for functions that look nothing up. */
  readonly lookups: LookupReport | null;
}

/** What look-ups have done so far, and what their cache holds. */
export interface LookupReport {
  /** Records that found their key in the cache, and those that did not; 0 without a cache. */
  readonly hits: number;
  readonly misses: number;
  /** Calls made, repetitions included, and how many of them failed. */
  readonly loads: number;
  readonly loadFailures: number;
  /** Rows in the cache, and what they and their keys take, about. */
  readonly rows: number;
  readonly bytes: number;
}

/** Counts for one subtask. Runs on: the slot's thread. */
export class TaskMetricsWriter {
  /** `control[0]` is the operator whose user function runs, -1 for none; generated code stores it. */
  readonly control: Int32Array;
  readonly #words: Int32Array;
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer, subtask: number) {
    this.#words = taskWords(memory, subtask);
    this.#values = taskValues(memory, subtask);
    this.control = this.#words.subarray(0, TASK_CONTROL_WORDS);
    this.control[TASK_WORDS.currentOperator] = -1;
  }

  addRowsIn(rows: number): void {
    add(this.#values, TASK_VALUES.rowsIn, rows);
  }

  addRowsOut(rows: number): void {
    add(this.#values, TASK_VALUES.rowsOut, rows);
  }

  addBytesIn(bytes: number): void {
    add(this.#values, TASK_VALUES.bytesIn, bytes);
  }

  /** For sources, which know their position rather than steps. */
  setBytesIn(bytes: number): void {
    this.#values[TASK_VALUES.bytesIn] = bytes;
  }

  addBytesOut(bytes: number): void {
    add(this.#values, TASK_VALUES.bytesOut, bytes);
  }

  /** For sinks, which know how much they have written. */
  setBytesOut(bytes: number): void {
    this.#values[TASK_VALUES.bytesOut] = bytes;
  }

  addBatchesIn(batches: number): void {
    add(this.#values, TASK_VALUES.batchesIn, batches);
  }

  addBusyMs(ms: number): void {
    add(this.#values, TASK_VALUES.busyMs, ms);
  }

  addBackpressuredMs(ms: number): void {
    add(this.#values, TASK_VALUES.backpressuredMs, ms);
  }

  addIdleMs(ms: number): void {
    add(this.#values, TASK_VALUES.idleMs, ms);
  }

  /** How long the thread's event loop had waited when it was last served. */
  setLoopLagMs(ms: number): void {
    this.#values[TASK_VALUES.loopLagMs] = ms;
  }

  addBadRecords(records: number): void {
    add(this.#values, TASK_VALUES.badRecords, records);
  }

  addLateRecords(records: number): void {
    add(this.#values, TASK_VALUES.lateRecords, records);
  }

  /** For asynchronous functions, which know what they wait for. */
  setCalls({
    inFlight,
    oldestSinceMs,
    lookups,
  }: Omit<CallsReport, 'unanswered' | 'answers'>): void {
    const values = this.#values;
    values[TASK_VALUES.callsInFlight] = inFlight;
    values[TASK_VALUES.oldestCallMs] = oldestSinceMs;
    if (lookups === null) return;
    values[TASK_VALUES.lookupHits] = lookups.hits;
    values[TASK_VALUES.lookupMisses] = lookups.misses;
    values[TASK_VALUES.lookupLoads] = lookups.loads;
    values[TASK_VALUES.lookupFailures] = lookups.loadFailures;
    values[TASK_VALUES.cachedRows] = lookups.rows;
    values[TASK_VALUES.cachedBytes] = lookups.bytes;
  }

  /** What the slot of the subtask holds. */
  setMemory(heapUsedBytes: number, heapLimitBytes: number, slotStateBytes: number): void {
    this.#values[TASK_VALUES.heapUsedBytes] = heapUsedBytes;
    this.#values[TASK_VALUES.heapLimitBytes] = heapLimitBytes;
    this.#values[TASK_VALUES.slotStateBytes] = slotStateBytes;
  }

  /** What the state tables of the subtask hold. */
  setStateBytes(bytes: number): void {
    this.#values[TASK_VALUES.stateBytes] = bytes;
  }

  /** Bytes have gone to a file without a name. */
  wrote(bytes: number): void {
    add(this.#values, TASK_VALUES.spilledBytes, bytes);
    add(this.#values, TASK_VALUES.spilledBytesOut, bytes);
  }

  /** Bytes have been read from one. */
  read(bytes: number): void {
    add(this.#values, TASK_VALUES.spilledBytesIn, bytes);
    add(this.#values, TASK_VALUES.spillReads, 1);
  }

  /** One of so many bytes is gone. */
  freed(bytes: number): void {
    add(this.#values, TASK_VALUES.spilledBytes, -bytes);
  }

  /** Look-ups of state that was not in memory so far, and those that found it on disk. */
  setColdLookups(lookups: number, hits: number): void {
    this.#values[TASK_VALUES.coldLookups] = lookups;
    this.#values[TASK_VALUES.coldHits] = hits;
  }

  setState(state: TaskState): void {
    this.#words[TASK_WORDS.state] = TASK_STATES.indexOf(state);
  }

  /** What time it is behind the chain; null before its first watermark. */
  setTime(watermarkMs: number | null, isIdle: boolean): void {
    storeTime(this.#values, TASK_VALUES, watermarkMs, isIdle);
  }

  /** The split of its source that holds the chain's event time back; -1 for none. */
  setSplit(split: number): void {
    this.#words[TASK_WORDS.heldBySplit] = split + 1;
  }

  /** A step of the subtask begins. */
  enter(monotonicMs: number): void {
    this.#words[TASK_WORDS.progress] = ((this.#words[TASK_WORDS.progress] ?? 0) + 1) | 0;
    this.#values[TASK_VALUES.entryMs] = monotonicMs;
  }

  /** The step is over; no user function runs any more. */
  leave(): void {
    this.#words[TASK_WORDS.currentOperator] = -1;
    this.#values[TASK_VALUES.entryMs] = 0;
  }
}

/** Counts for one channel. Runs on: the thread of the producing subtask. */
export class EdgeMetricsWriter {
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer, subtasks: number, channel: number) {
    this.#values = channelValues(memory, subtasks, channel);
  }

  addRows(rows: number): void {
    add(this.#values, CHANNEL_VALUES.rows, rows);
  }

  addBytes(bytes: number): void {
    add(this.#values, CHANNEL_VALUES.bytes, bytes);
  }

  setQueued(bytes: number): void {
    this.#values[CHANNEL_VALUES.queuedBytes] = bytes;
  }

  /** What was sent of time; null before the first watermark. */
  setTime(watermarkMs: number | null, isIdle: boolean): void {
    storeTime(this.#values, CHANNEL_VALUES, watermarkMs, isIdle);
  }

  setCapacity(bytes: number): void {
    this.#values[CHANNEL_VALUES.capacityBytes] = bytes;
  }
}

function add(values: Float64Array, index: number, amount: number): void {
  values[index] = (values[index] ?? 0) + amount;
}

/** Where a block holds its time. */
export interface TimePlaces {
  readonly watermarkMs: number;
  readonly timeStatus: number;
}

function storeTime(
  values: Float64Array,
  places: TimePlaces,
  watermarkMs: number | null,
  isIdle: boolean,
): void {
  values[places.watermarkMs] = watermarkMs ?? 0;
  values[places.timeStatus] =
    (watermarkMs === null ? 0 : TIME_STATUS.hasWatermark) | (isIdle ? TIME_STATUS.isIdle : 0);
}
