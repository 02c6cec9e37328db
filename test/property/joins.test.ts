/**
 * Both joins against models that look at all pairs: chains fed in one order with random watermarks, and whole jobs,
 * where sides and subtasks interleave as they like.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { collectSink, job, run } from '../../src/index.js';
import { intervalJoin } from '../../src/operator/join/interval-join.js';
import { type JoinType, regularJoin } from '../../src/operator/join/regular-join.js';
import type { InputSide } from '../../src/operator/operator-sides.js';
import type { OperatorSpec } from '../../src/operator/operator-spec.js';
import type { OpenProcess } from '../../src/operator/process-function.js';
import { WATERMARK_MIN } from '../../src/time/watermark.js';
import { op } from '../unit/operator/chain-harness.js';
import { driveSides } from './two-sided-chain.js';

interface Row {
  readonly id: number;
  readonly key: number;
  readonly at: number;
  readonly side: InputSide;
}

/** A record, and the watermark that follows it. */
interface Step {
  readonly row: Row;
  readonly watermarkMs: number | null;
}

interface Pair {
  readonly left: number | null;
  readonly right: number | null;
  readonly time: number | null;
}

const TYPES: readonly JoinType[] = ['inner', 'left', 'right', 'full'];
const idOf = (row: unknown): number | null => (row as Row | null)?.id ?? null;
const pairOf = (left: unknown, right: unknown) => ({ left: idOf(left), right: idOf(right) });

// The models ----------------------------------------------------------------------------------------------------------

function regularModel(rows: readonly Row[], type: JoinType): readonly Pair[] {
  const [lefts, rights] = [0, 1].map((side) => rows.filter((row) => row.side === side));
  const pairs: Pair[] = lefts.flatMap((left) =>
    rights
      .filter(({ key }) => key === left.key)
      .map((right) => {
        // The one that came later says when.
        const time = rows.indexOf(left) > rows.indexOf(right) ? left.at : right.at;
        return { left: left.id, right: right.id, time };
      }),
  );
  const alone = (own: readonly Row[], others: readonly Row[]) =>
    own.filter(({ key }) => others.every((other) => other.key !== key)).map(({ id }) => id);
  if (type === 'left' || type === 'full') {
    pairs.push(...alone(lefts, rights).map((left) => ({ left, right: null, time: null })));
  }
  if (type === 'right' || type === 'full') {
    pairs.push(...alone(rights, lefts).map((right) => ({ left: null, right, time: null })));
  }
  return sorted(pairs);
}

interface Bounds {
  readonly lowerMs: number;
  readonly upperMs: number;
}

function intervalModel(steps: readonly Step[], { lowerMs, upperMs }: Bounds) {
  let watermark = WATERMARK_MIN;
  const late: number[] = [];
  const inTime: Row[] = [];
  for (const { row, watermarkMs } of steps) {
    if (row.at < watermark) late.push(row.id);
    else inTime.push(row);
    watermark = Math.max(watermark, watermarkMs ?? WATERMARK_MIN);
  }
  const [lefts, rights] = [0, 1].map((side) => inTime.filter((row) => row.side === side));
  const pairs = lefts.flatMap((left) =>
    rights
      .filter(
        ({ key, at }) => key === left.key && at >= left.at + lowerMs && at <= left.at + upperMs,
      )
      .map((right) => ({ left: left.id, right: right.id, time: Math.max(left.at, right.at) })),
  );
  return { pairs: sorted(pairs), late: late.toSorted((a, b) => a - b) };
}

