/**
 * The part of a job up to one of its operators, with a sink of somebody else behind it: what a preview runs. Callers:
 * the preview command. Runs on: any thread; pure. Invariant: of the sinks of the job none is left, dead letters of
 * its sources included, so that nothing is written.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { SinkConnector } from '../connector/contract.js';
import { discard } from '../connector/discard/discard.js';
import { keepLiveNodes } from './live-nodes.js';
import {
  DEFAULT_NODE_OPTIONS,
  identityOf,
  type LogicalGraph,
  type LogicalNode,
} from './logical-graph.js';

const PREVIEW = 'preview';

/**
 * Cuts a job behind the operator, source or sink of that name or uid; null takes the first sink. Throws
 * OPERATOR_UNKNOWN, and GRAPH_EMPTY where there is no sink to take.
 */
export function previewGraph(
  graph: LogicalGraph,
  at: string | null,
  sink: SinkConnector,
): LogicalGraph {
  const found = chosenNode(graph, at);
  const nodes = graph.nodes.filter((node) => node.kind !== 'sink').map(withoutLetters);
  const newIds = new Map(nodes.map((node, index) => [node.id, index]));
  const kept = nodes.map((node, id) => {
    const inputs = node.inputs.map((input) => ({ ...input, node: newIds.get(input.node) ?? -1 }));
    return { ...node, id, inputs };
  });
  const inputs =
    found.kind === 'sink' ? found.inputs : [{ node: found.id, partitioner: null } as const];
  const end: LogicalNode = {
    id: kept.length,
    kind: 'sink',
    identity: { ...identityOf(found), uid: PREVIEW, name: PREVIEW },
    options: DEFAULT_NODE_OPTIONS,
    inputs: inputs.map((input) => ({ ...input, node: newIds.get(input.node) ?? -1 })),
    connector: sink,
  };
  return keepLiveNodes({ ...graph, nodes: [...kept, end] }).graph;
}

/** The name of what such a preview shows. Throws as `previewGraph`. */
export function previewedName(graph: LogicalGraph, at: string | null): string {
  return identityOf(chosenNode(graph, at)).name;
}

/** Letters of bad records go nowhere: that there were some is counted. */
function withoutLetters(node: LogicalNode): LogicalNode {
  if (node.kind !== 'source' || !node.connector.deadLetters) return node;
  return { ...node, connector: { ...node.connector, deadLetters: discard() } };
}

function chosenNode({ jobName, nodes }: LogicalGraph, at: string | null): LogicalNode {
  const found =
    at === null
      ? nodes.find((node) => node.kind === 'sink')
      : (nodes.find((node) => identityOf(node).uid === at) ??
        nodes.find((node) => identityOf(node).name === at));
  if (found !== undefined) return found;
  if (at === null) throw new MillraceError('GRAPH_EMPTY', `Job "${jobName}" has no sink.`);
  throw new MillraceError('OPERATOR_UNKNOWN', `Job "${jobName}" has no operator "${at}".`, {
    where: { job: jobName },
    advice: didYouMean(
      at,
      nodes.map((node) => identityOf(node).name),
    ),
  });
}
