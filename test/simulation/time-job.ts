/**
 * Draws a job about time from a seed: sources whose splits give rows out of order, pause, lag, become idle or end early,
 * and what consumes them by event time or by the wall clock. Rows that are late would make results depend on who is
 * scheduled when, so a job is drawn either without any, or such that they can be counted. Runs on: the test's thread.
 */
import { type Random, SeededRandom } from '../../src/base/random.js';
import type { SimCalls } from './sim-calls.js';
import type { SimLayout } from './sim-deploy.js';

/** A record. */
export interface TimeRow {
  readonly id: number;
  readonly k: number;
  /** A multiple of 1/1024 of any size, so that sums in doubles are rounded. */
  readonly x: number;
  readonly at: number;
}

/** What a split does next. */
export type TimeDeed = { readonly rows: readonly TimeRow[] } | { readonly pauseMs: number };

/** A source. */
export interface TimeSource {
  readonly splits: readonly (readonly TimeDeed[])[];
  /** Whether splits are read side by side. */
  readonly interleaves: boolean;
  readonly parallelism: number;
  readonly idleTimeoutMs: number | null;
  /** Whether it is in the group of all such sources. */
  readonly isAligned: boolean;
  /** Whether a function stands between it and its event times. */
  readonly isMapped: boolean;
}

/** What consumes the rows of all sources. */
export const CONSUMERS = [
  'tumbling',
  'late',
  'sliding',
  'all',
  'session',
  'chained',
  'timers',
  'join',
  'processingTimers',
  'processingWindows',
] as const;
export type Consumer = (typeof CONSUMERS)[number];

/** A job and how it is run. */
export interface TimeJob extends SimLayout {
  readonly sources: readonly TimeSource[];
  readonly consumers: readonly Consumer[];
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly gapMs: number;
  readonly tickMs: number;
  readonly preAggregateKeys: number;
  /** For how long sinks refuse now and then; 0 for never. */
  readonly refuseMs: number;
  /** Whether idle splits come back, so that rows may be late. */
  readonly mayBeLate: boolean;
  /** By source: the asynchronous function that its rows go through; null for none. */
  readonly calls: readonly (SimCalls | null)[];
}

/** How much earlier than one before it in its split a row may be. */
export const DISORDER_MS = 300;
const IDLE_MS = 3000;
/** Behind the last row, so that all that waits for the wall clock happens before the end; and without such things. */
const LAST_PAUSE_MS = 10_000;
const SHORT_PAUSE_MS = 400;

/** Draws the job of a seed. */
export function timeJob(seed: number): TimeJob {
  const random = new SeededRandom(seed ^ 0x71ae);
  const pick = <T>(...choices: readonly T[]): T => choices[random.below(choices.length)];
  const mayBeLate = random.below(4) === 0;
  const consumers = mayBeLate
    ? ['late' as const]
    : [pick(...CONSUMERS), pick(...CONSUMERS)].filter((one, at, all) => all.indexOf(one) === at);
  const waits = consumers.some((one) => one.startsWith('processing'));
  const draw = new SourceDraw(random, mayBeLate, waits);
  const sources = Array.from({ length: pick(1, 2, 2, 3) }, () => draw.source());
  const slideMs = pick(200, 500, 1000);
  return {
    seed,
    sources,
    consumers,
    slideMs,
    sizeMs: slideMs * pick(1, 2, 3, 5),
    gapMs: pick(100, 400, 1500),
    tickMs: pick(10, 50, 200, 200),
    preAggregateKeys: pick(0, 2, 16_384),
    refuseMs: waits ? pick(0, 20) : pick(0, 20, IDLE_MS * 3, IDLE_MS * 3),
    mayBeLate,
    calls: drawCalls(seed, sources.length, waits),
    parallelism: 1 + random.below(3),
    batchRows: pick(1, 3, 16, 64),
    ringBytes: pick(640, 1024, 4096),
    localShare: pick(0, 0.5, 1),
  };
}

/** Drawn apart from all else, so that a seed means the same job with calls and without. */
function drawCalls(seed: number, sources: number, waits: boolean): readonly (SimCalls | null)[] {
  const random = new SeededRandom(seed ^ 0x0ca1);
  const pick = <T>(...choices: readonly T[]): T => choices[random.below(choices.length)];
  return Array.from({ length: sources }, () => {
    const isThere = random.below(2) === 0;
    const calls: SimCalls = {
      kind: pick('ordered', 'unordered', 'lookup'),
      capacity: pick(1, 2, 5, 100),
      // What waits for the wall clock waits for no answer at the end.
      delayMs: waits ? pick(0, 5) : pick(0, 5, 100),
      timeoutMs: pick(120, 700),
      retries: pick(0, 1, 3),
      cacheRows: pick(0, 2, 100),
    };
    return isThere ? calls : null;
  });
}

class SourceDraw {
  readonly #random: Random;
  readonly #mayBeLate: boolean;
  /** Whether something waits for the wall clock. */
  readonly #waits: boolean;
  #id = 0;

  constructor(random: Random, mayBeLate: boolean, waits: boolean) {
    this.#random = random;
    this.#mayBeLate = mayBeLate;
    this.#waits = waits;
  }

  source(): TimeSource {
    const random = this.#random;
    const interleaves = random.below(2) === 0;
    const canIdle = this.#mayBeLate || (!this.#waits && random.below(2) === 0);
    const splits = 1 + random.below(4);
    let startMs = random.below(4) * 1000;
    return {
      splits: Array.from({ length: splits }, (_, index) => {
        const { deeds, endMs } = this.#split(startMs, canIdle);
        // What is read one after the other has to lie in order.
        startMs = interleaves ? random.below(8000) - 4000 : endMs + DISORDER_MS;
        if (this.#waits) return [...deeds, { pauseMs: LAST_PAUSE_MS }];
        const isLast = interleaves || index === splits - 1;
        return isLast ? [...deeds, { pauseMs: SHORT_PAUSE_MS }] : deeds;
      }),
      interleaves,
      parallelism: 1 + random.below(3),
      idleTimeoutMs: canIdle ? IDLE_MS : null,
      isAligned: random.below(3) === 0,
      isMapped: random.below(2) === 0,
    };
  }

  #split(
    startMs: number,
    canIdle: boolean,
  ): { readonly deeds: TimeDeed[]; readonly endMs: number } {
    const random = this.#random;
    const deeds: TimeDeed[] = [];
    const pausesMax = this.#mayBeLate ? IDLE_MS * 3 : canIdle ? IDLE_MS / 6 : IDLE_MS * 3;
    let latestMs = startMs;
    for (let left = random.below(8); left > 0; left--) {
      if (random.below(3) === 0) deeds.push({ pauseMs: random.below(pausesMax) });
      const rows = Array.from({ length: 1 + random.below(12) }, () => {
        latestMs += random.below(10) === 0 ? random.below(2000) : random.below(60);
        return this.#row(latestMs - random.below(DISORDER_MS + 1));
      });
      deeds.push({ rows });
    }
    return { deeds, endMs: latestMs };
  }

  #row(at: number): TimeRow {
    const random = this.#random;
    const size = 2 ** random.below(50);
    const x = (random.below(2) * 2 - 1) * Math.floor(random.next() * size) * 2 ** -10;
    return { id: this.#id++, k: random.below(5), x, at };
  }
}

/** The rows of a source. */
export function rowsOf(source: TimeSource): readonly TimeRow[] {
  return source.splits.flatMap((deeds) =>
    deeds.flatMap((deed) => ('rows' in deed ? deed.rows : [])),
  );
}
