/**
 * What consumers of a simulated job about time must give, from all rows at once in the plainest way; order means nothing.
 * Runs on: the test's thread; pure.
 */
import { rowsOf, type TimeJob, type TimeRow } from './time-job.js';

export type ModelRow = Readonly<Record<string, number>>;

/** The rows that a consumer must give; null for those that the wall clock decides. */
export function expectedOf(job: TimeJob, consumer: string): readonly ModelRow[] | null {
  const { sizeMs, slideMs, gapMs, sources } = job;
  const rows = sources.flatMap(rowsOf);
  const tumbling = windows(rows, sizeMs, sizeMs, (row) => row.k);
  if (consumer === 'tumbling') return tumbling;
  if (consumer === 'sliding') return windows(rows, sizeMs, slideMs, (row) => row.k);
  if (consumer === 'all') return windows(rows, sizeMs, slideMs, () => 0);
  if (consumer === 'timers') {
    return tumbling.map(({ k, windowEnd, n }) => ({ k, at: windowEnd - 1, n }));
  }
  if (consumer === 'chained') {
    const ends = tumbling.map((row) => ({ id: 0, k: 0, x: row['n'], at: row['windowEnd'] - 1 }));
    return windows(ends, sizeMs * 3, sizeMs * 3, () => 0);
  }
  if (consumer === 'session') return sessions(rows, gapMs);
  if (consumer === 'join') {
    const right = rowsOf(sources[1] ?? sources[0]);
    return rowsOf(sources[0]).flatMap((l) =>
      right
        .filter((r) => r.k === l.k && r.at >= l.at - gapMs && r.at <= l.at + sizeMs)
        .map((r) => ({ left: l.id, right: r.id })),
    );
  }
  return null;
}

function windows(
  rows: readonly TimeRow[],
  sizeMs: number,
  slideMs: number,
  keyOf: (row: TimeRow) => number,
): readonly ModelRow[] {
  const found = new Map<string, TimeRow[]>();
  for (const row of rows) {
    const last = Math.floor(row.at / slideMs) * slideMs;
    for (let start = last; start > row.at - sizeMs; start -= slideMs) {
      const name = `${keyOf(row)} ${start}`;
      found.set(name, [...(found.get(name) ?? []), row]);
    }
  }
  return [...found].map(([name, own]) => {
    const [k, windowStart] = name.split(' ').map(Number);
    return { k, windowStart, windowEnd: windowStart + sizeMs, n: own.length, x: exactSum(own) };
  });
}

function sessions(rows: readonly TimeRow[], gapMs: number): readonly ModelRow[] {
  const found: { k: number; windowStart: number; windowEnd: number; n: number }[] = [];
  for (const { k, at } of rows.toSorted((a, b) => a.at - b.at)) {
    const open = found.findLast((one) => one.k === k && one.windowEnd >= at);
    if (open === undefined) found.push({ k, windowStart: at, windowEnd: at + gapMs, n: 1 });
    else Object.assign(open, { windowEnd: at + gapMs, n: open.n + 1 });
  }
  return found;
}

/** The sum, rounded once: every number is a whole number of 1/1024. */
function exactSum(rows: readonly TimeRow[]): number {
  return Number(rows.reduce((total, { x }) => total + BigInt(x * 1024), 0n)) / 1024;
}
