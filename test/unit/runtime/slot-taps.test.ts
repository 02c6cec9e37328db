/** What a tap costs a slot at most, and that nothing is lost from the count. */
import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/operator/expression-parser.js';
import type { Batch } from '../../../src/record/batch.js';
import { SlotTaps } from '../../../src/runtime/slot-taps.js';
import type { TapReport } from '../../../src/runtime/tap-protocol.js';
import { TAP_INTERVAL_MS, TAP_TELL_MS, TapSites } from '../../../src/runtime/tap-site.js';
import { builderOf, StillClock } from './runtime-harness.js';

const ROWS = 1000;
const EDGE = { kind: 'edge', edge: 3 } as const;

/** A batch of the numbers from 0. */
function numbers(): Batch {
  const records = Array.from({ length: ROWS }, (_, n) => ({ n }));
  return builderOf(records, ROWS).take();
}

class Slot {
  readonly clock = new StillClock();
  readonly reports: TapReport[] = [];
  readonly sites = new TapSites();
  readonly site = this.sites.add(EDGE, 0);
  readonly taps = new SlotTaps(this.sites, (report) => this.reports.push(report), this.clock);

  open(tap: number, filter: string | null = null, sample = 5): void {
    const condition = filter === null ? null : parseExpression(filter);
    this.taps.take({ kind: 'open', tap, places: [EDGE], filter: condition, sample });
  }

  get numbers(): readonly unknown[] {
    return this.reports.flatMap(({ records }) =>
      records.map(({ record }) => (record as { readonly n: number }).n),
    );
  }

  total(part: 'passed' | 'looked'): number {
    return this.reports.reduce((sum, report) => sum + report[part], 0);
  }
}

describe('a tap in a slot', () => {
  it('takes so many records in an interval, and counts the others', () => {
    const slot = new Slot();
    slot.open(1);
    slot.site.watcher?.look(numbers());
    slot.site.watcher?.look(numbers());
    slot.clock.nowMs += TAP_INTERVAL_MS;
    slot.taps.tell(slot.clock.nowMs, false);
    slot.site.watcher?.look(numbers());
    slot.taps.tell(slot.clock.nowMs, true);
    expect(slot.numbers).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
    expect([slot.total('passed'), slot.total('looked')]).toEqual([3 * ROWS, 10]);
  });

  it('tells the first that it sees at once, and what comes then together', () => {
    const slot = new Slot();
    slot.open(1);
    slot.taps.tell(slot.clock.nowMs, false);
    slot.clock.nowMs += 1;
    slot.site.watcher?.look(numbers());
    slot.taps.tell(slot.clock.nowMs, false);
    expect(slot.reports).toHaveLength(1);
    slot.clock.nowMs += 1;
    slot.site.watcher?.look(numbers());
    slot.taps.tell(slot.clock.nowMs, false);
    expect(slot.reports).toHaveLength(1);
    slot.clock.nowMs += TAP_TELL_MS;
    slot.taps.tell(slot.clock.nowMs, false);
    expect(slot.reports).toHaveLength(2);
  });

  it('looks no longer than its time for what a filter seldom lets through', () => {
    const slot = new Slot();
    const clock = slot.clock;
    let looks = 0;
    // Every look at the clock takes a millisecond.
    clock.monotonicMs = () => (looks += 1);
    slot.open(1, 'n = 999');
    for (let batch = 0; batch < 5; batch++) slot.site.watcher?.look(numbers());
    slot.taps.tell(1e9, true);
    expect(slot.numbers).toEqual([]);
    expect(slot.total('passed')).toBe(5 * ROWS);
    expect(slot.total('looked')).toBeLessThanOrEqual(3 * 64);
  });

  it('finds the rows that a filter lets through, also in a selection of rows', () => {
    const slot = new Slot();
    slot.open(1, 'n % 300 = 7');
    slot.site.watcher?.look(numbers());
    const selection = Int32Array.from({ length: 500 }, (_, index) => 999 - index);
    slot.site.watcher?.look({ ...numbers(), rows: 500, selection });
    slot.taps.tell(0, true);
    expect(slot.numbers).toEqual([7, 307, 607, 907, 907]);
  });

  it('shows what a batch holds now that was filled again', () => {
    const slot = new Slot();
    slot.open(1, 'n >= 500', 100);
    const batch = numbers();
    const other = builderOf(
      Array.from({ length: ROWS }, (_, n) => ({ n: 2 * n })),
      ROWS,
    ).take();
    slot.site.watcher?.look({ ...batch, rows: 503 });
    const filled = { ...batch, rows: 503 };
    slot.site.watcher?.look(filled);
    slot.site.watcher?.look(Object.assign(filled, { columns: other.columns, rows: 252 }));
    slot.taps.tell(0, true);
    expect(slot.numbers).toEqual([500, 501, 502, 500, 501, 502, 500, 502]);
  });

  it('looks at every row, wherever a look begins', () => {
    const slot = new Slot();
    slot.open(1, 'n % 64 = 0', 100);
    slot.site.watcher?.look(numbers());
    slot.taps.tell(0, true);
    expect(slot.numbers).toEqual(Array.from({ length: 16 }, (_, index) => index * 64));
    expect(slot.total('looked')).toBe(ROWS);
  });

  it('tells what is wrong with a filter once, and goes on counting', () => {
    const slot = new Slot();
    slot.open(1, 'm = 1');
    slot.site.watcher?.look(numbers());
    slot.site.watcher?.look(numbers());
    slot.taps.tell(0, true);
    expect(slot.reports.map(({ error }) => error?.code ?? null)).toEqual(['FIELD_UNKNOWN', null]);
    expect(slot.total('passed')).toBe(2 * ROWS);
  });

  it('leaves the place as it was when the last one is closed', () => {
    const slot = new Slot();
    slot.open(1);
    slot.open(1);
    slot.open(2, 'n = 1');
    slot.site.watcher?.look(numbers());
    slot.taps.tell(0, true);
    expect(slot.reports.map(({ tap, passed }) => [tap, passed])).toEqual([
      [1, ROWS],
      [2, ROWS],
    ]);
    slot.taps.take({ kind: 'close', tap: 1 });
    expect(slot.taps.isOpen).toBe(true);
    slot.taps.take({ kind: 'close', tap: 2 });
    expect([slot.taps.isOpen, slot.site.watcher]).toEqual([false, null]);
  });
});
