/**
 * Builds the subtasks of one slot from the plan and the deployment: opens readers and writers, wires rings, and
 * compiles chains lazily on their first batch. Callers: `slot-thread.ts`, `host-slot.ts`. Runs on: the slot's
 * thread. Invariant: what was opened is closed again when building fails half-way.
 */
import { FunctionLog, type FunctionLogger, type LogLine } from '../base/function-log.js';
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { SeededRandom } from '../base/random.js';
import type {
  BadRecord,
  ReaderContext,
  SinkWriter,
  SourceReader,
  WriterContext,
} from '../connector/contract.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { DEAD_LETTERS } from '../graph/physical-plan.js';
import { preAggregateKeysMax, slotBudgetOf } from '../memory/slot-budget.js';
import { FIRST_SINK_OWNER, SOURCE_OWNER } from '../metrics/metric-owners.js';
import { RunMetrics } from '../metrics/run-metrics.js';
import type { TaskMetricsWriter } from '../metrics/task-metrics.js';
import type { MetricsPlace } from '../metrics/user-metrics.js';
import type { ChainOutput } from '../operator/chain-options.js';
import type { LoadedPart } from '../operator/chain-parts.js';
import { loadChainParts } from './load-chain-parts.js';
import { createChainTask } from '../operator/chain-task.js';
import type { ChainTask } from '../operator/contract.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import { keyGroupRange } from '../record/key-group.js';
import { SchemaRegistry } from '../record/schema-registry.js';
import { wakerFor } from '../ring/parker.js';
import { openRingReader, openRingWriter } from '../ring/spsc-ring.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import type { AlignmentMember } from '../time/alignment.js';
import { originsOf, targetsOf } from './channels.js';
import { closeAfterFailure } from './close-all.js';
import { connectorFailure } from './connector-failure.js';
import { AlignmentGroups } from './alignment-groups.js';
import { alignmentCells, ControlMemory, slotWord } from './control-layout.js';
import {
  type ChannelPair,
  type Deployment,
  isOfChannel,
  type RingPlacement,
  StreamIds,
} from './deployment.js';
import { ExchangePort } from './exchange-port.js';
import type { FeedbackChannel } from './feedback-channel.js';
import { type FrameReceiver, RingReceiver } from './frame-receiver.js';
import { type FrameSender, RingSender } from './frame-sender.js';
import { type InputChannel, InputGate, type SubtaskGate } from './input-gate.js';
import { LocalChannel } from './local-channel.js';
import { QueueLimit } from './queue-limit.js';
import { SinkPort } from './sink-port.js';
import type { RestoredSubtask } from './restored-state.js';
import type { SlotCheckpointing } from './slot-checkpointing.js';
import type { TieredTables } from './state-backend.js';
import { SourceHead } from './source-head.js';
import { Subtask, type SubtaskSink } from './subtask.js';
import type { TapSite, TapSites } from './tap-site.js';

/** Bad records a subtask sends to the caller one by one; all are counted, and written as dead letters. */
const BAD_RECORDS_REPORTED_MAX = 1000;

/** A state table, or other memory of the share for state, and whose it is. */
export interface HeldTable {
  readonly table: Pick<StateTable, 'bytes'>;
  readonly vertex: number;
  readonly subtask: number;
  /** 'state', or 'cache' for one that is no state. */
  readonly purpose: string;
  /** Of the subtask. */
  readonly metrics: TaskMetricsWriter;
}

/** What a slot is built from. */
export interface SlotParts {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  /** Index of the slot, or HOST_SLOT. */
  readonly slot: number;
  readonly clock: Clock;
  readonly disk: Disk;
  /** Filled with every state table of the slot as it is created. */
  readonly tables: HeldTable[];
  /** Filled with every place where records may be looked at. */
  readonly taps: TapSites;
  onBadRecord(vertex: Vertex, record: BadRecord): void;
  onLog(line: LogLine): void;
  /** Checkpoints of the slot, and what it goes on from; null for a run that has neither. */
  readonly checkpointing: SlotCheckpointing | null;
  /** What the chain of a source consumes in the place of its reader; absent: readers are opened. */
  feed?(vertex: Vertex): FrameReceiver;
}

