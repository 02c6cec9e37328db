/**
 * What steps through sorted entries: one run file, or several merged. Callers: merge, sort, readers of state. Runs on:
 * any thread. Invariant: key and value are views of memory that the next step may replace.
 */
import { compareBytes } from './run-key.js';

/** Where an entry is. */
export interface RunEntry {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Whether the entry says that the key was deleted; it has no value then. */
  readonly isTombstone: boolean;
}

/** A position in sorted entries. */
export interface RunCursor extends RunEntry {
  /** The memory of `bytes`, for numbers. */
  readonly view: DataView;
  /** Whether it is past the last entry; it is that entry otherwise. */
  readonly isDone: boolean;
  /** To the next entry. */
  next(): void;
  /** To the first entry whose key is not before `key`. */
  seek(key: Uint8Array): void;
}

/** An entry of this key; a tombstone when `value` is null. */
export function entryOf(key: Uint8Array, value: Uint8Array | null): RunEntry {
  const bytes = new Uint8Array(key.length + (value?.length ?? 0));
  bytes.set(key);
  bytes.set(value ?? [], key.length);
  const keyEnd = key.length;
  return {
    bytes,
    keyStart: 0,
    keyEnd,
    valueStart: keyEnd,
    valueEnd: bytes.length,
    isTombstone: value === null,
  };
}

/** Copies to `at` and gives where the copy ends. Keys are short, and a call of `set` costs as much as thirty bytes. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  if (end - start > 32) target.set(source.subarray(start, end), at);
  else for (let from = start; from < end; from++) target[at + from - start] = source[from] ?? 0;
  return at + end - start;
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
