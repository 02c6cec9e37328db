/**
 * The logical graph: what the user wrote, as frozen data in order of creation (inputs before
 * users). The api builds it, `validate.ts` checks it, `chained-graph.ts` fuses it, `explain.ts`
 * prints it. Runs on: any thread.
 */
import type { SinkConnector, SourceConnector } from '../connector/contract.js';
import type { InputSide } from '../operator/operator-sides.js';
import type { OperatorIdentity, OperatorSpec, Partitioner } from '../operator/operator-spec.js';
import type { Schema } from '../record/schema.js';

/** Options every operator takes. */
export interface NodeOptions {
  /** Null: the job's parallelism. */
  readonly parallelism: number | null;
  readonly maxParallelism: number | null;
  /** Null: inherited from the inputs when they agree, else 'default'. */
  readonly slotSharingGroup: string | null;
  /** 'always' (default), 'head' (starts a new chain), 'never'. */
  readonly chain: 'always' | 'head' | 'never';
  /** Whether the user gave the uid; a derived one changes when the job's structure does. */
  readonly uidGiven: boolean;
}

/**
 * An input of a node. `partitioner` null: forward when the parallelism is equal, else rebalance.
 */
export interface NodeInput {
  readonly node: number;
  readonly partitioner: Partitioner | null;
  /** Which side of an operator with two sides it feeds; absent: the first. */
  readonly side?: InputSide;
}

/** A node of the logical graph. `id` is its index. */
export type LogicalNode = {
  readonly id: number;
  readonly options: NodeOptions;
  readonly inputs: readonly NodeInput[];
} & (
  | {
      readonly kind: 'source';
      readonly identity: OperatorIdentity;
      readonly connector: SourceConnector;
      /** Declared by the user; null: as the connector plans or infers it. */
      readonly schema: Schema | null;
    }
  /** One operator; several inputs of one side mean a union of them. */
  | { readonly kind: 'operator'; readonly spec: OperatorSpec }
  | {
      readonly kind: 'sink';
      readonly identity: OperatorIdentity;
      readonly connector: SinkConnector;
    }
);

/** A whole job. */
export interface LogicalGraph {
  readonly jobName: string;
  readonly nodes: readonly LogicalNode[];
}

/** The side of its operator that an input feeds. */
export function sideOf(input: NodeInput): InputSide {
  return input.side ?? 0;
}

/** Who a node is, whatever its kind. */
export function identityOf(node: LogicalNode): OperatorIdentity {
  return node.kind === 'operator' ? node.spec : node.identity;
}

/** The head of the loop whose tail a node is; null for other nodes. */
export function headOf(graph: LogicalGraph, node: LogicalNode): LogicalNode | null {
  if (node.kind !== 'operator' || node.spec.kind !== 'feedback') return null;
  const { loop } = node.spec;
  return graph.nodes.find((other) => identityOf(other).uid === loop) ?? null;
}

/** Options of an operator about which the user said nothing. */
export const DEFAULT_NODE_OPTIONS: NodeOptions = Object.freeze({
  parallelism: null,
  maxParallelism: null,
  slotSharingGroup: null,
  chain: 'always',
  uidGiven: false,
});