/** Builds every subtask that the plan puts into this slot, producers before consumers; or those of some vertices. */
export async function buildSlot(
  parts: SlotParts,
  isBuilt: (vertex: Vertex) => boolean = () => true,
): Promise<readonly Subtask[]> {
  const builder = new SlotBuilder(parts);
  const subtasks: Subtask[] = [];
  try {
    for (const vertex of parts.plan.vertices.filter(isBuilt)) {
      for (let index = 0; index < vertex.parallelism; index++) {
        if (vertex.slots[index] !== parts.slot) continue;
        subtasks.push(await builder.subtask(vertex, index));
      }
    }
  } catch (error) {
    closeAfterFailure([...subtasks, ...builder.opened]);
    throw error;
  }
  return subtasks;
}

/** Where a subtask and its functions count. */
interface SubtaskMetrics {
  readonly metrics: TaskMetricsWriter;
  readonly userMetrics: MetricsPlace;
}

class SlotBuilder {
  readonly #parts: SlotParts;
  readonly #control: ControlMemory;
  readonly #registry: SchemaRegistry;
  readonly #streams: StreamIds;
  readonly #metrics: RunMetrics;
  /** Channels between subtasks of this slot, by index. */
  readonly #local = new Map<number, LocalChannel>();
  /** Ways back to the heads of loops in this slot, by uid and subtask. */
  readonly #feedbacks = new Map<string, FeedbackChannel>();
  /** The subtask whose state is being restored, if any: no others take tables that were loaded ahead. */
  #restoring: RestoredSubtask | null = null;
  /** Readers, writers and the chain of the subtask being built, closed when building it fails. */
  readonly opened: { close(): void }[] = [];

  constructor(parts: SlotParts) {
    this.#parts = parts;
    const { deployment, plan } = parts;
    this.#control = new ControlMemory(deployment.control, plan.vertices.length);
    this.#registry = new SchemaRegistry(deployment.registry);
    this.#streams = new StreamIds(plan);
    this.#metrics = new RunMetrics(deployment.metrics, plan, deployment.channels.length);
  }

