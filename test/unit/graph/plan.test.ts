import { describe, expect, it } from 'vitest';
import { aggregator, count } from '../../../src/api/aggregates.js';
import type { Flow } from '../../../src/api/flow.js';
import { job, type JobFunction } from '../../../src/api/job.js';
import { planJob, type PlanOptions } from '../../../src/graph/plan.js';
import { graphOf, planOf, sink, source } from './graph-fixtures.js';

const base = (flow: Flow): void => {
  flow
    .from(source())
    .map((f) => ({ ...f, late: f.delay > 15 }))
    .keyBy('origin')
    .aggregate({ n: count() })
    .to(sink());
};

const hashOf = (build: JobFunction, options: Partial<PlanOptions> = {}): string =>
  planOf(build, options).hash;

describe('planJob', () => {
  it('gives the same plan for the same job, whichever time it is built', () => {
    const definition = job('twice', base);
    const plans = [1, 2].map(() => planJob(definition.build(), { parallelism: 3 }));
    const plain = plans.map((plan) =>
      JSON.stringify(plan, (_key, value) => (typeof value === 'function' ? 'fn' : value)),
    );
    expect(plain[0]).toBe(plain[1]);
    expect(plans[0]?.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is frozen through and through, except for what belongs to users and connectors', () => {
    const plan = planOf(base);
    expect(Object.isFrozen(plan)).toBe(true);
    expect(Object.isFrozen(plan.vertices[0]?.operators[0]?.spec)).toBe(true);
    expect(Object.isFrozen(plan.edges[0]?.partitioner)).toBe(true);
    expect(Object.isFrozen(plan.vertices[0]?.source?.connector)).toBe(false);
  });

  it('plans a graph that is planned already again, since graphs are frozen', () => {
    const graph = graphOf(base);
    expect(planJob(graph, { parallelism: 2 }).hash).toBe(planJob(graph, { parallelism: 2 }).hash);
  });

  it('leaves out operators that lead to no sink, and says so', () => {
    const plan = planOf((flow) => {
      const flights = flow.from(source());
      flights.map((f) => f.delay, { name: 'forgotten' });
      flights.to(sink());
    });
    expect(plan.vertices.map(({ name }) => name)).toEqual(['flights -> out']);
    expect(plan.warnings).toEqual([
      expect.stringMatching(/^"forgotten" \(plan\.test\.ts:\d+\) leads to no sink/),
    ]);
  });

  it('warns of state without a uid, and not of state with one', () => {
    expect(planOf(base).warnings).toEqual([
      expect.stringMatching(/keeps state under the derived uid "aggregate-[0-9a-f]{8}"/),
    ]);
    const named = planOf((flow) => {
      flow.from(source()).keyBy('origin').aggregate({ n: count() }, { uid: 'n' }).to(sink());
    });
    expect(named.warnings).toEqual([]);
  });

  it('gives vertices uids that hang on the uids of their parts alone', () => {
    const uids = (parallelism: number): string[] =>
      planOf(base, { parallelism, preAggregate: false }).vertices.map(({ uid }) => uid);
    expect(uids(2)).toEqual(uids(4));
    expect(new Set(uids(2)).size).toBe(2);
  });
});

describe('the fingerprint of a plan', () => {
  const other = (flow: Flow): void => {
    flow
      .from(source())
      .map((f) => ({ ...f, late: f.delay > 16 }))
      .keyBy('origin')
      .aggregate({ n: count() })
      .to(sink());
  };

  it('differs when parallelism, parameters, or the source of a function differ', () => {
    const hashes = [
      hashOf(base),
      hashOf(base, { parallelism: 3 }),
      hashOf(base, { maxParallelism: 256 }),
      hashOf(base, { params: { days: 1 } }),
      hashOf(base, { params: { days: 2 } }),
      hashOf(base, { params: { days: '2' } }),
      hashOf(base, { params: { days: 2n } }),
      hashOf(base, { params: new Map([['days', 2]]) }),
      hashOf(base, { params: new Date(2) }),
      hashOf(base, { params: [-0] }),
      hashOf(base, { params: [0] }),
      hashOf(base, { params: new Uint8Array([0]) }),
      hashOf(other),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('does not hang on the order of properties, on lines, or on cycles', () => {
    expect(hashOf(base, { params: { a: 1, b: 2 } })).toBe(hashOf(base, { params: { b: 2, a: 1 } }));
    // Two definitions on different lines, otherwise alike.
    const lines = [
      (flow: Flow): void => flow.from(source()).to(sink()),
      (flow: Flow): void => flow.from(source()).to(sink()),
    ];
    expect(new Set(lines.map((build) => hashOf(build))).size).toBe(1);
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(hashOf(base, { params: cyclic })).toBe(hashOf(base, { params: cyclic }));
  });

  it('sees the methods of an aggregator that is an instance of a class', () => {
    class Total {
      create(): number {
        return 0;
      }
      add(total: number, f: { delay: number }): number {
        return total + f.delay;
      }
      result(total: number): number {
        return total;
      }
    }
    class Doubled extends Total {
      override result(total: number): number {
        return total * 2;
      }
    }
    const build = (total: Total) => (flow: Flow) => {
      flow
        .from(source())
        .keyBy('origin')
        .aggregate({ total: aggregator(total) })
        .to(sink());
    };
    expect(hashOf(build(new Total()))).toBe(hashOf(build(new Total())));
    expect(hashOf(build(new Total()))).not.toBe(hashOf(build(new Doubled())));
  });
});
