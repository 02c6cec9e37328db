import { describe, expect, it } from 'vitest';
import { aggregator, avg, count, max, sum } from '../../../src/api/aggregates.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { KeyedStream } from '../../../src/api/keyed-stream.js';
import type { Stream } from '../../../src/api/stream.js';
import { type Flight, graphOf, sink, source } from '../graph/graph-fixtures.js';

type Keyed = KeyedStream<Flight, { readonly origin: string }>;

const specOf = (build: (keyed: Keyed) => Stream<unknown>, bounded = true) => {
  const graph = graphOf((flow) => {
    build(flow.from(source({ bounded })).keyBy('origin')).to(sink());
  });
  const node = graph.nodes[1];
  if (node?.kind !== 'operator') throw new Error('The second node is the operator.');
  return node.spec;
};

describe('aggregate', () => {
  it('names its aggregates, in order, with input, filter and exactness', () => {
    const spec = specOf((keyed) =>
      keyed.aggregate({
        flights: count(),
        late: count().where(col('delay').gt(15)),
        delay: sum('delay', { exact: true }),
        hours: avg(col('delay').div(60)),
      }),
    );
    expect(spec).toMatchObject({
      kind: 'aggregate',
      keys: ['origin'],
      phase: 'single',
      aggregates: [
        { as: 'flights', fn: 'count', input: null, filter: null, exact: false },
        {
          as: 'late',
          fn: 'count',
          input: null,
          filter: col('delay').gt(15).expression,
          exact: false,
        },
        { as: 'delay', fn: 'sum', input: { node: 'column', name: 'delay' }, exact: true },
        { as: 'hours', fn: 'avg', input: col('delay').div(60).expression },
      ],
    });
  });

  it('joins several filters of one aggregate', () => {
    const both = count().where(col('delay').gt(15)).where(col('distance').lt(100));
    expect(both.toSpec('n').filter).toEqual({
      node: 'call',
      fn: 'and',
      args: [col('delay').gt(15).expression, col('distance').lt(100).expression],
    });
  });

  it('emits once per key on bounded input and on every update otherwise, unless told', () => {
    const emit = (bounded: boolean, options = {}): unknown => {
      const spec = specOf((keyed) => keyed.aggregate({ n: count() }, options), bounded);
      return 'emit' in spec ? spec.emit : null;
    };
    expect(emit(true)).toBe('final');
    expect(emit(false)).toBe('updates');
    expect(emit(true, { emit: 'updates' })).toBe('updates');
    const reduced = specOf((keyed) => keyed.reduce((a) => a), false);
    expect(reduced).toMatchObject({ kind: 'reduce', keys: ['origin'], emit: 'updates' });
  });

  it('keeps a user aggregator as the very object it was given', () => {
    const parts = { create: () => 0, add: (n: number) => n + 1, result: (n: number) => n };
    const spec = specOf((keyed) => keyed.aggregate({ n: aggregator(parts) }));
    const aggregates = spec.kind === 'aggregate' ? spec.aggregates : [];
    expect(aggregates).toEqual([{ as: 'n', fn: 'user', aggregator: parts, filter: null }]);
    const [first] = aggregates;
    expect(first?.fn === 'user' && first.aggregator).toBe(parts);
    expect(Object.isFrozen(parts)).toBe(false);
  });

  it('has shorthands', () => {
    expect(specOf((keyed) => keyed.count())).toMatchObject({ aggregates: [{ as: 'count' }] });
    expect(specOf((keyed) => keyed.sum('delay'))).toMatchObject({
      aggregates: [{ as: 'sum', fn: 'sum', input: { name: 'delay' } }],
    });
    expect(specOf((keyed) => keyed.min('delay'))).toMatchObject({ aggregates: [{ fn: 'min' }] });
    expect(specOf((keyed) => keyed.max('delay', { uid: 'm' }))).toMatchObject({ uid: 'm' });
  });

  it.each(['aggregate', 'reduce', 'count', 'sum', 'min', 'max'] as const)(
    '%s remembers the user’s line',
    (verb) => {
      const verbs = {
        aggregate: (keyed: Keyed) => keyed.aggregate({ worst: max('delay') }),
        reduce: (keyed: Keyed) => keyed.reduce((a) => a),
        count: (keyed: Keyed) => keyed.count(),
        sum: (keyed: Keyed) => keyed.sum('delay'),
        min: (keyed: Keyed) => keyed.min('delay'),
        max: (keyed: Keyed) => keyed.max('delay'),
      };
      expect(specOf(verbs[verb]).createdAt).toMatch(/keyed-stream\.test\.ts:\d+:\d+$/);
    },
  );

  it.each([
    ['nothing', (k: Keyed) => k.aggregate({}), /aggregate\(\{\}\) has nothing to compute/],
    ['a key field', (k: Keyed) => k.aggregate({ origin: count() as never }), /"origin" is a key/],
    ['a factory', (k: Keyed) => k.aggregate({ n: count as never }), /aggregate\(\{ n \}\)/],
    ['an empty field', (k: Keyed) => k.sum('' as never), /sum\(\.\.\.\) aggregates a field/],
    ['no reducer', (k: Keyed) => k.reduce(undefined as never), /reduce\(\.\.\.\) takes a function/],
    [
      'a wrong filter',
      (k: Keyed) => k.aggregate({ n: count().where('x' as never) }),
      /count\(\.\.\.\)\.where\(\.\.\.\) takes an expression/,
    ],
    [
      'a wrong option',
      (k: Keyed) => k.aggregate({ n: sum('delay', { exakt: true } as never) }),
      /sum\(\.\.\.\) has no option "exakt"/,
    ],
    [
      'half an aggregator',
      (k: Keyed) => k.aggregate({ n: aggregator({ create: () => 0 } as never) }),
      /aggregator\(\.\.\.\) needs a function "add"/,
    ],
  ])('refuses %s', (_what, act, message) => {
    expect(() => specOf(act)).toThrow(message);
  });

  it('refuses the name key behind a key function', () => {
    expect(() =>
      graphOf((flow) => {
        flow
          .from(source())
          .keyBy((f) => f.origin)
          .aggregate({ key: count() as never })
          .to(sink());
      }),
    ).toThrow(/"key" is a key field/);
  });
});
