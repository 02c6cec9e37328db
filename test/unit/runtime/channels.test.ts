import { describe, expect, it } from 'vitest';
import { planJob } from '../../../src/graph/plan.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { job } from '../../../src/api/job.js';
import { defineSource } from '../../../src/connector/custom/define-source.js';
import { discard } from '../../../src/connector/discard/discard.js';
import { originsOf, targetsOf } from '../../../src/runtime/channels.js';

/** A plan of two vertices with an edge of a kind. */
function planOf(kind: 'rescale' | 'rebalance' | 'forward', up: number, down: number): PhysicalPlan {
  const definition = job('channels', (flow) => {
    const numbers = defineSource<{ v: number }>({ name: 'n', maxParallelism: 9, read: () => [] });
    flow
      .from(numbers, { parallelism: up })
      [kind]()
      .map((r) => r, { parallelism: down, chain: 'head' })
      .to(discard());
  });
  return planJob(definition.build({}), { parallelism: 1 });
}

function targets(plan: PhysicalPlan): readonly (readonly number[])[] {
  const [edge] = plan.edges;
  return plan.vertices[edge.from].slots.map((_, from) => targetsOf(plan, edge, from));
}

describe('channels', () => {
  it('connects every subtask with every other for partitioners that may deal anywhere', () => {
    expect(targets(planOf('rebalance', 2, 3))).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it('connects equal numbers for forward', () => {
    expect(targets(planOf('forward', 3, 3))).toEqual([[0], [1], [2]]);
  });

  it('rescales in contiguous groups, as Flink does', () => {
    expect(targets(planOf('rescale', 2, 4))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(targets(planOf('rescale', 4, 2))).toEqual([[0], [0], [1], [1]]);
    expect(targets(planOf('rescale', 2, 3))).toEqual([[0, 1], [2]]);
    expect(targets(planOf('rescale', 3, 2))).toEqual([[0], [0], [1]]);
  });

  it('gives every subtask of the wider side exactly one partner, and both ends see the same pairs', () => {
    for (let up = 1; up <= 5; up++) {
      for (let down = 1; down <= 5; down++) {
        const plan = planOf('rescale', up, down);
        const [edge] = plan.edges;
        const pairs = targets(plan).flatMap((list, from) => list.map((to) => `${from}-${to}`));
        const seen = plan.vertices[edge.to].slots.flatMap((_, to) =>
          originsOf(plan, edge, to).map((from) => `${from}-${to}`),
        );
        expect(seen.sort()).toEqual(pairs.sort());
        expect(pairs.length).toBe(Math.max(up, down));
        expect(new Set(pairs.map((pair) => pair.split('-')[1])).size).toBe(down);
      }
    }
  });
});
