/**
 * Event time through a small network of real subtasks, gates, rings and chains: sources that assign event times, an
 * exchange, chains between, and a probe that writes down what reaches it. Everything is stepped in random order under
 * a clock that jumps, with rings so small that they are often full.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import { createChainTask } from '../../src/operator/chain-task.js';
import * as computing from '../../src/operator/computing.js';
import type { ChainTask, Cursor, StepResult } from '../../src/operator/contract.js';
import { STEP_DONE, STEP_OUT_OF_BUDGET } from '../../src/operator/contract.js';
import type { OperatorSpec, Partitioner } from '../../src/operator/operator-spec.js';
import type { Batch } from '../../src/record/batch.js';
import { compileRowReader } from '../../src/record/row-codec.js';
import { silentWaker } from '../../src/ring/parker.js';
import { createRing } from '../../src/ring/make-ring.js';
import { openRingReader, openRingWriter } from '../../src/ring/spsc-ring.js';
import type { RingReader, RingWriter } from '../../src/ring/contract.js';
import { InputGate } from '../../src/runtime/input-gate.js';
import { LatencyMarkers } from '../../src/runtime/latency-markers.js';
import { PortMarkers } from '../../src/runtime/port-markers.js';
import { LatencyPlaces } from '../../src/runtime/latency-places.js';
import { resolveSettings, type Settings } from '../../src/runtime/settings.js';
import type { PhysicalPlan } from '../../src/graph/physical-plan.js';
import { QueueLimit } from '../../src/runtime/queue-limit.js';
import { ExchangePort } from '../../src/runtime/exchange-port.js';
import { RingReceiver } from '../../src/runtime/frame-receiver.js';
import { RingSender } from '../../src/runtime/frame-sender.js';
import { SUBTASK_FINISHED, type Subtask, type SubtaskParts } from '../../src/runtime/subtask.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import { batchOf, line, MemorySchemas, op } from '../unit/operator/chain-harness.js';
import {
  channelMetrics,
  ScriptedTask,
  StillClock,
  subtaskOf,
  taskMetrics,
} from '../unit/runtime/runtime-harness.js';
import { metricsPlace } from '../unit/metrics/metrics-place.js';

interface Row {
  readonly source: number;
  readonly at: number;
  readonly id: number;
}

/** What a source does: gives rows, or finds nothing for a while. */
type Deed = { readonly rows: readonly number[] } | { readonly pauseMs: number };

interface Network {
  readonly seed: number;
  /** Event times as steps from the row before, which may go back by at most the disorder. */
  readonly sources: readonly (readonly Deed[])[];
  readonly middle: number;
  readonly disorderMs: number;
  readonly idleTimeoutMs: number | null;
  readonly tickIntervalMs: number;
  readonly batchRows: number;
  /** How often sources send latency markers. */
  readonly markersMs: number;
}

/** A latency marker that a source has sent, with how many of its rows were before it. */
interface Sent {
  readonly source: number;
  readonly markedMs: number;
  readonly rowsBefore: number;
}

/** Writes down rows and watermarks in the order in which they reach it. */
class ProbeTask extends ScriptedTask {
  readonly seen: (
    | { readonly row: Row; readonly time: number }
    | { readonly watermark: number }
    | { readonly marker: Float64Array }
  )[] = [];

  override step(_input: number, batch: Batch, cursor: Cursor): StepResult {
    const read = compileRowReader(batch.schema, null);
    this.seen.push({
      row: read(batch, cursor.position) as Row,
      time: batch.times?.[cursor.position] ?? Number.NaN,
    });
    cursor.position++;
    return cursor.position === batch.rows ? STEP_DONE : STEP_OUT_OF_BUDGET;
  }

  override advance(watermark: number): StepResult {
    this.seen.push({ watermark });
    return STEP_DONE;
  }
}

interface Channel {
  readonly writer: RingWriter;
  readonly reader: RingReader;
}

const RING_BYTES = 2048;

