/**
 * Feeds the coordinator with what the slots report and carries out what it answers. It stands on whichever thread the
 * coordinator is: on the caller's while a run is young, then on a thread of its own, beside a caller's thread that may
 * be blocked. Callers: `threaded-run.ts`, `coordinator-thread.ts`. Runs on: the caller's or the coordinator's thread.
 * Invariant: over a hand-over every event is handled exactly once and in the order in which its slot reported it.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../base/clock.js';
import { wakerFor } from '../ring/parker.js';
import { ControlMemory, slotWord } from './control-layout.js';
import type { CheckpointKeeper, KeeperEnds } from './checkpoint-keeper.js';
import type { CoordinatorAction, CoordinatorEvent, RunEvent } from './coordinator.js';
import type { CoordinationStart, HostMessage, SlotMessage } from './messages.js';
import { RunCoordinator } from './run-coordinator.js';
import { TriggerCells } from './trigger-cells.js';
import { Watchdog } from './watchdog.js';

type SlotExited = CoordinatorEvent & { readonly kind: 'slotExited' };

/**
 * How long a closed port waits for the thread's error, which comes by way of the caller's thread: on a machine that has
 * much else to do, a thread without memory takes a while to end.
 */
const EXIT_GRACE_MS = 2000;

/** The coordinator of one run with its ports and its watchdog. */
export class Coordination {
  readonly #start: CoordinationStart;
  readonly #clock: Clock;
  readonly #tell: (message: HostMessage) => void;
  readonly #control: ControlMemory;
  readonly #watchdog: Watchdog;
  readonly #coordinator: RunCoordinator;
  readonly #keeper: CheckpointKeeper | null;
  readonly #ends: ReadonlyMap<number, ThreadEnd>;
  /** Everything that was handled but ticks, which is a few events for every slot and subtask. */
  readonly #past: RunEvent[];
  #isOver = false;

