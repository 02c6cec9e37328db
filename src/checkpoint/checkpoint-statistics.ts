/**
 * The checkpoints of a job as users see them: how many came to what, the last ones one by one, the newest of each kind.
 * They go on over restarts. Callers: `checkpoint-coordinator.ts` writes, views read. Runs on: the coordinator's thread.
 * Invariants: `total` is `inProgress + completed + failed`; the history is bounded.
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

/** What the job went on from. */
export interface RestoredCheckpoint {
  readonly id: number;
  readonly path: string | null;
  /** Wall clock. */
  readonly restoredMs: number;
}

/** The newest of each kind; null before there is one. */
export interface LatestCheckpoints {
  readonly completed: CheckpointReport | null;
  readonly savepoint: CheckpointReport | null;
  readonly failed: CheckpointReport | null;
  readonly restored: RestoredCheckpoint | null;
}

/** Kept of checkpoints that are not under way any more, as Flink does. */
const HISTORY_MAX = 10;

/** What became of the checkpoints of a job. */
export class CheckpointStatistics {
  readonly #pending = new Map<number, CheckpointReport>();
  #done: readonly CheckpointReport[] = [];
  #completed = 0;
  #failed = 0;
  #restored = 0;
  #latest: LatestCheckpoints = { completed: null, savepoint: null, failed: null, restored: null };

  get counts(): CheckpointCounts {
    const inProgress = this.#pending.size;
    const total = inProgress + this.#completed + this.#failed;
    const [completed, failed, restored] = [this.#completed, this.#failed, this.#restored];
    return { total, inProgress, completed, failed, restored };
  }

  get latest(): LatestCheckpoints {
    return this.#latest;
  }

  /** Those under way and the last ten others, newest first. */
  get history(): readonly CheckpointReport[] {
    return [...this.#pending.values(), ...this.#done].toSorted((a, b) => b.id - a.id);
  }

  /** A checkpoint has been started, finished or given up. */
  update(report: CheckpointReport): void {
    if (report.status === 'pending') {
      this.#pending.set(report.id, report);
      return;
    }
    this.#pending.delete(report.id);
    this.#done = [...this.#done, report].slice(-HISTORY_MAX);
    if (report.status === 'failed') {
      this.#failed++;
      this.#latest = { ...this.#latest, failed: report };
    } else {
      this.#completed++;
      const kind = report.kind === 'savepoint' ? 'savepoint' : 'completed';
      this.#latest = { ...this.#latest, [kind]: report };
    }
  }

  restored(checkpoint: RestoredCheckpoint): void {
    this.#restored++;
    this.#latest = { ...this.#latest, restored: checkpoint };
  }
}
