/**
 * Joins and co-groups in windows against a model that keeps all windows in a list: chains fed with random watermarks
 * and lateness, all orders of small inputs, and whole jobs where sides and subtasks interleave as they like.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collectSink,
  job,
  run,
  session,
  sliding,
  tumbling,
  type Windows,
} from '../../src/index.js';
import type { JoinType } from '../../src/operator/join/regular-join.js';
import { pairsOf, type WindowCoGroup, windowCoGroup } from '../../src/operator/join/window-join.js';
import {
  alignedAssigner,
  globalAssigner,
  sessionAssigner,
  type WindowAssigner,
} from '../../src/operator/window/assigner.js';
import { countEvictor } from '../../src/operator/window/evictor.js';
import { countTrigger, purgingTrigger } from '../../src/operator/window/trigger.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import { driveSides, permutations, type Side, type Step } from './two-sided-chain.js';

interface Row {
  readonly id: number;
  readonly key: number;
  readonly at: number;
  readonly gap: number;
}
type RowStep = Step<Row>;

/** What a firing of a window gives: the ids of both sides in it, and whether it is one for a late record. */
interface Group {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly lefts: readonly number[];
  readonly rights: readonly number[];
  readonly isLate: boolean;
}

interface Held extends Group {
  isPending: boolean;
}

// The model -----------------------------------------------------------------------------------------------------------

/** Windows of event time with their own trigger. */
function groupsOf(
  steps: readonly RowStep[],
  { assign, merges }: WindowAssigner<Row>,
  lateness: number,
) {
  const groups: Group[] = [];
  const late: number[] = [];
  let held: Held[] = [];
  let watermark = WATERMARK_MIN;
  const fire = ({ isPending: _, ...group }: Held, isLate: boolean): void => {
    groups.push({ ...group, isLate });
  };
  const pass = (to: number): void => {
    watermark = Math.max(watermark, to);
    for (const window of held) {
      if (window.isPending && window.end - 1 <= watermark) {
        window.isPending = false;
        fire(window, false);
      }
    }
    held = held.filter(({ end }) => end - 1 + lateness > watermark);
  };
  for (const { row, side, watermarkMs } of steps) {
    const { id, key, at } = row;
    let isIn = false;
    for (const window of assign(row, at)) {
      const met = held.filter((one) => {
        if (one.key !== key) return false;
        if (!merges) return one.start === window.start && one.end === window.end;
        return one.start <= window.end && one.end >= window.start;
      });
      const start = Math.min(window.start, ...met.map((one) => one.start));
      const end = Math.max(window.end, ...met.map((one) => one.end));
      if (end - 1 + lateness <= watermark) continue;
      isIn = true;
      const lefts = [...met.flatMap((one) => one.lefts), ...(side === 0 ? [id] : [])];
      const rights = [...met.flatMap((one) => one.rights), ...(side === 1 ? [id] : [])];
      const isOver = end - 1 <= watermark;
      const made = { key, start, end, lefts, rights, isLate: false, isPending: !isOver };
      held = [...held.filter((one) => !met.includes(one)), made];
      if (isOver) fire(made, true);
    }
    if (!isIn && at + lateness <= watermark) late.push(id);
    if (watermarkMs !== null) pass(watermarkMs);
  }
  pass(WATERMARK_MAX);
  return { groups, late: late.toSorted((a, b) => a - b) };
}

interface Pair {
  readonly left: number | null;
  readonly right: number | null;
  readonly end: number;
}

/** The pairs of each firing; of outer joins also the records that are alone in it. */
function pairsIn(groups: readonly Group[], type: JoinType): readonly Pair[] {
  return groups.flatMap(({ lefts, rights, end }): Pair[] => {
    if (rights.length === 0 && (type === 'left' || type === 'full')) {
      return lefts.map((left) => ({ left, right: null, end }));
    }
    if (lefts.length === 0 && (type === 'right' || type === 'full')) {
      return rights.map((right) => ({ left: null, right, end }));
    }
    return lefts.flatMap((left) => rights.map((right) => ({ left, right, end })));
  });
}

// The chains ----------------------------------------------------------------------------------------------------------

const idOf = (row: unknown): number | null => (row as Row | null)?.id ?? null;
const idsOf = (rows: readonly unknown[]): readonly number[] => rows.map((row) => (row as Row).id);
const asGroup: WindowCoGroup['apply'] = (lefts, rights, { key, window, isLateFiring }) => [
  {
    key: (key as { readonly key: number }).key,
    ...window,
    lefts: idsOf(lefts),
    rights: idsOf(rights),
    isLate: isLateFiring,
  },
];
const asPairs = (type: JoinType) =>
  pairsOf(type, (left, right, { window }) => ({
    left: idOf(left),
    right: idOf(right),
    end: window.end,
  }));

