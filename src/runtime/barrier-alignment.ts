/**
 * Which barriers have come on which channels of a subtask, as arithmetic. With exactly once a channel that has given
 * its barrier is read no further until the others have given theirs, unless the checkpoint overtakes what is before
 * them. Callers: the input gate. Runs on: the slot's thread. Invariant: a checkpoint is aligned or overtakes at most
 * once, and never after one with a higher id.
 */
import type { Clock } from '../base/clock.js';
import type { CheckpointTrigger } from '../checkpoint/contract.js';
import { RingLook } from '../ring/ring-look.js';
import { triggerOf } from './barrier.js';
import type { FrameAhead, FrameReceiver } from './frame-receiver.js';
import { type CapturedChannel, InFlightCapture, type InputFrame } from './in-flight.js';
import { overtakesAtMs } from './overtaking.js';

/** A checkpoint whose barrier some channels have given. */
interface Alignment {
  readonly trigger: CheckpointTrigger;
  readonly startedMs: number;
  readonly arrived: boolean[];
}

/** A checkpoint whose barrier all channels have given. */
export interface Aligned {
  readonly trigger: CheckpointTrigger;
  /** From the first barrier to the last. */
  readonly alignmentMs: number;
  /** When the first barrier came, by the wall clock. */
  readonly startedMs: number;
}

/** How the checkpoints of a run overtake what is under way. */
export interface OvertakingChannels {
  /** From the start of a checkpoint until it overtakes what is still before it. */
  readonly timeoutMs: number;
  /** By channel: whether its barriers keep their order whatever happens. */
  readonly inOrder: readonly boolean[];
}

/** The barriers of one subtask. */
export class BarrierAlignment {
  readonly #open: boolean[];
  readonly #clock: Clock;
  readonly #blocks: boolean;
  readonly #overtaking: OvertakingChannels | null;
  /** The newest checkpoint that is under way, whether its barrier has come or not; null when it has been taken. */
  #told: CheckpointTrigger | null = null;
  /** By channel, whether the barrier of the checkpoint that has overtaken last had not come by then. */
  #overtaken: readonly boolean[] = [];
  /** By id, lowest first. More than one only where channels are read on. */
  #under: Alignment[] = [];
  #lastId = 0;

  /** `blocks`: exactly once; rows behind a barrier may come before the snapshot otherwise. */
  constructor(
    channels: number,
    clock: Clock,
    blocks: boolean,
    overtaking: OvertakingChannels | null = null,
  ) {
    this.#open = Array.from({ length: channels }, () => true);
    this.#clock = clock;
    this.#blocks = blocks;
    this.#overtaking = overtaking;
  }

  /** A checkpoint has begun, of which no barrier may have come yet. */
  tell(trigger: CheckpointTrigger): void {
    if (trigger.id > Math.max(this.#lastId, this.#told?.id ?? 0)) this.#told = trigger;
  }

  /** When the checkpoint that is under way overtakes what is before its barriers, by the wall clock. */
  get overtakesAtMs(): number {
    const told = this.#told;
    const how = this.#overtaking;
    if (told === null || how === null || told.id <= this.#lastId) return Number.POSITIVE_INFINITY;
    const { arrived = null } = this.#under.find(({ trigger }) => trigger.id === told.id) ?? {};
    const isFree = how.inOrder.every(
      (keepsOrder, channel) => !keepsOrder || !this.#open[channel] || arrived?.[channel] === true,
    );
    return isFree ? overtakesAtMs(told, how.timeoutMs) : Number.POSITIVE_INFINITY;
  }

  /** Takes the checkpoint that overtakes by now, null for none: its state is to be frozen, then `capture` called. */
  overtake(): Aligned | null {
    const told = this.#told;
    const nowMs = this.#clock.epochMs();
    if (told === null || nowMs < this.overtakesAtMs) return null;
    const known = this.#under.find(({ trigger }) => trigger.id === told.id);
    this.#overtaken = this.#open.map((isOpen, at) => isOpen && known?.arrived[at] !== true);
    this.#lastId = told.id;
    this.#under = this.#under.filter(({ trigger }) => trigger.id > told.id);
    const startedMs = known?.startedMs ?? nowMs;
    return { trigger: told, startedMs, alignmentMs: nowMs - startedMs };
  }

  /** Keeps `frames` and what comes before the barriers of the checkpoint that has overtaken last. */
  capture(
    frames: readonly InputFrame[],
    channels: readonly CapturedChannel[],
    done: (frames: readonly InputFrame[] | null) => void,
  ): InFlightCapture {
    return new InFlightCapture(this.#lastId, frames, channels, done);
  }

  /** What the last checkpoint overtook on a channel; undefined where it overtook nothing. */
  aheadOf(channel: number, receiver: FrameReceiver): FrameAhead | undefined {
    return this.hasOvertaken(channel) ? receiver.ahead?.((from) => new RingLook(from)) : undefined;
  }

  /** Whether the last checkpoint overtook what was on a channel. */
  hasOvertaken(channel: number): boolean {
    return this.#overtaken[channel] === true && this.#open[channel];
  }

  /** Whether the channel is to be read no further for now. */
  isBlocked(channel: number): boolean {
    return this.#blocks && this.#under.length > 0 && this.#under[0].arrived[channel];
  }

  /** Takes the barrier of a channel, as its payload; what is aligned with it, null for nothing. */
  barrier(channel: number, payload: Uint8Array): Aligned | null {
    const trigger = triggerOf(payload);
    const nowMs = this.#clock.epochMs();
    if (trigger.id <= this.#lastId) return null;
    this.tell(trigger);
    // Barriers keep their order in a channel: one that was left out here never comes.
    this.#under = this.#under.filter((one) => one.trigger.id >= trigger.id || one.arrived[channel]);
    let found = this.#under.find((one) => one.trigger.id === trigger.id);
    if (found === undefined) {
      // The channel that has given a later one has left this one out.
      if (this.#under.some((one) => one.trigger.id > trigger.id)) return this.#completed(nowMs);
      found = { trigger, startedMs: nowMs, arrived: this.#open.map(() => false) };
      this.#under.push(found);
    }
    found.arrived[channel] = true;
    return this.#completed(nowMs);
  }

  /** Nothing follows on a channel; what is aligned without it, null for nothing. */
  end(channel: number): Aligned | null {
    this.#open[channel] = false;
    return this.#under.length === 0 ? null : this.#completed(this.#clock.epochMs());
  }

  #completed(nowMs: number): Aligned | null {
    const done = this.#under.find((one) =>
      one.arrived.every((hasArrived, channel) => hasArrived || !this.#open[channel]),
    );
    if (done === undefined) return null;
    const { trigger, startedMs } = done;
    this.#lastId = trigger.id;
    this.#under = this.#under.filter((one) => one.trigger.id > trigger.id);
    return { trigger, startedMs, alignmentMs: nowMs - startedMs };
  }
}
