/** The general window operator against models: sessions that merge, lateness, counts, evictors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col } from '../../src/operator/expression-builder.js';
import type { Aggregation, UserAggregator } from '../../src/operator/operator-spec.js';
import { outputTag } from '../../src/operator/process-function.js';
import {
  openWindows,
  type WindowOperatorParts,
} from '../../src/operator/window/window-operator.js';
import {
  alignedAssigner,
  globalAssigner,
  sessionAssigner,
  type WindowAssigner,
} from '../../src/operator/window/assigner.js';
import {
  countEvictor,
  deltaEvictor,
  type Evictor,
  timeEvictor,
} from '../../src/operator/window/evictor.js';
import {
  continuousEventTimeTrigger,
  countTrigger,
  deltaTrigger,
  purgingTrigger,
  type Trigger,
} from '../../src/operator/window/trigger.js';
import { GLOBAL_WINDOW } from '../../src/operator/window/window.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import {
  aggregatesOf,
  batchOf,
  chainOf,
  line,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

interface Step {
  readonly key: number;
  readonly value: number;
  readonly at: number;
  readonly gap: number;
  readonly watermarkMs: number | null;
}

interface Result {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
  readonly isLate: boolean;
}

interface Held {
  readonly key: number;
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
  isPending: boolean;
}

type Assign = (step: Step) => readonly { readonly start: number; readonly end: number }[];

/** The model of event-time windows with their own trigger: all windows in a list, merged by looking at all of them. */
function modelOf(steps: readonly Step[], assign: Assign, merges: boolean, lateness: number) {
  const results: Result[] = [];
  const late: number[] = [];
  let held: Held[] = [];
  let watermark = WATERMARK_MIN;
  const fire = ({ key, start, end, values }: Held, isLate: boolean): void => {
    results.push({ key, start, end, values, isLate });
  };
  const pass = (to: number): void => {
    watermark = Math.max(watermark, to);
    for (const window of held.toSorted((a, b) => a.end - b.end)) {
      if (window.isPending && window.end - 1 <= watermark) {
        window.isPending = false;
        fire(window, false);
      }
    }
    held = held.filter(({ end }) => end - 1 + lateness > watermark);
  };
  for (const step of steps) {
    const { key, value, at, watermarkMs } = step;
    let isIn = false;
    for (const window of assign(step)) {
      const met = held.filter((one) => {
        if (one.key !== key) return false;
        if (!merges) return one.start === window.start && one.end === window.end;
        return one.start <= window.end && one.end >= window.start;
      });
      const start = Math.min(window.start, ...met.map((one) => one.start));
      const end = Math.max(window.end, ...met.map((one) => one.end));
      if (end - 1 + lateness <= watermark) continue;
      isIn = true;
      const values = [...met.flatMap((one) => [...one.values]), value];
      const isOver = end - 1 <= watermark;
      const made = { key, start, end, values, isPending: !isOver };
      held = [...held.filter((one) => !met.includes(one)), made];
      if (isOver) fire(made, true);
    }
    if (!isIn && at + lateness <= watermark) late.push(value);
    if (watermarkMs !== null) pass(watermarkMs);
  }
  pass(WATERMARK_MAX);
  return { results, late };
}

const LATE = outputTag<Step>('late');

/** How a chain is driven, and with which windows. */
interface Windows {
  readonly assigner: WindowAssigner<Step>;
  readonly allowedLatenessMs: number;
  readonly trigger?: Trigger<Step>;
  readonly evictor?: Evictor<Step>;
}

/** What the operator gives for steps, by a chain that is driven with a budget and outputs of some size. */
function given(
  steps: readonly Step[],
  parts: Windows,
  drive: { readonly budgetRows: number; readonly capacity: number },
) {
  return driven<Result>(steps, parts, drive, {
    fold: null,
    fn: (records: readonly Step[], { key, window, isLateFiring, collect }) =>
      collect({
        key: (key as { readonly key: number }).key,
        start: window.start,
        end: window.end,
        values: records.map(({ value }) => value),
        isLate: isLateFiring,
      }),
  });
}