function channel(): Channel {
  const memory = new SharedArrayBuffer(RING_BYTES);
  createRing(memory, 0, RING_BYTES);
  return {
    writer: openRingWriter(memory, 0, RING_BYTES, silentWaker),
    reader: openRingReader(memory, 0, RING_BYTES, silentWaker),
  };
}

/** The subtasks of a network and its probe. */
class Built {
  readonly clock = new StillClock();
  readonly probe = new ProbeTask();
  readonly subtasks: Subtask[] = [];
  readonly rows: Row[] = [];
  readonly sent: Sent[] = [];
  readonly settings: Settings;
  readonly latencies: readonly SharedArrayBuffer[];
  readonly #network: Network;
  readonly #random: SeededRandom;
  readonly #schemas = new MemorySchemas();

  constructor(network: Network) {
    this.#network = network;
    this.#random = new SeededRandom(network.seed);
    const { sources, middle } = network;
    const values = {
      'metrics.latency.interval': network.markersMs,
      'metrics.latency.granularity': 'subtask',
    };
    this.settings = resolveSettings([{ origin: 'test', values }]);
    const places = new LatencyPlaces(this.#plan, this.settings);
    this.latencies = [0, 1].map((vertex) => new SharedArrayBuffer(places.bytesOf(vertex)));
    const first = sources.map(() => Array.from({ length: middle }, channel));
    const second = Array.from({ length: middle }, channel);
    sources.forEach((deeds, source) => {
      const writers = first[source].map(({ writer }) => writer);
      const task = this.#chain(this.#assign(), writers, { kind: 'rebalance' });
      const markers = this.#markers(0, source, task);
      this.#add({ ...task, markers, source: this.#reader(source, deeds) as never });
    });
    for (let index = 0; index < middle; index++) {
      const spec = op.map((row: Row) => row);
      const task = this.#chain(spec, [second[index].writer], { kind: 'forward' });
      const gate = this.#gate(first.map((channels) => channels[index].reader));
      this.#add({ ...task, gate, markers: this.#markers(1, index, task) });
    }
    const { seen } = this.probe;
    const probed = {
      step: () => true,
      isHolding: false,
      sleepMs: Infinity,
      take: (marker: Uint8Array) => seen.push({ marker: new Float64Array(marker.slice().buffer) }),
    };
    const gate = this.#gate(second.map(({ reader }) => reader));
    this.#add({ task: this.probe, gate, markers: probed as unknown as LatencyMarkers });
  }

  /** Steps everything in random order to the end. */
  run(): void {
    const live = [...this.subtasks];
    for (let steps = 0; live.length > 0; steps++) {
      if (steps > 200_000) throw new Error('The network does not come to its end.');
      const at = this.#random.below(live.length);
      if (live[at].step() === SUBTASK_FINISHED) live.splice(at, 1);
      if (this.#random.below(4) === 0) this.clock.nowMs += this.#random.below(12);
    }
  }

  #assign(): OperatorSpec {
    const { disorderMs, idleTimeoutMs } = this.#network;
    const generation = { kind: 'bounded', outOfOrdernessMs: disorderMs } as const;
    return op.assign('at', { generation, idleTimeoutMs });
  }

  #add(parts: Partial<SubtaskParts>): void {
    const { clock } = this;
    const { tickIntervalMs } = this.#network;
    this.subtasks.push(subtaskOf({ clock, tickIntervalMs, ...parts }));
  }

