/**
 * The scheduler of one slot: steps its subtasks in turn until all have finished, parks when none can go on. The
 * same loop runs in a worker thread (parking in `Atomics.wait`, or asynchronously while a subtask waits for the
 * event loop) and on the caller's thread (never blocking, yielding every few milliseconds). Callers:
 * `slot-thread.ts`, `host-slot.ts`, the in-thread runtime. Runs on: the slot's thread.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Parker } from '../ring/contract.js';
import { COMMAND_CANCEL, COMMAND_DRAIN, COMMAND_RUN } from './control-layout.js';
import type { SlotRegions } from './slot-regions.js';
import {
  SUBTASK_BLOCKED,
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_PROGRESS,
  SUBTASK_WAITING,
  type Subtask,
} from './subtask.js';

/** Longest uninterrupted run on a thread that has an event loop to serve. */
const YIELD_EVERY_MS = 5;
/** Longest on any other: what functions leave behind, such as a rejected promise, is noticed then. */
const YIELD_EVERY_MS_MAX = 500;
/** Passes over the subtasks between two samples of memory. */
const GUARD_EVERY_PASSES = 64;
/**
 * Upper bound of a park: waking is by notification, and timers and ticks bound it further; this only bounds the
 * staleness of gauges.
 */
const PARK_MS_MAX = 1000;

/** What the loop needs from its thread. */
export interface SlotHost {
  readonly clock: Clock;
  /** How the slot parks; both are wakers of the same word. */
  readonly blockingParker: Parker | null;
  readonly asyncParker: Parker;
  /** Lets the event loop run once. */
  yieldToEvents(): Promise<void>;
  /** Current command, one of the COMMAND constants. */
  command(): number;
  /** Called when a subtask has finished, with its commits. */
  finished(subtask: Subtask): void;
  /** Samples memory; throws MEMORY_EXHAUSTED. */
  guard(subtask: Subtask): void;
  /** Seeded order of stepping, for simulation; null steps in order. */
  readonly shuffle: Random | null;
  /** The slot's part in checkpoints; null for a run without. */
  readonly checkpoints: SlotCheckpoints | null;
  readonly taps: SlotTapping;
  /** Regions that a failure ends by themselves; null where it ends the run. */
  readonly regions: Pick<SlotRegions, 'isDown' | 'hasFailed' | 'caught' | 'lose'> | null;
}

/** Those who look at records, as the loop of a slot sees them. */
export interface SlotTapping {
  /** Whether something has been asked for. */
  readonly isAsked: boolean;
  /** How long the slot may sleep because of them. */
  readonly sleepMs: number;
  hear(): Promise<void>;
  /** Comes after each pass; `isLast` when there are no more. */
  tell(nowMs: number, isLast?: boolean): void;
}

/** Checkpoints as the loop of a slot sees them. */
export interface SlotCheckpoints {
  /** Comes before each pass over the subtasks that have not finished; whether there was anything to do. */
  pass(live: readonly Subtask[]): boolean;
  /** Every subtask has finished. */
  finish(): void;
}

/** Why the loop ended. */
export type SlotOutcome = 'finished' | 'canceled';

/** Steps subtasks until the end. Throws what a subtask threw, with its coordinates. */
export class SlotLoop {
  readonly #host: SlotHost;
  readonly #live: Subtask[];
  #stopped = false;
  #lastYieldMs: number;
  /** When the last step ended, which is when the next begins. A look at the clock is a number on the heap. */
  #nowMs: number;
  #passes = 0;

  /** `live` are those that have not finished; regions that begin again add to them. */
  constructor(live: Subtask[], host: SlotHost) {
    this.#host = host;
    this.#live = live;
    this.#nowMs = host.clock.monotonicMs();
    this.#lastYieldMs = this.#nowMs;
  }

