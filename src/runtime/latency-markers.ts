/**
 * Latency markers in a subtask, as Flink has them. A source makes one in every interval of processing time; it goes the
 * way of the records without being processed, behind those before it, by one way of those there are, and each operator
 * that it passes notes how old it is. Callers: the subtask, in whose slots it is loaded when latency is tracked. Runs
 * on: the slot's thread, between two batches. Invariant: a marker overtakes nothing, and is in no checkpoint.
 */
import type { Clock } from '../base/clock.js';
import { type Random, SeededRandom } from '../base/random.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { recordLatency } from '../metrics/latency-history.js';
import { LatencyPlaces } from './latency-places.js';
import { PortMarkers } from './port-markers.js';
import type { Settings } from './settings.js';
import type { SlotParts } from './slot-builder.js';
import type { SubtaskParts } from './subtask.js';

/** Where what comes in of a chain goes, as plans have it. */
const CHAIN_INPUT = -1;

/** What markers in a subtask need. */
export interface LatencyMarkersParts {
  readonly plan: PhysicalPlan;
  readonly settings: Settings;
  readonly vertex: number;
  readonly subtask: number;
  /** Of the vertex, as `LatencyPlaces` lays it out. */
  readonly memory: SharedArrayBuffer;
  /** Those of the outputs of the vertex, in their order. */
  readonly ports: readonly Pick<PortMarkers, 'channels' | 'mark' | 'send'>[];
  readonly clock: Clock;
  readonly random: Random;
  /** Hands on all rows of the outputs; false while one has no room. */
  flush(): boolean;
}

/** A marker as it travels: when it was made by the wall clock, the vertex of its source, and the subtask. */
type Marker = readonly [markedMs: number, vertex: number, subtask: number];
const MARKER_BYTES = 24;

/** Where a marker goes from an operator: to an owner of histories, or, less than 0, to the output `~way`. */
type Way = number;

