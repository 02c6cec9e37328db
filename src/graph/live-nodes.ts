/**
 * Drops the operators from which no sink can be reached: nothing observes what they would compute.
 * Callers: `plan.ts`, which turns each dropped operator into a warning. Runs on: any thread; pure.
 */
import { headOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';

/** The part of a graph that does something, and the part that does not. */
export interface LiveGraph {
  readonly graph: LogicalGraph;
  readonly unused: readonly LogicalNode[];
}

/** Splits a graph; the live nodes keep their order and get new ids without gaps. */
export function keepLiveNodes(graph: LogicalGraph): LiveGraph {
  const live = new Set<number>();
  for (let known = -1; live.size > known; ) {
    known = live.size;
    for (const node of [...graph.nodes].reverse()) {
      // A loop needs its tail, from which no sink is reached but through its head.
      const head = headOf(graph, node);
      const isNeeded = live.has(node.id) || (head !== null && live.has(head.id));
      if (node.kind !== 'sink' && !isNeeded) continue;
      live.add(node.id);
      for (const input of node.inputs) live.add(input.node);
    }
  }
  if (live.size === graph.nodes.length) return { graph, unused: [] };
  const kept = graph.nodes.filter((node) => live.has(node.id));
  const newIds = new Map(kept.map((node, index) => [node.id, index]));
  const renumber = (id: number): number => newIds.get(id) ?? -1;
  return {
    graph: { jobName: graph.jobName, nodes: kept.map((node) => renumberNode(node, renumber)) },
    unused: graph.nodes.filter((node) => !live.has(node.id)),
  };
}

/** The same node under new ids. */
export function renumberNode(node: LogicalNode, renumber: (id: number) => number): LogicalNode {
  const inputs = node.inputs.map((input) => ({ ...input, node: renumber(input.node) }));
  return { ...node, id: renumber(node.id), inputs };
}
