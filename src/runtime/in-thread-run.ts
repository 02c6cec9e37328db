/**
 * The in-thread runtime: the same scheduler, coordinator and subtasks as a threaded run, with one slot on the
 * caller's thread. Tests, simulation and small jobs use it. Callers: `execution.ts`, the test kit. Runs on: the
 * caller's thread, yielding to its event loop every few milliseconds.
 */
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { toWire } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import type { Parker } from '../ring/contract.js';
import { AsyncParker, wakerFor } from '../ring/parker.js';
import { ControlMemory } from './control-layout.js';
import type { CheckpointingStart, CheckpointKeeper } from './checkpoint-keeper.js';
import type { CoordinatorAction, RunEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import { eventLoopHold, nextEventLoopTurn } from './event-loop.js';
import type { CheckpointMessage, SlotMessage } from './messages.js';
import { observeCheckpoints, type RunControl, type RunObserver } from './run-control.js';
import { RunCoordinator } from './run-coordinator.js';
import { MAIN_THREAD, type SlotThreadId } from './slot-thread-id.js';
import { runRegions } from './run-regions.js';
import type { SlotRequest } from './tap-listener.js';
import { TriggerCells } from './trigger-cells.js';

/** What a simulation replaces. */
export interface InThreadWorld {
  readonly clock: Clock;
  readonly disk: Disk;
  /** Order of stepping; null steps in plan order. */
  readonly shuffle: Random | null;
  /** What the thread does while the slot waits; absent, it is left to its event loop. */
  readonly events?: InThreadEvents;
}

/** An event loop that a simulation steps itself. */
export interface InThreadEvents {
  /** How the slot waits; `awaitsAnswers` says whether calls of its functions are under way. */
  parker(word: Int32Array, awaitsAnswers: () => boolean): Parker;
  yieldToEvents(): Promise<void>;
  /** Calls back after so long, once; a second call takes the place of the first, and null of both. */
  wakeAfter?(delayMs: number | null, callback: () => void): void;
}

/** The event loop of the caller's thread. */
const threadEvents: InThreadEvents = {
  parker: (word) => new AsyncParker(word, eventLoopHold),
  yieldToEvents: nextEventLoopTurn,
};

const SLOTS = [HOST_SLOT];

/** Runs a plan whose subtasks are all on the caller's thread. */
export function startInThread(
  plan: PhysicalPlan,
  deployment: Deployment,
  observer: RunObserver,
  world: InThreadWorld,
  checkpointing: CheckpointingStart | null = null,
): RunControl {
  const run = new InThreadRun(plan, deployment, observer, world);
  void run.run(checkpointing);
  return run;
}

class InThreadRun implements RunControl {
  readonly #plan: PhysicalPlan;
  readonly #deployment: Deployment;
  readonly #observer: RunObserver;
  readonly #world: InThreadWorld;
  readonly #control: ControlMemory;
  /** Null until what it needs is loaded. */
  #coordinator: RunCoordinator | null = null;
  #early: RunEvent[] = [];
  /** Requests that the slot has not taken. */
  readonly #asked: SlotRequest[] = [];
  #close: () => void = () => {};

  constructor(
    plan: PhysicalPlan,
    deployment: Deployment,
    observer: RunObserver,
    world: InThreadWorld,
  ) {
    this.#plan = plan;
    this.#deployment = deployment;
    this.#observer = observer;
    this.#world = world;
    this.#control = new ControlMemory(deployment.control, plan.vertices.length);
  }

  async run(checkpointing: CheckpointingStart | null): Promise<void> {
    const letGo = eventLoopHold();
    const { clock, disk, shuffle, events = threadEvents } = this.#world;
    try {
      await this.#coordinate(checkpointing, events);
      // Loaded only where it is needed, and while threads start: it brings the whole data plane with it.
      const { runSlot } = await import('./slot-run.js');
      await runSlot({
        plan: this.#plan,
        deployment: this.#deployment,
        slot: HOST_SLOT,
        clock,
        disk,
        mayBlock: false,
        shuffle,
        asyncParker: (word, awaitsAnswers) => events.parker(word, awaitsAnswers),
        yieldToEvents: () => events.yieldToEvents(),
        report: (message) => this.#onMessage(message),
        tapDesk: {
          take: () => this.#asked.shift() ?? null,
          tell: (report) => this.#observer.onTapped(report),
        },
      });
    } catch (error) {
      // Also a run whose checkpoints cannot be opened ends in order.
      if (this.#coordinator === null) this.#coordinateWith(null);
      this.send({ kind: 'slotFailed', slot: HOST_SLOT, error: toWire(error) });
    } finally {
      letGo();
    }
  }

  send(event: RunEvent): void {
    if (this.#coordinator === null) this.#early.push(event);
    else this.#coordinator.handle(event);
  }

  get threads(): readonly SlotThreadId[] {
    return [{ slot: HOST_SLOT, threadId: MAIN_THREAD }];
  }

  ask(request: SlotRequest): void {
    this.#asked.push(request);
    const { slots } = this.#deployment;
    Atomics.add(this.#control.askedWord(slots), 0, 1);
    wakerFor(this.#control.parkerWord(slots)).wake();
  }

  async #coordinate(start: CheckpointingStart | null, events: InThreadEvents): Promise<void> {
    const { clock, disk } = this.#world;
    if (start === null) return this.#coordinateWith(null);
    const { loadMerging, openKeeper } = await import('./open-keeper.js');
    const merging = await loadMerging(start);
    const cells = new TriggerCells(this.#control, this.#deployment.slots);
    const wakeAfter = events.wakeAfter?.bind(events);
    const timer = wakeAfter === undefined ? {} : { wakeAfter };
    const surroundings = { clock, disk, merging, ...timer };
    const keeper = openKeeper(start, SLOTS, surroundings, {
      trigger: (_slot, trigger) => {
        cells.add(trigger);
        wakerFor(this.#control.parkerWord(this.#deployment.slots)).wake();
      },
      completed: (checkpoint) => cells.complete(checkpoint),
      tell: (message: CheckpointMessage) => observeCheckpoints(this.#observer, message),
      handle: (event) => this.send(event),
    });
    this.#close = () => keeper.close();
    this.#coordinateWith(keeper);
  }

  #coordinateWith(keeper: CheckpointKeeper | null): void {
    const coordinator = new RunCoordinator(
      {
        slots: SLOTS,
        regions: runRegions(this.#plan),
        cancellationTimeoutMs: this.#deployment.settings['task.cancellationTimeout'],
        perform: (action) => this.#perform(action),
      },
      keeper,
    );
    this.#coordinator = coordinator;
    for (const event of this.#early.splice(0)) coordinator.handle(event);
  }

  #onMessage(message: SlotMessage): void {
    if (message.kind === 'event') this.send(message.event);
    else if (message.kind === 'badRecord') this.#observer.onBadRecord(message.record);
    else if (message.kind === 'log') this.#observer.onLog(message.line);
    else this.#observer.onTables(message.tables);
  }

  #perform(action: CoordinatorAction): void {
    if (action.kind === 'state') {
      this.#observer.onState(action.state);
    } else if (action.kind === 'command') {
      this.#control.command(this.#deployment.slots, action.command);
      wakerFor(this.#control.parkerWord(this.#deployment.slots)).wake();
    } else if (action.kind === 'endRegion') {
      this.ask(action);
    } else if (action.kind === 'regionDown') {
      this.#observer.onRegionDown(action);
    } else if (action.kind === 'complete') {
      this.#close();
      this.#observer.onComplete(action);
    }
    // A thread cannot terminate itself; a function that never returns is beyond the in-thread runtime.
  }
}
