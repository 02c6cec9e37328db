/**
 * The counters of a subtask and of a channel: a writer on the thread that owns them, a reader anywhere. Callers:
 * the slot's loop and ports write; console, watchdog and reporters read. Runs on: see each class. Invariant: a
 * writer never reads what another thread writes, so that counting costs a load and a store in its own cache.
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

  setHeap(usedBytes: number, limitBytes: number): void {
    this.#values[TASK_VALUES.heapUsedBytes] = usedBytes;
    this.#values[TASK_VALUES.heapLimitBytes] = limitBytes;
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
interface TimePlaces {
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

function readTime(values: Float64Array, places: TimePlaces): TimeSnapshot {
  const status = values[places.timeStatus] ?? 0;
  const hasWatermark = (status & TIME_STATUS.hasWatermark) !== 0;
  return {
    watermarkMs: hasWatermark ? (values[places.watermarkMs] ?? 0) : null,
    isIdle: (status & TIME_STATUS.isIdle) !== 0,
  };
}

/** Event time at some place. */
export interface TimeSnapshot {
  /** Null before the first watermark; `Number.MAX_SAFE_INTEGER` once event time has ended. */
  readonly watermarkMs: number | null;
  /** Whether nothing is to be expected there for now, so that nobody waits for it. */
  readonly isIdle: boolean;
}

/** The counters of a subtask at one moment: plain data. */
export type TaskMetricsSnapshot = TimeSnapshot & {
  readonly [K in Exclude<keyof typeof TASK_VALUES, 'entryMs' | keyof TimePlaces>]: number;
} & {
  readonly state: TaskState;
  /** Operator whose user function runs, null for none. */
  readonly currentOperator: number | null;
  readonly progress: number;
  /** Number of the split of its source that holds its event time back, -1 for none. */
  readonly heldBySplit: number;
  /** Monotonic time at which the current step began, null between steps. */
  readonly entryMs: number | null;
  /** Monotonic time of the snapshot, as its reader gave it. */
  readonly atMs: number;
};

/** The counters of a channel at one moment: plain data. */
export type EdgeMetricsSnapshot = TimeSnapshot & {
  readonly [K in Exclude<keyof typeof CHANNEL_VALUES, keyof TimePlaces>]: number;
} & { readonly atMs: number };

/** Reads the counters of a subtask. Runs on: any thread. */
export function readTaskMetrics(
  memory: SharedArrayBuffer,
  subtask: number,
  atMs: number,
): TaskMetricsSnapshot {
  const words = taskWords(memory, subtask);
  const values = taskValues(memory, subtask);
  const at = (index: number): number => values[index] ?? 0;
  const operator = words[TASK_WORDS.currentOperator] ?? -1;
  const entryMs = at(TASK_VALUES.entryMs);
  return {
    rowsIn: at(TASK_VALUES.rowsIn),
    rowsOut: at(TASK_VALUES.rowsOut),
    bytesIn: at(TASK_VALUES.bytesIn),
    bytesOut: at(TASK_VALUES.bytesOut),
    batchesIn: at(TASK_VALUES.batchesIn),
    busyMs: at(TASK_VALUES.busyMs),
    backpressuredMs: at(TASK_VALUES.backpressuredMs),
    idleMs: at(TASK_VALUES.idleMs),
    loopLagMs: at(TASK_VALUES.loopLagMs),
    badRecords: at(TASK_VALUES.badRecords),
    lateRecords: at(TASK_VALUES.lateRecords),
    heapUsedBytes: at(TASK_VALUES.heapUsedBytes),
    heapLimitBytes: at(TASK_VALUES.heapLimitBytes),
    callsInFlight: at(TASK_VALUES.callsInFlight),
    oldestCallMs: at(TASK_VALUES.oldestCallMs),
    lookupHits: at(TASK_VALUES.lookupHits),
    lookupMisses: at(TASK_VALUES.lookupMisses),
    lookupLoads: at(TASK_VALUES.lookupLoads),
    lookupFailures: at(TASK_VALUES.lookupFailures),
    cachedRows: at(TASK_VALUES.cachedRows),
    cachedBytes: at(TASK_VALUES.cachedBytes),
    ...readTime(values, TASK_VALUES),
    state: TASK_STATES[words[TASK_WORDS.state] ?? 0] ?? 'CREATED',
    currentOperator: operator < 0 ? null : operator,
    progress: words[TASK_WORDS.progress] ?? 0,
    heldBySplit: (words[TASK_WORDS.heldBySplit] ?? 0) - 1,
    entryMs: entryMs === 0 ? null : entryMs,
    atMs,
  };
}

/** Reads the counters of a channel. Runs on: any thread. */
export function readEdgeMetrics(
  memory: SharedArrayBuffer,
  subtasks: number,
  channel: number,
  atMs: number,
): EdgeMetricsSnapshot {
  const values = channelValues(memory, subtasks, channel);
  return {
    rows: values[CHANNEL_VALUES.rows] ?? 0,
    bytes: values[CHANNEL_VALUES.bytes] ?? 0,
    queuedBytes: values[CHANNEL_VALUES.queuedBytes] ?? 0,
    capacityBytes: values[CHANNEL_VALUES.capacityBytes] ?? 0,
    ...readTime(values, CHANNEL_VALUES),
    atMs,
  };
}

/** What happened between two snapshots, per second; the three times add up to about 1000. */
export interface TaskRates {
  readonly rowsInPerSecond: number;
  readonly rowsOutPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly busyMsPerSecond: number;
  readonly backpressuredMsPerSecond: number;
  readonly idleMsPerSecond: number;
}

/** Rates between two snapshots of one subtask; all zero when no time has passed. */
export function rates(previous: TaskMetricsSnapshot, next: TaskMetricsSnapshot): TaskRates {
  const seconds = (next.atMs - previous.atMs) / 1000;
  const per = (from: number, to: number): number => (seconds > 0 ? (to - from) / seconds : 0);
  return {
    rowsInPerSecond: per(previous.rowsIn, next.rowsIn),
    rowsOutPerSecond: per(previous.rowsOut, next.rowsOut),
    bytesInPerSecond: per(previous.bytesIn, next.bytesIn),
    bytesOutPerSecond: per(previous.bytesOut, next.bytesOut),
    busyMsPerSecond: per(previous.busyMs, next.busyMs),
    backpressuredMsPerSecond: per(previous.backpressuredMs, next.backpressuredMs),
    idleMsPerSecond: per(previous.idleMs, next.idleMs),
  };
}