function sorted(pairs: readonly Pair[]): readonly Pair[] {
  const text = (pair: Pair): string => JSON.stringify([pair.left, pair.right, pair.time]);
  return pairs.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

// The chains ----------------------------------------------------------------------------------------------------------

/** What an operator gives for steps, and its late records. */
function driven(
  steps: readonly Step[],
  open: OpenProcess<unknown, unknown, unknown, unknown> | OperatorSpec,
  parallelism: number,
  frameRows: number,
) {
  const sided = steps.map(({ row, watermarkMs }) => ({ row, side: row.side, watermarkMs }));
  const drive = { parallelism, frameRows, budgetRows: 3, tags: ['late'] };
  const [pairs, late] = driveSides(sided, open, drive);
  return {
    pairs: pairs.map(({ record, time }) => {
      const isTimed = time !== null && time !== WATERMARK_MIN;
      return { ...(record as { left: number; right: number }), time: isTimed ? time : null };
    }),
    late: late.map(({ record }) => (record as Row).id),
  };
}

const side = fc.constantFrom<InputSide>(0, 1);
const watermark = fc.option(fc.integer({ min: -20, max: 60 }), { nil: null, freq: 3 });
const anySteps = (rowsMax: number) =>
  fc
    .array(fc.record({ key: fc.nat(3), at: fc.integer({ min: -20, max: 60 }), side, watermark }), {
      minLength: 1,
      maxLength: rowsMax,
    })
    .map((all): readonly Step[] => {
      let watermarkMs = WATERMARK_MIN;
      return all.map(({ watermark: next, ...row }, id) => {
        if (next === null) return { row: { id, ...row }, watermarkMs: null };
        watermarkMs = Math.max(watermarkMs, next);
        return { row: { id, ...row }, watermarkMs };
      });
    });
const parallelism = fc.integer({ min: 1, max: 3 });
const frameRows = fc.constantFrom(1, 2, 5, 64);
const bounds = fc
  .tuple(fc.integer({ min: -15, max: 15 }), fc.nat(20))
  .map(([lowerMs, width]) => ({ lowerMs, upperMs: lowerMs + width }));

it('a regular join gives every pair once, and at the end what has none', () => {
  fc.assert(
    fc.property(anySteps(40), fc.constantFrom(...TYPES), parallelism, frameRows, (...all) => {
      const [steps, type, subtasks, rows] = all;
      const join = regularJoin({ type, ttl: null, apply: pairOf });
      const { pairs } = driven(steps, join, subtasks, rows);
      const expected = regularModel(
        steps.map(({ row }) => row),
        type,
      );
      expect(sorted(pairs)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('a join that keeps rows as bytes gives every pair once', () => {
  const results = fc.constantFrom<'select' | 'apply'>('select', 'apply');
  fc.assert(
    fc.property(anySteps(60), results, parallelism, frameRows, (steps, how, subtasks, rows) => {
      const columns = [
        { as: 'left', side: 0, name: 'id' },
        { as: 'right', side: 1, name: 'id' },
      ] as const;
      const join = op.join(['key'], how === 'select' ? columns : pairOf);
      const { pairs } = driven(steps, join, subtasks, rows);
      const expected = regularModel(
        steps.map(({ row }) => row),
        'inner',
      );
      expect(sorted(pairs)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('an interval join gives the pairs within its bounds that were in time, and the late ones aside', () => {
  fc.assert(
    fc.property(
      anySteps(40),
      bounds,
      parallelism,
      frameRows,
      (steps, { lowerMs, upperMs }, p, rows) => {
        const late = { id: 'late' };
        const join = intervalJoin({
          lowerMs,
          upperMs,
          leftLate: late,
          rightLate: late,
          process: (left, right, pair) => pair.collect(pairOf(left, right)),
        });
        const result = driven(steps, join, p, rows);
        const expected = intervalModel(steps, { lowerMs, upperMs });
        expect(sorted(result.pairs)).toEqual(expected.pairs);
        expect(result.late.toSorted((a, b) => a - b)).toEqual(expected.late);
      },
    ),
    { numRuns: 300 },
  );
});

// Whole jobs ----------------------------------------------------------------------------------------------------------

it('jobs give the same at every parallelism, whatever the size of their batches', async () => {
  const property = fc.asyncProperty(
    anySteps(60),
    bounds,
    fc.constantFrom(...TYPES),
    parallelism,
    fc.constantFrom(1, 3, 1024),
    async (steps, { lowerMs, upperMs }, type, subtasks, batchRows) => {
      const rows = steps.map(({ row }) => row);
      const joined = collectSink<{ left: number | null; right: number | null }>();
      const near = collectSink<{ left: number | null; right: number | null }>();
      const definition = job('joins', (flow) => {
        const [lefts, rights] = [0, 1].map((which) =>
          flow
            .from(rows.filter((row) => row.side === which))
            // Nothing is late, so the order of arrival does not show.
            .assignTimestamps('at', { outOfOrderness: 1000 })
            .keyBy('key'),
        );
        lefts.join(rights, { type }).apply(pairOf).to(joined);
        lefts.intervalJoin(rights).between(lowerMs, upperMs).apply(pairOf).to(near);
      });
      const settings = { 'exchange.batchRows': batchRows };
      await run(definition, { parallelism: subtasks, runtime: 'in-thread', settings });
      const untimed = (pairs: readonly Omit<Pair, 'time'>[]) =>
        sorted(pairs.map(({ left, right }) => ({ left, right, time: null })));
      expect(untimed(joined.rows)).toEqual(untimed(regularModel(rows, type)));
      const inTime = rows.map((row) => ({ row, watermarkMs: null }));
      expect(untimed(near.rows)).toEqual(
        untimed(intervalModel(inTime, { lowerMs, upperMs }).pairs),
      );
    },
  );
  await fc.assert(property, { numRuns: 40 });
});
