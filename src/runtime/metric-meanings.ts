/**
 * What each metric of the engine means, for `docs/metrics.md`: apart from the tables, because whoever measures reads no
 * prose. Callers: the documentation generator. Runs on: any thread; pure.
 */
import type {
  JOB_METRICS,
  PROCESS_METRICS,
  SERVER_METRICS,
  TASK_METRICS,
} from './metric-definitions.js';

type Meanings<T> = Readonly<Record<keyof T, string>>;

/** Of the metrics of subtasks. A subtask is one of a chain of operators, so that records are counted at its ends. */
export const TASK_MEANINGS: Meanings<typeof TASK_METRICS> = {
  numRecordsIn: 'Records that the chain has taken in; those read, where a source heads it.',
  numRecordsOut: 'Records that the chain has handed on, to other chains and to sinks.',
  numBytesIn: 'Bytes taken in: of frames, or of the input of a source.',
  numBytesOut: 'Bytes handed on.',
  numBuffersIn: 'Frames taken in.',
  numRecordsInPerSecond: 'The rate of `numRecordsIn`.',
  numRecordsOutPerSecond: 'The rate of `numRecordsOut`.',
  numBytesInPerSecond: 'The rate of `numBytesIn`.',
  numBytesOutPerSecond: 'The rate of `numBytesOut`.',
  busyTimeMsPerSecond: 'Milliseconds of each second in which it worked.',
  idleTimeMsPerSecond: 'Milliseconds of each second in which it had nothing to do.',
  backPressuredTimeMsPerSecond:
    'Milliseconds of each second in which an output had no room. The three add up to about 1000.',
  accumulateBusyTimeMs: 'Time it has worked, in milliseconds.',
  accumulateIdleTimeMs: 'Time it had nothing to do.',
  accumulateBackPressuredTimeMs: 'Time an output had no room.',
  isBackPressured: '`true` from a tenth of the time on.',
  numLateRecordsDropped: 'Records that came too late, whether they went to a side output or not.',
  numRecordsInErrors: 'Records that could not be parsed.',
  currentInputWatermark:
    'The least watermark of the inputs that are not idle, in milliseconds since the epoch; -2^63 ' +
    'before there is one, 2^63 once event time has ended.',
  currentOutputWatermark: 'The watermark behind the chain.',
  watermarkLag: 'Milliseconds by which the watermark behind the outputs is behind the clock.',
  heapUsedBytes: 'Heap of the thread of its slot.',
  heapLimitBytes: 'The most that heap may be.',
  loopLagMs: 'How long the event loop of its thread waited when it was last served.',
  callsInFlight: 'Records whose calls of an asynchronous function are under way.',
  lookupHits: 'Look-ups that found their key in the cache.',
  lookupMisses: 'Look-ups that did not.',
  lookupLoads: 'Calls that look-ups have made, repetitions included.',
  lookupFailures: 'How many of those calls failed.',
  cachedRows: 'Rows in the cache of look-ups.',
  cachedBytes: 'What they take, about.',
  spilledBytes:
    'What lies on disk now because it does not fit in memory: state with `state.backend: lsm`, ' +
    'records that wait or are sorted.',
  spilledBytesOut: 'Bytes written there, also by merging what was there.',
  spilledBytesIn: 'Bytes read from there.',
  spillReads: 'Reads from there.',
  coldLookups: 'Look-ups of state by keys that are not in memory, with `state.backend: lsm`.',
  coldHits: 'How many of them found an entry on disk; the others are keys that have none.',
};

/** Of the metrics of jobs. */
export const JOB_MEANINGS: Meanings<typeof JOB_METRICS> = {
  numRestarts: 'How often the job was started again after a failure.',
  fullRestarts: 'The same, under its old name.',
  uptime: 'Milliseconds since the job began to run; 0 while it does not.',
  runningTime: 'The same, under its newer name.',
  numberOfInProgressCheckpoints: 'Checkpoints and savepoints under way.',
  numberOfCompletedCheckpoints: 'Those that have completed.',
  numberOfFailedCheckpoints: 'Those that have failed.',
  totalNumberOfCheckpoints: 'All of them.',
  lastCompletedCheckpointId: 'Number of the newest that has completed.',
  lastCheckpointDuration: 'How long it took, in milliseconds.',
  lastCheckpointSize: 'Bytes written for it.',
  lastCheckpointFullSize: 'Bytes of all state that it refers to.',
  lastCheckpointCompletedTimestamp: 'When it completed, in milliseconds since the epoch.',
  lastCheckpointExternalPath: 'Where it is; `n/a` in memory.',
  lastCheckpointAge:
    'Milliseconds since the newest that has completed began, or since the job runs without one.',
  lastCheckpointRestoreTimestamp: 'When the job last went on from a checkpoint.',
  pendingRecords: 'Records that its sources have not read yet, where they know.',
  pendingBytes: 'Bytes that its sources have not read yet, where they know.',
  dataSkew:
    'How far the records of subtasks are from their mean, in per cent of it, in the worst chain.',
};

/** Of the metrics of processes. Names are those of the JVM, where Node.js has the same. */
export const PROCESS_MEANINGS: Meanings<typeof PROCESS_METRICS> = {
  'Status.JVM.CPU.Load': 'Share of all cores that the process takes, from 0 to 1.',
  'Status.JVM.CPU.Time': 'Processor time of all its threads, in nanoseconds.',
  'Status.JVM.Memory.Heap.Used':
    'Heap of its main thread in use; `heapUsedBytes` has that of slots.',
  'Status.JVM.Memory.Heap.Committed': 'What that heap has taken from the system.',
  'Status.JVM.Memory.Heap.Max': 'The most it may take.',
  'Status.JVM.Memory.NonHeap.Used':
    'Bytes that objects hold outside of the heap, buffers included.',
  'Status.JVM.Memory.Direct.MemoryUsed': 'Bytes of array buffers.',
  'Status.Process.Memory.Resident': 'Resident memory of the process.',
  'Status.Process.Uptime': 'Milliseconds since it began.',
};

/** Of the metrics of the server. */
export const SERVER_MEANINGS: Meanings<typeof SERVER_METRICS> = {
  taskSlotsTotal: 'Slots for all jobs together.',
  taskSlotsAvailable: 'How many are free.',
  numRegisteredTaskManagers: 'Processes of jobs.',
  numRunningJobs: 'Jobs that have not ended.',
};