  async subtask(vertex: Vertex, index: number): Promise<Subtask> {
    this.opened.length = 0;
    const { deployment, clock } = this.#parts;
    const metrics = this.#metrics.task(vertex.id, index);
    metrics.setState('INITIALIZING');
    const userMetrics = this.#userMetrics(vertex.id, index);
    const tails = await this.#tails(vertex, index);
    const ports = [
      ...vertex.outputs.map((output) => this.#exchangePort(output.edge, index, metrics)),
      ...tails.map(({ port }) => port),
    ];
    const sinks: SubtaskSink[] = [];
    for (let sink = 0; sink < vertex.sinks.length; sink++) {
      sinks.push(await this.#sink(vertex, index, sink, { metrics, userMetrics }));
    }
    const outputs: ChainOutput[] = [
      ...vertex.outputs.map((output, at) => ({
        port: ports[at],
        after: output.after,
        partitioner: this.#parts.plan.edges[output.edge].partitioner,
        columns: this.#parts.plan.edges[output.edge].columns,
        maxParallelism: this.#maxParallelismOf(output.edge),
      })),
      ...tails,
      ...vertex.sinks.flatMap((sink, at) => {
        if (sink.after === DEAD_LETTERS) return [];
        const partitioner = { kind: 'forward' } as const;
        const { columns } = sink.connector;
        return [{ port: sinks[at].port, after: sink.after, partitioner, columns }];
      }),
    ];
    const loaded = await loadChainParts(vertex.operators.map(({ spec }) => spec));
    const { stateful, sorting } = loaded;
    const space =
      stateful || sorting
        ? (await import('./spill-space.js')).spillSpace(this.#parts, metrics)
        : null;
    const tiers = stateful ? await this.#tiers(metrics) : null;
    const openTable = stateful ? this.#tables(vertex, index, stateful, tiers) : refuseTable;
    const task = createChainTask({
      vertexName: vertex.name,
      operators: vertex.operators,
      outputs,
      inputSides: vertex.inputs.map((edge) => this.#parts.plan.edges[edge].side),
      streamSchemas: (operator) =>
        this.#registry.stream(this.#streams.operator(vertex.id, operator)),
      subtask: index,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      clock,
      random: new SeededRandom(deployment.seed + vertex.id * 7919 + index),
      control: metrics.control,
      parts: loaded,
      space,
      tables: openTable,
      ...(tiers === null ? {} : { makeRoom: () => tiers.makeRoom() }),
      aligned: (operator) => this.#aligned(vertex.id, operator, index),
      userMetrics,
      log: (operator) => this.#log(vertex.operators[operator].spec, index),
      countLate: (records) => metrics.addLateRecords(records),
      wake: this.#wakeSelf(),
      holds: (table, purpose) => this.#hold(vertex, index, table, purpose),
      preAggregateKeysMax: preAggregateKeysMax(
        deployment.settings['aggregate.preAggregateKeys'],
        slotBudgetOf(deployment.settings).managedBytes,
      ),
    });
    this.opened.push(task);
    await task.open();
    const { feed, checkpointing } = this.#parts;
    const hadFinished = deployment.restore?.finished.includes(vertex.id) ?? false;
    const { parallelism, maxParallelism } = vertex;
    const state = checkpointing?.stateOf({ subtask: index, parallelism, maxParallelism }) ?? null;
    if (state !== null && !hadFinished) {
      this.#restoring = { subtask: index, parallelism, maxParallelism };
      task.restore(state);
      this.#restoring = null;
    }
    const isFed = vertex.source === null || feed !== undefined;
    const source = isFed
      ? null
      : await this.#source(vertex, index, sinks, { metrics, userMetrics, task });
    const gate = source === null ? await this.#gate(vertex, index) : null;
    const held = { vertexId: vertex.id, index, task, source, gate, sinks, ports, clock };
    return new Subtask({
      vertexId: vertex.id,
      index,
      name: vertex.name,
      uid: vertex.uid,
      task,
      source,
      gate,
      ports,
      sinks,
      taps: this.#taps(vertex, index),
      metrics,
      clock,
      tickIntervalMs: deployment.settings['pipeline.autoWatermarkInterval'],
      barrier: checkpointing?.barrier(held) ?? null,
      markers:
        deployment.latencies === null
          ? null
          : (await import('./latency-markers.js')).latencyMarkers(this.#parts, held),
      hadFinished,
    });
  }

  #taps({ id, source, inputs }: Vertex, index: number): readonly TapSite[] {
    const { taps } = this.#parts;
    if (source !== null) return [taps.add({ kind: 'source', vertex: id }, index)];
    return inputs.map((edge) => taps.add({ kind: 'edge', edge }, index));
  }

  #aligned(vertex: number, operator: number, subtask: number): AlignmentMember | null {
    const { deployment, plan } = this.#parts;
    const groups = new AlignmentGroups(plan);
    if (groups.cells === 0) return null;
    const slots = deployment.slots + 1;
    const cells = alignmentCells(deployment.control, plan.vertices.length, slots, groups.cells);
    return groups.member(cells, vertex, operator, subtask);
  }

  #log(
    { name, uid }: { readonly name: string; readonly uid: string },
    subtask: number,
  ): FunctionLogger {
    const { deployment, slot, clock, onLog } = this.#parts;
    const word = this.#control.logLevelWord(slotWord(deployment.slots, slot));
    return new FunctionLog(word, clock, { operator: name, uid, subtask }, onLog);
  }

  #userMetrics(vertex: number, subtask: number): MetricsPlace {
    const { memory, bytesEach, size } = this.#parts.deployment.userMetrics;
    return { memory: memory[vertex], byteOffset: subtask * bytesEach, size, registry: null };
  }

  #maxParallelismOf(edge: number): number {
    const { edges, vertices } = this.#parts.plan;
    return vertices[edges[edge].to].maxParallelism;
  }

