/**
 * Output that sinks have prepared and that no completed checkpoint has made visible yet. Callers:
 * `checkpoint-coordinator.ts`. Runs on: the coordinator's thread; pure. Invariant: what is held becomes visible with
 * the first checkpoint that completes at or after the one that it was prepared for.
 */
import type { HeldCommit } from './checkpoint-state.js';
import type { SinkCommit } from './contract.js';

/** With what was prepared for a checkpoint, whatever becomes of that one. */
export function hold(
  held: readonly HeldCommit[],
  checkpoint: number,
  commits: readonly SinkCommit[],
): readonly HeldCommit[] {
  const added = commits
    .filter(({ committables }) => committables.length > 0)
    .map((commit) => ({ checkpoint, commit }));
  if (added.length === 0) return held;
  return [...held, ...added].toSorted((a, b) => a.checkpoint - b.checkpoint);
}

/** What a checkpoint makes visible, one entry for each sink, oldest first. */
export function commitsUpTo(
  held: readonly HeldCommit[],
  checkpoint: number,
): readonly SinkCommit[] {
  const due = held.filter((entry) => entry.checkpoint <= checkpoint).map(({ commit }) => commit);
  return [...new Set(due.map(({ uid }) => uid))].map((uid) => ({
    uid,
    committables: due
      .filter((commit) => commit.uid === uid)
      .flatMap(({ committables }) => committables),
  }));
}
