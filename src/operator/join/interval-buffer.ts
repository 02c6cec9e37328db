/**
 * The records of one side and key that an interval join keeps: two lists side by side, in order of event time, and of
 * arrival within one time. Callers: `interval-join.ts`. Runs on: the slot's thread. Invariant: `times` ascends, and
 * the record at an index has the time at that index; a buffer is plain data, as state must be.
 */

/** Records in order of time. */
export interface IntervalBuffer {
  readonly times: number[];
  readonly records: unknown[];
}

/** An empty buffer. */
export function newBuffer(): IntervalBuffer {
  return { times: [], records: [] };
}

/** Index of the first record at `timeMs` or after it. */
export function firstAtOrAfter({ times }: IntervalBuffer, timeMs: number): number {
  let from = 0;
  let to = times.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (times[middle] < timeMs) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Puts a record behind those of its time and before later ones. */
export function insertInOrder(buffer: IntervalBuffer, timeMs: number, record: unknown): void {
  const { times, records } = buffer;
  // Most records come in order.
  if (times.length === 0 || times[times.length - 1] <= timeMs) {
    times.push(timeMs);
    records.push(record);
    return;
  }
  const at = firstAtOrAfter(buffer, timeMs + 1);
  times.splice(at, 0, timeMs);
  records.splice(at, 0, record);
}

/** Drops the records before `timeMs`. */
export function dropBefore(buffer: IntervalBuffer, timeMs: number): void {
  const dead = firstAtOrAfter(buffer, timeMs);
  buffer.times.splice(0, dead);
  buffer.records.splice(0, dead);
}
