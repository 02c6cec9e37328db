/**
 * Which barriers have come on which channels of a subtask, as arithmetic. With exactly once a channel that has given
 * its barrier is read no further until the others have given theirs. Callers: the input gate. Runs on: the slot's
 * thread. Invariant: a checkpoint is aligned at most once, and never after one with a higher id.
 */
import type { Clock } from '../base/clock.js';
import type { CheckpointTrigger } from '../checkpoint/contract.js';
import { triggerOf } from './barrier.js';

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

/** The barriers of one subtask. */
export class BarrierAlignment {
  readonly #open: boolean[];
  readonly #clock: Clock;
  readonly #blocks: boolean;
  /** By id, lowest first. More than one only where channels are read on. */
  #under: Alignment[] = [];
  #lastId = 0;

  /** `blocks`: exactly once; rows behind a barrier may come before the snapshot otherwise. */
  constructor(channels: number, clock: Clock, blocks: boolean) {
    this.#open = Array.from({ length: channels }, () => true);
    this.#clock = clock;
    this.#blocks = blocks;
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