function driven<R extends object>(
  steps: readonly Step[],
  parts: Windows,
  drive: { readonly budgetRows: number; readonly capacity: number },
  made: Pick<WindowOperatorParts<Step, never, R>, 'fold' | 'fn'>,
) {
  const { fold } = made;
  const process = op.process<Step, R>(['key'], (context) =>
    openWindows<Step, never, R>(
      {
        trigger: parts.assigner.defaultTrigger(),
        evictor: null,
        lateTag: LATE,
        ...made,
        ...parts,
      },
      context,
    ),
  );
  const isAggregated = fold !== null && 'aggregates' in fold;
  const spec = isAggregated ? { ...process, aggregation: fold } : process;
  const operators = [...line(spec), { spec: op.sideOutput('late'), input: 0 }];
  const outputs = [{ after: 0 }, { after: 1 }];
  const { task, ports } = chainOf({ operators, outputs, capacity: drive.capacity });
  let watermark = WATERMARK_MIN;
  const pass = (toMs: number): void => {
    watermark = Math.max(watermark, toMs);
    untilDone((cursor) => task.advance(watermark, cursor, drive.budgetRows));
  };
  for (const { watermarkMs, ...record } of steps) {
    const batch = batchOf([record], { times: [record.at] });
    untilDone((cursor) => task.step(0, batch, cursor, drive.budgetRows));
    if (watermarkMs !== null) pass(watermarkMs);
  }
  pass(WATERMARK_MAX);
  untilDone((cursor) => task.endOfInput(cursor, drive.budgetRows));
  untilDone(() => (task.flush() ? 0 : 1));
  task.close();
  for (const { record, time } of ports[0].left) {
    const end: unknown = Reflect.get(record as R, fold === null ? 'end' : 'windowEnd');
    if (Number.isFinite(end)) expect(time).toBe(Number(end) - 1);
  }
  return {
    results: ports[0].left.map(({ record }) => record as R),
    late: ports[1].left.map(({ record }) => (record as Step).value),
  };
}

/** The results of each key in order; values that were merged have no order of their own. */
function byKey(results: readonly Result[], isOrdered: boolean): readonly string[] {
  return results
    .map((result) => (isOrdered ? result : { ...result, values: result.values.toSorted() }))
    .map((result) => JSON.stringify(result))
    .toSorted();
}

const steps = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 2 }),
    value: fc.integer({ min: 0, max: 9 }),
    at: fc.integer({ min: -40, max: 80 }),
    gap: fc.integer({ min: 1, max: 15 }),
    watermarkMs: fc.option(fc.integer({ min: -40, max: 80 }), { freq: 3 }),
  }),
  { minLength: 1, maxLength: 30 },
);
const drives = fc.record({
  budgetRows: fc.constantFrom(1, 2, 1000),
  capacity: fc.constantFrom(1, 3, 100),
});
const lateness = fc.integer({ min: 0, max: 25 });

/** Compares the operator with the model of its assigner. */
function matches(
  assigner: WindowAssigner<Step>,
  all: readonly Step[],
  latenessMs: number,
  drive: { readonly budgetRows: number; readonly capacity: number },
): void {
  const expected = modelOf(
    all,
    (step) => [...assigner.assign(step, step.at)],
    assigner.merges,
    latenessMs,
  );
  const found = given(all, { assigner, allowedLatenessMs: latenessMs }, drive);
  expect(byKey(found.results, !assigner.merges)).toEqual(byKey(expected.results, !assigner.merges));
  expect(found.late.toSorted()).toEqual(expected.late.toSorted());
}

