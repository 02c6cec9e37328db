/**
 * What every thread of a run is given: plain data and shared memory, enough to rebuild its part of the plan.
 * `deploy.ts` makes it once on the caller's thread. Callers: slots, host slot, coordinator. Runs on: any thread.
 */
import type { CheckpointManifest } from '../checkpoint/contract.js';
import type { PlainData, SourcePlan } from '../connector/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { DirectorySize } from '../metrics/metric-directory-layout.js';
import type { LambdaReadings } from './lambda-readings.js';
import type { KeptOfPlan } from './plan-options.js';
import type { Settings } from './settings.js';
import type { RestoredSource } from './source-head.js';

/** A pair of connected subtasks. */
export interface ChannelPair {
  readonly edge: number;
  readonly from: number;
  readonly to: number;
}

/** Where the functions of the job register metrics. */
export interface UserMetricsMemory {
  /** By vertex id: directories of so many bytes, one for each subtask. */
  readonly memory: readonly SharedArrayBuffer[];
  readonly bytesEach: number;
  readonly size: DirectorySize;
}

/** Where the ring of a channel lies. */
export interface RingPlacement extends ChannelPair {
  /** Index in `Deployment.ringMemory`. */
  readonly memory: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Everything a thread needs, structured-cloneable. */
export interface Deployment {
  readonly jobName: string;
  /** Distinguishes attempts and runs, for file names and messages. */
  readonly attempt: string;
  /** Module that defines the job, null when the run stays on the caller's thread. */
  readonly moduleUrl: string | null;
  readonly params: unknown;
  readonly planHash: string;
  /** What is known of the job's functions, so that slots need not parse them. */
  readonly lambdaReadings: LambdaReadings;
  readonly parallelism: number;
  /** What was settled before this attempt. */
  readonly kept: KeptOfPlan;
  readonly baseDirectory: string;
  readonly settings: Settings;
  readonly seed: number;
  /** By vertex id; null where the vertex has no source. */
  readonly sourcePlans: readonly (SourcePlan | null)[];
  /** By vertex id, then sink index. */
  readonly sinkPlans: readonly (readonly PlainData[])[];
  /** All channels; the index of one is that of its counters. */
  readonly channels: readonly ChannelPair[];
  readonly ringMemory: readonly SharedArrayBuffer[];
  /** Rings of the channels between slots; those inside a slot have none. */
  readonly rings: readonly RingPlacement[];
  readonly registry: SharedArrayBuffer;
  readonly metrics: SharedArrayBuffer;
  readonly userMetrics: UserMetricsMemory;
  /** By vertex id: latencies of markers, as `LatencyPlaces` has them; null for a run that tracks none. */
  readonly latencies: readonly SharedArrayBuffer[] | null;
  /** Split counters (one Int32 per vertex), then the words of each slot; see `slot-words.ts`. */
  readonly control: SharedArrayBuffer;
  /** Slots of worker threads; the host slot, when present, comes after them in the words. */
  readonly slots: number;
  /** Null for a run that takes no checkpoints. */
  readonly checkpointing: CheckpointingPlace | null;
  /** What the run goes on from; null for one that begins. */
  readonly restore: RestorePlan | null;
}

/** Where the slots of an attempt write their state. */
export interface CheckpointingPlace {
  /** The job's checkpoint directory, absolute; null: state goes with the answers and stays in memory. */
  readonly directory: string | null;
  /** Tells the files of this attempt from those of others. */
  readonly attempt: number;
}

/** How a checkpoint is dealt to the subtasks of a plan. */
export interface RestorePlan {
  readonly checkpoint: number;
  /** Where its state is; null when the manifest holds all of it. */
  readonly path: string | null;
  readonly manifest: Pick<CheckpointManifest, 'pieces' | 'operators'>;
  /** By vertex, then subtask; null for a vertex without a source. */
  readonly sources: readonly (readonly RestoredSource[] | null)[];
  /** Vertices all of whose subtasks had finished. */
  readonly finished: readonly number[];
}

/** Whether something is of a channel. */
export function isOfChannel(of: ChannelPair, { edge, from, to }: ChannelPair): boolean {
  return of.edge === edge && of.from === from && of.to === to;
}

/** Numbers of the streams of a plan in the schema registry: edges, then sources, operators and sinks. */
export class StreamIds {
  readonly count: number;
  readonly #firstOfVertex: number[] = [];
  readonly #plan: PhysicalPlan;

  constructor(plan: PhysicalPlan) {
    this.#plan = plan;
    let next = plan.edges.length;
    for (const vertex of plan.vertices) {
      this.#firstOfVertex.push(next);
      next += 1 + vertex.operators.length + vertex.sinks.length;
    }
    this.count = next;
  }

  edge(edge: number): number {
    return edge;
  }

  source(vertex: number): number {
    return this.#firstOfVertex[vertex];
  }

  operator(vertex: number, index: number): number {
    return this.#firstOfVertex[vertex] + 1 + index;
  }

  sink(vertex: number, index: number): number {
    return this.#firstOfVertex[vertex] + 1 + this.#plan.vertices[vertex].operators.length + index;
  }
}
