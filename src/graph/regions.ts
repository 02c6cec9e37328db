/**
 * The regions of a plan: chains that records pass between, directly or over others. What is of different regions shares
 * nothing but the slots. Callers: explain, the runtime. Runs on: any thread; pure.
 */
import type { PhysicalPlan } from './physical-plan.js';

/** The region of each vertex, numbered in the order of their first ones. */
export function regionsOf({
  vertices,
  edges,
}: Pick<PhysicalPlan, 'vertices' | 'edges'>): readonly number[] {
  let rootOf = vertices.map(({ id }) => id);
  for (const { from, to } of edges) {
    const [one, other] = [rootOf[from], rootOf[to]];
    rootOf = rootOf.map((root) => (root === one ? other : root));
  }
  const roots = [...new Set(rootOf)];
  return rootOf.map((root) => roots.indexOf(root));
}
