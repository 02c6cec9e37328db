import { describe, expect, it } from 'vitest';
import { aggregator, avg, count, first, sum } from '../../../src/api/aggregates.js';
import { type AlignedWindows, sliding, tumbling } from '../../../src/api/windows.js';
import type { Flow } from '../../../src/api/flow.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { planOf, sink, source, vertexNamed } from './graph-fixtures.js';

const phases = (plan: PhysicalPlan): (string | null)[][] =>
  plan.vertices.map((vertex) =>
    vertex.operators.map(({ spec }) => (spec.kind === 'aggregate' ? spec.phase : null)),
  );

const totals = (flow: Flow): void => {
  flow
    .from(source())
    .keyBy('origin')
    .aggregate({ n: count(), mean: avg('delay') }, { uid: 'totals' })
    .to(sink());
};

describe('pre-aggregation', () => {
  it('adds rows up by pane before windows that overlap and have none of their own, also without an exchange', () => {
    const ownTotal = aggregator({
      create: () => 0,
      add: (total: number, f: { delay: number }) => total + f.delay,
      merge: (a: number, b: number) => a + b,
      result: (total: number) => total,
    });
    const build = (windows: AlignedWindows, total: typeof ownTotal | ReturnType<typeof count>) =>
      phases(
        planOf(
          (flow) => {
            flow.from(source()).keyBy('origin').window(windows).aggregate({ total }).to(sink());
          },
          { parallelism: 1 },
        ),
      ).flat();
    expect(build(sliding('10s', '2s'), ownTotal)).toEqual(['partial', 'merge']);
    // Windows made of panes add each row once as they are.
    expect(build(sliding('10s', '2s'), count())).toEqual(['single']);
    expect(build(tumbling('10s'), ownTotal)).toEqual(['single']);
    expect(build(sliding('1s', '2s'), ownTotal)).toEqual(['single']);
    expect(build(sliding('10s', '2s', { time: 'processing' }), ownTotal)).toEqual(['single']);
  });

  it('puts one before windows of all records, unless late ones have to be told apart', () => {
    const build = (isLateApart: boolean) =>
      phases(
        planOf((flow) => {
          const windows = flow.from(source()).windowAll(tumbling('10s'));
          (isLateApart ? windows.allowedLateness('1s') : windows).count().to(sink());
        }),
      );
    expect(build(false)).toEqual([['partial'], ['merge']]);
    expect(build(true)).toEqual([[], ['single']]);
  });

  it('puts a partial phase into the chain of the producer and merges behind the exchange', () => {
    const plan = planOf(totals);
    expect(phases(plan)).toEqual([['partial'], ['merge']]);
    expect(plan.edges[0]?.partitioner).toEqual({ kind: 'hash', keys: ['origin'] });
    expect(plan.vertices[0]?.outputs).toEqual([{ edge: 0, after: 0 }]);
    expect(plan.vertices[1]?.operators[0]?.spec.uid).toBe('totals');
    expect(plan.vertices[0]?.operators[0]?.spec.uid).not.toBe('totals');
  });

  it('gives every input of a union its own partial phase, of its own uid', () => {
    const plan = planOf((flow) => {
      const one = flow.from(source({ name: 'one' }));
      const two = flow.from(source({ name: 'two', maxParallelism: 2 }));
      one.union(two).keyBy('origin').aggregate({ n: count() }).to(sink());
    });
    expect(phases(plan)).toEqual([['partial'], ['partial'], ['merge']]);
    expect(plan.vertices.map(({ parallelism }) => parallelism)).toEqual([4, 2, 4]);
    const uids = plan.vertices.slice(0, 2).map((vertex) => vertex.operators[0]?.spec.uid);
    expect(new Set(uids).size).toBe(2);
  });

  it('follows a computed key into the chain', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .keyBy((f) => f.origin.slice(0, 1))
        .aggregate({ n: count() })
        .to(sink());
    });
    expect(vertexNamed(plan, 'flights').operators.map(({ spec }) => spec.kind)).toEqual([
      'computeKey',
      'aggregate',
    ]);
  });

  it('applies user aggregators that can merge, and no others', () => {
    const build = (merge: boolean) =>
      phases(
        planOf((flow) => {
          const parts = {
            create: () => 0,
            add: (total: number, f: { delay: number }) => total + f.delay,
            result: (total: number) => total,
          };
          const total = merge
            ? aggregator({ ...parts, merge: (a: number, b: number) => a + b })
            : aggregator(parts);
          flow.from(source()).keyBy('origin').aggregate({ total }).to(sink());
        }),
      );
    expect(build(true)).toEqual([['partial'], ['merge']]);
    expect(build(false)).toEqual([[], ['single']]);
  });

  it.each([
    ['order matters', { n: first('delay') }, {}, {}, 4],
    ['every update is wanted', { n: sum('delay') }, { emit: 'updates' }, {}, 4],
    ['nothing crosses subtasks', { n: sum('delay') }, {}, {}, 1],
    ['the producer runs on the host thread', { n: sum('delay') }, {}, { host: true }, 4],
  ] as const)('is left out when %s', (_why, aggregates, options, from, parallelism) => {
    const plan = planOf(
      (flow) => {
        flow.from(source(from)).keyBy('origin').aggregate(aggregates, options).to(sink());
      },
      { parallelism },
    );
    expect(phases(plan).flat()).toEqual(['single']);
  });

  it('is left out when the producer must not be chained, or when told', () => {
    const unchained = planOf((flow) => {
      flow.from(source(), { chain: 'never' }).keyBy('origin').aggregate({ n: count() }).to(sink());
    });
    expect(phases(unchained).flat()).toEqual(['single']);
    expect(phases(planOf(totals, { preAggregate: false })).flat()).toEqual(['single']);
  });
});
