/**
 * What the windows of aggregations have in common: which records come too late, when time passes, and, where
 * windows lie in a grid of time, which one a record is in. Callers: generated code asks for the window of a record,
 * the chain task tells of time. Runs on: the slot's thread.
 */
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { hashNumber } from '../record/key-hash.js';
import type { StateTable } from '../state/contract.js';
import { firstWindowEnd, lastWindowStart, type WindowGrid } from '../time/window-arithmetic.js';
import { ZoneClock } from '../time/zone-clock.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/watermark.js';
import type { TimedOperator } from './chain-time.js';
import type { WindowSpec } from './operator-spec.js';

/** The end of a list of entries. */
export const NO_ENTRY = -1;

/** A window, or the part of one that a partial aggregation fills. */
export class Pane {
  readonly startMs: number;
  readonly endMs: number;
  /** Hash of its start, as one more column of a key. */
  readonly hash: number;
  /** Whether it takes no records: it is over, or a gap between windows. */
  readonly isLate: boolean;
  /** Whether it has fired already, so that each record makes it fire again for its key. */
  firesAtOnce = false;
  /** First entry of each table of the operator, in the order in which they were opened. */
  readonly heads: number[] = [];
  /** First entry that has not been taken for firing. */
  next = NO_ENTRY;
  /** Where entries may leave memory: the position of the scan that looks for its own, and the table that it is in. */
  scan = 0;
  scanned = 0;
  isFired = false;

  constructor(startMs: number, endMs: number, isLate: boolean) {
    this.startMs = startMs;
    this.endMs = endMs;
    this.hash = hashNumber(startMs);
    this.isLate = isLate;
  }
}

/** Holds no time, so that the first record asks for its window. */
export const NO_PANE = new Pane(Number.NaN, Number.NaN, true);

/** Where entries that are to be handed on are put: `ids` from `at` to `count`. */
export interface TakenEntries {
  readonly ids: Int32Array;
  at: number;
  count: number;
}

/** Event times of records that have arrived. */
export interface ArrivingTimes {
  /** Null where there are none. */
  readonly values: ArrayLike<number> | null;
  readonly count: number;
  /** Where in `values` the times are; null for the first ones. */
  readonly rows: Int32Array | null;
  /** Whether they are by the clock of the windows already. */
  readonly isLocal: boolean;
}

/** What the windows of an aggregation are made of. */
export interface WindowRunParts {
  readonly spec: WindowSpec;
  readonly taken: TakenEntries;
  readonly clock: Clock;
  readonly countLate: (records: number) => void;
  /** The error for a record without an event time. */
  readonly timeMissing: () => Error;
}

/** The windows of one aggregation. */
export abstract class TimedWindows implements TimedOperator {
  readonly spec: WindowSpec;
  protected readonly parts: WindowRunParts;
  protected readonly latenessMs: number;
  /** Of the clock by which the windows are counted. */
  protected passedMs = WATERMARK_MIN;
  protected clockMs = WATERMARK_MIN;
  /** The clocks by which the windows are counted; null for UTC. */
  readonly #zone: ZoneClock | null;

  constructor(parts: WindowRunParts) {
    this.spec = parts.spec;
    const timeZone = parts.spec.grid?.timeZone;
    this.#zone = timeZone === undefined ? null : new ZoneClock(timeZone);
    this.parts = parts;
    this.latenessMs = parts.spec.allowedLatenessMs ?? 0;
  }

  /** The wall clock as the time of the records at hand; it does not go back when the machine's clock is set. */
  nowMs(): number {
    this.clockMs = Math.max(this.clockMs, Math.floor(this.parts.clock.epochMs()));
    return this.local(this.clockMs);
  }

  /** An event time by the clock by which the windows are counted. */
  local(timeMs: number): number {
    return this.#zone === null ? timeMs : this.#zone.local(this.timeOf(timeMs));
  }

  /** When that clock first shows a time. */
  instant(localMs: number): number {
    return this.#zone === null || !Number.isFinite(localMs) ? localMs : this.#zone.instant(localMs);
  }

  /** Whether the windows are counted by other clocks than those of UTC. */
  protected get hasZone(): boolean {
    return this.#zone !== null;
  }

  /** The last millisecond by that clock that is over when time has passed `timeMs`. */
  protected passedAt(timeMs: number): number {
    if (timeMs <= WATERMARK_MIN || timeMs >= WATERMARK_MAX) return timeMs;
    return this.local(timeMs + 1) - 1;
  }

