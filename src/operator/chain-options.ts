/**
 * What a chain task is made of. Callers: the runtime and tests build it, the chain compiler reads it. Runs on:
 * worker.
 */
import type { FunctionLogger } from '../base/function-log.js';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { Random } from '../base/random.js';
import type { MetricsPlace } from '../metrics/user-metrics.js';
import type { Batch } from '../record/batch.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import type { AlignmentMember } from '../time/alignment.js';
import type { ChainParts } from './chain-parts.js';
import type { ChainTask, OutputPort } from './contract.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec, Partitioner } from './operator-spec.js';

/** What an operator may hold in memory, and where it puts the rest. */
export interface SpillSpace {
  readonly budgetBytes: number;
  readonly disk: Pick<Disk, 'createScratch'>;
  readonly directory: string;
}

/** An operator of a chain. `input` is the index of the operator it consumes, -1 for the chain's input. */
export interface ChainOperator {
  readonly spec: OperatorSpec;
  readonly input: number;
}

/** Where rows leave a chain. */
export interface ChainOutput {
  readonly port: OutputPort;
  /** Index of the operator whose rows leave here; -1: the chain's input itself. */
  readonly after: number;
  readonly partitioner: Partitioner;
  /** Names of the fields to write, null for all. Applies to records that are objects only. */
  readonly columns: readonly string[] | null;
  /** Max parallelism of the consumer, by which key groups are counted; omitted: that of the chain. */
  readonly maxParallelism?: number;
}

/** Everything a chain task needs from outside. */
export interface ChainTaskOptions {
  readonly vertexName: string;
  /** A tree: every operator stands behind the one it consumes. */
  readonly operators: readonly ChainOperator[];
  readonly outputs: readonly ChainOutput[];
  /** Which side of an operator with two sides each input of the chain feeds; omitted: all the first. */
  readonly inputSides?: readonly InputSide[];
  /** The evolving schema of what the function of operator `operatorIndex` returns. */
  readonly streamSchemas: (operatorIndex: number) => StreamSchemas;
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Element 0 is the index of the operator whose user function runs, -1 for none. */
  readonly control: Int32Array;
  readonly parts: ChainParts;
  /**
   * What each operator has that keeps something: where all input ends, and nothing is to be snapshot; else null, or
   * omitted.
   */
  readonly space?: SpillSpace | null;
  /** Opens a state table of the operator `uid`. */
  readonly tables: (uid: string, spec: TableSpec) => StateTable;
  /** Has entries of those tables leave memory that may; called when no id of one is held. Omitted: none may. */
  readonly makeRoom?: () => void;
  /** The member of an alignment group that an operator is; null, or omitted, for none. */
  readonly aligned?: (operatorIndex: number) => AlignmentMember | null;
  /** Where the metrics of the functions of the chain are. */
  readonly userMetrics: MetricsPlace;
  /** Counts records that came too late for their windows, whatever becomes of them. */
  readonly countLate: (records: number) => void;
  /** The log of the functions of an operator of the chain; omitted: what they log goes nowhere. */
  readonly log?: (operatorIndex: number) => FunctionLogger;
  /** Has the slot look at the chain again, from a callback of its thread. */
  readonly wake?: () => void;
  /** Counts memory of the chain beside its tables, for as long as the job runs. */
  readonly holds?: (memory: { readonly bytes: number }, purpose: string) => void;
  /** Keys a partial aggregation holds before it hands them on. */
  readonly preAggregateKeysMax: number;
}

/** A chain task whose code can be looked at. */
export interface CompiledChain extends ChainTask {
  /** The functions generated so far, for `explain --code`. */
  code(): string;
  /**
   * Generates the functions for batches like this one without running them, as far as schemas are known, and opens
   * the outputs they reach; false while an output has no room.
   */
  prepare(input: number, batch: Batch): boolean;
}
