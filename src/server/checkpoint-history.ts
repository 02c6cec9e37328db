/**
 * What became of the checkpoints of a job over all of its processes, each of which counts from zero. Callers:
 * `served-job.ts`. Runs on: the server's thread; pure.
 */
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';

/** Checkpoints that are kept one by one, as Flink does. */
const HISTORY_MAX = 10;

/** Those of the processes `before`, which have ended, and of the one that runs. */
export function joinedStatistics(
  before: CheckpointStatistics,
  now: CheckpointStatistics,
): CheckpointStatistics {
  const ended = before.history.filter(({ status }) => status !== 'pending');
  return {
    counts: {
      total: before.counts.total + now.counts.total,
      inProgress: now.counts.inProgress,
      completed: before.counts.completed + now.counts.completed,
      // What was under way when the process ended has failed with it.
      failed: before.counts.failed + before.counts.inProgress + now.counts.failed,
      restored: before.counts.restored + now.counts.restored,
    },
    history: [...now.history, ...ended].slice(0, HISTORY_MAX),
    latest: {
      completed: now.latest.completed ?? before.latest.completed,
      savepoint: now.latest.savepoint ?? before.latest.savepoint,
      failed: now.latest.failed ?? before.latest.failed,
      restored: now.latest.restored ?? before.latest.restored,
    },
  };
}
