/**
 * The checkpoints of a job as users see them: how many came to what, the last ones one by one, the newest of each kind.
 * They go on over restarts. Plain data. Callers: `checkpoint-coordinator.ts`, runtime, views. Runs on: any thread;
 * pure. Invariant: what is kept one by one is bounded.
 */
import type { CheckpointReport } from './contract.js';

/** How many checkpoints and savepoints came to what, over all attempts. */
export interface CheckpointCounts {
  readonly total: number;
  readonly inProgress: number;
  readonly completed: number;
  /** Also those that were overtaken by a newer one or ended with their attempt. */
  readonly failed: number;
  /** Times that the job went on from a checkpoint or savepoint. */
  readonly restored: number;
}

/** What a job went on from. */
export interface RestoredCheckpoint {
  readonly id: number;
  readonly path: string | null;
  /** Wall clock. */
  readonly restoredMs: number;
}

/** What became of the checkpoints of a job. */
export interface CheckpointStatistics {
  readonly counts: CheckpointCounts;
  /** Those under way and the last ten others, newest first. */
  readonly history: readonly CheckpointReport[];
  /** The newest of each kind; null before there is one. */
  readonly latest: {
    readonly completed: CheckpointReport | null;
    readonly savepoint: CheckpointReport | null;
    readonly failed: CheckpointReport | null;
    readonly restored: RestoredCheckpoint | null;
  };
}

/** Kept of checkpoints that are not under way any more, as Flink does. */
const HISTORY_MAX = 10;

/** Those of a job that has not begun. */
export const NO_STATISTICS: CheckpointStatistics = {
  counts: { total: 0, inProgress: 0, completed: 0, failed: 0, restored: 0 },
  history: [],
  latest: { completed: null, savepoint: null, failed: null, restored: null },
};

/** With a checkpoint that has been started, completed or given up. */
export function withReport(
  { counts, history, latest }: CheckpointStatistics,
  report: CheckpointReport,
): CheckpointStatistics {
  const rest = history.filter(({ id }) => id !== report.id);
  if (report.status === 'pending') {
    const { total, inProgress } = counts;
    return {
      counts: { ...counts, total: total + 1, inProgress: inProgress + 1 },
      history: [report, ...rest],
      latest,
    };
  }
  const { status } = report;
  const isSavepoint = status === 'completed' && report.kind === 'savepoint';
  const all = [report, ...rest].toSorted((a, b) => b.id - a.id);
  const done = all.filter((other) => other.status !== 'pending').slice(0, HISTORY_MAX);
  return {
    counts: { ...counts, inProgress: counts.inProgress - 1, [status]: counts[status] + 1 },
    history: all.filter((other) => other.status === 'pending' || done.includes(other)),
    latest: { ...latest, [isSavepoint ? 'savepoint' : status]: report },
  };
}

/** With a restore. */
export function withRestored(
  { counts, history, latest }: CheckpointStatistics,
  restored: RestoredCheckpoint,
): CheckpointStatistics {
  return {
    counts: { ...counts, restored: counts.restored + 1 },
    history,
    latest: { ...latest, restored },
  };
}
