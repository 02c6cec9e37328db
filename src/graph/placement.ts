/**
 * Decides for every node of a logical graph how many subtasks it has, into how many key groups its
 * keys fall and with whom it shares slots, and refuses what is impossible. Callers: `plan.ts`.
 * Runs on: any thread; pure. Invariant: afterwards nothing about parallelism is open, and host
 * nodes have exactly one subtask.
 */
import { defaultMaxParallelism } from '../record/key-group.js';
import { nodeError } from './error-place.js';
import { headOf, identityOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';

/** Most subtasks and key groups a job may have, as in Flink (2^15). */
export const PARALLELISM_MAX = 32_768;
/** The slot-sharing group of operators that name none. */
export const DEFAULT_GROUP = 'default';

/** What was decided for one node. */
export interface Placement {
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** Whether it runs on the caller's thread. */
  readonly host: boolean;
}

/** A graph in which every node has its place; `placements[i]` belongs to `nodes[i]`. */
export interface PlacedGraph {
  readonly jobName: string;
  readonly nodes: readonly LogicalNode[];
  readonly placements: readonly Placement[];
}

/** What the job as a whole asks for. */
export interface PlacementOptions {
  readonly parallelism: number;
  /** Null: as settled before, or derived from the parallelism of each operator. */
  readonly maxParallelism: number | null;
  /** By uid, what was settled in an earlier plan, for operators that are told none. */
  readonly settled: Readonly<Record<string, number>>;
}

/** Places all nodes. Throws `PARALLELISM_INVALID` with the operator and the user's line. */
export function placeGraph(graph: LogicalGraph, options: PlacementOptions): PlacedGraph {
  const placements: Placement[] = [];
  for (const node of graph.nodes) {
    // The tail of a loop stands where its head does, so that records go back within the slot.
    const head = headOf(graph, node);
    const ofHead = head === null ? undefined : placements[head.id];
    if (ofHead !== undefined) {
      placements.push(ofHead);
      continue;
    }
    const parallelism = parallelismOf(graph.jobName, node, options.parallelism, placements);
    const maxParallelism =
      node.options.maxParallelism ??
      options.maxParallelism ??
      options.settled[identityOf(node).uid] ??
      defaultMaxParallelism(parallelism);
    if (parallelism > maxParallelism) {
      throw nodeError(
        'PARALLELISM_INVALID',
        graph.jobName,
        node,
        `parallelism ${parallelism} exceeds max parallelism ${maxParallelism}.`,
        { advice: 'Raise maxParallelism, or lower the parallelism to at most that.' },
      );
    }
    placements.push({
      parallelism,
      maxParallelism,
      slotSharingGroup: groupOf(node, placements),
      host: isHost(node),
    });
  }
  return { jobName: graph.jobName, nodes: graph.nodes, placements };
}

function isHost(node: LogicalNode): boolean {
  return node.kind !== 'operator' && node.connector.host;
}

function parallelismOf(
  jobName: string,
  node: LogicalNode,
  jobParallelism: number,
  placed: readonly Placement[],
): number {
  const wanted = node.options.parallelism;
  if (isHost(node)) return atMost(jobName, node, wanted, 1, "it runs on the caller's thread");
  if (node.kind === 'source') {
    const limit = node.connector.maxParallelism;
    if (limit === null) return wanted ?? jobParallelism;
    const usual = Math.max(1, Math.min(limit, jobParallelism));
    atMost(jobName, node, wanted, Math.max(1, limit), 'its input cannot be divided further');
    return wanted ?? usual;
  }
  if (node.kind === 'sink') {
    const insisted = node.connector.parallelism;
    if (insisted === null) return wanted ?? inputParallelism(node, placed);
    if (wanted === null || wanted === insisted) return insisted;
    throw nodeError(
      'PARALLELISM_INVALID',
      jobName,
      node,
      `parallelism ${wanted} was asked for, but the sink insists on ${insisted}.`,
      { advice: 'Leave the parallelism of this sink out.' },
    );
  }
  // A side output stands where the function does that gives to it.
  if (node.spec.kind === 'sideOutput') return inputParallelism(node, placed);
  return wanted ?? jobParallelism;
}

/** The asked-for parallelism when it is within `limit`, which is also the default. */
function atMost(
  jobName: string,
  node: LogicalNode,
  wanted: number | null,
  limit: number,
  reason: string,
): number {
  if (wanted === null || wanted <= limit) return wanted ?? limit;
  throw nodeError(
    'PARALLELISM_INVALID',
    jobName,
    node,
    `parallelism ${wanted} was asked for, but at most ${limit} is possible because ${reason}.`,
    { advice: 'Leave its parallelism out; the operators after it may have another one.' },
  );
}

/**
 * A sink has the parallelism of its widest input, so that results pass into it without an exchange.
 */
function inputParallelism(node: LogicalNode, placed: readonly Placement[]): number {
  const widths = node.inputs.map((input) => placed[input.node]?.parallelism ?? 1);
  return Math.max(1, ...widths);
}

/** A group is inherited when all inputs share it, as in Flink. */
function groupOf(node: LogicalNode, placed: readonly Placement[]): string {
  if (node.options.slotSharingGroup !== null) return node.options.slotSharingGroup;
  const groups = new Set(node.inputs.map((input) => placed[input.node]?.slotSharingGroup));
  const [only] = groups;
  return groups.size === 1 && only !== undefined ? only : DEFAULT_GROUP;
}