describe('windows by event time give what the model gives', () => {
  it('of one size', () => {
    const sizes = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(steps, sizes, sizes, lateness, drives, (all, sizeMs, slideMs, late, drive) => {
        matches(alignedAssigner({ sizeMs, slideMs, offsetMs: 3 }, 'event'), all, late, drive);
      }),
      { numRuns: 100 },
    );
  });

  it('of sessions with a gap', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        lateness,
        drives,
        (all, gap, late, drive) => {
          matches(
            sessionAssigner(() => gap, 'event'),
            all,
            late,
            drive,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of sessions with a gap per record', () => {
    fc.assert(
      fc.property(steps, lateness, drives, (all, late, drive) => {
        matches(
          sessionAssigner<Step>(({ gap }) => gap, 'event'),
          all,
          late,
          drive,
        );
      }),
      { numRuns: 200 },
    );
  });

  it('of all small inputs of sessions, in every order', () => {
    const times = [0, 2, 4, 7];
    const orders = (rest: readonly number[]): number[][] =>
      rest.length === 0
        ? [[]]
        : rest.flatMap((one) =>
            orders(rest.filter((other) => other !== one)).map((tail) => [one, ...tail]),
          );
    for (const order of orders(times)) {
      for (const watermarkMs of [1, 3, 5, 8]) {
        for (let after = 0; after < order.length; after++) {
          const all = order.map((at, index) => ({
            key: 0,
            value: at,
            at,
            gap: 2,
            watermarkMs: index === after ? watermarkMs : null,
          }));
          for (const late of [0, 3]) {
            matches(
              sessionAssigner(() => 2, 'event'),
              all,
              late,
              { budgetRows: 2, capacity: 2 },
            );
          }
        }
      }
    }
  });
});

/** Values of each key in order of arrival, and what a function of their prefix makes of them. */
function perKey(
  all: readonly Step[],
  resultOf: (values: readonly Step[]) => readonly Step[] | null,
): readonly string[] {
  const seen = new Map<number, Step[]>();
  const results: string[] = [];
  for (const step of all) {
    const values = seen.get(step.key) ?? [];
    seen.set(step.key, [...values, step]);
    const result = resultOf([...values, step]);
    if (result !== null) {
      results.push(JSON.stringify([step.key, result.map(({ value }) => value)]));
    }
  }
  return results;
}

const CASES: readonly {
  readonly name: string;
  readonly trigger: Trigger<Step>;
  readonly evictor?: Evictor<Step>;
  readonly resultOf: (seen: readonly Step[]) => readonly Step[] | null;
}[] = [
  {
    name: 'a purging count trigger',
    trigger: purgingTrigger(countTrigger(3)),
    resultOf: (seen: readonly Step[]) => (seen.length % 3 === 0 ? seen.slice(-3) : null),
  },
  {
    name: 'a count trigger with a count evictor',
    trigger: countTrigger(2),
    evictor: countEvictor(3),
    resultOf: (seen: readonly Step[]) => (seen.length % 2 === 0 ? seen.slice(-3) : null),
  },
  {
    name: 'a time evictor',
    trigger: countTrigger(1),
    evictor: timeEvictor(20),
    resultOf: (seen: readonly Step[]) => {
      let kept: Step[] = [];
      for (const step of seen) {
        const latest = Math.max(...[...kept, step].map(({ at }) => at));
        kept = [...kept, step].filter(({ at }) => at > latest - 20);
      }
      return kept;
    },
  },
  {
    name: 'a delta evictor that acts after the function',
    trigger: countTrigger(1),
    evictor: deltaEvictor<Step>(4, (a, b) => Math.abs(a.value - b.value), { after: true }),
    resultOf: (seen: readonly Step[]) => {
      let kept: Step[] = [];
      let shown: readonly Step[] = [];
      for (const step of seen) {
        shown = [...kept, step];
        kept = shown.filter(({ value }) => Math.abs(value - step.value) < 4);
      }
      return shown;
    },
  },
  {
    name: 'a delta trigger',
    trigger: deltaTrigger<Step>(3, (last, step) => Math.abs(step.value - last.value)),
    resultOf: (seen: readonly Step[]) => {
      let last = seen[0];
      let isFired = false;
      for (const step of seen) {
        isFired = Math.abs(step.value - last.value) > 3;
        if (isFired) last = step;
      }
      return isFired ? seen : null;
    },
  },
];

