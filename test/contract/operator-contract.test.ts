import { col, lit } from '../../src/operator/expression-builder.js';
import type { UserAggregator } from '../../src/operator/operator-spec.js';
import { splitAggregate } from '../../src/operator/pre-aggregate.js';
import { line, op } from '../unit/operator/chain-harness.js';
import { describeOperator } from './operator-contract.js';

interface Row {
  readonly id: number;
  readonly user: string;
  readonly price: number | null;
  readonly tags: readonly string[];
}

const records: readonly Row[] = Array.from({ length: 24 }, (_, id) => ({
  id,
  user: ['ann', 'bob', 'zoë', '🦉'][(id * 7) % 4],
  price: id % 5 === 0 ? null : id / 2,
  tags: ['x', 'y', 'z'].slice(0, id % 4),
}));
const times = records.map(({ id }) => 1000 + id);

describeOperator({ name: 'no operator', parts: () => ({ operators: [] }), records, times });

describeOperator({
  name: 'map, filter, map',
  parts: () => ({
    operators: line(
      op.map((r: Row) => ({ ...r, double: (r.price ?? 0) * 2 })),
      op.filter((r: Row) => r.id % 3 !== 0),
      op.map((r: Row & { double: number }) => [r.user, r.double, new Date(r.id)]),
    ),
  }),
  records,
  times,
});

describeOperator({
  name: 'where, select, where',
  parts: () => ({
    operators: line(
      op.where(col('price').gt(1)),
      op.select({
        id: col('id'),
        user: col('user'),
        gross: col('price').mul(1.5).add(col('id')),
        big: col('price').gt(lit(10)),
      }),
      op.where(col('gross').lt(40)),
    ),
  }),
  records,
  times,
});

const texts: readonly {
  readonly id: number;
  readonly text: string | null;
  readonly tags: unknown;
}[] = records.map(({ id, user }) => ({
  id,
  text: id % 6 === 5 ? null : ['', 'a', `a ${user} `, `${user}  b c`, ' '][id % 5],
  tags: id % 7 === 3 ? null : ['p', 'q', `${user}-${user}`].slice(0, id % 4),
}));

for (const outer of [false, true]) {
  describeOperator({
    name: `explode of split texts, of the parts again${outer ? ', outer' : ''}`,
    parts: () => ({
      operators: line(
        op.explode('word', col('text').split(' '), outer),
        op.where(col('word').ne('c').coalesce(true)),
        op.explode('part', col('word').split('o'), outer),
      ),
    }),
    records: texts,
    times,
  });

  describeOperator({
    name: `explode of words behind a map, and of a list${outer ? ', outer' : ''}`,
    parts: () => ({
      operators: line(
        op.map((r: { text: string | null; tags: unknown }) => ({ text: r.text, tags: r.tags })),
        op.explode('word', col('text').words(), outer),
        op.explode('tags', col('tags'), outer),
        op.map((r: { word: string; tags: string }) => `${r.word}/${r.tags}`),
      ),
    }),
    records: texts,
    times,
  });

  describeOperator({
    name: `explode of a list column, counted${outer ? ', outer' : ''}`,
    parts: () => ({
      operators: line(
        op.explode('tags', col('tags'), outer),
        op.select({ tag: col('tags').coalesce('none') }),
        op.aggregate(['tag'], { n: { fn: 'count' } }),
      ),
    }),
    records: texts,
    isUnordered: true,
  });
}

describeOperator({
  name: 'explode of lists that are made, between two outputs',
  parts: () => ({
    operators: [
      { spec: op.explode('word', col('text').upper().split('')), input: -1 },
      { spec: op.explode('tag', col('tags')), input: 0 },
      { spec: op.flatMap((r: { word: string }) => [r.word, r.word]), input: 0 },
    ],
    outputs: [{ after: -1 }, { after: 0 }, { after: 1 }, { after: 2 }],
  }),
  records: texts,
});

describeOperator({
  name: 'map of changing shape',
  parts: () => ({
    operators: line(
      op.map((r: Row) =>
        r.id < 10 ? { id: r.id } : r.id < 20 ? { id: String(r.id) } : { id: null, tags: r.tags },
      ),
      op.where(col('id').isNull().or(lit(true))),
    ),
  }),
  records,
});

describeOperator({
  name: 'flatMap in flatMap',
  parts: () => ({
    operators: line(
      op.flatMap((r: Row) => r.tags.map((tag) => ({ tag, id: r.id }))),
      op.flatMap(function* (r: { tag: string; id: number }) {
        for (let copy = 0; copy <= r.id % 3; copy++) yield { ...r, copy };
      }),
      op.map((r: { tag: string; copy: number; id: number }) => `${r.id}-${r.tag}-${r.copy}`),
    ),
  }),
  records,
  times,
});

