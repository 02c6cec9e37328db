import { describe, expect, it } from 'vitest';
import { chainGraph } from '../../../src/graph/chained-graph.js';
import { explainPlan } from '../../../src/graph/explain.js';
import { explainText } from '../../../src/graph/explain-text.js';
import {
  DEFAULT_NODE_OPTIONS,
  type LogicalGraph,
  type LogicalNode,
  type NodeInput,
} from '../../../src/graph/logical-graph.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { placeGraph } from '../../../src/graph/placement.js';
import { checkSchemas } from '../../../src/graph/schema-check.js';
import { validateGraph } from '../../../src/graph/validate.js';
import type { SimpleKind } from '../../../src/record/schema.js';
import { planOf, schema, sink, source } from './graph-fixtures.js';

const identity = (name: string) => ({ uid: name, name, createdAt: null });

/** Two sources and an operator that both feed, keyed by a field each. */
function graphOf(
  first: Readonly<Record<string, SimpleKind>>,
  second: Readonly<Record<string, SimpleKind>>,
  inputs: readonly NodeInput[],
): LogicalGraph {
  const base = { options: DEFAULT_NODE_OPTIONS, inputs: [] };
  const sourceNode = (id: number, fields: typeof first): LogicalNode => ({
    ...base,
    id,
    kind: 'source',
    identity: identity(`source ${id}`),
    connector: source(),
    schema: schema(fields),
  });
  return {
    jobName: 'two sides',
    nodes: [
      sourceNode(0, first),
      sourceNode(1, second),
      {
        ...base,
        id: 2,
        kind: 'operator',
        inputs,
        spec: { ...identity('both'), kind: 'filter', fn: () => true },
      },
      {
        ...base,
        id: 3,
        kind: 'sink',
        inputs: [{ node: 2, partitioner: null }],
        identity: identity('out'),
        connector: sink(),
      },
    ],
  };
}

const byKey = (node: number, key: string, side: 0 | 1): NodeInput => ({
  node,
  partitioner: { kind: 'hash', keys: [key] },
  side,
});

describe('an operator with two sides', () => {
  it('starts a chain, and its edges say which side they feed', () => {
    const graph = graphOf({ k: 'utf8' }, { j: 'utf8' }, [byKey(0, 'k', 0), byKey(1, 'j', 1)]);
    const chained = chainGraph(
      placeGraph(graph, { parallelism: 1, maxParallelism: null, settled: {} }),
    );
    expect(chained.edges.map(({ from, to, side }) => [from, to, side])).toEqual([
      [0, 2, 0],
      [1, 2, 1],
    ]);
    expect(chained.edges[0]?.reason).toBe('"both" has two sides, so it starts a chain.');
  });

  it('has the fields of each side checked by themselves', () => {
    const sides = [byKey(0, 'k', 0), byKey(1, 'j', 1)];
    expect(() => checkSchemas(graphOf({ k: 'utf8' }, { j: 'utf8' }, sides))).not.toThrow();
    expect(() => checkSchemas(graphOf({ k: 'utf8' }, { k: 'utf8' }, sides))).toThrow(
      'there is no field "j"',
    );
  });

  it('needs keys of one type on both sides; number kinds are one', () => {
    const sides = [byKey(0, 'k', 0), byKey(1, 'k', 1)];
    expect(() => checkSchemas(graphOf({ k: 'int32' }, { k: 'number' }, sides))).not.toThrow();
    expect(() => checkSchemas(graphOf({ k: 'int32' }, { k: 'utf8' }, sides))).toThrow(
      'its sides are keyed by k (int32) and by k (utf8)',
    );
  });

  it('is the only one that may be fed a second side', () => {
    const bad = graphOf({ k: 'utf8' }, { k: 'utf8' }, [byKey(0, 'k', 0), byKey(1, 'k', 1)]);
    expect(() => validateGraph(bad)).toThrow('it has one side, but is fed a second');
    const none = graphOf({ k: 'utf8' }, { k: 'utf8' }, [byKey(1, 'k', 1)]);
    expect(() => validateGraph(none)).toThrow('side 1 is not fed');
  });

  it('is shown by explain, and part of the plan of every edge', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .rebalance()
        .map((f) => f)
        .to(sink());
    });
    expect(plan.edges.map(({ side }) => side)).toEqual([0]);
    const second: PhysicalPlan = {
      ...plan,
      edges: plan.edges.map((edge) => ({ ...edge, side: 1 })),
    };
    expect(explainPlan(second).vertices[0]?.outputs[0]?.side).toBe(1);
    expect(explainText(second)).toContain('second side, rebalance');
  });
});
