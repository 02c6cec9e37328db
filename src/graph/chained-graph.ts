/**
 * Fuses operators into chains by Flink's rules: an operator joins the chain of its input when it
 * has exactly one, the edge forwards records, both have the same number of subtasks and share
 * slots, and neither side forbids it. Every edge that remains says in one sentence why. Callers:
 * `plan.ts`. Runs on: any thread; pure. Invariant: within a chain, subtask i of one operator hands
 * only to subtask i of the next, in the same slot.
 */
import { assert } from '../base/assert.js';
import type { InputSide } from '../operator/operator-sides.js';
import type { Partitioner } from '../operator/operator-spec.js';
import { nodeError } from './error-place.js';
import { identityOf, type LogicalNode, type NodeInput, sideOf } from './logical-graph.js';
import { partitionerText } from './partitioner-text.js';
import type { PlacedGraph, Placement } from './placement.js';

/** A chain: ids of its nodes in order of creation; the first is the head. */
export interface Chain {
  readonly id: number;
  readonly nodes: readonly number[];
  readonly placement: Placement;
  /** Ids of the edges that lead into the head. */
  readonly inputs: readonly number[];
  /** Ids of the edges that leave the chain, in order of creation. */
  readonly outputs: readonly number[];
}

/** An edge between chains. */
export interface ChainEdge {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  /** The node in chain `from` whose records the edge carries. */
  readonly tap: number;
  readonly partitioner: Partitioner;
  /** The side of the head of chain `to` that it feeds. */
  readonly side: InputSide;
  /** Why the chain breaks here, as a full sentence. */
  readonly reason: string;
}

/** All chains and the edges between them. */
export interface ChainedGraph {
  readonly chains: readonly Chain[];
  readonly edges: readonly ChainEdge[];
}

interface OpenChain {
  readonly id: number;
  readonly nodes: number[];
  readonly placement: Placement;
  readonly inputs: number[];
  readonly outputs: number[];
}

/** Nodes of a chain: its function is generated, and parsed, by recursion from operator to operator. */
const CHAIN_NODES_MAX = 100;

/** Chains a placed graph. */
export function chainGraph(graph: PlacedGraph): ChainedGraph {
  const chains: OpenChain[] = [];
  const edges: ChainEdge[] = [];
  const chainOf: OpenChain[] = [];
  for (const node of graph.nodes) {
    const [first] = node.inputs;
    const upstream = first === undefined ? undefined : chainOf[first.node];
    const reason =
      first === undefined
        ? null
        : (chainBreak(graph, node, first) ?? lengthBreak(upstream?.nodes.length ?? 0, node));
    if (upstream !== undefined && reason === null) {
      upstream.nodes.push(node.id);
      chainOf.push(upstream);
      continue;
    }
    const placement = placementOf(graph, node.id);
    const chain = { id: chains.length, nodes: [node.id], placement, inputs: [], outputs: [] };
    chains.push(chain);
    chainOf.push(chain);
    for (const input of node.inputs) connect(graph, node, input, chainOf, edges);
  }
  return { chains, edges };
}

function connect(
  graph: PlacedGraph,
  node: LogicalNode,
  input: NodeInput,
  chainOf: readonly OpenChain[],
  edges: ChainEdge[],
): void {
  const from = chainOf[input.node];
  const to = chainOf[node.id];
  assert(from !== undefined && to !== undefined, 'An edge connects nodes that are in chains.');
  const reason = chainBreak(graph, node, input) ?? lengthBreak(from.nodes.length, node);
  assert(reason !== null, 'An edge between chains has a reason.');
  const partitioner = resolvePartitioner(graph, node, input);
  const id = edges.length;
  const side = sideOf(input);
  edges.push({ id, from: from.id, to: to.id, tap: input.node, partitioner, side, reason });
  from.outputs.push(id);
  to.inputs.push(id);
}

