import { intervalJoin } from '../../src/operator/join/interval-join.js';
import { type JoinType, regularJoin } from '../../src/operator/join/regular-join.js';
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
      operators: line(op.coProcess(keys, regularJoin({ type, ttlMs: null, apply }))),
      inputSides: [0, 1],
    }),
    ...both,
    // A user on one side only, whose record finds no partner.
    records: records.map((row) => (row.id % 13 === 0 ? { ...row, user: `only ${row.id}` } : row)),
  });
}

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
