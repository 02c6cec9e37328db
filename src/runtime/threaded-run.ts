/**
 * The threads of one run: a coordinator, one worker per slot, and the caller's thread as host slot where the plan
 * needs one. The coordinator gets its thread when the run turns out to last, because starting a thread takes as long as
 * a short run; a caller that may block has it at once. Callers: `launch-run.ts`. Runs on: the caller's thread.
 * Invariant: when the run is complete, every thread of it has ended and no port or timer of it is left.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { toWire, type WireError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import { AsyncParker, wakerFor } from '../ring/parker.js';
import { Coordination } from './coordination.js';
import type { CheckpointingStart } from './checkpoint-keeper.js';
import { ControlMemory } from './control-layout.js';
import type { JobState, RunEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { entryUrl } from './entry-url.js';
import { eventLoopHold, nextEventLoopTurn } from './event-loop.js';
import type {
  CoordinationStart,
  CoordinatorThreadData,
  HostMessage,
  HostRequest,
} from './messages.js';
import { observeCheckpoints, type RunControl, type RunObserver } from './run-control.js';
import { MAIN_THREAD, type SlotThreadId } from './slot-thread-id.js';
import type { SlotThreads } from './slot-threads.js';
import { runRegions } from './run-regions.js';
import type { SlotRequest } from './tap-listener.js';
import { watchedSubtasks } from './watchdog.js';

/**
 * So long after the run has entered a state the coordinator moves to a thread of its own, which is where deadlines are
 * looked at.
 */
const YOUNG_MS = 100;
/** The same for a run that has not started yet: while its threads load, a further one is in their way. */
const STARTING_MS = 1000;

/** How a run on threads starts. */
export interface ThreadedStart {
  /** Whether the caller's event loop is free while the run starts. */
  readonly awaitsEnd: boolean;
  /** How checkpoints are taken; null for a run without. */
  readonly checkpointing: CheckpointingStart | null;
}

/** Gives the slots' threads their work, starts the coordinator and gives the control over them. */
export function startThreads(
  plan: PhysicalPlan,
  deployment: Deployment,
  observer: RunObserver,
  threads: SlotThreads,
  { awaitsEnd, checkpointing }: ThreadedStart,
): RunControl {
  const run = new ThreadedRun(plan, deployment, observer, threads, checkpointing);
  run.start(awaitsEnd);
  return run;
}

