/**
 * Records that a checkpoint had overtaken, for those who receive them when the job goes on from it: what was on its
 * way to a subtask goes to it again; at another parallelism every receiver deals all records anew, as their senders
 * would, and keeps its own. Callers: the checkpoints of a slot. Runs on: the slot's thread, before it steps.
 * Invariant: over all subtasks of a vertex every record is given once, and records of a key in their order.
 */
import type { Clock } from '../base/clock.js';
import { SeededRandom } from '../base/random.js';
import type { Edge, PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { createChainTask } from '../operator/chain-task.js';
import { type OutputPort, type PortOptions, STEP_DONE } from '../operator/contract.js';
import { type BatchBuilder, createBatchBuilder } from '../record/batch-builder.js';
import { decodeFrameAs } from '../record/frame-codec.js';
import { SCHEMA_VERSION_WORD } from '../record/frame-layout.js';
import type { Schema } from '../record/schema.js';
import { encoded } from './frame-sender.js';
import { decodeInFlight, type InFlightFrame, type InputFrame } from './in-flight.js';
import { loadChainParts } from './load-chain-parts.js';
import type { RestoredState } from './restored-state.js';
import { sketchMetrics } from './sketch-metrics.js';

/** Rows of a batch of records that were dealt anew. */
const BATCH_ROWS = 1024;
const DEALT_AT_ONCE = 4096;

/** Who receives. */
export interface Receiver {
  readonly plan: PhysicalPlan;
  readonly vertex: Vertex;
  readonly subtask: number;
  readonly clock: Clock;
}

/** The records for one subtask, in the order in which they are to be processed. `uid` names its vertex. */
export async function recoveredFrames(
  state: RestoredState,
  uid: string,
  receiver: Receiver,
): Promise<readonly InputFrame[]> {
  const { plan, vertex, subtask } = receiver;
  const all = state.inFlight(uid);
  const isSame = (state.parallelismOf(uid) ?? vertex.parallelism) === vertex.parallelism;
  const frames: InputFrame[] = [];
  for (const [input, edge] of vertex.inputs.entries()) {
    const kept = all
      .filter(({ place }) => place.input === input && (!isSame || place.to === subtask))
      .flatMap(({ bytes }) => decodeInFlight(bytes));
    const own = isSame ? kept : await dealt(kept, plan.edges[edge], receiver);
    frames.push(...own.map((frame) => ({ ...frame, input })));
  }
  return ownVersions(frames);
}

/** Those of the rows that the partitioner of the edge gives to the receiver. */
async function dealt(
  frames: readonly InFlightFrame[],
  edge: Edge,
  { plan, vertex, subtask, clock }: Receiver,
): Promise<readonly InFlightFrame[]> {
  if (frames.length === 0) return [];
  const port = new DealingPort(vertex.parallelism, subtask);
  const task = createChainTask({
    vertexName: vertex.name,
    operators: [],
    outputs: [
      {
        port,
        after: -1,
        partitioner: edge.partitioner,
        columns: null,
        maxParallelism: vertex.maxParallelism,
      },
    ],
    streamSchemas: () => {
      throw new RangeError('A chain without operators has no stream of its own.');
    },
    // The same for all receivers, so that they agree on who gets what is dealt in turn or at random.
    subtask: 0,
    parallelism: 1,
    maxParallelism: vertex.maxParallelism,
    clock,
    random: new SeededRandom(0),
    control: new Int32Array(1),
    parts: await loadChainParts([]),
    tables: () => {
      throw new RangeError('A chain without operators has no tables.');
    },
    userMetrics: sketchMetrics(plan.jobName),
    countLate: () => {},
    preAggregateKeysMax: 0,
  });
  for (const { schema, frame, first } of ownVersions(frames)) {
    const batch = decodeFrameAs(schema, frame);
    const cursor = { position: first };
    while (task.step(0, batch, cursor, DEALT_AT_ONCE) !== STEP_DONE);
  }
  task.flush();
  task.close();
  return port.frames;
}

/** Keeps what goes to one channel. */
class DealingPort implements OutputPort {
  readonly channels: number;
  builders: readonly BatchBuilder[] = [];
  readonly frames: InFlightFrame[] = [];
  readonly #own: number;

  constructor(channels: number, own: number) {
    this.channels = channels;
    this.#own = own;
  }

  open(schema: Schema, options: PortOptions): boolean {
    for (let channel = 0; channel < this.builders.length; channel++) this.flush(channel);
    this.builders = Array.from({ length: this.channels }, () =>
      createBatchBuilder(schema, 0, { capacity: BATCH_ROWS, ...options }),
    );
    return true;
  }

  flush(channel: number): boolean {
    const builder = this.builders[channel];
    if (channel === this.#own && builder.rows > 0) {
      const { schema } = builder;
      this.frames.push({ schema, frame: encoded(builder.take()), first: 0 });
    }
    builder.reset();
    return true;
  }
}

/**
 * Frames under versions of their own, one for each schema, below those that there are: the streams of this run have
 * others under the same numbers, and subtasks that had been given such frames numbered them each for itself.
 */
function ownVersions<F extends InFlightFrame>(frames: readonly F[]): readonly F[] {
  const versions = new Map<string, number>();
  for (const { schema, frame } of frames) {
    const key = JSON.stringify(schema);
    const version = versions.get(key) ?? -1 - versions.size;
    versions.set(key, version);
    new Int32Array(frame.buffer, frame.byteOffset)[SCHEMA_VERSION_WORD] = version;
  }
  return frames;
}
