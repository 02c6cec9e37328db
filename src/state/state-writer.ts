/**
 * How state is written while the job goes on: it is frozen when a writer is made, and written in slices. Callers:
 * operators and stores of state make writers, the snapshot of a chain steps them. Runs on: worker. Invariant: what a
 * writer puts is the state as it was when the writer was made, whatever happens in between.
 */
import type { Projection, TableSpec } from './contract.js';

/** Where the state of an operator goes; the runtime's `SnapshotSink` is one. */
export interface StateSink {
  put(uid: string, name: string, keyGroup: number, bytes: Uint8Array, isChanges: boolean): void;
}

/** What a snapshot holds. */
export interface SnapshotScope {
  /** Whether everything is written; what changed since the last confirmed snapshot otherwise. */
  readonly full: boolean;
  /** Whether it may be confirmed, so that later ones hold what changed since. */
  readonly isConfirmable: boolean;
}

/** A table that is in snapshots. Plain data. */
export interface KeptTable {
  /** Of its operator. */
  readonly uid: string;
  readonly spec: TableSpec;
  /** Groups of its columns, each written as a table of its own; it is written as one where there are none. */
  readonly parts: readonly Projection[];
}

/** What one call may still do, in entries; may end below 0 by little. */
export interface Slice {
  left: number;
}

/** A piece of state that was frozen. */
export interface StateWriter {
  /** The table that it writes; absent for what is none. */
  readonly kept?: KeptTable;
  /** Writes on while `slice` lasts; true when everything has been put. */
  step(sink: StateSink, slice: Slice): boolean;
  /** Later snapshots hold what changed since this one. */
  confirm(): void;
  /** Gives it up; nothing when all is written. */
  abort(): void;
}

/** Writes small state at once, to be put later. */
export function writtenAtOnce(write: (sink: StateSink) => void): StateWriter {
  const pieces: Parameters<StateSink['put']>[] = [];
  write({ put: (...piece) => pieces.push(piece) });
  return {
    step(sink, slice) {
      for (const piece of pieces) sink.put(...piece);
      slice.left -= pieces.length;
      pieces.length = 0;
      return true;
    },
    confirm() {},
    abort() {},
  };
}
