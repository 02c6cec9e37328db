/** Windowed aggregations in compiled chains against a model of what Flink's window operator does. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AggregateOperator } from '../../src/operator/aggregate-fields.js';
import type { ChainOperator } from '../../src/operator/chain-options.js';
import { col } from '../../src/operator/expression-builder.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import {
  batchOf,
  chainOf,
  line,
  MemorySnapshot,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

interface Step {
  readonly key: number;
  readonly value: number;
  readonly at: number;
  /** The watermark that follows the record; null for none. */
  readonly watermarkMs: number | null;
}

interface Windows {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
  readonly allowedLatenessMs: number | null;
}

interface Held {
  readonly key: number;
  readonly start: number;
  values: number[];
  isFired: boolean;
}

/** The model: every window of every key by itself, with all its values. */
function expectedOf(
  steps: readonly Step[],
  { sizeMs, slideMs, offsetMs, allowedLatenessMs }: Windows,
) {
  const results: unknown[] = [];
  const late: number[] = [];
  const held = new Map<string, Held>();
  const lateness = allowedLatenessMs ?? 0;
  let watermark = WATERMARK_MIN;
  const fire = ({ key, start, values }: Held, lateFiring: boolean): void => {
    const window = { key, windowStart: start, windowEnd: start + sizeMs };
    const flag = allowedLatenessMs === null ? {} : { lateFiring };
    const total = values.reduce((sum, value) => sum + value, 0);
    const different = new Set(values).size;
    const record = {
      ...window,
      ...flag,
      rows: values.length,
      total,
      least: Math.min(...values),
      mean: total / values.length,
      different,
    };
    results.push({ record, time: start + sizeMs - 1 });
  };
  const pass = (to: number): void => {
    watermark = Math.max(watermark, to);
    for (const [id, window] of held) {
      const last = window.start + sizeMs - 1;
      if (last <= watermark && !window.isFired) fire(window, false);
      if (last <= watermark) window.isFired = true;
      if (last + lateness <= watermark) held.delete(id);
    }
  };
  for (const { key, value, at, watermarkMs } of steps) {
    let isIn = false;
    const first = offsetMs + Math.floor((at - sizeMs - offsetMs) / slideMs) * slideMs;
    for (let start = first; start <= at; start += slideMs) {
      if (at >= start + sizeMs || start + sizeMs - 1 + lateness <= watermark) continue;
      isIn = true;
      const id = `${key}/${start}`;
      const isOver = start + sizeMs - 1 <= watermark;
      const window = held.get(id) ?? { key, start, values: [], isFired: isOver };
      held.set(id, window);
      window.values.push(value);
      if (isOver) fire(window, true);
    }
    if (!isIn && at + lateness <= watermark) late.push(value);
    if (watermarkMs !== null) pass(watermarkMs);
  }
  pass(WATERMARK_MAX);
  return { results, late };
}

const steps = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 3 }),
    value: fc.integer({ min: -5, max: 5 }),
    at: fc.integer({ min: -60, max: 120 }),
    watermarkMs: fc.option(fc.integer({ min: -60, max: 120 }), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);
const windows = fc.record({
  sizeMs: fc.integer({ min: 1, max: 40 }),
  slideMs: fc.integer({ min: 1, max: 40 }),
  offsetMs: fc.integer({ min: -50, max: 50 }),
  allowedLatenessMs: fc.option(fc.integer({ min: 0, max: 30 })),
});
const drives = fc.record({
  budgetRows: fc.constantFrom(1, 2, 1000),
  capacity: fc.constantFrom(1, 3, 100),
  isTwoPhase: fc.boolean(),
  hasTag: fc.boolean(),
  hasKey: fc.boolean(),
  /** Whether there is an aggregate for which windows are not made of panes. */
  hasDifferent: fc.boolean(),
  isBetween: fc.boolean(),
  isTiered: fc.boolean(),
  movesAfter: fc.option(fc.integer({ min: 0, max: 5 })),
});

const AGGREGATES = {
  rows: { fn: 'count' },
  total: { fn: 'sum', of: col('value') },
  least: { fn: 'min', of: col('value') },
  mean: { fn: 'avg', of: col('value') },
} as const;
const DIFFERENT = { different: { fn: 'countDistinct', of: col('value') } } as const;

