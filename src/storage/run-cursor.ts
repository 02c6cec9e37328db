/**
 * What steps through sorted entries: one run file, or several merged. Callers: merge, sort, readers of state. Runs on:
 * any thread. Invariant: key and value are views of memory that the next step may replace.
 */
import { compareBytes } from './run-key.js';

/** A position in sorted entries. */
export interface RunCursor {
  /** Whether it is past the last entry; the fields below are those of an entry otherwise. */
  readonly isDone: boolean;
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Whether the entry says that the key was deleted; it has no value then. */
  readonly isTombstone: boolean;
  /** To the next entry. */
  next(): void;
  /** To the first entry whose key is not before `key`. */
  seek(key: Uint8Array): void;
}

/** A copy of the key that a cursor is at. */
export function keyOf(cursor: RunCursor): Uint8Array {
  return cursor.bytes.slice(cursor.keyStart, cursor.keyEnd);
}

/** A copy of the value that a cursor is at; null for a tombstone. */
export function valueOf(cursor: RunCursor): Uint8Array | null {
  return cursor.isTombstone ? null : cursor.bytes.slice(cursor.valueStart, cursor.valueEnd);
}

/** Compares the keys that two cursors are at. */
export function compareCursors(left: RunCursor, right: RunCursor): number {
  return compareBytes(
    left.bytes,
    left.keyStart,
    left.keyEnd,
    right.bytes,
    right.keyStart,
    right.keyEnd,
  );
}
