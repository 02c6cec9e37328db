import { op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

const records = Array.from({ length: 60 }, (_, id) => ({
  id,
  user: ['ann', 'bob', 'zoë', '🦉'][(id * 7) % 4],
  score: id % 11 === 0 ? null : (id * 37) % 10,
  text: 'x'.repeat((id * 31) % 7),
  when: new Date(((id * 13) % 5) * 1000),
  ...(id % 3 === 0 ? {} : { maybe: [id] }),
}));

for (const [rows, newestFirst] of [
  [1, false],
  [1, true],
  [3, false],
  [100, true],
] as const) {
  describeOperator({
    name: `first ${rows} of each key, ${newestFirst ? 'newest' : 'oldest'} first`,
    parts: () => ({
      operators: [
        {
          spec: op.top(
            ['user'],
            rows,
            [
              { name: 'score', descending: true },
              { name: 'text', descending: false },
              { name: 'when', descending: true },
            ],
            { newestFirst, rank: 'place' },
          ),
          input: -1,
        },
        { spec: op.flatMap((row: object) => [row, row]), input: 0 },
      ],
      outputs: [{ after: 0 }, { after: 1 }],
    }),
    records,
    isUnordered: true,
  });
}