  /** Whether records that are in no window came too late, which is counted; in a gap between windows they may not. */
  late(timeMs: number, rows: number): boolean {
    const isLate = timeMs + this.latenessMs <= this.passedMs;
    if (isLate) this.parts.countLate(rows);
    return isLate;
  }

  /** An event time, or the error for a record without one. */
  timeOf(timeMs: number): number {
    if (timeMs <= WATERMARK_MIN) throw this.parts.timeMissing();
    return timeMs;
  }

  fireEventTime(watermarkMs: number): boolean {
    if (this.spec.time !== 'event') {
      return this.spec.firesAtEnd && watermarkMs >= WATERMARK_MAX && this.fire(watermarkMs);
    }
    const passedMs = this.passedAt(watermarkMs);
    if (passedMs !== this.passedMs) {
      this.passedMs = passedMs;
      this.passed();
    }
    return this.fire(passedMs);
  }

  fireProcessingTime(nowMs: number): boolean {
    if (this.spec.time !== 'processing') return false;
    this.clockMs = Math.max(this.clockMs, Math.floor(nowMs));
    // A window is over when its last millisecond is.
    return this.fire(this.passedAt(this.clockMs - 1));
  }

  abstract get nextProcessingTimer(): number;

  /** Is told that event time has passed on. */
  protected passed(): void {}

  /**
   * Whether records may be added while windows fire, as if all that is due at the newest watermark had been fired:
   * none of them is late there, or in a window that is over.
   */
  abstract admits(times: ArrivingTimes, watermarkMs: number): boolean;

  /** Does one piece of what is due when time is past `passedMs`; false when nothing is. */
  protected abstract fire(passedMs: number): boolean;

  /** The entries of a table are in another one now, under other numbers. */
  abstract moved(from: StateTable, to: StateTable): void;

  /** Links entries anew, from what the tables hold. */
  abstract rebuild(): void;

  /** Gives up what is not in the tables. */
  close(): void {}

  /** Whether entries are to be removed by whoever emits them. */
  get removesEmitted(): boolean {
    return false;
  }

  /** Takes entries that are to give their result again; false when there are none. */
  takeRefired(): boolean {
    return false;
  }
}

/** The windows of one aggregation, in a grid of time. */
export abstract class AlignedRun extends TimedWindows {
  /** The window of the record before; generated code asks only when a record is not in it. */
  pane: Pane = NO_PANE;
  /** That of the windows or panes that records are put into. */
  protected readonly grid: WindowGrid;

  constructor(parts: WindowRunParts, grid: WindowGrid) {
    super(parts);
    this.grid = grid;
  }

  /** The only window that may hold a time; one that takes no records when there is none. */
  enter(timeMs: number): Pane {
    const start = this.lastStart(timeMs);
    const end = start + this.grid.sizeMs;
    this.pane = timeMs < end ? this.at(start) : new Pane(end, start + this.grid.slideMs, true);
    return this.pane;
  }

  /** The start of the last window that may hold a time. */
  lastStart(timeMs: number): number {
    return lastWindowStart(this.timeOf(timeMs), this.grid);
  }

  protected override passed(): void {
    // Whether the window of the record before is late may have changed.
    this.pane = NO_PANE;
  }

  admits({ values, count, rows, isLocal }: ArrivingTimes, watermarkMs: number): boolean {
    const { grid, time } = this.spec;
    assert(grid !== undefined, 'Windows that are no sessions lie in a grid.');
    // What comes now is in no window that was over before, unless clocks are put back.
    if (time === 'processing') return !this.hasZone;
    if (values === null) return false;
    const passedMs = this.passedAt(watermarkMs);
    // Times that are known to be in no such window.
    let [from, end] = [Number.NaN, Number.NaN];
    for (let row = 0; row < count; row++) {
      const value = values[rows === null ? row : rows[row]];
      if (value <= WATERMARK_MIN) return false;
      const timeMs = isLocal ? value : this.local(value);
      if (timeMs >= from && timeMs < end) continue;
      from = timeMs;
      end = firstWindowEnd(timeMs, grid);
      if (timeMs > passedMs) end = Number.POSITIVE_INFINITY;
      else if (end - 1 <= passedMs || end - grid.sizeMs > timeMs) return false;
    }
    return true;
  }

  /** The window or pane that starts there. */
  abstract at(startMs: number): Pane;
}
