/**
 * Merges the watermarks of several channels into one, by Flink's rules: the least of the channels that are
 * active and aligned. A channel that was idle and comes back behind the merged watermark is not aligned until it
 * has caught up. When the last active channel becomes idle, the greatest watermark of all goes out before the
 * idleness does. Callers: the input gate, per-split watermarks. Runs on: the thread of its owner. Invariant: the
 * merged watermark never goes back, and a channel that has ended never counts while another still lives.
 */
import { WATERMARK_MAX, WATERMARK_MIN } from './watermark.js';

/** It sends rows and watermarks. */
const ACTIVE = 0;
/** It said that it has nothing, and does not hold the others back. */
const IDLE = 1;
/** It will send nothing more. */
const ENDED = 2;

/** Watermarks and status of some channels, and what comes of them. */
export class WatermarkMerge {
  /** The merged watermark. */
  watermarkMs = WATERMARK_MIN;
  /** Whether every channel that still lives is idle. */
  isIdle = false;
  readonly #watermarks: Float64Array;
  readonly #status: Uint8Array;
  /** 1 for channels that do not count because they are behind the merged watermark. */
  readonly #isBehind: Uint8Array;
  #live: number;
  #active: number;

  constructor(channels: number) {
    this.#watermarks = new Float64Array(channels).fill(WATERMARK_MIN);
    this.#status = new Uint8Array(channels);
    this.#isBehind = new Uint8Array(channels);
    this.#live = channels;
    this.#active = channels;
  }

  get channels(): number {
    return this.#watermarks.length;
  }

  /** Last watermark of a channel; for people who ask what holds an operator back. */
  watermarkOf(channel: number): number {
    return this.#watermarks[channel];
  }

  isIdleChannel(channel: number): boolean {
    return this.#status[channel] === IDLE;
  }

  hasEnded(channel: number): boolean {
    return this.#status[channel] === ENDED;
  }

  /** A channel sent a watermark; `WATERMARK_MAX` says that it has ended. True when the merged one rose. */
  advance(channel: number, watermarkMs: number): boolean {
    if (this.#status[channel] === ENDED) return false;
    if (this.#status[channel] === IDLE && watermarkMs < WATERMARK_MAX) return false;
    if (watermarkMs <= this.#watermarks[channel]) return false;
    this.#watermarks[channel] = watermarkMs;
    if (watermarkMs >= WATERMARK_MAX) return this.end(channel);
    if (watermarkMs >= this.watermarkMs) this.#isBehind[channel] = 0;
    return this.#rise();
  }

  /** A channel has nothing to send for now. True when the merged watermark rose. */
  idle(channel: number): boolean {
    if (this.#status[channel] !== ACTIVE) return false;
    this.#status[channel] = IDLE;
    this.#active--;
    return this.#rise();
  }

  /** A channel sends again. */
  active(channel: number): void {
    if (this.#status[channel] !== IDLE) return;
    this.#status[channel] = ACTIVE;
    this.#active++;
    this.isIdle = false;
    this.#isBehind[channel] = this.#watermarks[channel] < this.watermarkMs ? 1 : 0;
  }

  /** A channel will send nothing more. True when the merged watermark rose. */
  end(channel: number): boolean {
    if (this.#status[channel] === ENDED) return false;
    if (this.#status[channel] === ACTIVE) this.#active--;
    this.#status[channel] = ENDED;
    this.#live--;
    return this.#rise();
  }

  /** Works the merged watermark and status out anew. */
  #rise(): boolean {
    this.isIdle = this.#live > 0 && this.#active === 0;
    const next = this.#merged();
    if (next <= this.watermarkMs) return false;
    this.watermarkMs = next;
    return true;
  }

  #merged(): number {
    if (this.#live === 0) {
      // Only when each said so has event time ended: one that was stopped without draining did not.
      return this.#watermarks.every((one) => one >= WATERMARK_MAX) ? WATERMARK_MAX : WATERMARK_MIN;
    }
    return this.#active === 0 ? this.#greatestIdle() : this.#leastActive();
  }

  #leastActive(): number {
    let least = WATERMARK_MAX;
    for (let channel = 0; channel < this.#watermarks.length; channel++) {
      if (this.#status[channel] !== ACTIVE || this.#isBehind[channel] === 1) continue;
      least = Math.min(least, this.#watermarks[channel]);
    }
    // None is aligned: the watermark stays where it is.
    return least === WATERMARK_MAX ? WATERMARK_MIN : least;
  }

  #greatestIdle(): number {
    let greatest = WATERMARK_MIN;
    for (let channel = 0; channel < this.#watermarks.length; channel++) {
      if (this.#status[channel] === IDLE) {
        greatest = Math.max(greatest, this.#watermarks[channel]);
      }
    }
    return greatest;
  }
}