class ThreadedRun implements RunControl {
  readonly #plan: PhysicalPlan;
  readonly #deployment: Deployment;
  readonly #observer: RunObserver;
  readonly #threads: SlotThreads;
  readonly #checkpointing: CheckpointingStart | null;
  /** The coordinator while it is on this thread. */
  #young: Coordination | null = null;
  #handOver: NodeJS.Timeout | null = null;
  /** The coordinator's thread, and the port to it. */
  #coordinator: Worker | null = null;
  #port: MessagePort | null = null;
  #isComplete = false;
  /** Requests that the host's slot has not taken. */
  readonly #asked: SlotRequest[] = [];

  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    observer: RunObserver,
    threads: SlotThreads,
    checkpointing: CheckpointingStart | null,
  ) {
    this.#threads = threads;
    this.#checkpointing = checkpointing;
    this.#plan = plan;
    this.#deployment = deployment;
    this.#observer = observer;
  }

  start(awaitsEnd: boolean): void {
    const workerSlots = Array.from({ length: this.#deployment.slots }, (_, slot) => slot);
    const usesHost = this.#usesHost;
    const slots = usesHost ? [...workerSlots, HOST_SLOT] : workerSlots;
    const channels = slots.map(() => new MessageChannel());
    this.#threads.onTapped((report) => this.#observer.onTapped(report));
    for (const slot of workerSlots) this.#startSlot(slot, channels[slot].port1);
    const start = this.#coordinationStart(
      slots,
      channels.map((channel) => channel.port2),
    );
    // Functions of the job that run here may block this thread, and writing checkpoints does.
    if (awaitsEnd && !usesHost && this.#checkpointing === null) this.#coordinateHere(start);
    else this.#startCoordinator(start);
    if (usesHost) void this.#runHostSlot(channels[workerSlots.length].port1);
  }

  send(event: RunEvent): void {
    if (this.#isComplete) return;
    this.#young?.send(event);
    this.#port?.postMessage({ kind: 'event', event } satisfies HostRequest);
  }

  ask(request: SlotRequest): void {
    if (this.#isComplete) return;
    const { slots } = this.#deployment;
    if (this.#usesHost) this.#asked.push(request);
    for (let slot = 0; slot < slots; slot++) this.#threads.ask(slot, request);
    const control = new ControlMemory(this.#deployment.control, this.#plan.vertices.length);
    for (let slot = 0; slot <= slots; slot++) {
      Atomics.add(control.askedWord(slot), 0, 1);
      wakerFor(control.parkerWord(slot)).wake();
    }
  }

  get threads(): readonly SlotThreadId[] {
    const slots = Array.from({ length: this.#deployment.slots }, (_, slot) => {
      return { slot, threadId: this.#threads.threadIdOf(slot) };
    });
    return this.#usesHost ? [...slots, { slot: HOST_SLOT, threadId: MAIN_THREAD }] : slots;
  }

  get #usesHost(): boolean {
    return this.#plan.vertices.some((vertex) => vertex.slots.includes(HOST_SLOT));
  }

  #coordinationStart(
    slots: readonly number[],
    slotPorts: readonly MessagePort[],
  ): CoordinationStart {
    const { settings, control, metrics } = this.#deployment;
    return {
      slots,
      slotPorts,
      past: [],
      exits: [],
      control,
      metrics,
      vertices: this.#plan.vertices.length,
      workerSlots: this.#deployment.slots,
      regions: runRegions(this.#plan),
      cancellationTimeoutMs: settings['task.cancellationTimeout'],
      stallTimeoutMs: settings['task.stallTimeout'],
      checkpointing: this.#checkpointing,
      watched: watchedSubtasks(this.#plan),
    };
  }

  #coordinateHere(start: CoordinationStart): void {
    const young = new Coordination(start, systemClock, (message) => this.#onMessage(message));
    this.#young = young;
    this.#handOverAfter(STARTING_MS);
  }

  /** Moves the coordinator to its thread after so long, and not when that was said before; nothing if it is there. */
  #handOverAfter(delayMs: number): void {
    const young = this.#young;
    if (young === null) return;
    if (this.#handOver !== null) clearTimeout(this.#handOver);
    this.#handOver = setTimeout(() => {
      this.#young = null;
      this.#startCoordinator(young.handOver());
    }, delayMs);
  }

  #startCoordinator(start: CoordinationStart): void {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: HostMessage) => this.#onMessage(message));
    this.#port = port1;
    const slotPorts = start.slotPorts.filter((port) => port !== null);
    this.#coordinator = new Worker(
      new URL(entryUrl(start.checkpointing === null ? 'coordinator' : 'keeper')),
      {
        name: 'millrace-coordinator',
        workerData: { hostPort: port2, start } satisfies CoordinatorThreadData,
        transferList: [...slotPorts, port2],
        execArgv: [],
      },
    );
    this.#coordinator.on('error', (cause) => {
      // Without its coordinator a run cannot end in order, so this ends it.
      this.#complete('FAILED', toWire(cause));
    });
  }

  #startSlot(slot: number, port: MessagePort): void {
    this.#threads.deploy({ deployment: this.#deployment, slot }, port);
    void this.#threads.endOf(slot).then((error) => {
      this.send({ kind: 'slotExited', slot, error });
    });
  }

  async #runHostSlot(port: MessagePort): Promise<void> {
    const letGo = eventLoopHold();
    try {
      // Loaded only where it is needed, and while threads start: it brings the whole data plane with it.
      const { runSlot } = await import('./slot-run.js');
      await runSlot({
        plan: this.#plan,
        deployment: this.#deployment,
        slot: HOST_SLOT,
        clock: systemClock,
        disk: nodeDisk,
        mayBlock: false,
        shuffle: null,
        asyncParker: (word) => new AsyncParker(word, eventLoopHold),
        yieldToEvents: nextEventLoopTurn,
        report: (message) => port.postMessage(message),
        tapDesk: {
          take: () => this.#asked.shift() ?? null,
          tell: (report) => this.#observer.onTapped(report),
        },
      });
    } catch (error) {
      const event = { kind: 'slotFailed', slot: HOST_SLOT, error: toWire(error) } as const;
      port.postMessage({ kind: 'event', event });
    } finally {
      letGo();
      port.close();
    }
  }

  #onMessage(message: HostMessage): void {
    if (message.kind === 'badRecord') this.#observer.onBadRecord(message.record);
    else if (message.kind === 'log') this.#observer.onLog(message.line);
    else if (message.kind === 'tables') this.#observer.onTables(message.tables);
    else if (message.kind !== 'action') observeCheckpoints(this.#observer, message);
    else if (message.action.kind === 'state') this.#entered(message.action.state);
    else if (message.action.kind === 'terminate') this.#terminate(message.action.slot);
    else if (message.action.kind === 'endRegion') this.ask(message.action);
    else if (message.action.kind === 'regionDown') this.#observer.onRegionDown(message.action);
    else if (message.action.kind === 'complete') {
      this.#complete(message.action.state, message.action.error, message.action.commits);
    }
  }

  #entered(state: JobState): void {
    this.#handOverAfter(YOUNG_MS);
    this.#observer.onState(state);
  }

  /** The caller's thread cannot be terminated; its slot ends when the function that blocks it returns. */
  #terminate(slot: number): void {
    if (slot !== HOST_SLOT) this.#threads.terminateSlot(slot);
  }

  #complete(
    state: 'FINISHED' | 'FAILED' | 'CANCELED',
    error: WireError | null,
    commits: Parameters<RunObserver['onComplete']>[0]['commits'] = [],
  ): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    if (this.#handOver !== null) clearTimeout(this.#handOver);
    this.#young?.close();
    this.#port?.close();
    void Promise.all([this.#coordinator?.terminate(), this.#threads.terminate()]).then(() =>
      this.#observer.onComplete({ state, error, commits }),
    );
  }
}