/** Makes and forwards the markers of one subtask. */
export class LatencyMarkers {
  readonly #parts: LatencyMarkersParts;
  readonly #isSource: boolean;
  /** By operator, the input of the chain first: the ways from there. */
  readonly #ways: readonly (readonly Way[])[];
  /** By owner and origin; made when the first marker comes that way. */
  readonly #histories = new Map<string, Float64Array>();
  readonly #intervalMs: number;
  /** Monotonic time at which a source makes the next one. */
  #nextMs: number;
  /** One that has come in and is to wait for what is due before it. */
  #arrived: Uint8Array | null = null;
  /** One that waits for another one to leave its channel. */
  #leaving: {
    readonly output: number;
    readonly channel: number;
    readonly marker: Uint8Array;
  } | null = null;

  constructor(parts: LatencyMarkersParts) {
    const { operators, outputs, sinks, source } = parts.plan.vertices[parts.vertex];
    this.#parts = parts;
    this.#isSource = source !== null;
    this.#intervalMs = parts.settings['metrics.latency.interval'];
    this.#nextMs = parts.clock.monotonicMs();
    this.#ways = [CHAIN_INPUT, ...operators.keys()].map((from): readonly Way[] => [
      ...operators.flatMap(({ input }, index) => (input === from ? [index] : [])),
      ...sinks.flatMap(({ after }, sink) => (after === from ? [operators.length + sink] : [])),
      ...outputs.flatMap(({ after }, output) => (after === from ? [~output] : [])),
    ]);
  }

  /** Takes a marker that has come in; `step` forwards it, and nothing is read before. */
  take(marker: Uint8Array): void {
    this.#arrived = marker;
  }

  /** Whether one has to go on before anything else is read. */
  get isHolding(): boolean {
    return this.#arrived !== null || this.#leaving !== null;
  }

  /** How long until a source makes the next one. */
  get sleepMs(): number {
    return this.#isSource ? this.#nextMs - this.#parts.clock.monotonicMs() : Infinity;
  }

  /** Does what is due, when all that came before has been handed on; false while an output has no room. */
  step(): boolean {
    const { ports } = this.#parts;
    for (const port of ports) port.send();
    if (this.#leaving !== null && !this.#leave()) return false;
    const marker = this.#arrived ?? this.#made();
    this.#arrived = null;
    return marker === null || this.#forward(marker);
  }

  /**
   * The next marker of a source, if it is due. It is as old as it is late, so that what holds a source back shows in
   * latencies as it does in those of records.
   */
  #made(): Uint8Array | null {
    if (!this.#isSource) return null;
    const { clock, vertex, subtask } = this.#parts;
    const nowMs = clock.monotonicMs();
    const lateMs = nowMs - this.#nextMs;
    if (lateMs < 0) return null;
    this.#nextMs = nowMs + this.#intervalMs;
    const marker: Marker = [clock.epochMs() - lateMs, vertex, subtask];
    return new Uint8Array(Float64Array.from(marker).buffer);
  }

  #forward(bytes: Uint8Array): boolean {
    const { clock, random, ports } = this.#parts;
    const marker = new Float64Array(bytes.buffer, bytes.byteOffset, MARKER_BYTES / 8);
    const latencyMs = Math.max(0, clock.epochMs() - marker[0]);
    for (let from = CHAIN_INPUT; ; ) {
      const ways = this.#ways[from + 1] ?? [];
      if (ways.length === 0) return true;
      const way = ways[random.below(ways.length)];
      if (way < 0) {
        const output = ~way;
        const channel = random.below(ports[output].channels);
        this.#leaving = { output, channel, marker: bytes };
        return this.#leave();
      }
      if (!this.#isSideOutput(way)) {
        recordLatency(this.#history(way, marker[1], marker[2]), latencyMs);
      }
      from = way;
    }
  }

  /** Side outputs are ways to others, and no operators in themselves. */
  #isSideOutput(owner: number): boolean {
    const { plan, vertex } = this.#parts;
    return plan.vertices[vertex].operators.at(owner)?.spec.kind === 'sideOutput';
  }

  /** Two markers of a channel are not behind the same rows: those in between leave first. */
  #leave(): boolean {
    if (this.#leaving === null) return true;
    const { output, channel, marker } = this.#leaving;
    const port = this.#parts.ports[output];
    if (!port.mark(channel, marker)) {
      this.#parts.flush();
      if (!port.mark(channel, marker)) return false;
    }
    this.#leaving = null;
    return true;
  }

  #history(owner: number, source: number, sourceSubtask: number): Float64Array {
    const key = `${owner} ${source} ${sourceSubtask}`;
    const known = this.#histories.get(key);
    if (known !== undefined) return known;
    const { plan, settings, memory, vertex, subtask } = this.#parts;
    const places = new LatencyPlaces(plan, settings);
    const origin = places.originsOf(vertex).findIndex((one) => {
      const isOf = one.vertex === null || one.vertex === source;
      return isOf && (one.subtask === null || one.subtask === sourceSubtask);
    });
    const history = places.history(memory, vertex, subtask, owner, origin);
    this.#histories.set(key, history);
    return history;
  }
}

/** The markers of a subtask, whose outputs have markers wait; null where latency is not tracked. */
export function latencyMarkers(
  { plan, deployment, clock }: Pick<SlotParts, 'plan' | 'deployment' | 'clock'>,
  of: Pick<SubtaskParts, 'vertexId' | 'index' | 'task' | 'ports'>,
): LatencyMarkers | null {
  const { latencies, settings, seed } = deployment;
  if (latencies === null) return null;
  const { vertexId: vertex, index: subtask, task } = of;
  const ports = of.ports.map((port) => {
    port.markers = new PortMarkers(port);
    return port.markers;
  });
  const memory = latencies[vertex];
  const random = new SeededRandom(seed ^ (vertex * 7919 + subtask));
  const flush = (): boolean => task.flush();
  return new LatencyMarkers({
    plan,
    settings,
    vertex,
    subtask,
    memory,
    ports,
    clock,
    random,
    flush,
  });
}
