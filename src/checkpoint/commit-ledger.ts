/**
 * Output that sinks have prepared and that no completed checkpoint has made visible yet, each with the first checkpoint
 * that can. Callers: `checkpoint-coordinator.ts`. Runs on: the coordinator's thread. Invariant: what is added leaves
 * exactly once, with a checkpoint at or after its own.
 */
import type { SinkCommit } from './contract.js';

interface Entry {
  readonly checkpoint: number;
  readonly commit: SinkCommit;
}

/** Prepared output in the order of the checkpoints it was prepared for. */
export class CommitLedger {
  #entries: readonly Entry[] = [];

  /** Adds what was prepared for a checkpoint, whatever becomes of that one. */
  add(checkpoint: number, commits: readonly SinkCommit[]): void {
    const added = commits
      .filter(({ committables }) => committables.length > 0)
      .map((commit) => ({ checkpoint, commit }));
    if (added.length === 0) return;
    this.#entries = [...this.#entries, ...added].toSorted((a, b) => a.checkpoint - b.checkpoint);
  }

  /** What a checkpoint would make visible, one entry for each sink, oldest first. */
  upTo(checkpoint: number): readonly SinkCommit[] {
    const bySink = new Map<string, unknown[]>();
    for (const { commit } of this.#entries.filter((entry) => entry.checkpoint <= checkpoint)) {
      bySink.set(commit.uid, [...(bySink.get(commit.uid) ?? []), ...commit.committables]);
    }
    return [...bySink].map(([uid, committables]) => ({ uid, committables }));
  }

  /** Gives what a checkpoint makes visible, and forgets it. */
  take(checkpoint: number): readonly SinkCommit[] {
    const taken = this.upTo(checkpoint);
    this.#entries = this.#entries.filter((entry) => entry.checkpoint > checkpoint);
    return taken;
  }
}
