/**
 * Refuses a logical graph that is not a valid dataflow, before anything is planned: no sink, broken
 * inputs, two operators of one uid, options out of range, keyed operators that are not behind a
 * keyed exchange. What needs schemas is in `schema-check.ts`. Callers: `plan.ts`, the api's tests.
 * Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { keysOfSide, sidesOf } from '../operator/operator-sides.js';
import { nodeError } from './error-place.js';
import { identityOf, type LogicalGraph, type LogicalNode, sideOf } from './logical-graph.js';
import { checkLoops } from './loop-check.js';
import { PARALLELISM_MAX } from './placement.js';

/**
 * Checks everything about a graph that does not depend on schemas or on the parallelism of the run.
 */
export function validateGraph(graph: LogicalGraph): void {
  if (!graph.nodes.some((node) => node.kind === 'sink')) {
    throw new MillraceError('GRAPH_EMPTY', `Job "${graph.jobName}" has no sink.`, {
      where: { job: graph.jobName },
      advice: 'End at least one stream with .to(...) or .print(); nothing is computed otherwise.',
    });
  }
  const boundedOutputs: boolean[] = [];
  for (const [index, node] of graph.nodes.entries()) {
    checkInputs(graph, node, index);
    checkOptions(graph, node);
    checkKeyed(graph, node);
    const bounded =
      node.kind === 'source'
        ? node.connector.bounded
        : node.inputs.every((input) => boundedOutputs[input.node] === true);
    boundedOutputs.push(bounded);
    checkEmit(graph, node, bounded);
  }
  checkUids(graph);
  checkLoops(graph);
}

function checkInputs(graph: LogicalGraph, node: LogicalNode, index: number): void {
  const invalid = (message: string): MillraceError =>
    nodeError('GRAPH_INVALID', graph.jobName, node, message);
  if (node.id !== index) throw invalid(`node ${index} carries the id ${node.id}.`);
  if (node.kind === 'source') {
    if (node.inputs.length > 0) throw invalid('a source has no inputs.');
    return;
  }
  if (node.inputs.length === 0) throw invalid('an operator or sink needs an input.');
  checkSides(graph, node);
  for (const { node: from, partitioner } of node.inputs) {
    const upstream = graph.nodes[from];
    if (upstream === undefined || from >= index) throw invalid(`input ${from} is not before it.`);
    if (upstream.kind === 'sink') throw invalid('a sink has no output to consume.');
    if (partitioner?.kind === 'custom' && typeof partitioner.fn !== 'function') {
      throw invalid('a custom partitioner is a function (record, parallelism) => subtask.');
    }
    if (partitioner?.kind === 'hash' && partitioner.keys.length === 0) {
      throw invalid('a keyed exchange needs at least one key field.');
    }
  }
}

/** Each side that an operator has is fed, and no other. */
function checkSides(graph: LogicalGraph, node: LogicalNode): void {
  const sides = node.kind === 'operator' ? sidesOf(node.spec) : 1;
  for (const side of [0, 1] as const) {
    const isFed = node.inputs.some((input) => sideOf(input) === side);
    if (isFed === side < sides) continue;
    const message = isFed
      ? 'it has one side, but is fed a second.'
      : `side ${side + 1} is not fed.`;
    throw nodeError('GRAPH_INVALID', graph.jobName, node, message);
  }
}

function checkOptions(graph: LogicalGraph, node: LogicalNode): void {
  const { parallelism, maxParallelism, slotSharingGroup } = node.options;
  for (const [name, value] of Object.entries({ parallelism, maxParallelism })) {
    if (value === null || isParallelism(value)) continue;
    throw nodeError(
      'PARALLELISM_INVALID',
      graph.jobName,
      node,
      `${name} is ${String(value)}, but it is a whole number from 1 to ${PARALLELISM_MAX}.`,
    );
  }
  if (slotSharingGroup === '') {
    throw nodeError('GRAPH_INVALID', graph.jobName, node, 'slotSharingGroup is an empty text.');
  }
}

/** Whether a number may be a parallelism or max parallelism. */
export function isParallelism(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= PARALLELISM_MAX;
}

/**
 * A keyed operator owns the key groups of its keys only if its input is dealt by exactly those
 * keys.
 */
function checkKeyed(graph: LogicalGraph, node: LogicalNode): void {
  if (node.kind !== 'operator') return;
  const { kind } = node.spec;
  for (const input of node.inputs) {
    const keys = keysOfSide(node.spec, sideOf(input));
    if (keys === null) continue;
    const { partitioner } = input;
    // Without key fields there is one key for all records, which one subtask has.
    if (keys.length === 0 && partitioner?.kind === 'global') continue;
    const dealt = partitioner?.kind === 'hash' ? partitioner.keys : null;
    if (dealt?.length === keys.length && dealt.every((key, index) => key === keys[index])) continue;
    const actual = dealt === null ? 'no keyed exchange' : `keyBy(${dealt.join(', ')})`;
    throw nodeError(
      'GRAPH_INVALID',
      graph.jobName,
      node,
      `${kind} is keyed by ${keys.join(', ')}, but it is behind ${actual}.`,
      { advice: 'Put keyBy with the same fields right before it.' },
    );
  }
}

function checkEmit(graph: LogicalGraph, node: LogicalNode, bounded: boolean): void {
  if (node.kind !== 'operator' || bounded) return;
  if (!('emit' in node.spec) || node.spec.emit !== 'final') return;
  // Windows give their results when they are over.
  if (node.spec.kind === 'aggregate' && node.spec.window !== null) return;
  throw nodeError(
    'GRAPH_INVALID',
    graph.jobName,
    node,
    "emit: 'final' waits for the end of its input, which is unbounded, so it would never emit.",
    { advice: "Leave emit out or set it to 'updates'." },
  );
}

function checkUids(graph: LogicalGraph): void {
  const firstOf = new Map<string, LogicalNode>();
  for (const node of graph.nodes) {
    const { uid, name } = identityOf(node);
    const first = firstOf.get(uid);
    if (uid === '') throw nodeError('GRAPH_INVALID', graph.jobName, node, 'its uid is empty.');
    if (first === undefined) {
      firstOf.set(uid, node);
      continue;
    }
    const other = identityOf(first);
    const at = other.createdAt === null ? '' : ` at ${other.createdAt}`;
    throw nodeError(
      'UID_DUPLICATE',
      graph.jobName,
      node,
      `uid "${uid}" is already taken by "${other.name}"${at}.`,
      { advice: `Give "${name}" a uid of its own; state is found by it after a restart.` },
    );
  }
}
