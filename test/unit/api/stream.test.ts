import { describe, expect, it } from 'vitest';
import { col } from '../../../src/operator/expression-builder.js';
import type { Flow } from '../../../src/api/flow.js';
import type { Stream } from '../../../src/api/stream.js';
import type { LogicalNode } from '../../../src/graph/logical-graph.js';
import { type Flight, graphOf, schema, sink, source } from '../graph/graph-fixtures.js';

/** The nodes of a job, each without what is the same everywhere. */
const nodesOf = (build: (flow: Flow) => void): readonly LogicalNode[] => graphOf(build).nodes;
const specOf = (build: (flights: Stream<Flight>) => void) => {
  const [, node] = nodesOf((flow) => build(flow.from(source())));
  return node?.kind === 'operator' ? node.spec : null;
};

describe('verbs of a stream', () => {
  it('map and flatMap keep the function and the declared result', () => {
    const fn = (f: Flight): number[] => [f.delay];
    const returns = schema({ value: 'number' });
    expect(specOf((s) => s.map(fn))).toMatchObject({ kind: 'map', fn, returns: null });
    expect(specOf((s) => s.flatMap(fn, { returns }))).toMatchObject({
      kind: 'flatMap',
      fn,
      returns,
    });
  });

  it('filter takes a function or an expression', () => {
    const fn = (f: Flight): boolean => f.delay > 15;
    expect(specOf((s) => s.filter(fn))).toMatchObject({ kind: 'filter', name: 'filter', fn });
    const predicate = col('delay').gt(15);
    expect(specOf((s) => s.filter(predicate))).toMatchObject({
      kind: 'where',
      name: 'filter',
      predicate: predicate.expression,
    });
  });

  it('select takes names, or names and expressions by their new name, in order', () => {
    const column = (name: string) => ({ node: 'column', name });
    const columns = [
      { name: 'delay', value: column('delay') },
      { name: 'origin', value: column('origin') },
    ];
    expect(specOf((s) => s.select('delay', 'origin'))).toMatchObject({ kind: 'select', columns });
    expect(specOf((s) => s.project('delay', 'origin'))).toMatchObject({ kind: 'select', columns });
    const hours = col('delay').div(60);
    expect(specOf((s) => s.select('delay', hours.as('hours')))).toMatchObject({
      columns: [columns[0], { name: 'hours', value: hours.expression }],
    });
    expect(specOf((s) => s.select({ from: 'origin', hours }, { uid: 'u' }))).toMatchObject({
      uid: 'u',
      columns: [
        { name: 'from', value: column('origin') },
        { name: 'hours', value: hours.expression },
      ],
    });
  });

  it('explode takes a list by name, or by its new name and an expression', () => {
    const list = { node: 'column', name: 'tags' };
    expect(specOf((s) => s.explode('tags'))).toMatchObject({ as: 'tags', list, outer: false });
    const part = col('origin').split('-');
    expect(specOf((s) => s.explode({ part }, { outer: true, uid: 'u' }))).toMatchObject({
      kind: 'explode',
      as: 'part',
      list: part.expression,
      outer: true,
      uid: 'u',
    });
  });

  it('withColumn is a selection that keeps the other fields', () => {
    const hours = col('delay').div(60);
    expect(specOf((s) => s.withColumn('hours', hours))).toMatchObject({
      kind: 'select',
      keepsOthers: true,
      columns: [{ name: 'hours', value: hours.expression }],
    });
    expect(() => specOf((s) => Reflect.apply(s.withColumn, s, ['hours', 60]))).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        advice: expect.stringContaining('withColumn("hours", col('),
      }),
    );
  });

  it('are values: a stream can be used twice and is not changed', () => {
    const nodes = nodesOf((flow) => {
      const flights = flow.from(source());
      flights.map((f) => f.origin).to(sink());
      flights.rebalance().to(sink());
      flights.to(sink());
    });
    expect(nodes.map(({ inputs }) => inputs)).toEqual([
      [],
      [{ node: 0, partitioner: null }],
      [{ node: 1, partitioner: null }],
      [{ node: 0, partitioner: { kind: 'rebalance' } }],
      [{ node: 0, partitioner: null }],
    ]);
  });

  it('print ends in the sink of that name', () => {
    const [, node] = nodesOf((flow) => {
      flow.from(source()).print({ title: 'Flights' }, { uid: 'shown' });
    });
    expect(node).toMatchObject({
      kind: 'sink',
      identity: { uid: 'shown', name: 'print Flights' },
      connector: { type: 'print' },
    });
    expect(node?.kind === 'sink' && node.identity.createdAt).toMatch(/stream\.test\.ts:\d+/);
  });

  it.each(['forward', 'rebalance', 'rescale', 'shuffle', 'broadcast', 'global'] as const)(
    '%s deals to the next operator only',
    (kind) => {
      const nodes = nodesOf((flow) => {
        flow
          .from(source())
          [kind]()
          .map((f) => f)
          .to(sink());
      });
      expect(nodes[1]?.inputs).toEqual([{ node: 0, partitioner: { kind } }]);
      expect(nodes[2]?.inputs).toEqual([{ node: 1, partitioner: null }]);
    },
  );

  it('the last of several ways to deal counts, and partitionBy keeps its function', () => {
    const fn = (f: Flight, parallelism: number): number => f.delay % parallelism;
    const nodes = nodesOf((flow) => {
      flow.from(source()).rebalance().partitionBy(fn).to(sink());
    });
    expect(nodes[1]?.inputs).toEqual([{ node: 0, partitioner: { kind: 'custom', fn } }]);
  });

  it('union needs no node; its ways of dealing stay with their streams', () => {
    const nodes = nodesOf((flow) => {
      const one = flow.from(source({ name: 'one' }));
      const two = flow.from(source({ name: 'two' }));
      one
        .rebalance()
        .union(two, two)
        .map((f) => f)
        .to(sink());
    });
    expect(nodes).toHaveLength(4);
    expect(nodes[2]?.inputs).toEqual([
      { node: 0, partitioner: { kind: 'rebalance' } },
      { node: 1, partitioner: null },
      { node: 1, partitioner: null },
    ]);
  });

  it('keyBy of a function computes the key once per input, before the exchange', () => {
    const nodes = nodesOf((flow) => {
      const one = flow.from(source({ name: 'one' }));
      const two = flow.from(source({ name: 'two' }));
      const keyed = one.union(two).keyBy((f) => f.origin.length, { uid: 'k' });
      keyed.count().to(sink());
    });
    const kinds = nodes.map((node) => (node.kind === 'operator' ? node.spec.kind : node.kind));
    expect(kinds).toEqual(['source', 'source', 'computeKey', 'computeKey', 'aggregate', 'sink']);
    const hash = { kind: 'hash', keys: ['$key'] };
    expect(nodes[4]?.inputs).toEqual([
      { node: 2, partitioner: hash },
      { node: 3, partitioner: hash },
    ]);
  });

  it('distinct deals by its fields and keeps the first record of each', () => {
    const [, node] = nodesOf((flow) => {
      flow.from(source()).distinct('origin', 'date').to(sink());
    });
    expect(node).toMatchObject({
      inputs: [{ node: 0, partitioner: { kind: 'hash', keys: ['origin', 'date'] } }],
      spec: { kind: 'distinct', keys: ['origin', 'date'] },
    });
  });

  it('remember the user’s line', () => {
    const spec = specOf((s) => s.map((f) => f));
    expect(spec?.createdAt).toMatch(/stream\.test\.ts:\d+:\d+$/);
  });

  it.each([
    ['map', (s: Stream<Flight>) => s.map(undefined as never), /map\(\.\.\.\) takes a function/],
    ['filter', (s: Stream<Flight>) => s.filter('x' as never), /filter\(\.\.\.\) takes a function/],
    ['keyBy', (s: Stream<Flight>) => s.keyBy(), /keyBy\(\.\.\.\) takes names of fields/],
    ['keyBy twice', (s: Stream<Flight>) => s.keyBy('origin', 'origin'), /each once/],
    ['distinct', (s: Stream<Flight>) => s.distinct(), /distinct\(\.\.\.\) takes names of fields/],
    ['select', (s: Stream<Flight>) => s.select({}), /select\(\.\.\.\) takes names/],
    ['select of a number', (s: Stream<Flight>) => s.select({ a: 1 as never }), /"a" in select/],
    ['explode', (s: Stream<Flight>) => s.explode({} as never), /takes one list, not 0/],
    ['explode of 1', (s: Stream<Flight>) => s.explode({ a: 1 } as never), /"a" in explode/],
    [
      'explode outer',
      (s: Stream<Flight>) => s.explode('tags', { outer: 1 as never }),
      /option "outer" is 1/,
    ],
    ['to', (s: Stream<Flight>) => s.to(source() as never), /to\(\.\.\.\) takes a sink/],
    ['to nothing', (s: Stream<Flight>) => s.to(undefined as never), /to\(\.\.\.\) takes a sink/],
  ])('%s refuses what it cannot use', (_verb, act, message) => {
    expect(() => graphOf((flow) => void act(flow.from(source())))).toThrow(message);
  });

  it('refuse streams of another job', () => {
    const strangers: Stream<Flight>[] = [];
    graphOf((flow) => void strangers.push(flow.from(source())));
    expect(() =>
      graphOf((flow) => {
        flow
          .from(source())
          .union(...strangers)
          .to(sink());
      }),
    ).toThrow(/a stream of another job/);
  });
});
