import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { explainPlan } from '../../../src/graph/explain.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { regionsOf } from '../../../src/graph/regions.js';
import { planOf, sink, source } from './graph-fixtures.js';

/** As much of a plan as regions need. */
function planWith(vertices: number, edges: readonly (readonly [number, number])[]): PhysicalPlan {
  const plan = {
    vertices: Array.from({ length: vertices }, (_, id) => ({ id })),
    edges: edges.map(([from, to]) => ({ from, to })),
  };
  return plan as unknown as PhysicalPlan;
}

/** What can be reached from a vertex over edges in either direction. */
function reachedFrom(start: number, edges: readonly (readonly [number, number])[]): Set<number> {
  const reached = new Set([start]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const [from, to] of edges) {
      if (reached.has(from)) reached.add(to);
      if (reached.has(to)) reached.add(from);
    }
  }
  return reached;
}

describe('the regions of a plan', () => {
  it('are what edges connect in either direction, numbered in the order of their first chains', () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new SeededRandom(seed);
      const count = 1 + random.below(9);
      const edges = Array.from({ length: random.below(count + 2) }, () => {
        return [random.below(count), random.below(count)] as const;
      });
      const regionOf = regionsOf(planWith(count, edges));
      for (let vertex = 0; vertex < count; vertex++) {
        const reached = reachedFrom(vertex, edges);
        for (let other = 0; other < count; other++) {
          expect(regionOf[vertex] === regionOf[other], `seed ${seed}`).toBe(reached.has(other));
        }
        expect(regionOf[vertex]).toBeLessThanOrEqual(new Set(regionOf.slice(0, vertex)).size);
      }
    }
  });

  it('are told by explain, where there are several', () => {
    const two = planOf((flow) => {
      for (const uid of ['a', 'b']) {
        flow
          .from(source(), { uid })
          .rebalance()
          .map((row) => row)
          .to(sink());
      }
    });
    expect(explainPlan(two).vertices.map(({ region }) => region)).toEqual([0, 0, 1, 1]);
    expect(explainText(two)).toContain(
      'regions      2, each of which a failure restarts by itself: [0] [1]; [2] [3]',
    );
    const one = planOf((flow) => {
      flow
        .from(source())
        .rebalance()
        .map((row) => row)
        .to(sink());
    });
    expect(explainText(one)).not.toMatch(/^regions/m);
  });
});
