/**
 * Which subtasks of an edge are connected. Callers: deploy, slot builder. Runs on: any thread; pure.
 */
import type { Edge, PhysicalPlan } from '../graph/physical-plan.js';

/** Downstream subtasks that upstream subtask `from` sends to, in channel order. */
export function targetsOf(plan: PhysicalPlan, edge: Edge, from: number): readonly number[] {
  const upstream = plan.vertices[edge.from].parallelism;
  const downstream = plan.vertices[edge.to].parallelism;
  const all = Array.from({ length: downstream }, (_, index) => index);
  if (edge.partitioner.kind === 'forward') return [from];
  if (edge.partitioner.kind !== 'rescale') return all;
  // Pointwise, as Flink's rescale: each side's subtasks share the other's in contiguous groups.
  if (upstream >= downstream) return [Math.floor((from * downstream) / upstream)];
  return all.filter((to) => Math.floor((to * upstream) / downstream) === from);
}

/** Upstream subtasks that downstream subtask `to` receives from, in order. */
export function originsOf(plan: PhysicalPlan, edge: Edge, to: number): readonly number[] {
  const upstream = plan.vertices[edge.from].parallelism;
  return Array.from({ length: upstream }, (_, from) => from).filter((from) =>
    targetsOf(plan, edge, from).includes(to),
  );
}
