/**
 * Where windows begin and end. A window is `[start, end)` in whole milliseconds since the epoch; its last
 * instant is `end - 1`. All of it holds for times before the epoch and for any offset too. Callers: window
 * operators. Runs on: any thread; pure.
 */

/** Windows of `sizeMs`, one every `slideMs`, of which one starts at `offsetMs`; tumbling when both are equal. */
export interface WindowGrid {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
  /** The zone by whose clocks all of this is counted; none for UTC. See `zone-clock.ts`. */
  readonly timeZone?: string;
}

/** The start of the period of `periodMs` that holds a time, when one period starts at `offsetMs`. */
export function periodStart(timeMs: number, periodMs: number, offsetMs: number): number {
  const past = (timeMs - offsetMs) % periodMs;
  // Never -0, which would be another key than 0.
  return (past < 0 ? timeMs - past - periodMs : timeMs - past) + 0;
}

/** The start of the last window of a grid that may hold a time; the others start `slideMs` apart before it. */
export function lastWindowStart(timeMs: number, { slideMs, offsetMs }: WindowGrid): number {
  return periodStart(timeMs, slideMs, offsetMs);
}

/** The end of the first window of a grid that ends after a time. It may start after it as well, when there are gaps. */
export function firstWindowEnd(timeMs: number, { sizeMs, slideMs, offsetMs }: WindowGrid): number {
  return periodStart(timeMs - sizeMs, slideMs, offsetMs) + slideMs + sizeMs;
}

/** The starts of all windows that hold a time, latest first; none when it lies in a gap between windows. */
export function windowStarts(timeMs: number, grid: WindowGrid): readonly number[] {
  const starts: number[] = [];
  for (
    let start = lastWindowStart(timeMs, grid);
    start > timeMs - grid.sizeMs;
    start -= grid.slideMs
  ) {
    starts.push(start + 0);
  }
  return starts;
}

/** The length of the panes a grid is made of: every window is a whole number of them. */
export function paneMsOf({ sizeMs, slideMs }: WindowGrid): number {
  let [greater, lesser] = [sizeMs, slideMs];
  while (lesser > 0) [greater, lesser] = [lesser, greater % lesser];
  return greater;
}

/** Panes as a grid of their own: each is in one. */
export function paneGridOf(grid: WindowGrid): WindowGrid {
  const paneMs = paneMsOf(grid);
  return { ...grid, sizeMs: paneMs, slideMs: paneMs };
}

/** The start of the pane that holds a time. */
export function paneStart(timeMs: number, grid: WindowGrid): number {
  return periodStart(timeMs, paneMsOf(grid), grid.offsetMs);
}

/** The end of the last window that holds the pane which starts there; null when none does. */
export function lastWindowEndOfPane(startMs: number, grid: WindowGrid): number | null {
  const start = lastWindowStart(startMs, grid);
  return start > startMs - grid.sizeMs ? start + grid.sizeMs : null;
}

/** Sessions in order of time that do not touch: those from `from` up to `to`, and what they make together. */
export interface SessionMerge {
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Which of `count` sessions, sorted and apart, are one with a new one from `startMs` to `endMs`: those that it
 * overlaps or touches. `from === to` when it stays by itself, to be put in at `from`.
 */
export function mergeSession(
  starts: Readonly<ArrayLike<number>>,
  ends: Readonly<ArrayLike<number>>,
  count: number,
  startMs: number,
  endMs: number,
): SessionMerge {
  let from = 0;
  while (from < count && ends[from] < startMs) from++;
  let to = from;
  while (to < count && starts[to] <= endMs) to++;
  if (from === to) return { from, to, startMs, endMs };
  return {
    from,
    to,
    startMs: Math.min(startMs, starts[from]),
    endMs: Math.max(endMs, ends[to - 1]),
  };
}