describe('windows of all time give what a loop over the records gives', () => {
  for (const { name, trigger, evictor, resultOf } of CASES) {
    it(`with ${name}`, () => {
      fc.assert(
        fc.property(steps, drives, (all, drive) => {
          const parts = {
            assigner: globalAssigner(),
            allowedLatenessMs: 0,
            trigger,
            ...(evictor === undefined ? {} : { evictor }),
          };
          const found = given(all, parts, drive).results.map(({ key, values }) =>
            JSON.stringify([key, values]),
          );
          expect(found).toEqual(perKey(all, resultOf));
        }),
        { numRuns: 60 },
      );
    });
  }

  it('at every multiple of an interval, with a continuous trigger', () => {
    const at = (time: number, watermarkMs: number | null): Step => ({
      key: 0,
      value: time,
      at: time,
      gap: 1,
      watermarkMs,
    });
    const assigner = alignedAssigner({ sizeMs: 100, slideMs: 100, offsetMs: 0 }, 'event');
    const trigger = continuousEventTimeTrigger(30);
    const all = [at(5, 10), at(12, 31), at(40, 59), at(41, 60), at(70, 98), at(71, null)];
    const found = given(
      all,
      { assigner, trigger, allowedLatenessMs: 0 },
      { budgetRows: 9, capacity: 9 },
    );
    expect(found.results.map(({ values }) => values)).toEqual([
      [5, 12],
      [5, 12, 40, 41],
      [5, 12, 40, 41, 70],
      [5, 12, 40, 41, 70, 71],
    ]);
  });
});

const aggregator = {
  create: () => ({ text: '' }),
  add(state: { text: string }, { value }: Step) {
    state.text += String(value);
  },
  merge: (left: { text: string }, right: { text: string }) => ({ text: left.text + right.text }),
  result: ({ text }: { text: string }) => text,
};
const value = col('value');
const AGGREGATION: Aggregation = {
  name: 'aggregate',
  keys: ['key'],
  phase: 'single',
  window: { allowedLatenessMs: 0 },
  aggregates: aggregatesOf({
    rows: { fn: 'count' },
    some: { fn: 'count', filter: value.gt(4) },
    double: { fn: 'sum', of: value.mul(2).add(1), filter: value.lt(8) },
    tenths: { fn: 'sum', of: value.mul(0.1), exact: true },
    mean: { fn: 'avg', of: value, filter: value.ne(3) },
    least: { fn: 'min', of: value.mul(-1), filter: value.gt(1) },
    most: { fn: 'max', of: value.cast('utf8') },
    big: { fn: 'sum', of: value.cast('int64') },
    kinds: { fn: 'countDistinct', of: value.mod(4), filter: value.gt(0) },
    first: { fn: 'first', of: value.add(1) },
    last: { fn: 'last', of: value, filter: value.gt(5) },
    high: { fn: 'collect', of: value.cast('utf8'), filter: value.gt(2) },
    text: aggregator as UserAggregator,
  }),
};

/** What the aggregates are of values, by their definition. */
function aggregated(values: readonly number[]): object {
  const orNull = <R>(some: readonly number[], of: () => R): R | null =>
    some.length === 0 ? null : of();
  const sumOf = (some: readonly number[]) => some.reduce((sum, one) => sum + one, 0);
  const [low, high, other] = [
    values.filter((one) => one < 8),
    values.filter((one) => one > 1),
    values.filter((one) => one !== 3),
  ];
  // Tenths are multiples of 2^-60.
  const tenths = values.reduce((sum, one) => sum + BigInt(one * 0.1 * 2 ** 60), 0n);
  return {
    rows: values.length,
    some: values.filter((one) => one > 4).length,
    double: orNull(low, () => sumOf(low.map((one) => 2 * one + 1))),
    tenths: Number(tenths) / 2 ** 60,
    mean: orNull(other, () => sumOf(other) / other.length),
    least: orNull(high, () => Math.min(...high.map((one) => -one))),
    most: String(Math.max(...values)),
    big: BigInt(sumOf(values)),
    kinds: new Set(values.filter((one) => one > 0).map((one) => one % 4)).size,
    first: values[0] + 1,
    last: values.findLast((one) => one > 5) ?? null,
    high: values.filter((one) => one > 2).map(String),
    text: values.join(''),
  };
}

