/**
 * The threads of one run: a coordinator, one worker per slot, and the caller's thread as host slot where the plan
 * needs one. Callers: `execution.ts`. Runs on: the caller's thread. Invariant: when `run` settles, every thread of
 * the run has ended and no port or timer of it is left.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { toWire, type WireError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import { AsyncParker } from '../ring/parker.js';
import type { CoordinatorEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { entryUrl } from './entry-url.js';
import { eventLoopHold, nextEventLoopTurn } from './event-loop.js';
import type { CoordinatorThreadData, HostMessage, HostRequest } from './messages.js';
import type { RunControl, RunObserver } from './run-control.js';
import type { SlotThreads } from './slot-threads.js';
import { watchedSubtasks } from './watchdog.js';

/** Gives the slots' threads their work, starts the coordinator and gives the control over them. */
export function startThreads(
  plan: PhysicalPlan,
  deployment: Deployment,
  observer: RunObserver,
  threads: SlotThreads,
): RunControl {
  const run = new ThreadedRun(plan, deployment, observer, threads);
  run.start();
  return run;
}

class ThreadedRun implements RunControl {
  readonly #plan: PhysicalPlan;
  readonly #deployment: Deployment;
  readonly #observer: RunObserver;
  readonly #threads: SlotThreads;
  readonly #host = new MessageChannel();
  #coordinator: Worker | null = null;
  #isComplete = false;

  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    observer: RunObserver,
    threads: SlotThreads,
  ) {
    this.#threads = threads;
    this.#plan = plan;
    this.#deployment = deployment;
    this.#observer = observer;
  }

  start(): void {
    const workerSlots = Array.from({ length: this.#deployment.slots }, (_, slot) => slot);
    const usesHost = this.#plan.vertices.some((vertex) => vertex.slots.includes(HOST_SLOT));
    const slots = usesHost ? [...workerSlots, HOST_SLOT] : workerSlots;
    const channels = slots.map(() => new MessageChannel());
    this.#host.port1.on('message', (message: HostMessage) => this.#onMessage(message));
    for (const slot of workerSlots) this.#startSlot(slot, channels[slot].port1);
    this.#startCoordinator(
      slots,
      channels.map((channel) => channel.port2),
    );
    if (usesHost) void this.#runHostSlot(channels[workerSlots.length].port1);
  }

  send(event: CoordinatorEvent): void {
    if (this.#isComplete) return;
    this.#host.port1.postMessage({ kind: 'event', event } satisfies HostRequest);
  }

  #startCoordinator(slots: readonly number[], slotPorts: readonly MessagePort[]): void {
    const { settings, control, metrics } = this.#deployment;
    const threadData: CoordinatorThreadData = {
      slots,
      slotPorts,
      hostPort: this.#host.port2,
      control,
      metrics,
      vertices: this.#plan.vertices.length,
      workerSlots: this.#deployment.slots,
      cancellationTimeoutMs: settings['task.cancellationTimeout'],
      stallTimeoutMs: settings['task.stallTimeout'],
      watched: watchedSubtasks(this.#plan),
    };
    this.#coordinator = new Worker(new URL(entryUrl('coordinator')), {
      name: 'millrace-coordinator',
      workerData: threadData,
      transferList: [...slotPorts, this.#host.port2],
      execArgv: [],
    });
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
    else if (message.kind === 'ledger') this.#observer.onLedger(message.slot, message.rows);
    else if (message.action.kind === 'state') this.#observer.onState(message.action.state);
    else if (message.action.kind === 'terminate') this.#terminate(message.action.slot);
    else if (message.action.kind === 'complete') {
      this.#complete(message.action.state, message.action.error, message.action.commits);
    }
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
    this.#host.port1.close();
    void Promise.all([this.#coordinator?.terminate(), this.#threads.terminate()]).then(() =>
      this.#observer.onComplete({ state, error, commits }),
    );
  }
}