/**
 * The partitioner of an input; one that is left open forwards when both sides are equally parallel
 * and rebalances otherwise. Throws `PARALLELISM_INVALID` for a forward edge between unequal sides.
 */
export function resolvePartitioner(
  graph: PlacedGraph,
  node: LogicalNode,
  input: NodeInput,
): Partitioner {
  const up = placementOf(graph, input.node).parallelism;
  const down = placementOf(graph, node.id).parallelism;
  if (input.partitioner === null) return { kind: up === down ? 'forward' : 'rebalance' };
  if (input.partitioner.kind === 'forward' && up !== down) {
    const from = nodeName(graph, input.node);
    throw nodeError(
      'PARALLELISM_INVALID',
      graph.jobName,
      node,
      `a forward edge from "${from}" needs equal parallelism, but it is ${up} there and ` +
        `${down} here.`,
      { advice: 'Give both the same parallelism, or use rebalance() or rescale() between them.' },
    );
  }
  return input.partitioner;
}

function lengthBreak(nodes: number, node: LogicalNode): string | null {
  if (nodes < CHAIN_NODES_MAX || isSideOutput(node)) return null;
  return `A chain has at most ${CHAIN_NODES_MAX} operators.`;
}

function isSideOutput(node: LogicalNode): boolean {
  return node.kind === 'operator' && node.spec.kind === 'sideOutput';
}

/** Why `node` cannot join the chain of its input, as a full sentence; null when it can. */
function chainBreak(graph: PlacedGraph, node: LogicalNode, input: NodeInput): string | null {
  const upstream = graph.nodes[input.node];
  assert(upstream !== undefined, 'An input names a node of the graph.');
  const up = placementOf(graph, input.node);
  const down = placementOf(graph, node.id);
  const upName = identityOf(upstream).name;
  const downName = identityOf(node).name;
  // A side output is a part of the function that gives to it.
  if (isSideOutput(node)) return null;
  if (node.inputs.some((each) => sideOf(each) === 1)) {
    return `"${downName}" has two sides, so it starts a chain.`;
  }
  if (node.inputs.length > 1) {
    return `"${downName}" merges ${node.inputs.length} inputs, so it starts a chain.`;
  }
  if (node.kind === 'operator' && node.spec.kind === 'loop') {
    return `"${downName}" is the head of a loop, so it starts a chain.`;
  }
  if (node.kind === 'operator' && node.spec.kind === 'asyncWait') {
    return `"${downName}" waits for answers, so it starts a chain.`;
  }
  const partitioner = resolvePartitioner(graph, node, input);
  if (input.partitioner !== null && partitioner.kind !== 'forward') {
    return `Records are dealt by ${partitionerText(partitioner)}, not forwarded.`;
  }
  if (up.parallelism !== down.parallelism) {
    return `The parallelism changes from ${up.parallelism} to ${down.parallelism}.`;
  }
  if (up.host !== down.host) {
    return `"${up.host ? upName : downName}" runs on the caller's thread, the other side in slots.`;
  }
  if (up.slotSharingGroup !== down.slotSharingGroup) {
    const [from, to] = [up.slotSharingGroup, down.slotSharingGroup];
    return `The slot-sharing group changes from "${from}" to "${to}".`;
  }
  if (upstream.options.chain === 'never') return `"${upName}" is set to chain: 'never'.`;
  if (node.options.chain === 'never') return `"${downName}" is set to chain: 'never'.`;
  if (node.options.chain === 'head') return `"${downName}" is set to chain: 'head'.`;
  return null;
}

/** The place of a node. */
export function placementOf(graph: PlacedGraph, node: number): Placement {
  const placement = graph.placements[node];
  assert(placement !== undefined, 'Every node of a placed graph has a placement.');
  return placement;
}

function nodeName(graph: PlacedGraph, id: number): string {
  const node = graph.nodes[id];
  return node === undefined ? '?' : identityOf(node).name;
}
