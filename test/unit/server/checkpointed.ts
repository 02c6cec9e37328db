/** What a job tells of a savepoint that it has taken. */
import type { CheckpointReport } from '../../../src/checkpoint/contract.js';
import {
  type CheckpointStatistics,
  NO_STATISTICS,
} from '../../../src/checkpoint/checkpoint-statistics.js';
import type { ExecutionEvent } from '../../../src/runtime/execution.js';

/** Number 3 is at the path, if it is there at all; 2 has failed. */
export function checkpointEvent(path: string | null): ExecutionEvent {
  const report: CheckpointReport = {
    id: 3,
    kind: 'savepoint',
    status: 'completed',
    reason: null,
    error: null,
    triggeredMs: 1000,
    durationMs: 10,
    bytes: 1,
    inFlightBytes: 0,
    fullBytes: 1,
    directoryBytes: 1,
    path,
  };
  const failed: CheckpointReport = { ...report, id: 2, status: 'failed', path: null };
  const statistics: CheckpointStatistics = {
    counts: { ...NO_STATISTICS.counts, total: 2, completed: 1, failed: 1 },
    history: [report, failed],
    latest: { ...NO_STATISTICS.latest, savepoint: report, failed },
  };
  return { type: 'checkpoint', report, statistics };
}
