/** The cache of look-ups against a list in order of use. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LookupCacheSpec } from '../../src/operator/async/async-function.js';
import { LookupCache } from '../../src/operator/async/lookup-cache.js';

interface Kept {
  readonly id: number;
  readonly found: readonly unknown[];
  readonly writtenMs: number;
  usedMs: number;
}

/** What a cache should hold, oldest first. */
class Model {
  kept: Kept[] = [];
  readonly #spec: LookupCacheSpec;

  constructor(spec: LookupCacheSpec) {
    this.#spec = spec;
  }

  get rows(): number {
    return this.kept.reduce((sum, { found }) => sum + Math.max(1, found.length), 0);
  }

  get(id: number, nowMs: number): readonly unknown[] | null {
    const entry = this.kept.find((each) => each.id === id);
    if (entry === undefined) return null;
    this.kept = this.kept.filter((each) => each !== entry);
    if (this.#isOver(entry, nowMs)) return null;
    entry.usedMs = nowMs;
    this.kept.push(entry);
    return entry.found;
  }

  put(id: number, found: readonly unknown[], nowMs: number): void {
    this.kept = this.kept.filter((each) => each.id !== id);
    const { keepsMissing, rowsMax } = this.#spec;
    if (found.length === 0 && !keepsMissing) return;
    if (rowsMax !== null && found.length > rowsMax) return;
    this.kept.push({ id, found, writtenMs: nowMs, usedMs: nowMs });
    while (rowsMax !== null && this.rows > rowsMax) this.kept.shift();
    while (this.#isOver(this.kept[0], nowMs)) this.kept.shift();
  }

  #isOver({ writtenMs, usedMs }: Kept, nowMs: number): boolean {
    const { expireAfterWriteMs, expireAfterAccessMs } = this.#spec;
    return (
      nowMs - writtenMs >= (expireAfterWriteMs ?? Infinity) ||
      nowMs - usedMs >= (expireAfterAccessMs ?? Infinity)
    );
  }
}

const step = fc.record({
  does: fc.constantFrom('get', 'put', 'put', 'wait'),
  id: fc.nat(6),
  rows: fc.nat(4),
});

describe('the cache of look-ups', () => {
  it('gives what a list in order of use gives, and never holds more than it may', () => {
    const spec = fc.record({
      rowsMax: fc.option(fc.integer({ min: 1, max: 6 })),
      bytesMax: fc.constant(null),
      expireAfterWriteMs: fc.option(fc.integer({ min: 1, max: 6 })),
      expireAfterAccessMs: fc.option(fc.integer({ min: 1, max: 4 })),
      keepsMissing: fc.boolean(),
    });
    fc.assert(
      fc.property(spec, fc.array(step, { maxLength: 60 }), (given, steps) => {
        let nowMs = 0;
        const clock = { epochMs: () => nowMs, monotonicMs: () => nowMs };
        const [cache, model] = [new LookupCache(given, clock), new Model(given)];
        for (const [at, { does, id, rows }] of steps.entries()) {
          if (does === 'wait') nowMs += rows;
          else if (does === 'get') expect(cache.get(id)).toBe(model.get(id, nowMs));
          else {
            const found = Array.from({ length: rows }, () => ({ at }));
            cache.put(id, found);
            model.put(id, found, nowMs);
          }
          expect(cache.rows).toBe(model.rows);
          expect(cache.rows).toBeLessThanOrEqual(given.rowsMax ?? Infinity);
          expect(cache.bytes > 0).toBe(model.kept.length > 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('stays below a number of bytes, which grows with what rows hold', () => {
    const bytesMax = 10_000;
    const spec = {
      rowsMax: null,
      bytesMax,
      expireAfterWriteMs: null,
      expireAfterAccessMs: null,
      keepsMissing: true,
    };
    const clock = { epochMs: () => 0, monotonicMs: () => 0 };
    const filledBy = (length: number): LookupCache => {
      const cache = new LookupCache(spec, clock);
      for (let id = 0; id < 1000; id++) {
        cache.put(id, [{ text: 'x'.repeat(length) }]);
        expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
        expect(cache.get(id)).not.toBeNull();
      }
      return cache;
    };
    const [short, long] = [filledBy(10), filledBy(1000)];
    expect(short.bytes).toBeGreaterThan(bytesMax / 2);
    expect(short.rows).toBeGreaterThan(2 * long.rows);
    expect(long.rows).toBeGreaterThan(1);
    const before = long.rows;
    long.put('huge', [{ text: 'x'.repeat(bytesMax) }]);
    expect([long.get('huge'), long.rows]).toEqual([null, before]);
  });
});