  /** The markers of a source (vertex 0) or of a chain between. */
  #markers(
    vertex: number,
    subtask: number,
    { task, ports }: { readonly task: ChainTask; readonly ports: readonly ExchangePort[] },
  ): LatencyMarkers {
    const [port] = ports;
    const waiting = new PortMarkers(port);
    port.markers = waiting;
    const noted = {
      channels: port.channels,
      send: () => waiting.send(),
      mark: (channel: number, marker: Uint8Array) => {
        if (!waiting.mark(channel, marker)) return false;
        const [markedMs, , source] = new Float64Array(marker.slice().buffer);
        const rowsBefore = this.rows.filter((row) => row.source === source).length;
        if (vertex === 0) this.sent.push({ source, markedMs, rowsBefore });
        return true;
      },
    };
    return new LatencyMarkers({
      plan: this.#plan,
      settings: this.settings,
      vertex,
      subtask,
      memory: this.latencies[vertex],
      ports: [noted],
      clock: this.clock,
      random: this.#random,
      flush: () => task.flush(),
    });
  }

  /** As much of a plan as markers need. */
  get #plan(): PhysicalPlan {
    const { sources, middle } = this.#network;
    const chain = (name: string, parallelism: number) => ({
      name,
      parallelism,
      slots: Array.from({ length: parallelism }, () => 0),
      operators: [{ spec: { kind: 'map', name, uid: name }, input: -1 }],
      sinks: [],
    });
    const assign = { ...chain('assign', sources.length), id: 0, inputs: [] };
    const between = { ...chain('between', middle), id: 1, inputs: [0] };
    const plan = {
      vertices: [
        { ...assign, source: { identity: { uid: 'in' } }, outputs: [{ edge: 0, after: 0 }] },
        { ...between, source: null, outputs: [{ edge: 1, after: 0 }] },
      ],
      edges: [{ from: 0 }, { from: 1 }],
    };
    return plan as unknown as PhysicalPlan;
  }

  /** Markers that each subtask between has noted, all told. */
  get noted(): number {
    const all = new LatencyPlaces(this.#plan, this.settings).read(this.latencies);
    const between = all.filter(({ uid }) => uid === 'between');
    return between.reduce((sum, { value }) => sum + value.count, 0);
  }

  #gate(readers: readonly RingReader[]): InputGate {
    return new InputGate(
      readers.map((ring) => ({ input: 0, receiver: new RingReceiver(ring, this.#schemas) })),
    );
  }

  #chain(
    spec: OperatorSpec,
    rings: readonly RingWriter[],
    partitioner: Partitioner,
  ): { readonly task: ChainTask; readonly ports: readonly ExchangePort[] } {
    const edges = channelMetrics(rings.length);
    const port = new ExchangePort({
      senders: rings.map((ring, index) => {
        const metrics = { edge: edges[index], task: taskMetrics() };
        return new RingSender(ring, metrics, new QueueLimit(ring, this.clock, 1000));
      }),
      broadcast: false,
      schemas: this.#schemas,
      batchRows: this.#network.batchRows,
    });
    const schemas = new MemorySchemas();
    const task = createChainTask({
      vertexName: 'tested',
      operators: line(spec),
      outputs: [{ port, after: 0, partitioner, columns: null }],
      streamSchemas: () => schemas,
      subtask: 0,
      parallelism: 1,
      maxParallelism: 128,
      clock: this.clock,
      random: this.#random,
      control: new Int32Array(2),
      parts: { computing },
      tables: () => {
        throw new Error('No state is kept here.');
      },
      userMetrics: metricsPlace(),
      countLate: () => undefined,
      preAggregateKeysMax: 0,
    });
    return { task, ports: [port] };
  }

  /** A source head that does its deeds one after the other. */
  #reader(source: number, deeds: readonly Deed[]) {
    const { clock, rows } = this;
    const todo = [...deeds];
    let latest = 1000;
    let pauseUntilMs = 0;
    const head = {
      batch: null as Batch | null,
      bytesRead: 0,
      takeRowsPassed: () => 0,
      isWaiting: false,
      flush: () => true,
      close: () => {},
      poll: (): number => {
        if (clock.nowMs < pauseUntilMs) return 1;
        const deed = todo.shift();
        if (deed === undefined) return 2;
        if ('pauseMs' in deed) {
          pauseUntilMs = clock.nowMs + deed.pauseMs;
          return 1;
        }
        const given = deed.rows.map((step): Row => {
          const at = latest + step;
          latest = Math.max(latest, at);
          return { source, at, id: rows.length * 10 + source };
        });
        const numbered = given.map((row) => {
          const own = { ...row, id: rows.length };
          rows.push(own);
          return own;
        });
        head.batch = batchOf(numbered);
        return 0;
      },
    };
    return head;
  }
}

const DISORDER_MAX = 40;

/** Markers that have been checked. */
const markers = { count: 0 };

function networks(idleTimeoutMs: number | null): fc.Arbitrary<Network> {
  return fc.nat(DISORDER_MAX).chain((disorderMs) => {
    const step = fc.integer({ min: -disorderMs, max: 60 });
    const deed: fc.Arbitrary<Deed> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ rows: fc.array(step, { minLength: 1, maxLength: 12 }) }),
      },
      { weight: 1, arbitrary: fc.record({ pauseMs: fc.nat(150) }) },
    );
    return fc.record({
      seed: fc.nat(1e6),
      sources: fc.array(fc.array(deed, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      middle: fc.integer({ min: 1, max: 3 }),
      disorderMs: fc.constant(disorderMs),
      idleTimeoutMs: fc.constant(idleTimeoutMs),
      tickIntervalMs: fc.integer({ min: 1, max: 40 }),
      batchRows: fc.integer({ min: 1, max: 8 }),
      markersMs: fc.integer({ min: 1, max: 60 }),
    });
  });
}