function sorted(list: readonly unknown[]): readonly string[] {
  return list.map((item) => JSON.stringify(item)).toSorted();
}

interface Drive {
  readonly budgetRows: number;
  readonly capacity: number;
  /** Whether records come in between two slices of firing, where the chain admits them. */
  readonly isBetween: boolean;
  /** Whether state leaves memory whenever it may; after a move it is the other way round. */
  readonly isTiered: boolean;
  /** After how many slices the state moves to a new instance; null for never. */
  readonly movesAfter: number | null;
}

/** Entries for which a call of `advance` fires at most, as a part of what it may for a row. */
const SLICE_ROWS = 1 / 8;

/** What a chain gives for steps: results with their times, values that were late, and how many were counted as such. */
function given(
  all: readonly Step[],
  operators: readonly ChainOperator[],
  hasTag: boolean,
  { budgetRows, capacity, isBetween, isTiered, movesAfter }: Drive,
) {
  const outputs = hasTag ? [{ after: 0 }, { after: 1 }] : [{ after: operators.length - 1 }];
  const parts = { operators, outputs, capacity, preAggregateKeysMax: 3 };
  let chain = chainOf({ ...parts, isTiered });
  let counted = 0;
  let slices = 0;
  let between = 0;
  const left = [...all];
  // The newest watermark of the input, and the one that has been taken by the chain.
  let newest = WATERMARK_MIN;
  let passed = WATERMARK_MIN;
  const batchOfNext = () => {
    const [{ watermarkMs: _watermarkMs, ...record }] = left;
    return batchOf([record], { times: [record.at] });
  };
  const take = (): void => {
    const batch = batchOfNext();
    untilDone((cursor) => chain.task.step(0, batch, cursor, budgetRows));
    newest = Math.max(newest, left.shift()?.watermarkMs ?? WATERMARK_MIN);
  };
  const move = (): void => {
    untilDone(() => (chain.task.flush() ? 0 : 1));
    untilDone((cursor) => chain.task.prepareBarrier(cursor, budgetRows));
    untilDone(() => (chain.task.flush() ? 0 : 1));
    const snapshot = new MemorySnapshot();
    chain.task.snapshot(snapshot);
    chain.task.close();
    counted += chain.late.records;
    chain = chainOf({ ...parts, isTiered: !isTiered, from: chain });
    chain.task.restore(snapshot);
  };
  const pass = (): void => {
    const toMs = newest;
    let cursor = { position: 0 };
    while (chain.task.advance(toMs, cursor, isBetween ? SLICE_ROWS : budgetRows) !== 0) {
      const isOpen = isBetween && left.length > 0 && chain.task.isBetweenSlices;
      if (isOpen && chain.task.admits(0, batchOfNext(), newest)) {
        take();
        between++;
      }
      if (slices++ !== movesAfter) continue;
      move();
      cursor = { position: 0 };
    }
    passed = toMs;
  };
  while (left.length > 0) {
    take();
    while (newest > passed) pass();
  }
  newest = WATERMARK_MAX;
  pass();
  untilDone((cursor) => chain.task.endOfInput(cursor, budgetRows));
  untilDone(() => (chain.task.flush() ? 0 : 1));
  chain.task.close();
  return {
    results: chain.ports[0].left.map(({ record, time }) => ({ record, time })),
    late: hasTag ? chain.ports[1].left.map(({ record }) => (record as Step).value) : [],
    counted: counted + chain.late.records,
    between,
  };
}

/** Results without some of their fields. */
function without(results: readonly unknown[], fields: readonly string[]): readonly unknown[] {
  const left = (name: string, value: unknown): unknown =>
    fields.includes(name) ? undefined : value;
  return results.map((result): unknown => JSON.parse(JSON.stringify(result, left)));
}

/** The chain of one aggregation, with a side output of late records. */
function alone(spec: AggregateOperator, hasTag: boolean): readonly ChainOperator[] {
  const side = hasTag ? [{ spec: op.sideOutput('late'), input: 0 }] : [];
  return [{ spec, input: -1 }, ...side];
}