interface Drive {
  readonly parallelism: number;
  readonly frameRows: number;
  readonly budgetRows: number;
}

/** What a chain gives for steps: results with the last instant of their window as event time, and late records. */
function given<Result extends object>(
  steps: readonly RowStep[],
  parts: Partial<WindowCoGroup> & Pick<WindowCoGroup, 'assigner' | 'apply'>,
  drive: Drive,
) {
  const late = { id: 'late' };
  const open = windowCoGroup({
    trigger: parts.assigner.defaultTrigger(),
    evictor: null,
    allowedLatenessMs: 0,
    lateTags: [late, late],
    ...parts,
  });
  const [results, aside] = driveSides(steps, open, { ...drive, tags: ['late'] });
  const all = results.map(({ record, time }) => ({ result: record as Result, time }));
  return { all, late: idsOf(aside.map(({ record }) => record)).toSorted((a, b) => a - b) };
}

function texts(all: readonly object[], isOrdered = true): readonly string[] {
  const sorted = (_name: string, value: unknown): unknown =>
    !isOrdered && Array.isArray(value) ? value.toSorted() : value;
  return all.map((one) => JSON.stringify(one, sorted)).toSorted();
}

function matches(
  assigner: WindowAssigner<Row>,
  steps: readonly RowStep[],
  { allowedLatenessMs, type }: { readonly allowedLatenessMs: number; readonly type: JoinType },
  drive: Drive,
): void {
  const expected = groupsOf(steps, assigner, allowedLatenessMs);
  const parts = { assigner: assigner as WindowAssigner<unknown>, allowedLatenessMs };
  const grouped = given<Group>(steps, { ...parts, apply: asGroup }, drive);
  for (const { result, time } of grouped.all) expect(time).toBe(result.end - 1);
  // Merged records have no order of their own.
  const isOrdered = !assigner.merges;
  const found = grouped.all.map(({ result }) => result);
  expect(texts(found, isOrdered)).toEqual(texts(expected.groups, isOrdered));
  expect(grouped.late).toEqual(expected.late);
  const joined = given<Pair>(steps, { ...parts, apply: asPairs(type) }, drive);
  for (const { result, time } of joined.all) expect(time).toBe(result.end - 1);
  expect(texts(joined.all.map(({ result }) => result))).toEqual(
    texts(pairsIn(expected.groups, type)),
  );
}

const TYPES: readonly JoinType[] = ['inner', 'left', 'right', 'full'];
const anySteps = (rowsMax: number) =>
  fc
    .array(
      fc.record({
        key: fc.nat(2),
        at: fc.integer({ min: -40, max: 80 }),
        gap: fc.integer({ min: 1, max: 15 }),
        side: fc.constantFrom<Side>(0, 1),
        watermarkMs: fc.option(fc.integer({ min: -40, max: 80 }), { nil: null, freq: 3 }),
      }),
      { minLength: 1, maxLength: rowsMax },
    )
    .map((all): readonly RowStep[] => {
      let highest = WATERMARK_MIN;
      return all.map(({ side, watermarkMs, ...row }, id) => {
        if (watermarkMs !== null) highest = Math.max(highest, watermarkMs);
        return { row: { id, ...row }, side, watermarkMs: watermarkMs === null ? null : highest };
      });
    });
const drives = fc.record({
  parallelism: fc.integer({ min: 1, max: 3 }),
  frameRows: fc.constantFrom(1, 2, 64),
  budgetRows: fc.constantFrom(1, 2, 1000),
});
const kinds = fc.record({
  allowedLatenessMs: fc.integer({ min: 0, max: 25 }),
  type: fc.constantFrom(...TYPES),
});
const size = fc.integer({ min: 1, max: 30 });

