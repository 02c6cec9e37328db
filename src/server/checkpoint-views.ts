/**
 * The checkpoints of a job as REST shows them, with Flink's names. Callers: the handlers. Runs on: the server's thread;
 * pure.
 */
import { MillraceError } from '../base/errors.js';
import type { CheckpointReport } from '../checkpoint/contract.js';
import type { Checkpoint, CheckpointConfig, Checkpoints } from '../rest/job-schemas.js';
import { type JobRecord, nameOf } from './job-record.js';
import type { ServedJob } from './served-job.js';
import { spreadOf } from './spread.js';

/** Whether there is a snapshot in a directory. */
export type SnapshotLook = (directory: string) => boolean;

/** One checkpoint or savepoint. */
function checkpointView(
  report: CheckpointReport,
  subtasks: number,
  isThere: SnapshotLook,
): Checkpoint {
  const { id, status, kind, triggeredMs, durationMs, bytes, fullBytes, inFlightBytes } = report;
  const isSavepoint = kind === 'savepoint';
  const ackMs = durationMs === null ? -1 : Math.round(triggeredMs + durationMs);
  const view = {
    className: status === 'pending' ? ('in_progress' as const) : status,
    id,
    status: STATES[status],
    is_savepoint: isSavepoint,
    savepointFormat: isSavepoint ? ('CANONICAL' as const) : null,
    checkpoint_type: isSavepoint ? ('SAVEPOINT' as const) : ('CHECKPOINT' as const),
    trigger_timestamp: Math.round(triggeredMs),
    latest_ack_timestamp: ackMs,
    checkpointed_size: bytes,
    state_size: fullBytes,
    end_to_end_duration: Math.round(durationMs ?? 0),
    alignment_buffered: 0,
    processed_data: 0,
    // Of jobs that an older version has recorded it is not known.
    persisted_data: inFlightBytes ?? 0,
    num_subtasks: subtasks,
    num_acknowledged_subtasks: status === 'completed' ? subtasks : 0,
    tasks: {},
  };
  if (status === 'completed') {
    const { path } = report;
    return { ...view, external_path: path, discarded: path === null || !isThere(path) };
  }
  if (status === 'pending') return view;
  const failure = report.error?.message ?? report.reason;
  return { ...view, failure_timestamp: ackMs, failure_message: failure };
}

const STATES = { pending: 'IN_PROGRESS', completed: 'COMPLETED', failed: 'FAILED' } as const;

function subtasksOf({ plan }: JobRecord): number {
  return (plan?.vertices ?? []).reduce((sum, { parallelism }) => sum + parallelism, 0);
}

/** What became of the checkpoints of a job. */
export function checkpointsView({ record }: ServedJob, isThere: SnapshotLook): Checkpoints {
  const { counts, history, latest } = record.checkpoints;
  const subtasks = subtasksOf(record);
  const viewOf = (report: CheckpointReport | null): Checkpoint | null =>
    report === null ? null : checkpointView(report, subtasks, isThere);
  const completed = history.filter(({ status }) => status === 'completed');
  const { restored } = latest;
  return {
    counts: {
      restored: counts.restored,
      total: counts.total,
      in_progress: counts.inProgress,
      completed: counts.completed,
      failed: counts.failed,
    },
    summary: {
      checkpointed_size: summaryOf(completed.map(({ bytes }) => bytes)),
      state_size: summaryOf(completed.map(({ fullBytes }) => fullBytes)),
      end_to_end_duration: summaryOf(
        completed.map(({ durationMs }) => Math.round(durationMs ?? 0)),
      ),
      alignment_buffered: summaryOf([]),
      processed_data: summaryOf([]),
      persisted_data: summaryOf([]),
    },
    latest: {
      completed: viewOf(latest.completed),
      savepoint: viewOf(latest.savepoint),
      failed: viewOf(latest.failed),
      restored:
        restored === null
          ? null
          : {
              id: restored.id,
              restore_timestamp: Math.round(restored.restoredMs),
              is_savepoint: restored.path !== null && !/[\\/]chk-\d+$/.test(restored.path),
              external_path: restored.path,
            },
    },
    history: history.map((report) => checkpointView(report, subtasks, isThere)),
  };
}

/** One of those that are kept one by one. Throws PATH_UNKNOWN. */
export function checkpointDetails(
  { record }: ServedJob,
  id: string,
  isThere: SnapshotLook,
): Checkpoint {
  const found = record.checkpoints.history.find((report) => String(report.id) === id);
  if (found === undefined) throw unknownCheckpoint(record, id);
  return checkpointView(found, subtasksOf(record), isThere);
}

/** PATH_UNKNOWN */
export function unknownCheckpoint(record: JobRecord, id: string): MillraceError {
  return new MillraceError('PATH_UNKNOWN', `There is no checkpoint ${id}.`, {
    where: { job: nameOf(record) },
    advice: 'The last ten are kept one by one.',
  });
}

function summaryOf(values: readonly number[]): Checkpoints['summary']['state_size'] {
  const { min, max, avg, at } = spreadOf(values);
  const quantiles = { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999) };
  return { min, max, avg, ...quantiles };
}

/** No interval, as Flink writes it. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** How a job takes checkpoints. */
export function checkpointConfig({ record }: ServedJob): CheckpointConfig {
  const { settings } = record.submission;
  const retention = settings['execution.checkpointing.externalizedCheckpointRetention'];
  const isExactly = settings['execution.checkpointing.mode'] === 'exactlyOnce';
  return {
    mode: isExactly ? 'exactly_once' : 'at_least_once',
    interval: settings['execution.checkpointing.interval'] ?? NEVER,
    timeout: settings['execution.checkpointing.timeout'],
    min_pause: settings['execution.checkpointing.minPause'],
    max_concurrent: settings['execution.checkpointing.maxConcurrentCheckpoints'],
    externalization: {
      enabled: retention !== 'noExternalizedCheckpoints',
      delete_on_cancellation: retention !== 'retainOnCancellation',
    },
    state_backend: 'memory',
    checkpoint_storage: 'FileSystemCheckpointStorage',
    unaligned_checkpoints: settings['execution.checkpointing.unaligned.enabled'],
    tolerable_failed_checkpoints: settings['execution.checkpointing.tolerableFailedCheckpoints'],
    aligned_checkpoint_timeout: settings['execution.checkpointing.alignedCheckpointTimeout'],
    checkpoints_after_tasks_finish: true,
    state_changelog_enabled: false,
    changelog_periodic_materialization_interval: 0,
    changelog_storage: 'none',
  };
}
