/**
 * Sends the time of one output of a chain on: watermarks that rose, and whether anything is to be expected. Callers:
 * the subtask, after the chain has done all that was due. Runs on: the slot's thread. Invariant: a watermark goes
 * out after every row before it, and idleness after the watermark that came with it.
 */
import { FRAME_ACTIVE, FRAME_IDLE, FRAME_WATERMARK, type FrameKind } from '../ring/contract.js';
import { WATERMARK_MIN } from '../time/watermark.js';

/** Where control frames go, behind the rows before them. */
export interface ControlPort {
  /** False: call again with the same frame. */
  sendControl(kind: FrameKind, payload?: Uint8Array): boolean;
  /** Notes what has been sent; null before the first watermark. */
  countTime(watermarkMs: number | null, isIdle: boolean): void;
}

/** The bytes of a watermark in a frame. */
export function watermarkPayload(watermarkMs: number): Uint8Array {
  return new Uint8Array(Float64Array.of(watermarkMs).buffer);
}

/** The watermark in a frame. */
export function watermarkOf(payload: Uint8Array): number {
  return new Float64Array(payload.slice(0, 8).buffer)[0];
}

/** Says what time it is behind one output. */
export class TimeSender {
  readonly #port: ControlPort;
  #watermarkMs = WATERMARK_MIN;
  #isIdle = false;

  constructor(port: ControlPort) {
    this.#port = port;
  }

  /** Sends what has changed; false while the port has no room: call again with the same values. */
  send(watermarkMs: number, isIdle: boolean): boolean {
    if (watermarkMs <= this.#watermarkMs && isIdle === this.#isIdle) return true;
    if (!this.#sendNew(watermarkMs, isIdle)) return false;
    const sent = this.#watermarkMs;
    this.#port.countTime(sent === WATERMARK_MIN ? null : sent, isIdle);
    return true;
  }

  #sendNew(watermarkMs: number, isIdle: boolean): boolean {
    if (this.#isIdle && !isIdle) {
      if (!this.#port.sendControl(FRAME_ACTIVE)) return false;
      this.#isIdle = false;
    }
    if (watermarkMs > this.#watermarkMs) {
      if (!this.#port.sendControl(FRAME_WATERMARK, watermarkPayload(watermarkMs))) return false;
      this.#watermarkMs = watermarkMs;
    }
    if (isIdle && !this.#isIdle) {
      if (!this.#port.sendControl(FRAME_IDLE)) return false;
      this.#isIdle = true;
    }
    return true;
  }
}
