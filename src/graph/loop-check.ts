/**
 * Refuses loops that would not end: one whose input does not end, whose tail is not fed by its head, that has another
 * loop in it, or in which event times are assigned, since in a loop event time counts the rounds. Callers:
 * `validate.ts`. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { nodeError } from './error-place.js';
import { headOf, identityOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';

/** Checks every loop of a graph whose nodes come after their inputs. */
export function checkLoops(graph: LogicalGraph): void {
  for (const tail of graph.nodes) {
    const head = headOf(graph, tail);
    if (head === null) continue;
    checkBounded(graph, head);
    const round = nodesBetween(graph, head, tail);
    if (!round.has(head.id)) {
      const advice = 'Feed back records that are made of those the body is given.';
      const message = 'what it feeds back does not come from the stream its body was given.';
      throw nodeError('GRAPH_INVALID', graph.jobName, head, message, { advice });
    }
    for (const id of round) {
      const inside = graph.nodes[id];
      if (inside !== undefined && inside !== head) checkInside(graph, inside, head);
    }
  }
}

/** The nodes on the ways from a head to its tail, both included; nothing when there is none. */
function nodesBetween(
  graph: LogicalGraph,
  head: LogicalNode,
  tail: LogicalNode,
): ReadonlySet<number> {
  const behindHead = new Set([head.id]);
  for (const node of graph.nodes) {
    if (node.inputs.some((input) => behindHead.has(input.node))) behindHead.add(node.id);
  }
  const beforeTail = nodesBefore(graph, tail);
  return new Set([...behindHead].filter((id) => beforeTail.has(id)));
}

/** A node and all that it is fed by. */
function nodesBefore(graph: LogicalGraph, last: LogicalNode): ReadonlySet<number> {
  const before = new Set([last.id]);
  for (const node of [...graph.nodes].reverse()) {
    if (before.has(node.id)) for (const input of node.inputs) before.add(input.node);
  }
  return before;
}

function checkBounded(graph: LogicalGraph, head: LogicalNode): void {
  for (const id of nodesBefore(graph, head)) {
    const node = graph.nodes[id];
    if (node?.kind !== 'source' || node.connector.bounded) continue;
    const message = `its input "${identityOf(node).name}" has no end, so no round would be over.`;
    const advice = 'Iterate over bounded input; for an endless one keep state in process(...).';
    throw nodeError('FEATURE_UNSUPPORTED', graph.jobName, head, message, { advice });
  }
}

function checkInside(graph: LogicalGraph, node: LogicalNode, head: LogicalNode): void {
  if (node.kind !== 'operator') return;
  const { kind } = node.spec;
  const fail = (code: MillraceError['code'], message: string, advice: string): never => {
    throw nodeError(code, graph.jobName, node, message, { advice });
  };
  const { name } = identityOf(head);
  if (kind === 'loop') {
    fail(
      'FEATURE_UNSUPPORTED',
      `it is a loop inside of the loop "${name}".`,
      'Put the inner steps into the state of one loop, or run one loop after the other.',
    );
  }
  if (kind === 'sort') {
    fail(
      'FEATURE_UNSUPPORTED',
      `it waits for the end of its input inside of the loop "${name}", which waits for it.`,
      'Sort before or behind the loop.',
    );
  }
  if (kind === 'assignTimestamps') {
    fail(
      'GRAPH_INVALID',
      `it assigns event times inside of the loop "${name}", where event time counts the rounds.`,
      'Assign event times behind the loop; inside, keep them in a field.',
    );
  }
}
