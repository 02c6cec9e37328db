/**
 * What each configuration key means, for `docs/configuration.md` and whoever looks a key up: apart from the table in
 * `settings.ts`, because every thread of a run loads that and reads no prose. Callers: the documentation generator.
 * Runs on: any thread; pure.
 */
import type { SettingKey } from './settings.js';

/** One or two sentences for every key, with what its default stands for where that is worked out at start. */
export const SETTING_MEANINGS: Readonly<Record<SettingKey, string>> = {
  parallelism:
    'Subtasks of each operator that names no parallelism of its own. Default: the cores.',
  maxParallelism:
    'Number of key groups, the bound of every later rescale. Default: as Flink computes it.',
  'slot.memory': 'Memory of one slot: its rings, its state and its heap together.',
  'slot.networkFraction':
    'Share of the slot memory for the rings through which its subtasks receive frames.',
  'slot.managedFraction':
    'Share of the slot memory for state tables. The rest is the JavaScript heap.',
  'exchange.batchRows': 'Rows a frame holds at most.',
  'exchange.targetDrain': 'A ring holds at most what its consumer takes within this time.',
  'pipeline.autoWatermarkInterval':
    'How often operators that assign event times bring their watermark up to date.',
  'aggregate.preAggregateKeys':
    'Keys that a pre-aggregation before the exchange holds at most, in an eighth of the managed ' +
    'memory at most; 0 turns it off.',
  'state.backend':
    'Where state by key is: in memory, or (lsm) in memory and, what has not been written for ' +
    'long, on disk, so that there may be more of it than memory.',
  'state.localDir':
    'Directory for what does not fit in memory; it is gone when the job has ended. Default: the ' +
    'directory of the system for temporary files.',
  'log.level':
    'The lowest level of what functions log by `context.log`; it may change while the job runs.',
  'metrics.perSubtask':
    'Metrics that the functions of a subtask may register; room for them is reserved at the start.',
  'metrics.histogramsPerSubtask': 'How many of them may be histograms, of 6 KB each.',
  'metrics.latency.interval':
    'How often sources send latency markers: Flink’s latencyTrackingInterval; 0 never.',
  'metrics.latency.granularity':
    'What latencies are told apart by: each source, not at all, or each subtask of a source.',
  'metrics.latency.historySize': 'How many of the last latencies quantiles are of.',
  'metrics.scope.jm':
    'What names of the server’s metrics begin with, for reporters whose systems know no labels.',
  'metrics.scope.jmJob': 'The same for metrics of jobs, such as those of checkpoints.',
  'metrics.scope.tm': 'The same for metrics of the processes of jobs.',
  'metrics.scope.tmJob': 'The same for metrics of jobs in their processes.',
  'metrics.scope.task': 'The same for metrics of subtasks.',
  'metrics.scope.operator': 'The same for metrics of functions.',
  'task.stallTimeout': 'A function that does not return for so long fails the job; 0 never.',
  'task.cancellationTimeout':
    'A thread that does not react to cancellation for so long is terminated.',
  'execution.checkpointing.interval':
    'Time between the starts of two checkpoints. Default: the job takes none.',
  'execution.checkpointing.mode':
    'Whether inputs wait for each other’s barriers, so that a record counts exactly once.',
  'execution.checkpointing.dir':
    'Directory of the checkpoints of all jobs. Default: they stay in memory.',
  'execution.checkpointing.savepointDir': 'Directory of savepoints that are asked for without one.',
  'execution.checkpointing.maxDirectorySize':
    'No further checkpoint begins while those of the job have so many bytes; it is tried again ' +
    'after waits that double. Default: no bound.',
  'execution.checkpointing.incremental': 'Write only what changed since the checkpoint before.',
  'execution.checkpointing.unaligned.enabled':
    'Checkpoints overtake records that wait between subtasks and hold them, so that slow ' +
    'operators do not delay them. With exactlyOnce and one checkpoint at a time.',
  'execution.checkpointing.alignedCheckpointTimeout':
    'With unaligned checkpoints: how long one waits its turn before it overtakes. 0: not at all.',
  'execution.checkpointing.timeout': 'A checkpoint that takes longer is given up.',
  'execution.checkpointing.minPause':
    'Least time from the end of a checkpoint to the start of the next periodic one.',
  'execution.checkpointing.maxConcurrentCheckpoints':
    'Checkpoints that may be under way at a time.',
  'execution.checkpointing.tolerableFailedCheckpoints':
    'Failed checkpoints in a row that the job lives with.',
  'execution.checkpointing.numRetained': 'Completed checkpoints that are kept.',
  'execution.checkpointing.externalizedCheckpointRetention':
    'Which checkpoints outlive the job: none, those of a job that failed, or those of one ' +
    'that was canceled too. A process that is killed leaves them in any case.',
  'execution.checkpointing.fsync':
    'Whether files are durable before a checkpoint counts; never survives no power loss.',
  'execution.stateRecovery.path':
    'Checkpoint or savepoint that the job goes on from; "latest" is its newest one in ' +
    'execution.checkpointing.dir, and the job begins when it has none.',
  'execution.stateRecovery.ignoreUnclaimedState':
    'Leave out state of operators that the job no longer has.',
  'execution.stateRecovery.claimMode':
    'Whose the checkpoint or savepoint is that a path names: claim gives it to the job, which ' +
    'deletes it once it has checkpoints of its own; legacy is refused.',
  'execution.stateRecovery.ifFinished':
    'What "latest" does when the job had finished with the same parameters: nothing, or begin ' +
    'anew.',
  'restartStrategy.type':
    'Whether a failed job starts again; auto is exponentialDelay for jobs that take ' +
    'checkpoints and none for others.',
  'restartStrategy.fixedDelay.attempts': 'Restarts before the job fails for good.',
  'restartStrategy.fixedDelay.delay': 'Wait before each restart.',
  'restartStrategy.failureRate.maxFailuresPerInterval':
    'More failures within the interval end the job.',
  'restartStrategy.failureRate.failureRateInterval': 'The interval in which failures are counted.',
  'restartStrategy.failureRate.delay': 'Wait before each restart.',
  'restartStrategy.exponentialDelay.initialBackoff':
    'Wait before the first restart, and the least of all.',
  'restartStrategy.exponentialDelay.maxBackoff': 'The longest wait.',
  'restartStrategy.exponentialDelay.backoffMultiplier':
    'By how much each wait is longer than the one before.',
  'restartStrategy.exponentialDelay.resetBackoffThreshold':
    'A job that has run for so long begins with the first wait again.',
  'restartStrategy.exponentialDelay.jitterFactor':
    'Share of a wait by which it is longer or shorter at random.',
  'restartStrategy.sameRecordFailures':
    'A job that fails so often at the same record, without a checkpoint between, ends; 0 never.',
  runtime: 'Worker threads, or one slot on the calling thread; auto takes threads where it can.',
  isolate: 'Where the job runs: in this process, or in a child process that may crash alone.',
  seed: 'Seed of everything random in the run. Default: a fresh one, printed with --verbose.',
};