  async run(): Promise<SlotOutcome> {
    const { taps, regions } = this.#host;
    while (this.#live.length > 0 || regions?.isDown === true) {
      if (taps.isAsked) await this.#hear();
      const command = this.#host.command();
      if (command === COMMAND_CANCEL) return 'canceled';
      if (command !== COMMAND_RUN && !this.#stopped) this.#stop(command);
      if (!this.#pass()) await this.#park();
      if (regions?.hasFailed === true) await regions.lose();
      if (this.#mustServeEvents()) await this.#yield();
      taps.tell(this.#nowMs);
    }
    taps.tell(this.#nowMs, true);
    this.#host.checkpoints?.finish();
    return 'finished';
  }

  async #hear(): Promise<void> {
    const { taps, checkpoints, regions } = this.#host;
    if (regions === null) return taps.hear();
    // What begins again takes part in checkpoints to come, not in those that have begun, and is told of a stop anew.
    checkpoints?.pass(this.#live);
    await taps.hear();
    this.#stopped = false;
    this.#nowMs = this.#host.clock.monotonicMs();
  }

  #stop(command: number): void {
    this.#stopped = true;
    for (const subtask of this.#live) subtask.stop(command === COMMAND_DRAIN ? 'drain' : 'stop');
  }

  /** Steps every live subtask once; false when none could do anything. */
  #pass(): boolean {
    const { regions } = this.#host;
    let progress = this.#host.checkpoints?.pass(this.#live) ?? false;
    if (this.#host.shuffle !== null) shuffle(this.#live, this.#host.shuffle);
    for (let index = 0; index < this.#live.length; index++) {
      const subtask = this.#live[index];
      const status = regions === null ? this.#step(subtask) : this.#tryStep(subtask, regions);
      if (regions?.hasFailed === true) return true;
      if (status === SUBTASK_FINISHED) {
        this.#host.finished(subtask);
        this.#live.splice(index--, 1);
      }
      if (status === SUBTASK_PROGRESS || status === SUBTASK_FINISHED) progress = true;
    }
    return progress;
  }

  #tryStep(subtask: Subtask, regions: Pick<SlotRegions, 'caught'>): number {
    try {
      return this.#step(subtask);
    } catch (error) {
      regions.caught(subtask, error);
      return SUBTASK_BLOCKED;
    }
  }

  #step(subtask: Subtask): number {
    const { metrics, name, uid, index } = subtask.parts;
    const startMs = this.#nowMs;
    this.#countWait(subtask, startMs);
    try {
      if (this.#passes++ % GUARD_EVERY_PASSES === 0) this.#host.guard(subtask);
      metrics.enter(startMs);
      const status = subtask.step();
      metrics.leave();
      const endMs = this.#host.clock.monotonicMs();
      this.#nowMs = endMs;
      if (status === SUBTASK_BLOCKED) metrics.addBackpressuredMs(endMs - startMs);
      else metrics.addBusyMs(endMs - startMs);
      subtask.tookMs(endMs - startMs);
      subtask.lastStepMs = endMs;
      return status;
    } catch (error) {
      metrics.leave();
      throw located(error, { operator: name, uid, subtask: index });
    }
  }

  /**
   * The time since its last step belongs to what the subtask met then: no room or no input, whether the slot was
   * parked or stepped others meanwhile. Waiting for answers to its own calls is its work, as it holds up others. One
   * that could have gone on waited for its turn, which is none of these.
   */
  #countWait(subtask: Subtask, nowMs: number): void {
    const waitedMs = nowMs - subtask.lastStepMs;
    if (subtask.status === SUBTASK_BLOCKED) {
      subtask.parts.metrics.addBackpressuredMs(waitedMs);
      subtask.parts.task.heldBack(waitedMs);
    } else if (subtask.status === SUBTASK_WAITING) {
      subtask.parts.metrics.addBusyMs(waitedMs);
      subtask.parts.task.heldBack(waitedMs);
    } else if (subtask.status === SUBTASK_IDLE) subtask.parts.metrics.addIdleMs(waitedMs);
  }

  /** Announces, looks once more, then parks. */
  async #park(): Promise<void> {
    const { asyncParker, blockingParker, taps } = this.#host;
    const ticket = asyncParker.announce();
    const command = this.#host.command();
    const isNew = command === COMMAND_CANCEL || (command !== COMMAND_RUN && !this.#stopped);
    if (isNew || taps.isAsked || this.#pass()) return asyncParker.withdraw();
    const mostMs = Math.min(PARK_MS_MAX, taps.sleepMs);
    const sleepMs = this.#live.reduce((least, one) => Math.min(least, one.sleepMs), mostMs);
    if (sleepMs <= 0) return asyncParker.withdraw();
    // Asked after the last look, in which a sink may have begun something that only the event loop can finish.
    const needsEvents = this.#live.some((subtask) => subtask.waitsForEvents);
    const blocking = needsEvents ? null : blockingParker;
    const parked = (blocking ?? asyncParker).park(ticket, sleepMs);
    if (parked !== undefined) await parked;
    this.#nowMs = this.#host.clock.monotonicMs();
    if (blocking === null) this.#lastYieldMs = this.#nowMs;
  }

  #mustServeEvents(): boolean {
    const ranMs = this.#nowMs - this.#lastYieldMs;
    if (ranMs < YIELD_EVERY_MS) return false;
    if (this.#host.blockingParker === null || ranMs >= YIELD_EVERY_MS_MAX) return true;
    return this.#live.some((subtask) => subtask.waitsForEvents);
  }

  async #yield(): Promise<void> {
    const startMs = this.#host.clock.monotonicMs();
    await this.#host.yieldToEvents();
    this.#nowMs = this.#host.clock.monotonicMs();
    this.#lastYieldMs = this.#nowMs;
    for (const subtask of this.#live) {
      subtask.parts.metrics.setLoopLagMs(this.#lastYieldMs - startMs);
    }
  }
}

/** An error with the coordinates of the subtask it came from; foreign errors become coded ones. */
export function located(
  error: unknown,
  where: { readonly operator: string; readonly uid: string; readonly subtask: number },
): MillraceError {
  if (MillraceError.is(error)) return error.at(where);
  const reason = error instanceof Error ? error.message : String(error);
  // As in "Array buffer allocation failed".
  if (error instanceof RangeError && reason.includes('alloc')) {
    return new MillraceError('MEMORY_EXHAUSTED', `The system gives no memory: ${reason}.`, {
      cause: error,
      where,
      advice: 'Lower slot.memory or the parallelism, or leave the machine more memory.',
    });
  }
  return new MillraceError('ASSERTION', `Unexpected failure: ${reason}`, { cause: error, where });
}

function shuffle(subtasks: Subtask[], random: Random): void {
  for (let index = subtasks.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const kept = subtasks[index];
    subtasks[index] = subtasks[other];
    subtasks[other] = kept;
  }
}
