/**
 * A plan told as plain data: what runs where, why chains break, what crosses each edge, what
 * sources read and what a restart can promise. `explain-text.ts` prints it; tools take it as JSON.
 * Callers: the api, the command line. Runs on: any thread; pure.
 */
import type { ValueFilter } from '../record/value-filter.js';
import type { Edge, PhysicalPlan, Vertex, VertexSource } from './physical-plan.js';
import { HOST_SLOT } from './physical-plan.js';
import { operatorText } from './operator-text.js';
import { partitionerText } from './partitioner-text.js';
import { regionsOf } from './regions.js';

/** What a restart after a failure promises, weakest first. */
const GUARANTEES = ['at-most-once', 'at-least-once', 'exactly-once'] as const;
type Guarantee = (typeof GUARANTEES)[number];

/** A connector at the end of a chain. */
export interface ConnectorExplanation {
  readonly uid: string;
  readonly name: string;
  readonly connector: string;
  readonly guarantee: Guarantee;
  readonly createdAt: string | null;
  /**
   * Operator after which a sink taps the chain; -1 for the chain's input. Always -1 for sources.
   */
  readonly after: number;
  /** Sources: fields read; sinks: fields needed. Null for all. */
  readonly columns: readonly string[] | null;
  /** Sources: what rows have to have to be wanted, where readers leave others out; else null. */
  readonly filter: ValueFilter | null;
  /** Sources: how much of each row is checked, where there is a choice; else null. */
  readonly validate: 'projected' | 'full' | null;
}

/** An operator of a chain. */
export interface OperatorExplanation {
  readonly uid: string;
  readonly name: string;
  readonly kind: string;
  readonly text: string;
  readonly createdAt: string | null;
  /** Operator that feeds it; -1 for the chain's input. */
  readonly input: number;
  /** Whether it works before an exchange so that less has to cross it. */
  readonly preAggregates: boolean;
}

/** An edge seen from the vertex it leaves. */
export interface OutputExplanation {
  readonly to: number;
  readonly after: number;
  readonly partitioner: string;
  /** Which side of the operator there it feeds; 0 unless that has two. */
  readonly side: 0 | 1;
  /** Fields it carries; null for all. */
  readonly columns: readonly string[] | null;
  /** Why the chain breaks here. */
  readonly chainBreak: string;
}

/** A chain. */
export interface VertexExplanation {
  readonly id: number;
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  /** What a failure restarts together: chains that edges connect. Numbered from 0. */
  readonly region: number;
  /** Whether it runs on the caller's thread. */
  readonly host: boolean;
  readonly slots: readonly number[];
  readonly source: ConnectorExplanation | null;
  readonly operators: readonly OperatorExplanation[];
  readonly sinks: readonly ConnectorExplanation[];
  readonly outputs: readonly OutputExplanation[];
}

/** A whole plan. */
export interface PlanExplanation {
  readonly job: string;
  readonly hash: string;
  readonly slots: number;
  /** The weakest promise of all sources and sinks, and the connectors that hold it down. */
  readonly guarantee: Guarantee;
  readonly guaranteeLimitedBy: readonly string[];
  readonly vertices: readonly VertexExplanation[];
  readonly warnings: readonly string[];
}

/** Explains a plan as structured-cloneable, JSON-safe data. */
export function explainPlan(plan: PhysicalPlan): PlanExplanation {
  const regions = regionsOf(plan);
  const vertices = plan.vertices.map((vertex) =>
    explainVertex(vertex, plan.edges, regions[vertex.id]),
  );
  const connectors = vertices.flatMap(({ source, sinks }) =>
    source === null ? sinks : [source, ...sinks],
  );
  const ranks = connectors.map((connector) => GUARANTEES.indexOf(connector.guarantee));
  const guarantee = GUARANTEES[Math.min(GUARANTEES.length - 1, ...ranks)] ?? 'exactly-once';
  const weakest = connectors.filter((connector) => connector.guarantee === guarantee);
  return {
    job: plan.jobName,
    hash: plan.hash,
    slots: plan.slots,
    guarantee,
    guaranteeLimitedBy:
      guarantee === 'exactly-once' ? [] : [...new Set(weakest.map((one) => one.connector))],
    vertices,
    warnings: plan.warnings,
  };
}

function explainVertex(vertex: Vertex, edges: readonly Edge[], region: number): VertexExplanation {
  const { id, uid, name, parallelism, maxParallelism, slotSharingGroup, slots, source } = vertex;
  return {
    id,
    uid,
    name,
    parallelism,
    maxParallelism,
    slotSharingGroup,
    region,
    host: slots[0] === HOST_SLOT,
    slots,
    source:
      source === null
        ? null
        : {
            ...source.identity,
            connector: source.connector.name,
            guarantee: source.connector.guarantee,
            after: -1,
            columns: namesRead(source),
            filter: source.filter,
            validate: source.connector.validate ?? null,
          },
    operators: vertex.operators.map(({ spec, input }) => ({
      uid: spec.uid,
      name: spec.name,
      kind: spec.kind,
      text: operatorText(spec),
      createdAt: spec.createdAt,
      input,
      preAggregates: spec.kind === 'aggregate' && spec.phase === 'partial',
    })),
    sinks: vertex.sinks.map(({ identity, connector, after }) => ({
      ...identity,
      connector: connector.name,
      guarantee: connector.guarantee,
      after,
      columns: connector.columns,
      filter: null,
      validate: null,
    })),
    outputs: vertex.outputs.map((output, index) => explainOutput(vertex, edges, output, index)),
  };
}

/** Columns as they are named, and fields of objects with the names of those around them: `bid.price`. */
function namesRead({ columns, paths }: VertexSource): readonly string[] | null {
  if (columns === null) return null;
  return columns.flatMap((column) => {
    const within = paths.filter(([name]) => name === column);
    return within.length === 0 ? [column] : within.map((path) => path.join('.'));
  });
}

function explainOutput(
  vertex: Vertex,
  edges: readonly Edge[],
  output: Vertex['outputs'][number],
  index: number,
): OutputExplanation {
  const edge = edges[output.edge];
  return {
    to: edge?.to ?? -1,
    after: output.after,
    partitioner: partitionerText(edge?.partitioner ?? null),
    side: edge?.side ?? 0,
    columns: edge?.columns ?? null,
    chainBreak: vertex.chainBreaks[index] ?? '',
  };
}
