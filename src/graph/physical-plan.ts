/**
 * The physical plan: chains with their parallelism, the edges between them, and the slot of every
 * subtask. Frozen plain data except for the user functions and connectors inside; rebuilt
 * identically in every slot and compared by `hash`. The runtime turns it into threads and rings.
 * Runs on: any thread.
 */
import type { SinkConnector, SourceConnector } from '../connector/contract.js';
import type { InputSide } from '../operator/operator-sides.js';
import type { OperatorIdentity, OperatorSpec, Partitioner } from '../operator/operator-spec.js';
import type { FieldPath } from '../record/field-tree.js';
import type { Schema } from '../record/schema.js';
import type { ValueFilter } from '../record/value-filter.js';

/** The slot index of subtasks that run on the caller's thread. */
export const HOST_SLOT = -1;

/** Where the rows of a vertex come from. */
export interface VertexSource {
  readonly identity: OperatorIdentity;
  readonly connector: SourceConnector;
  readonly schema: Schema | null;
  /** Names of the columns anybody downstream uses; null for all. */
  readonly columns: readonly string[] | null;
  /** Paths to the fields anybody uses of columns of objects that are not used whole. */
  readonly paths: readonly FieldPath[];
  /** What all rows that anybody uses have in common, if readers can tell; else null. */
  readonly filter: ValueFilter | null;
}

/** `VertexSink.after` of a sink that takes the records which the source could not parse. */
export const DEAD_LETTERS = -2;

/** A sink at the end of a chain. */
export interface VertexSink {
  readonly identity: OperatorIdentity;
  readonly connector: SinkConnector;
  /** Index in `operators` after which the sink taps the chain; -1: the chain's input itself; or
   * `DEAD_LETTERS`.
   */
  readonly after: number;
}

/** An output of a vertex into another one. */
export interface VertexOutput {
  readonly edge: number;
  /** Index in `operators` after which the edge leaves the chain; -1: the chain's input itself. */
  readonly after: number;
}

/**
 * A chain: optionally a source, then operators in a tree rooted at the chain's input.
 * `operators[i].input` is the index of the operator it consumes, -1 for the chain's input; most
 * chains are straight lines.
 */
export interface Vertex {
  readonly id: number;
  /** Names of the chained operators joined by ' -> '. */
  readonly name: string;
  /** Stable: derived from the uids of its parts. */
  readonly uid: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly slotSharingGroup: string;
  readonly source: VertexSource | null;
  readonly operators: readonly { readonly spec: OperatorSpec; readonly input: number }[];
  readonly sinks: readonly VertexSink[];
  readonly inputs: readonly number[];
  readonly outputs: readonly VertexOutput[];
  /** Slot of each subtask, `HOST_SLOT` for the caller's thread. */
  readonly slots: readonly number[];
  /** Why the chain ends where it does, for explain; one sentence per output edge. */
  readonly chainBreaks: readonly string[];
}

/** An edge between two vertices. */
export interface Edge {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly partitioner: Partitioner;
  /** Which side of the first operator of `to` it feeds; 0 unless that has two. */
  readonly side: InputSide;
  /** Names of the fields anybody downstream uses; null for all. */
  readonly columns: readonly string[] | null;
}

/** The plan of a run. */
export interface PhysicalPlan {
  readonly jobName: string;
  readonly vertices: readonly Vertex[];
  readonly edges: readonly Edge[];
  /** Number of worker slots; the host's subtasks are extra. */
  readonly slots: number;
  /** Facts the user should know, each a full sentence with a way out; explain prints them. */
  readonly warnings: readonly string[];
  /** Hash over graph, parameters and function sources, equal in all threads of a run. */
  readonly hash: string;
}