describe('a window join gives what the model gives', () => {
  it('in windows of one size', () => {
    const property = fc.property(
      anySteps(25),
      size,
      size,
      kinds,
      drives,
      (steps, sizeMs, slideMs, kind, drive) => {
        matches(alignedAssigner({ sizeMs, slideMs, offsetMs: 3 }, 'event'), steps, kind, drive);
      },
    );
    fc.assert(property, { numRuns: 50 });
  });

  it('in sessions of both sides, with a gap per record', () => {
    const assigner = sessionAssigner<Row>(({ gap }) => gap, 'event');
    const property = fc.property(anySteps(25), kinds, drives, (steps, kind, drive) => {
      matches(assigner, steps, kind, drive);
    });
    fc.assert(property, { numRuns: 80 });
  });

  it('for all orders and sides of four records, and a watermark after each', () => {
    const assigners = [
      sessionAssigner<Row>(() => 2, 'event'),
      alignedAssigner({ sizeMs: 4, slideMs: 4, offsetMs: 0 }, 'event'),
    ];
    const orders = permutations([0, 2, 4, 7]);
    // One case after the other, each with a key and a time of its own.
    const steps = orders.flatMap((order) =>
      Array.from({ length: 16 }, (_, sides) => sides).flatMap((sides) => {
        const key = orders.indexOf(order) * 16 + sides;
        const after = (key >> 2) & 3;
        return order.map((at, index) => ({
          row: { id: 4 * key + index, key, at: 100 * key + at, gap: 2 },
          side: ((sides >> index) & 1) as Side,
          watermarkMs: index === after ? 100 * key + [1, 3, 5, 8][key % 4] : null,
        }));
      }),
    );
    const drive = { parallelism: 1, frameRows: 1, budgetRows: 2 };
    for (const assigner of assigners) {
      matches(assigner, steps, { allowedLatenessMs: 0, type: 'full' }, drive);
      matches(assigner, steps, { allowedLatenessMs: 3, type: 'left' }, drive);
    }
  });
});

it('triggers and evictors see the records of both sides in order of arrival', () => {
  const property = fc.property(anySteps(25), drives, fc.boolean(), (steps, drive, purges) => {
    // One window of each key, which fires for every third record; of those that it holds the last four stay.
    const expected: object[] = [];
    const seen = new Map<number, readonly RowStep[]>();
    for (const [index, step] of steps.entries()) {
      const { key } = step.row;
      const all = [...(seen.get(key) ?? []), step];
      seen.set(key, all);
      const count = steps.slice(0, index + 1).filter(({ row }) => row.key === key).length;
      if (count % 3 !== 0) continue;
      const kept = all.slice(-4);
      seen.set(key, purges ? [] : kept);
      const of = (which: Side) =>
        idsOf(kept.filter(({ side }) => side === which).map((s) => s.row));
      expected.push({ key, lefts: of(0), rights: of(1) });
    }
    const trigger = purges ? purgingTrigger(countTrigger(3)) : countTrigger(3);
    const evictor = countEvictor(4);
    const apply: WindowCoGroup['apply'] = (lefts, rights, { key }) => [
      { ...(key as object), lefts: idsOf(lefts), rights: idsOf(rights) },
    ];
    const found = given(steps, { assigner: globalAssigner(), trigger, evictor, apply }, drive);
    expect(texts(found.all.map(({ result }) => result))).toEqual(texts(expected));
    expect(found.late).toEqual([]);
  });
  fc.assert(property, { numRuns: 100 });
});

// Whole jobs ----------------------------------------------------------------------------------------------------------

it('jobs give the same at every parallelism, whatever the size of their batches', async () => {
  const property = fc.asyncProperty(
    anySteps(60),
    fc.constantFrom(...TYPES),
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom(1, 3, 1024),
    async (steps, type, parallelism, batchRows) => {
      const windows: readonly Windows<Row>[] = [tumbling(20), sliding(30, 10), session<Row>(5)];
      const sinks = windows.map(() => collectSink<Pair>());
      const definition = job('window joins', (flow) => {
        const [lefts, rights] = ([0, 1] as const).map((which) =>
          flow
            .from(steps.filter(({ side }) => side === which).map(({ row }) => row))
            // Nothing is late, so the order of arrival does not show.
            .assignTimestamps('at', { outOfOrderness: 1000 })
            .keyBy('key'),
        );
        windows.forEach((each, at) => {
          lefts
            .join(rights, { type })
            .window(each)
            .apply((left, right, { window }) => ({
              left: idOf(left),
              right: idOf(right),
              end: window.end,
            }))
            .to(sinks[at]);
        });
      });
      const settings = { 'exchange.batchRows': batchRows };
      await run(definition, { parallelism, runtime: 'in-thread', settings });
      const inTime = steps.map((step) => ({ ...step, watermarkMs: null }));
      windows.forEach((each, at) => {
        const assigner =
          each.kind === 'aligned' ? alignedAssigner(each.grid, 'event') : each.assigner;
        const { groups } = groupsOf(inTime, assigner, 0);
        expect(texts(sinks[at].rows)).toEqual(texts(pairsIn(groups, type)));
      });
    },
  );
  await fc.assert(property, { numRuns: 30 });
});
