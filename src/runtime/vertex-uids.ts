/**
 * The uids of all that is chained in a vertex. Callers: plans of further attempts, slots, manifests, restore plans.
 * Runs on: any thread; pure.
 */
import type { Vertex } from '../graph/physical-plan.js';

/** Every operator, source and sink of a vertex. */
export function uidsOf(vertex: Vertex): readonly string[] {
  return [
    ...(vertex.source === null ? [] : [vertex.source.identity.uid]),
    ...vertex.operators.map(({ spec }) => spec.uid),
    ...vertex.sinks.map(({ identity }) => identity.uid),
  ];
}

/** The uid under which records on their way to a vertex are kept. */
export function receiverUid(vertex: Vertex): string {
  return uidsOf(vertex)[0] ?? vertex.uid;
}