  /** What makes those tables of a subtask that may have a part on disk; null where none may. */
  async #tiers(metrics: TaskMetricsWriter): Promise<TieredTables | null> {
    if (this.#parts.deployment.settings['state.backend'] !== 'lsm') return null;
    const { TieredTables } = await import('./state-backend.js');
    const { operatorSpace } = await import('./spill-space.js');
    return new TieredTables(operatorSpace(this.#parts, metrics), metrics);
  }

  /** What makes the tables of a subtask. */
  #tables(
    vertex: Vertex,
    index: number,
    { createHotTable }: LoadedPart<'stateful'>,
    tiers: TieredTables | null,
  ): (uid: string, spec: TableSpec) => StateTable {
    const keyGroups = keyGroupRange(index, vertex.parallelism, vertex.maxParallelism);
    return (uid, spec) => {
      const who = this.#restoring;
      const ahead = who === null ? null : this.#parts.checkpointing?.tableAhead(uid, spec, who);
      const table =
        tiers !== null && spec.isEvictable === true
          ? tiers.open(uid, spec, keyGroups)
          : (ahead ?? createHotTable(spec, { keyGroups }));
      this.#hold(vertex, index, table, 'state');
      return table;
    };
  }

  #hold({ id }: Vertex, subtask: number, table: HeldTable['table'], purpose: string): void {
    const metrics = this.#metrics.task(id, subtask);
    this.#parts.tables.push({ table, vertex: id, subtask, purpose, metrics });
  }