/** Aggregates that do not tell the order of what was merged. */
function unordered({ first: _first, last: _last, high, text, ...others }: Aggregated): object {
  return { ...others, high: high.toSorted(), text: [...text].toSorted() };
}

interface Aggregated {
  readonly key: number;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly lateFiring: boolean;
  readonly first?: unknown;
  readonly last?: unknown;
  readonly high: readonly string[];
  readonly text: string;
}

/** The aggregates that the operator gives for steps. */
function aggregatesGiven(
  steps: readonly Step[],
  parts: Windows,
  drive: { readonly budgetRows: number; readonly capacity: number },
  aggregation = AGGREGATION,
): readonly Aggregated[] {
  return driven<Aggregated>(steps, parts, drive, { fold: aggregation, fn: null }).results;
}

/** As texts in an order, whatever the order of fields. */
function textOf(results: readonly object[]): readonly string[] {
  const sorted = (result: object) =>
    Object.entries(result).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const plain = (_: string, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one);
  return results.map((result) => JSON.stringify(sorted(result), plain)).toSorted();
}

describe('aggregates are those of the records of each result', () => {
  const { aggregates, ...rest } = AGGREGATION;
  const { merge: _, ...alone } = aggregator;
  const unmerged: Aggregation = {
    ...rest,
    aggregates: [...aggregates.slice(0, -1), ...aggregatesOf({ text: alone as UserAggregator })],
  };
  const assigners: Readonly<Record<string, WindowAssigner<Step>>> = {
    'overlapping windows': alignedAssigner({ sizeMs: 20, slideMs: 7, offsetMs: 3 }, 'event'),
    'sessions of a gap': sessionAssigner(() => 8, 'event'),
    'sessions of a gap per record': sessionAssigner<Step>(({ gap }) => gap, 'event'),
  };
  for (const [name, assigner] of Object.entries(assigners)) {
    it(`in ${name}, kept for late records`, () => {
      const specs = fc.constantFrom(AGGREGATION, unmerged);
      fc.assert(
        fc.property(steps, lateness, drives, specs, (all, latenessMs, drive, aggregation) => {
          const model = modelOf(
            all,
            (step) => [...assigner.assign(step, step.at)],
            assigner.merges,
            latenessMs,
          );
          const expected = model.results.map(
            ({ key, start, end, isLate, values }) =>
              ({
                key,
                windowStart: start,
                windowEnd: end,
                lateFiring: isLate,
                ...aggregated(values),
              }) as Aggregated,
          );
          const parts = { assigner, allowedLatenessMs: latenessMs };
          const found = aggregatesGiven(all, parts, drive, aggregation);
          const shown = assigner.merges ? unordered : (result: object) => result;
          expect(textOf(found.map(shown))).toEqual(textOf(expected.map(shown)));
        }),
        { numRuns: 150 },
      );
    });
  }

  for (const { name, resultOf, ...parts } of CASES) {
    it(`with ${name}`, () => {
      fc.assert(
        fc.property(steps, drives, (all, drive) => {
          const windows = { assigner: globalAssigner(), allowedLatenessMs: 0, ...parts };
          const found = aggregatesGiven(all, windows, drive);
          const expected = perKey(all, resultOf).map((text) => {
            const [key, values] = JSON.parse(text) as [number, readonly number[]];
            const { start: windowStart, end: windowEnd } = GLOBAL_WINDOW;
            return { key, windowStart, windowEnd, lateFiring: false, ...aggregated(values) };
          });
          expect(textOf(found)).toEqual(textOf(expected));
        }),
        { numRuns: 60 },
      );
    });
  }
});