describeOperator({
  name: 'a tree of operators and outputs',
  parts: () => ({
    operators: [
      { spec: op.map((r: Row) => ({ id: r.id, user: r.user })), input: -1 },
      { spec: op.flatMap((r: Row) => [r, r]), input: 0 },
      { spec: op.where(col('id').gt(12)), input: 0 },
      { spec: op.flatMap((r: Row) => r.tags), input: -1 },
      { spec: op.aggregate(['user'], { n: { fn: 'count' } }, 'updates'), input: 2 },
    ],
    outputs: [{ after: -1 }, { after: 0 }, { after: 1 }, { after: 2 }, { after: 3 }, { after: 4 }],
  }),
  records,
});

describeOperator({
  name: 'computeKey and aggregate',
  parts: () => ({
    operators: line(
      op.computeKey((r: Row) => r.user.length * 10 + (r.id % 2)),
      op.aggregate(['$key'], { n: { fn: 'count' }, users: { fn: 'collect', of: col('user') } }),
    ),
  }),
  records,
  isUnordered: true,
});

const sums = {
  n: { fn: 'count' },
  sum: { fn: 'sum', of: col('price') },
  exact: { fn: 'sum', of: col('price'), exact: true },
  mean: { fn: 'avg', of: col('price') },
  least: { fn: 'min', of: col('price') },
  most: { fn: 'max', of: col('user') },
} as const;
const ordered = {
  oldest: { fn: 'first', of: col('user') },
  newest: { fn: 'last', of: col('user') },
  users: { fn: 'countDistinct', of: col('id') },
  ids: { fn: 'collect', of: col('id') },
} as const;
const longest: UserAggregator = {
  create: () => ({ text: '' }),
  add: (acc, record) => {
    const kept = acc as { text: string };
    const { user, id } = record as Row;
    if (`${user}${id}`.length > kept.text.length) kept.text = `${user}${id}`;
    return undefined;
  },
  merge: (left, right) => {
    const [a, b] = [left, right] as { text: string }[];
    return a.text.length >= b.text.length ? a : b;
  },
  result: (acc) => acc,
};

for (const emit of ['updates', 'final'] as const) {
  describeOperator({
    name: `aggregate with ${emit}`,
    parts: () => ({ operators: line(op.aggregate(['user'], { ...sums, ...ordered }, emit)) }),
    records,
    times,
    isUnordered: emit === 'final',
  });
  describeOperator({
    name: `aggregate by a user's aggregator with ${emit}`,
    parts: () => ({ operators: line(op.aggregate(['user'], { longest }, emit)) }),
    records,
    isUnordered: emit === 'final',
  });
  describeOperator({
    name: `reduce with ${emit}`,
    parts: () => ({
      operators: line(
        op.reduce(['user'], (a: Row, b: Row) => ({ ...a, price: (a.price ?? 0) + b.id }), emit),
      ),
    }),
    records,
    isUnordered: emit === 'final',
  });
}

describeOperator({
  name: 'aggregate in two phases',
  parts: () => {
    const { partial, merge } = splitAggregate(op.aggregate(['user'], { ...sums, longest }));
    return { operators: line(partial, merge), preAggregateKeysMax: 3 };
  },
  records,
  isUnordered: true,
});

describeOperator({
  name: 'aggregate behind an aggregate',
  parts: () => ({
    operators: line(
      op.aggregate(['user'], { n: { fn: 'count' } }),
      op.select({ n: col('n'), user: col('user') }),
      op.aggregate(['n'], { users: { fn: 'max', of: col('user') } }),
    ),
  }),
  records,
  isUnordered: true,
});

describeOperator({
  name: 'distinct',
  parts: () => ({ operators: line(op.distinct('user', 'price')) }),
  records: [...records, ...records].map((r) => ({ ...r, price: (r.price ?? 0) % 3 })),
});

describeOperator({
  name: 'dealing to several channels',
  parts: () => ({
    operators: [],
    outputs: [
      { after: -1, channels: 3, partitioner: { kind: 'hash', keys: ['user', 'id'] } },
      { after: -1, channels: 3, partitioner: { kind: 'global' } },
      { after: -1, channels: 3, partitioner: { kind: 'broadcast' } },
      { after: -1, channels: 3, partitioner: { kind: 'custom', fn: (r: Row, n) => r.id % n } },
    ],
  }),
  records,
  times,
});