  async #source(
    vertex: Vertex,
    index: number,
    sinks: readonly SubtaskSink[],
    { metrics, userMetrics, task }: SubtaskMetrics & { readonly task: ChainTask },
  ): Promise<SourceHead> {
    const { deployment, disk, clock, onBadRecord } = this.#parts;
    const letterSink = vertex.sinks.findIndex((sink) => sink.after === DEAD_LETTERS);
    const deadLetters =
      letterSink < 0
        ? null
        : new (await import('./dead-letter-queue.js')).DeadLetterQueue(sinks[letterSink].port);
    let reported = 0;
    const plan = deployment.sourcePlans[vertex.id];
    assert(vertex.source !== null && plan !== null, 'Sources of a deployment have plans.');
    const { connector, columns, paths, filter, identity } = vertex.source;
    const context: ReaderContext = {
      plan,
      subtask: index,
      parallelism: vertex.parallelism,
      columns,
      paths,
      filter,
      disk,
      clock,
      baseDirectory: deployment.baseDirectory,
      schemas: this.#registry.stream(this.#streams.source(vertex.id)),
      batchRows: deployment.settings['exchange.batchRows'],
      metrics: { place: userMetrics, owner: SOURCE_OWNER },
      log: this.#log(identity, index),
      wake: this.#wakeSelf(),
      badRecord: (record) => {
        metrics.addBadRecords(1);
        deadLetters?.add(record);
        if (reported++ < BAD_RECORDS_REPORTED_MAX) onBadRecord(vertex, record);
      },
    };
    const open = (): SourceReader | Promise<SourceReader> => connector.open(context);
    const reader = await this.#open('SOURCE_FAILED', identity, index, open);
    return new SourceHead({
      reader,
      plan,
      nextSplit: this.#control.nextSplit(vertex.id),
      dealt: connector.interleaves === true ? { first: index, every: vertex.parallelism } : null,
      restored: deployment.restore?.sources[vertex.id]?.[index] ?? null,
      deadLetters,
      listener: task,
    });
  }

  async #sink(
    vertex: Vertex,
    index: number,
    sinkIndex: number,
    { metrics, userMetrics }: SubtaskMetrics,
  ): Promise<SubtaskSink> {
    const { deployment, disk, clock } = this.#parts;
    const { connector, identity } = vertex.sinks[sinkIndex];
    const context: WriterContext = {
      plan: deployment.sinkPlans[vertex.id][sinkIndex],
      subtask: index,
      parallelism: vertex.parallelism,
      attempt: deployment.attempt,
      disk,
      clock,
      baseDirectory: deployment.baseDirectory,
      metrics: { place: userMetrics, owner: FIRST_SINK_OWNER - sinkIndex },
      log: this.#log(identity, index),
      wake: this.#wakeSelf(),
    };
    const open = (): SinkWriter | Promise<SinkWriter> => connector.open(context);
    const writer = await this.#open('SINK_FAILED', identity, index, open);
    const schemas = this.#registry.stream(this.#streams.sink(vertex.id, sinkIndex));
    const batchRows = deployment.settings['exchange.batchRows'];
    const tap = this.#parts.taps.add({ kind: 'sink', vertex: vertex.id, sink: sinkIndex }, index);
    const port = new SinkPort({ writer, identity, schemas, batchRows, metrics, tap });
    return { sinkIndex, writer, port };
  }

  /** Opens a reader or writer; what it throws is thrown on with the operator it belongs to. */
  async #open<T extends { close(): void }>(
    code: 'SOURCE_FAILED' | 'SINK_FAILED',
    { name, uid }: OperatorIdentity,
    subtask: number,
    open: () => T | Promise<T>,
  ): Promise<T> {
    try {
      const opened = await open();
      this.opened.push(opened);
      return opened;
    } catch (cause) {
      throw connectorFailure(cause, code).at({ operator: name, uid, subtask });
    }
  }

  #exchangePort(edgeId: number, from: number, task: TaskMetricsWriter): ExchangePort {
    const { plan, deployment } = this.#parts;
    const edge = plan.edges[edgeId];
    const pairs = targetsOf(plan, edge, from).map(
      (to): ChannelPair => ({ edge: edgeId, from, to }),
    );
    return new ExchangePort({
      senders: pairs.map((pair) => this.#sender(pair, task)),
      broadcast: edge.partitioner.kind === 'broadcast',
      schemas: this.#registry.stream(this.#streams.edge(edgeId)),
      batchRows: deployment.settings['exchange.batchRows'],
      mayOvertake: this.#parts.checkpointing?.mayOvertake(edgeId) ?? false,
    });
  }

  #sender(pair: ChannelPair, task: TaskMetricsWriter): FrameSender {
    const { plan, deployment, clock } = this.#parts;
    const index = deployment.channels.findIndex((channel) => isOfChannel(channel, pair));
    const metrics = { edge: this.#metrics.channel(index), task };
    const place = this.#ringPlace(pair);
    if (place === null) {
      const channel = new LocalChannel(metrics, wakerFor(this.#ownWord()));
      this.#local.set(index, channel);
      return channel;
    }
    const consumer = wakerFor(
      this.#control.parkerWord(this.#wordOf(plan.edges[pair.edge].to, pair.to)),
    );
    const memory = deployment.ringMemory[place.memory];
    const ring = openRingWriter(memory, place.byteOffset, place.byteLength, consumer);
    const targetMs = deployment.settings['exchange.targetDrain'];
    return new RingSender(ring, metrics, new QueueLimit(ring, clock, targetMs));
  }

  /** The outputs that lead back to the heads of loops; mostly none. */
  async #tails(
    vertex: Vertex,
    index: number,
  ): Promise<readonly (ChainOutput & { readonly port: ExchangePort })[]> {
    const tails: (ChainOutput & { readonly port: ExchangePort })[] = [];
    for (const [after, { spec }] of vertex.operators.entries()) {
      if (spec.kind !== 'feedback') continue;
      const port = new ExchangePort({
        senders: [await this.#feedback(spec.loop, index)],
        broadcast: false,
        schemas: this.#registry.stream(this.#streams.operator(vertex.id, after)),
        batchRows: this.#parts.deployment.settings['exchange.batchRows'],
      });
      tails.push({ port, after, partitioner: { kind: 'forward' }, columns: null });
    }
    return tails;
  }

  /** The way back to the head `loop` in this slot, made by whichever end is built first. */
  async #feedback(loop: string, index: number): Promise<FeedbackChannel> {
    const id = `${loop}/${index}`;
    const known = this.#feedbacks.get(id);
    if (known !== undefined) return known;
    const { plan } = this.#parts;
    const { FeedbackChannel } = await import('./loops.js');
    const places = plan.vertices.flatMap((vertex) =>
      vertex.operators.map(({ spec }, operator) => ({ vertex, spec, operator })),
    );
    const tail = places.find(({ spec }) => spec.kind === 'feedback' && spec.loop === loop);
    const head = places.find(({ spec }) => spec.uid === loop);
    assert(head !== undefined && tail !== undefined, 'A loop has a head and a tail.');
    const schemas = this.#registry.stream(this.#streams.operator(tail.vertex.id, tail.operator));
    const channel = new FeedbackChannel(head.spec.name, schemas, wakerFor(this.#ownWord()));
    this.#feedbacks.set(id, channel);
    this.#hold(head.vertex, index, channel, 'state');
    return channel;
  }

  async #gate(vertex: Vertex, index: number): Promise<SubtaskGate> {
    const input = await this.#inputGate(vertex, index);
    const head = vertex.operators[0]?.spec;
    if (head?.kind !== 'loop') return input;
    const { LoopGate, LoopRounds } = await import('./loops.js');
    const words = this.#control.loopWords(vertex.id);
    return new LoopGate({
      input,
      inputs: vertex.inputs.length,
      feedback: await this.#feedback(head.uid, index),
      rounds: new LoopRounds(words, vertex.parallelism, () => this.#wakeAll()),
      maxIterations: head.maxIterations,
    });
  }

  #wakeAll(): void {
    for (let slot = 0; slot <= this.#parts.deployment.slots; slot++) {
      wakerFor(this.#control.parkerWord(slot)).wake();
    }
  }

  async #inputGate(vertex: Vertex, index: number): Promise<InputGate> {
    const { plan, feed, checkpointing } = this.#parts;
    if (vertex.source !== null && feed !== undefined) {
      return new InputGate([{ input: 0, receiver: feed(vertex) }]);
    }
    const edges: number[] = [];
    const channels: InputChannel[] = [];
    for (const [input, edge] of vertex.inputs.entries()) {
      for (const from of originsOf(plan, plan.edges[edge], index)) {
        edges.push(edge);
        channels.push({ input, receiver: this.#receiver({ edge, from, to: index }) });
      }
    }
    if (checkpointing === null) return new InputGate(channels);
    const recovered = await checkpointing.recovered(vertex, index);
    return new InputGate(channels, checkpointing.alignment(edges), recovered);
  }

  #receiver(pair: ChannelPair): FrameReceiver {
    const { plan, deployment } = this.#parts;
    const place = this.#ringPlace(pair);
    if (place === null) return this.#localChannel(pair);
    const producer = wakerFor(
      this.#control.parkerWord(this.#wordOf(plan.edges[pair.edge].from, pair.from)),
    );
    const memory = deployment.ringMemory[place.memory];
    const ring = openRingReader(memory, place.byteOffset, place.byteLength, producer);
    return new RingReceiver(ring, this.#registry.stream(this.#streams.edge(pair.edge)));
  }

  /** The channel that the producer, which is built before its consumers, has made. */
  #localChannel(pair: ChannelPair): LocalChannel {
    const index = this.#parts.deployment.channels.findIndex((channel) =>
      isOfChannel(channel, pair),
    );
    const channel = this.#local.get(index);
    assert(channel !== undefined, 'Producers are built before consumers.');
    return channel;
  }

  #ringPlace(pair: ChannelPair): RingPlacement | null {
    return this.#parts.deployment.rings.find((ring) => isOfChannel(ring, pair)) ?? null;
  }

  /** Index of the control words of the slot a subtask runs in. */
  #wordOf(vertex: number, subtask: number): number {
    const slot = this.#parts.plan.vertices[vertex].slots[subtask];
    return slotWord(this.#parts.deployment.slots, slot);
  }

  #ownWord(): Int32Array {
    const { slot, deployment } = this.#parts;
    return this.#control.parkerWord(slotWord(deployment.slots, slot));
  }

  #wakeSelf(): () => void {
    const waker = wakerFor(this.#ownWord());
    return () => waker.wake();
  }
}

function refuseTable(_uid: string, spec: TableSpec): never {
  throw new MillraceError('ASSERTION', `No operator of this vertex keeps a table "${spec.name}".`);
}
