/**
 * The latency markers that wait in an output: each leaves when the rows do that came before it, and hastens none.
 * Loaded when latency is tracked. Callers: the exchange port, the markers of a subtask. Runs on: the slot's thread.
 * Invariant: on each channel a marker leaves behind the rows before it, and before every other control message.
 */
import type { ExchangePort } from './exchange-port.js';

/** The markers of one port. */
export class PortMarkers {
  readonly channels: number;
  readonly #port: Pick<ExchangePort, 'builders' | 'sendMarker'>;
  /** By channel: the marker that waits; and how many do. */
  readonly #waiting: (Uint8Array | null)[];
  #count = 0;

  constructor(port: Pick<ExchangePort, 'builders' | 'channels' | 'sendMarker'>) {
    this.#port = port;
    this.channels = port.channels;
    this.#waiting = Array.from({ length: port.channels }, () => null);
  }

  /**
   * Takes a marker for a channel; false while another one waits there. To be called, as `send`, when nothing is being
   * handed on.
   */
  mark(channel: number, marker: Uint8Array): boolean {
    if (this.#waiting[channel] !== null) return false;
    this.#waiting[channel] = marker;
    this.#count++;
    this.send();
    return true;
  }

  /** Sends those that no rows are before, where there is room. */
  send(): void {
    if (this.#count === 0) return;
    const { builders } = this.#port;
    for (let channel = 0; channel < this.channels; channel++) {
      // A broadcast has one builder for all.
      const builder = builders.at(builders.length === 1 ? 0 : channel);
      if ((builder?.rows ?? 0) === 0) this.leave(channel);
    }
  }

  /** Sends that of a channel whose rows have left; false while there is no room. */
  leave(channel: number): boolean {
    const marker = this.#waiting[channel];
    if (marker === null) return true;
    if (!this.#port.sendMarker(channel, marker)) return false;
    this.#waiting[channel] = null;
    this.#count--;
    return true;
  }
}
