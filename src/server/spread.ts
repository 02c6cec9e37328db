/**
 * How numbers are spread, in Flink's way: some of them as they are, the mean as a whole number. Callers: the views of
 * checkpoints and of subtasks. Runs on: the server's thread; pure.
 */

/** What is said of some numbers; all 0 of none. */
export interface Spread {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly sum: number;
  /** The number below which that share of them lies, 0 to 1. */
  at(share: number): number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const { length } = sorted;
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    avg: length === 0 ? 0 : Math.round(sum / length),
    sum,
    at: (share) => sorted[Math.min(length - 1, Math.floor(share * length))] ?? 0,
  };
}
