/**
 * Fields of nested objects in expressions against plain property access: in columns as they come, in records that a
 * function returned, behind an exchange, and out of a case; with nulls and missing properties at every level.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col, collection, collectSink, job, type Stream, when } from '../../src/index.js';
import { runOnArrays } from '../../src/testing.js';

/** A nested object, as deep as expressions go here. */
interface Inner {
  readonly text?: string | null;
  readonly deep?: { readonly count: number | null } | null;
}
interface Outer {
  readonly id: number;
  readonly inner?: Inner | null;
  readonly other: { readonly at: Date; readonly flag: boolean; readonly big: bigint };
}

const absent = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(value, { nil: null });
const inner: fc.Arbitrary<Inner> = fc.record(
  {
    text: absent(fc.constantFrom('', 'ab', 'Zürich', '\ud800', 'x'.repeat(40))),
    deep: absent(fc.record({ count: absent(fc.constantFrom(0, -1, 2.5, Number.NaN)) })),
  },
  { requiredKeys: [] },
);
const outer = fc.record(
  {
    inner: absent(inner),
    other: fc.record({
      at: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
      flag: fc.boolean(),
      big: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
    }),
  },
  { requiredKeys: ['other'] },
);

/** What every form of the job gives of a record. */
function expectedOf({ id, inner: given, other }: Outer) {
  const text = given?.text ?? null;
  const count = given?.deep?.count ?? null;
  return {
    id,
    text,
    upper: text === null ? null : text.toUpperCase(),
    next: count === null ? null : count + 1,
    ms: other.at.getTime(),
    at: other.at,
    big: other.big + 1n,
    chosen: other.flag ? text : 'no',
    isThere: given !== null && given !== undefined,
    isLong: text !== null && text.startsWith('xx'),
  };
}

const selected = (records: Stream<Outer>) =>
  records.select({
    id: col('id'),
    text: col('inner').get('text'),
    upper: col('inner').get('text').upper(),
    next: col('inner').get('deep').get('count').add(1),
    ms: col('other').get('at').epochMs(),
    at: col('other').get('at'),
    big: col('other').get('big').add(1n),
    chosen: when(col('other').get('flag')).then(col('inner').get('text')).otherwise('no'),
    isThere: col('inner').isNotNull(),
    isLong: col('inner').get('text').startsWith('xx').coalesce(false),
  });

const WAYS: Readonly<Record<string, (records: Stream<Outer>) => Stream<Outer>>> = {
  'in columns': (records) => records,
  'in records of a function': (records) => records.map((record) => ({ ...record })),
  'behind an exchange': (records) =>
    records
      .rebalance()
      .keyBy('id')
      .process(() => ({ processElement: (record: Outer, context) => context.collect(record) })),
};

/** Records with every property once, so that the types of all are known. */
const FIRST: readonly Outer[] = [
  {
    id: -1,
    inner: { text: 'ab', deep: { count: 1 } },
    other: { at: new Date(5), flag: true, big: 1n },
  },
  { id: -2, inner: {}, other: { at: new Date(5), flag: true, big: 1n } },
];

describe('fields of nested objects', () => {
  for (const [way, through] of Object.entries(WAYS)) {
    it(`are what the objects have: ${way}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(outer, { maxLength: 40 }), fc.nat(), async (given, seed) => {
          const records = [...FIRST, ...given.map((each, id) => ({ id, ...each }) as Outer)];
          const flow = job('nested', (build) => {
            const source = build.from(collection<Outer>([]), { name: 'records' });
            selected(through(source)).to(collectSink(), { name: 'out' });
          });
          const run = await runOnArrays(flow, { sources: { records }, seed });
          const byId = (a: { id: number }, b: { id: number }): number => a.id - b.id;
          const rows = (run.records('out') as { id: number }[]).toSorted(byId);
          expect(rows).toEqual(records.map(expectedOf).toSorted(byId));
        }),
        { numRuns: 25 },
      );
    });
  }
});
