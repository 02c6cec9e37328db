/** The general window operator against models: sessions that merge, lateness, counts, evictors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import { batchOf, chainOf, line, op, untilDone } from '../unit/operator/chain-harness.js';

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

/** What the operator gives for steps, by a chain that is driven with a budget and outputs of some size. */
function given(
  steps: readonly Step[],
  parts: Pick<WindowOperatorParts<Step, unknown, Result>, 'assigner' | 'allowedLatenessMs'> & {
    readonly trigger?: Trigger<Step>;
    readonly evictor?: Evictor<Step>;
  },
  drive: { readonly budgetRows: number; readonly capacity: number },
) {
  const spec = op.process<Step, Result>(['key'], (context) =>
    openWindows<Step, never, Result>(
      {
        trigger: parts.assigner.defaultTrigger(),
        evictor: null,
        lateTag: LATE,
        fold: null,
        fn: (records, { key, window, isLateFiring, collect }) =>
          collect({
            key: (key as { readonly key: number }).key,
            start: window.start,
            end: window.end,
            values: records.map(({ value }) => value),
            isLate: isLateFiring,
          }),
        ...parts,
      },
      context,
    ),
  );
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
    const { end } = record as Result;
    if (Number.isFinite(end)) expect(time).toBe(end - 1);
  }
  return {
    results: ports[0].left.map(({ record }) => record as Result),
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

describe('windows of all time give what a loop over the records gives', () => {
  const cases: readonly {
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
  for (const { name, trigger, evictor, resultOf } of cases) {
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
