/**
 * From the logical graph to the physical plan: validate, drop what no sink observes, place,
 * pre-aggregate, chain, prune columns, assign slots, fingerprint. Callers: the runtime (on the
 * caller's thread and again in every slot), explain. Runs on: any thread; pure. Invariant: the same
 * graph and options give the same plan, which is frozen.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { TextDigest } from '../base/text-digest.js';
import type { SinkConnector, SourceConnector } from '../connector/contract.js';
import { checkAlignment } from './alignment-check.js';
import { chainGraph, type Chain, type ChainedGraph } from './chained-graph.js';
import { wantedFields, type WantedFields, withoutUnused } from './column-pruning.js';
import { keepLiveNodes } from './live-nodes.js';
import { identityOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';
import { namesOf, pathsOf } from '../record/field-tree.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import {
  DEAD_LETTERS,
  type Edge,
  type PhysicalPlan,
  type Vertex,
  type VertexSink,
} from './physical-plan.js';
import { PARALLELISM_MAX, type PlacedGraph, placeGraph } from './placement.js';
import { freezePlain } from './plain-object.js';
import { fingerprint } from './plan-hash.js';
import { planWarnings } from './plan-warnings.js';
import { preAggregate } from './pre-aggregate.js';
import { checkSchemas } from './schema-check.js';
import { assignSlots } from './slot-assignment.js';
import { sourceFilter } from './source-filter.js';
import { isParallelism, validateGraph } from './validate.js';

/** What a run asks of its plan. */
export interface PlanOptions {
  /** Subtasks of every operator that names no number of its own. */
  readonly parallelism: number;
  /**
   * Number of key groups; null or absent: by Flink's rule from the parallelism of each operator.
   */
  readonly maxParallelism?: number | null;
  /**
   * By uid of an operator, its number of key groups in the plan that this one goes on from, which stays unless the
   * operator or the job names another; none when absent.
   */
  readonly settledMaxParallelism?: Readonly<Record<string, number>>;
  /**
   * By uid of an aggregation, whether it has two phases in the plan that this one goes on from, where it may have them;
   * as it is worth it when absent.
   */
  readonly settledPhases?: Readonly<Record<string, boolean>>;
  /** Parameters of the job; they are part of the fingerprint. */
  readonly params?: unknown;
  /** Whether aggregations may be split before the exchange; true unless set. */
  readonly preAggregate?: boolean;
}

/**
 * Plans a job. Throws GRAPH_EMPTY, GRAPH_INVALID, UID_DUPLICATE, PARALLELISM_INVALID,
 * FIELD_UNKNOWN, TYPE_MISMATCH or KEY_UNSUPPORTED, naming the operator and the user's line.
 *
 * @example
 * const plan = planJob(definition.build({}), { parallelism: 4 });
 */
export function planJob(graph: LogicalGraph, options: PlanOptions): PhysicalPlan {
  checkPlanOptions(graph, options);
  validateGraph(graph);
  checkSchemas(graph);
  const { graph: live, unused } = keepLiveNodes(graph);
  const placed = placeGraph(live, {
    parallelism: options.parallelism,
    maxParallelism: options.maxParallelism ?? null,
    settled: options.settledMaxParallelism ?? {},
  });
  const rewritten =
    options.preAggregate === false ? placed : preAggregate(placed, options.settledPhases ?? {});
  const chained = chainGraph(rewritten);
  const wanted = wantedFields(rewritten);
  const { slotsOf, slots } = assignSlots(chained.chains.map((chain) => chain.placement));
  const vertices = chained.chains.map((chain) =>
    vertexOf(rewritten, chained, chain, wanted, slotsOf[chain.id] ?? []),
  );
  checkAlignment(graph.jobName, vertices);
  const edges = chained.edges.map(({ id, from, to, partitioner, side }): Edge => {
    const [head] = chained.chains[to]?.nodes ?? [];
    const columns = head === undefined ? null : (wanted.inputs[head]?.[side] ?? null);
    return { id, from, to, partitioner, side, columns };
  });
  const { jobName } = graph;
  const described = vertices.map(describeVertex);
  return freezePlain({
    jobName,
    vertices,
    edges,
    slots,
    warnings: planWarnings(live, unused),
    hash: fingerprint({ jobName, vertices: described, edges, params: options.params ?? null }),
  });
}