  /**
   * Goes on where the coordination that made `start` has ended. `tell` reaches the caller's thread. `keep` makes what
   * takes the checkpoints of a run that takes some, which is never handed over.
   */
  constructor(
    start: CoordinationStart,
    clock: Clock,
    tell: (message: HostMessage) => void,
    keep: ((ends: KeeperEnds) => CheckpointKeeper) | null = null,
  ) {
    this.#start = start;
    this.#clock = clock;
    this.#tell = tell;
    this.#control = new ControlMemory(start.control, start.vertices);
    this.#watchdog = new Watchdog(start, clock);
    const { slots, cancellationTimeoutMs, regions } = start;
    this.#keeper =
      keep?.({
        trigger: (slot, trigger) => {
          const word = slotWord(start.workerSlots, slot);
          new TriggerCells(this.#control, word).add(trigger);
          wakerFor(this.#control.parkerWord(word)).wake();
        },
        completed: (checkpoint) => {
          for (const slot of slots) {
            const word = slotWord(start.workerSlots, slot);
            new TriggerCells(this.#control, word).complete(checkpoint);
          }
        },
        tell,
        handle: (event) => this.#handle(event),
      }) ?? null;
    let isPast = true;
    const perform = (action: CoordinatorAction): void => {
      // What past events lead to was carried out before.
      if (!isPast) this.#perform(action);
    };
    this.#coordinator = new RunCoordinator(
      { slots, cancellationTimeoutMs, regions, perform },
      this.#keeper,
    );
    this.#past = [...start.past];
    for (const event of start.past) this.#coordinator.handle(event);
    isPast = false;
    this.#ends = new Map(
      slots.map((slot, index) => [slot, this.#listen(slot, start.slotPorts[index])] as const),
    );
    for (const exit of start.exits) this.send(exit);
  }

  /** Takes what the caller's thread wants or saw. */
  send(event: RunEvent): void {
    if (event.kind === 'slotExited') this.#ends.get(event.slot)?.exited(event);
    else this.#handle(event);
  }

  /** Looks at deadlines and at functions that do not return; to be called now and then. */
  tick(): void {
    this.#handle({ kind: 'tick', nowMs: this.#clock.monotonicMs() });
    for (const event of this.#watchdog.look()) this.#handle(event);
  }

  /**
   * Stops listening and gives what another thread needs to go on. The ports must be transferred before the event loop
   * turns; what has arrived in them and was not handled goes with them.
   */
  handOver(): CoordinationStart {
    this.#isOver = true;
    const ends = [...this.#ends.values()];
    return {
      ...this.#start,
      slotPorts: ends.map((end) => end.movedPort()),
      past: this.#past,
      exits: ends.flatMap((end) => end.leave() ?? []),
    };
  }

  /** Closes the ports; nothing is handled any more. */
  close(): void {
    this.#isOver = true;
    this.#keeper?.close();
    for (const end of this.#ends.values()) {
      end.leave();
      end.openPort?.close();
    }
  }

  #listen(slot: number, port: MessagePort | null): ThreadEnd {
    const end = new ThreadEnd(slot, port, (event) => this.#handle(event));
    port?.on('message', (message: SlotMessage) => {
      if (message.kind === 'event') this.#handle(message.event);
      else this.#tell(message);
    });
    port?.on('close', () => end.closed());
    return end;
  }

  #handle(event: RunEvent): void {
    if (this.#isOver) return;
    const described = this.#watchdog.describe(event);
    // A run with checkpoints is not handed over, and it may last for months.
    if (described.kind !== 'tick' && this.#keeper === null) this.#past.push(described);
    this.#coordinator.handle(described);
  }

  #perform(action: CoordinatorAction): void {
    if (action.kind === 'command') {
      const word = slotWord(this.#start.workerSlots, action.slot);
      this.#control.command(word, action.command);
      wakerFor(this.#control.parkerWord(word)).wake();
      return;
    }
    if (action.kind === 'complete') this.close();
    this.#tell({ kind: 'action', action });
  }
}

/**
 * The end of a thread is learnt twice, in either order: its port closes after its last message, and the caller's
 * thread reports the exit with the error. Only both together say how it ended.
 */
class ThreadEnd {
  readonly #slot: number;
  readonly #handle: (event: SlotExited) => void;
  #port: MessagePort | null;
  #exit: SlotExited | null = null;
  #grace: NodeJS.Timeout | null = null;
  #isLeft = false;

  constructor(slot: number, port: MessagePort | null, handle: (event: SlotExited) => void) {
    this.#slot = slot;
    this.#port = port;
    this.#handle = handle;
    if (port === null) this.closed();
  }

  /** The port, until the thread has closed it. */
  get openPort(): MessagePort | null {
    return this.#port;
  }

  /**
   * The port as another one that can be transferred; null when the thread has closed it, which is known here before
   * this end is told.
   */
  movedPort(): MessagePort | null {
    const port = this.#port;
    if (port === null) return null;
    this.#port = null;
    try {
      return structuredClone(port, { transfer: [port] });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'DataCloneError') return null;
      throw error;
    }
  }

  closed(): void {
    this.#port = null;
    if (this.#isLeft) return;
    if (this.#exit !== null) {
      this.#stopWaiting();
      this.#handle(this.#exit);
    } else {
      this.#grace ??= setTimeout(() => this.exited(null), EXIT_GRACE_MS);
    }
  }

  exited(event: SlotExited | null): void {
    this.#exit ??= event ?? { kind: 'slotExited', slot: this.#slot, error: null };
    if (this.#port === null) this.closed();
  }

  /** Waits no longer; gives the exit that was reported, for whoever waits for the port from now on. */
  leave(): SlotExited | null {
    this.#isLeft = true;
    this.#stopWaiting();
    return this.#exit;
  }

  #stopWaiting(): void {
    if (this.#grace !== null) clearTimeout(this.#grace);
  }
}