it('give what a model of each window by itself gives, however they are driven', () => {
  let between = 0;
  fc.assert(
    fc.property(steps, windows, drives, (all, grid, drive) => {
      const { hasKey, hasTag } = drive;
      const isTwoPhase = drive.isTwoPhase && grid.allowedLatenessMs === null && !hasTag;
      const keyed = hasKey ? all : all.map((step) => ({ ...step, key: 0 }));
      const hasDifferent = drive.hasDifferent && !isTwoPhase;
      const aggregates = hasDifferent ? { ...AGGREGATES, ...DIFFERENT } : AGGREGATES;
      const keys = hasKey ? ['key'] : [];
      const window = op.window(keys, aggregates, { ...grid, lateTag: hasTag ? 'late' : null });
      const operators = isTwoPhase
        ? line({ ...window, phase: 'partial' }, { ...window, phase: 'merge' })
        : alone(window, hasTag);
      const found = given(keyed, operators, hasTag, drive);
      const expected = expectedOf(keyed, grid);
      const absent = [...(hasKey ? [] : ['key']), ...(hasDifferent ? [] : ['different'])];
      expect(sorted(found.results)).toEqual(sorted(without(expected.results, absent)));
      expect(found.counted).toBe(expected.late.length);
      between += found.between;
      if (hasTag) expect(found.late.toSorted()).toEqual(expected.late.toSorted());
    }),
    { numRuns: 150 },
  );
  expect(between).toBeGreaterThan(0);
});

interface Session {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
  isPending: boolean;
}

/** The model of sessions: all of them in a list, merged by looking at each. */
function sessionsOf(all: readonly Step[], gapMs: number, allowedLatenessMs: number | null) {
  const results: unknown[] = [];
  const late: number[] = [];
  const lateness = allowedLatenessMs ?? 0;
  let held: Session[] = [];
  let watermark = WATERMARK_MIN;
  const fire = ({ key, start, end, values }: Session, lateFiring: boolean): void => {
    const flag = allowedLatenessMs === null ? {} : { lateFiring };
    const total = values.reduce((sum, value) => sum + value, 0);
    const [rows, least, mean] = [values.length, Math.min(...values), total / values.length];
    const record = { key, windowStart: start, windowEnd: end, ...flag, rows, total, least, mean };
    results.push({ record, time: end - 1 });
  };
  const pass = (to: number): void => {
    watermark = Math.max(watermark, to);
    for (const session of held) {
      if (!session.isPending || session.end - 1 > watermark) continue;
      session.isPending = false;
      fire(session, false);
    }
    held = held.filter(({ end }) => end - 1 + lateness > watermark);
  };
  for (const { key, value, at, watermarkMs } of all) {
    const met = held.filter((one) => one.key === key && one.start <= at + gapMs && one.end >= at);
    const start = Math.min(at, ...met.map((one) => one.start));
    const end = Math.max(at + gapMs, ...met.map((one) => one.end));
    if (end - 1 + lateness <= watermark) {
      late.push(value);
    } else {
      const values = [...met.flatMap((one) => one.values), value];
      const made = { key, start, end, values, isPending: end - 1 > watermark };
      held = [...held.filter((one) => !met.includes(one)), made];
      if (!made.isPending) fire(made, true);
    }
    if (watermarkMs !== null) pass(watermarkMs);
  }
  pass(WATERMARK_MAX);
  return { results, late };
}

it('of sessions give what a model of all sessions in a list gives', () => {
  let between = 0;
  const gaps = fc.integer({ min: 1, max: 25 });
  const latenesses = fc.option(fc.integer({ min: 0, max: 40 }));
  fc.assert(
    fc.property(steps, gaps, latenesses, drives, (all, gapMs, allowedLatenessMs, drive) => {
      const { hasKey, hasTag } = drive;
      const keyed = hasKey ? all : all.map((step) => ({ ...step, key: 0 }));
      const lateTag = hasTag ? 'late' : null;
      const rules = { gapMs, allowedLatenessMs, lateTag };
      const spec = op.sessions(hasKey ? ['key'] : [], AGGREGATES, rules);
      const found = given(keyed, alone(spec, hasTag), hasTag, drive);
      const expected = sessionsOf(keyed, gapMs, allowedLatenessMs);
      const absent = hasKey ? [] : ['key'];
      expect(sorted(found.results)).toEqual(sorted(without(expected.results, absent)));
      expect(found.counted).toBe(expected.late.length);
      between += found.between;
      if (hasTag) expect(found.late.toSorted()).toEqual(expected.late.toSorted());
    }),
    { numRuns: 150 },
  );
  expect(between).toBeGreaterThan(0);
});
