import { col } from '../../src/operator/expression-builder.js';
import { intervalJoin } from '../../src/operator/join/interval-join.js';
import { type JoinType, regularJoin } from '../../src/operator/join/regular-join.js';
import { pairsOf, type WindowCoGroup, windowCoGroup } from '../../src/operator/join/window-join.js';
import { alignedAssigner, sessionAssigner } from '../../src/operator/window/assigner.js';
import { timeEvictor } from '../../src/operator/window/evictor.js';
import { line, op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

interface Row {
  readonly id: number;
  readonly user: string;
  readonly at: number;
}

const records: readonly Row[] = Array.from({ length: 40 }, (_, id) => ({
  id,
  user: ['ann', 'bob', 'zoë', '🦉'][(id * 7) % 4],
  at: 100 * id - ((id * 37) % 250),
}));
const both = {
  records,
  sides: records.map(({ id }) => ((id * 5) % 7 < 3 ? 0 : 1)),
  times: records.map(({ at }) => at),
  watermarks: [
    { afterRecords: 3, watermarkMs: -50 },
    { afterRecords: 9, watermarkMs: 500 },
    { afterRecords: 10, watermarkMs: 900 },
    { afterRecords: 31, watermarkMs: 2500 },
  ],
  isUnordered: true,
} as const;
const keys = [['user'], ['user']];
const idOf = (row: unknown): number | null => (row as Row | null)?.id ?? null;

for (const type of ['inner', 'left', 'right', 'full'] satisfies JoinType[]) {
  const apply = (left: unknown, right: unknown) => ({ left: idOf(left), right: idOf(right) });
  describeOperator({
    name: `${type} join`,
    parts: () => ({
      operators: line(op.coProcess(keys, regularJoin({ type, ttl: null, apply }))),
      inputSides: [0, 1],
    }),
    ...both,
    // A user on one side only, whose record finds no partner.
    records: records.map((row) => (row.id % 13 === 0 ? { ...row, user: `only ${row.id}` } : row)),
  });
}

/** Fields of all forms, some of them null or missing. */
const mixed = both.records.map(({ id, user, at }) => ({
  id,
  user,
  on: id % 2 === 0,
  when: new Date(at * 1e6),
  big: BigInt(id) << 40n,
  text: id % 5 === 0 ? null : `${user} ${'ü'.repeat(id)}`,
  long: 'x'.repeat(id * 20),
  list: id % 3 === 0 ? [id, null, -0.5] : [],
  any: id % 2 === 0 ? { id } : [user, new Map([[id, user]])],
  ...(id % 4 === 0 ? {} : { maybe: id % 4 === 1 ? null : id / 4 }),
}));
const fields = Object.keys(mixed[1] ?? {});
const sided = (side: 0 | 1, prefix: string) =>
  fields.map((name) => ({ as: `${prefix}${name}`, side, name }));

describeOperator({
  name: 'join of chosen fields, with what works on them behind it',
  parts: () => ({
    operators: [
      { spec: op.join(['user'], [...sided(0, ''), ...sided(1, 'r_')]), input: -1 },
      { spec: op.where(col('text').ne(col('r_text')).or(col('maybe').gt(2))), input: 0 },
      { spec: op.flatMap((row: object) => [row, row]), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }, { after: 2 }],
    inputSides: [0, 1],
  }),
  ...both,
  records: mixed,
});

describeOperator({
  name: 'join by a function, with another one behind it',
  parts: () => ({
    operators: [
      {
        spec: op.join(['user'], (left: object, right: Row) => ({ left, id: right.id })),
        input: -1,
      },
      { spec: op.map((row: object) => ({ row })), input: 0 },
    ],
    outputs: [{ after: 0 }, { after: 1 }],
    inputSides: [0, 1],
  }),
  ...both,
  records: mixed,
});

describeOperator({
  name: 'interval join with late records, and functions behind it',
  parts: () => ({
    operators: [
      {
        spec: op.coProcess(
          keys,
          intervalJoin({
            lowerMs: -700,
            upperMs: 250,
            leftLate: { id: 'late' },
            rightLate: { id: 'late' },
            process(left, right, pair) {
              pair.collect({ left: idOf(left), right: idOf(right), at: pair.leftTimestamp });
              if ((idOf(left) ?? 0) % 3 === 0) pair.output({ id: 'third' }, right);
            },
          }),
        ),
        input: -1,
      },
      { spec: op.sideOutput('late'), input: 0 },
      { spec: op.sideOutput('third'), input: 0 },
      { spec: op.flatMap((row: object) => [row, row]), input: 0 },
    ],
    outputs: [{ after: 1 }, { after: 2 }, { after: 3 }],
    inputSides: [0, 1],
  }),
  ...both,
});

/** Windows of two streams whose late records go to a tag of each side. */
function windowed(parts: Pick<WindowCoGroup, 'assigner' | 'apply'> & Partial<WindowCoGroup>) {
  const open = windowCoGroup({
    trigger: parts.assigner.defaultTrigger(),
    evictor: null,
    allowedLatenessMs: 0,
    lateTags: [{ id: 'late left' }, { id: 'late right' }],
    ...parts,
  });
  return {
    operators: [
      { spec: op.coProcess(keys, open), input: -1 },
      { spec: op.sideOutput('late left'), input: 0 },
      { spec: op.sideOutput('late right'), input: 0 },
      { spec: op.flatMap((row: object) => [row, row]), input: 0 },
    ],
    outputs: [{ after: 1 }, { after: 2 }, { after: 3 }],
    inputSides: [0, 1] as const,
  };
}

for (const type of ['inner', 'full'] satisfies JoinType[]) {
  describeOperator({
    name: `${type} join in sliding windows`,
    parts: () =>
      windowed({
        assigner: alignedAssigner({ sizeMs: 900, slideMs: 400, offsetMs: 0 }, 'event'),
        apply: pairsOf(type, (left, right, { window }) => ({
          left: idOf(left),
          right: idOf(right),
          ...window,
        })),
      }),
    ...both,
  });
}

describeOperator({
  name: 'co-group in sessions that fire again, with an evictor',
  parts: () =>
    windowed({
      assigner: sessionAssigner((row) => 100 + ((row as Row).id % 5) * 60, 'event'),
      allowedLatenessMs: 300,
      evictor: timeEvictor(400),
      apply: function* each(lefts, rights, { key, isLateFiring }) {
        for (const row of [...lefts, ...rights]) {
          yield { ...(key as object), id: idOf(row), lefts: lefts.length, isLateFiring };
        }
      },
    }),
  ...both,
});
