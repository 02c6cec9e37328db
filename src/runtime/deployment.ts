/**
 * What every thread of a run is given: plain data and shared memory, enough to rebuild its part of the plan.
 * `deploy.ts` makes it once on the caller's thread. Callers: slots, host slot, coordinator. Runs on: any thread.
 */
import type { PlainData, SourcePlan } from '../connector/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { LambdaReadings } from './lambda-readings.js';
import type { Settings } from './settings.js';

/** A pair of connected subtasks. */
export interface ChannelPair {
  readonly edge: number;
  readonly from: number;
  readonly to: number;
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
  /** Split counters (one Int32 per vertex), then the words of each slot; see `slot-words.ts`. */
  readonly control: SharedArrayBuffer;
  /** Slots of worker threads; the host slot, when present, comes after them in the words. */
  readonly slots: number;
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