function checkPlanOptions(graph: LogicalGraph, options: PlanOptions): void {
  const { parallelism, maxParallelism = null } = options;
  for (const [name, value] of Object.entries({ parallelism, maxParallelism })) {
    if (value === null || isParallelism(value)) continue;
    throw new MillraceError(
      'PARALLELISM_INVALID',
      `${name} of job "${graph.jobName}" is ${String(value)}.`,
      {
        where: { job: graph.jobName },
        advice: `It must be a whole number from 1 to ${PARALLELISM_MAX}.`,
      },
    );
  }
}

function vertexOf(
  graph: PlacedGraph,
  chained: ChainedGraph,
  chain: Chain,
  wanted: WantedFields,
  slots: readonly number[],
): Vertex {
  const nodes = chain.nodes.map((id) => nodeAt(graph, id));
  const operatorIndex = new Map<number, number>();
  const operators: Vertex['operators'][number][] = [];
  const sinks: VertexSink[] = [];
  let source: Vertex['source'] = null;
  /** The chain's input, -1, for whatever is fed by the source or by an edge. */
  const indexOf = (node: number | undefined): number => operatorIndex.get(node ?? -1) ?? -1;
  for (const node of nodes) {
    const input = indexOf(node.inputs[0]?.node);
    const fields = wanted.outputs[node.id] ?? null;
    if (node.kind === 'source') {
      const { identity, connector, schema } = node;
      source = {
        identity,
        connector,
        schema,
        columns: namesOf(fields),
        paths: pathsOf(fields),
        filter: connector.filters === true ? sourceFilter(graph, node) : null,
      };
      if (connector.deadLetters) sinks.push(deadLettersOf(identity, connector.deadLetters));
    } else if (node.kind === 'operator') {
      operatorIndex.set(node.id, operators.length);
      const spec = withoutUnused(node.spec, namesOf(fields));
      operators.push({ spec, input });
    } else {
      sinks.push({ identity: node.identity, connector: node.connector, after: input });
    }
  }
  const outputs = chain.outputs.map((edge) => ({
    edge,
    after: indexOf(chained.edges[edge]?.tap),
  }));
  const uids = nodes.map((node) => identityOf(node).uid);
  return {
    id: chain.id,
    name: nodes.map((node) => identityOf(node).name).join(' -> '),
    uid: new TextDigest().update(JSON.stringify(uids)).hex().slice(0, 12),
    parallelism: chain.placement.parallelism,
    maxParallelism: chain.placement.maxParallelism,
    slotSharingGroup: chain.placement.slotSharingGroup,
    source,
    operators,
    sinks,
    inputs: chain.inputs,
    outputs,
    slots,
    chainBreaks: chain.outputs.map((edge) => chained.edges[edge]?.reason ?? ''),
  };
}

function deadLettersOf(source: OperatorIdentity, connector: SinkConnector): VertexSink {
  const identity = {
    uid: `${source.uid}:dead-letters`,
    name: `dead letters of ${source.name}`,
    createdAt: source.createdAt,
  };
  return { identity, connector, after: DEAD_LETTERS };
}

function nodeAt(graph: PlacedGraph, id: number): LogicalNode {
  const node = graph.nodes[id];
  assert(node !== undefined, 'A chain names nodes of its graph.');
  return node;
}

/**
 * A vertex for the fingerprint: its connectors reduced to what they say of themselves, their data
 * left out.
 */
function describeVertex(vertex: Vertex): unknown {
  const source = vertex.source;
  return {
    ...vertex,
    source: source === null ? null : { ...source, connector: describeConnector(source.connector) },
    sinks: vertex.sinks.map((sink) => ({ ...sink, connector: describeConnector(sink.connector) })),
  };
}

function describeConnector(connector: SourceConnector | SinkConnector): unknown {
  const { kind, type, name, host, guarantee } = connector;
  return { kind, type, name, host, guarantee };
}