/** What there is to say of the markers of a network that has run: they all came, by turns, behind the rows before. */
function checkMarkers(built: Built, isLine: boolean): number {
  const { seen } = built.probe;
  const came = seen.flatMap((one, at) => ('marker' in one ? [{ at, marker: one.marker }] : []));
  expect(came).toHaveLength(built.sent.length);
  expect(built.noted).toBe(built.sent.length);
  for (const { source, markedMs, rowsBefore } of built.sent) {
    const own = came.filter(({ marker }) => marker[2] === source && marker[0] === markedMs);
    expect(own).toHaveLength(1);
    if (!isLine) continue;
    // There is one way to the probe, so that all rows before the marker were before it on that way.
    const before = seen
      .slice(0, own[0].at)
      .filter((one) => 'row' in one && one.row.source === source);
    expect(before.length).toBeGreaterThanOrEqual(rowsBefore);
  }
  return built.sent.length;
}

/** Runs a network, checks what holds for all, and gives the rows that came behind a watermark. */
function lateRows(network: Network, watermarks: Set<number>): readonly Row[] {
  const built = new Built(network);
  built.run();
  markers.count += checkMarkers(built, network.middle === 1);
  const late: Row[] = [];
  const ids: number[] = [];
  let watermark = WATERMARK_MIN;
  for (const seen of built.probe.seen) {
    if ('marker' in seen) continue;
    if ('watermark' in seen) {
      expect(seen.watermark).toBeGreaterThanOrEqual(watermark);
      watermark = seen.watermark;
      watermarks.add(watermark);
      continue;
    }
    expect(seen.time).toBe(seen.row.at);
    ids.push(seen.row.id);
    if (seen.time <= watermark) late.push(seen.row);
  }
  expect(watermark).toBe(WATERMARK_MAX);
  expect(ids.sort((a, b) => a - b)).toEqual(built.rows.map((row) => row.id));
  return late;
}

describe('event time in a network', () => {
  it('brings no row behind its watermark, whatever the parallelism, frames and schedule', () => {
    const watermarks = new Set<number>();
    fc.assert(
      fc.property(networks(null), (network) => {
        expect(lateRows(network, watermarks)).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(markers.count).toBeGreaterThan(500);
    // Watermarks in the middle of runs have come through, not only the last one.
    expect(watermarks.size).toBeGreaterThan(50);
  });

  it('brings rows behind it only from sources that others did not wait for', () => {
    const watermarks = new Set<number>();
    let idleRuns = 0;
    fc.assert(
      fc.property(networks(20), (network) => {
        const late = lateRows(network, watermarks);
        if (late.length > 0) idleRuns++;
        // A single source cannot be overtaken where its rows go one way only.
        const isLine = network.sources.length === 1 && network.middle === 1;
        if (isLine) expect(late).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(idleRuns).toBeGreaterThan(0);
  });
});
