import { describe, expect, it } from 'vitest';
import { count } from '../../../src/api/aggregates.js';
import { explainPlan } from '../../../src/graph/explain.js';
import { planOf, sink, source } from './graph-fixtures.js';

describe('explainPlan', () => {
  it('is JSON and says of each vertex what the text says', () => {
    const plan = planOf(
      (flow) => {
        flow
          .from(source({ name: 'in' }), { uid: 'in' })
          .keyBy('origin')
          .aggregate({ n: count() }, { uid: 'n' })
          .to(sink({ name: 'out', columns: ['n'] }), { uid: 'out' });
      },
      { parallelism: 2 },
    );
    const explained = explainPlan(plan);
    expect(JSON.parse(JSON.stringify(explained))).toEqual(explained);
    expect(explained).toMatchObject({
      job: 'test-job',
      hash: plan.hash,
      slots: 2,
      guarantee: 'at-least-once',
      guaranteeLimitedBy: ['out'],
      warnings: [],
    });
    expect(explained.vertices).toMatchObject([
      {
        id: 0,
        name: 'in -> partial aggregate',
        parallelism: 2,
        maxParallelism: 128,
        host: false,
        slots: [0, 1],
        source: { uid: 'in', connector: 'in', guarantee: 'exactly-once', columns: ['origin'] },
        operators: [{ uid: 'n-partial', kind: 'aggregate', input: -1, preAggregates: true }],
        sinks: [],
        outputs: [{ to: 1, after: 0, partitioner: 'hash of origin' }],
      },
      {
        id: 1,
        operators: [
          {
            uid: 'n',
            input: -1,
            preAggregates: false,
            text: 'by origin: merged n = count(), once per key',
          },
        ],
        sinks: [{ uid: 'out', connector: 'out', after: 0, columns: ['n'] }],
        outputs: [],
      },
    ]);
  });

  it('promises what the weakest connector can', () => {
    const guaranteeOf = (from: 'at-most-once' | 'exactly-once', to: 'exactly-once') =>
      explainPlan(
        planOf((flow) => {
          flow.from(source({ guarantee: from })).to(sink({ guarantee: to }));
        }),
      );
    expect(guaranteeOf('exactly-once', 'exactly-once')).toMatchObject({
      guarantee: 'exactly-once',
      guaranteeLimitedBy: [],
    });
    expect(guaranteeOf('at-most-once', 'exactly-once')).toMatchObject({
      guarantee: 'at-most-once',
      guaranteeLimitedBy: ['flights'],
    });
  });
});
