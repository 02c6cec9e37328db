/**
 * Splits keyed aggregations that emit once per key into two phases: a partial one before the
 * exchange, in the chain of the producer, which sends one accumulator per key and flush instead of
 * every record, and a merging one after it. Callers: `plan.ts`, after placement and before
 * chaining. Runs on: any thread; pure. Invariant: the merging phase keeps the uid, and so the
 * state, of the aggregation the user wrote.
 */
import type { OperatorSpec } from '../operator/operator-spec.js';
import {
  canPreAggregate,
  hasPanes,
  partialUid,
  splitAggregate,
} from '../operator/pre-aggregate.js';
import {
  DEFAULT_NODE_OPTIONS,
  identityOf,
  type LogicalNode,
  type NodeInput,
} from './logical-graph.js';
import { renumberNode } from './live-nodes.js';
import type { PlacedGraph, Placement } from './placement.js';

type AggregateOperator = Extract<OperatorSpec, { kind: 'aggregate' }>;

/**
 * The graph with every aggregation split that may be and for which it saves an exchange between
 * subtasks; `settled` says of some by their uids whether they are, where they may.
 */
export function preAggregate(
  graph: PlacedGraph,
  settled: Readonly<Record<string, boolean>>,
): PlacedGraph {
  const nodes: LogicalNode[] = [];
  const placements: Placement[] = [];
  const newIds = new Map<number, number>();
  const push = (node: LogicalNode, placement: Placement): number => {
    const id = nodes.length;
    nodes.push({ ...node, id });
    placements.push(placement);
    return id;
  };
  for (const node of graph.nodes) {
    const placement = graph.placements[node.id];
    if (placement === undefined) continue;
    const moved = renumberNode(node, (id) => newIds.get(id) ?? -1);
    const aggregate = splittable(graph, node, settled);
    if (aggregate === null || moved.kind !== 'operator') {
      newIds.set(node.id, push(moved, placement));
      continue;
    }
    const { partial, merge } = splitAggregate(aggregate);
    const inputs = moved.inputs.map((input, index): NodeInput => {
      const producer = placements[input.node] ?? placement;
      const id = push(partialNode(partial, moved, input.node, index), producer);
      return { ...input, node: id };
    });
    newIds.set(node.id, push({ ...moved, spec: merge, inputs }, placement));
  }
  return { jobName: graph.jobName, nodes, placements };
}

/** The partial phase of one input; it joins the producer's chain, whose records it consumes. */
function partialNode(
  partial: OperatorSpec,
  node: LogicalNode,
  producer: number,
  index: number,
): LogicalNode {
  const uid = partialUid(identityOf(node).uid, index, node.inputs.length);
  return {
    id: -1,
    kind: 'operator',
    options: DEFAULT_NODE_OPTIONS,
    inputs: [{ node: producer, partitioner: { kind: 'forward' } }],
    spec: { ...partial, uid },
  };
}

/** The aggregation of a node that is worth splitting, or null. */
function splittable(
  graph: PlacedGraph,
  node: LogicalNode,
  settled: Readonly<Record<string, boolean>>,
): AggregateOperator | null {
  if (node.kind !== 'operator' || node.spec.kind !== 'aggregate') return null;
  const { spec } = node;
  if (spec.emit !== 'final' || spec.phase !== 'single' || !canPreAggregate(spec)) return null;
  if (!node.inputs.every((input) => canHoldPartial(graph, input))) return null;
  const isSplit = settled[spec.uid];
  if (isSplit !== undefined) return isSplit ? spec : null;
  const widths = [node.id, ...node.inputs.map((input) => input.node)].map(
    (id) => graph.placements[id]?.parallelism ?? 1,
  );
  return Math.max(...widths) > 1 || isAddedOften(spec) ? spec : null;
}

/** Whether a row is added to several windows: adding rows up by pane first saves work without an exchange too. */
function isAddedOften(spec: AggregateOperator): boolean {
  const { window } = spec;
  const grid = window?.grid;
  return grid !== undefined && grid.sizeMs > grid.slideMs && !hasPanes(spec);
}

/**
 * Whether the partial phase of an input can run inside its producer's chain, so that it saves a
 * hand-over.
 */
function canHoldPartial(graph: PlacedGraph, input: NodeInput): boolean {
  const producer = graph.nodes[input.node];
  const placement = graph.placements[input.node];
  if (producer === undefined || placement === undefined) return false;
  const isKeyed = input.partitioner?.kind === 'hash' || input.partitioner?.kind === 'global';
  return isKeyed && !placement.host && producer.options.chain !== 'never';
}
