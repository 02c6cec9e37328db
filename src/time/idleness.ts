/**
 * Tells when a stream has had no record for a while. It is asked at every tick, so that it costs nothing per
 * record: the first tick without a record starts the clock. A timeout that is over must be found over at two ticks:
 * when the whole process stood still (stopped, asleep, starved), the first tick after it may come before the records
 * that arrived meanwhile. Callers: `watermark-source.ts`. Runs on: the thread of its owner; pure.
 */

/** The idleness of one stream of records. */
export class Idleness {
  readonly #timeoutMs: number;
  #quietSinceMs = Number.NaN;
  /** Whether the last tick found the timeout over. */
  #isOver = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Whether the stream is idle. `hadRecords` says if there were any since the last tick; `activeMs` is a clock that
   * stands still while the stream is held back by others.
   */
  tick(hadRecords: boolean, activeMs: number): boolean {
    if (hadRecords) {
      this.#quietSinceMs = Number.NaN;
      this.#isOver = false;
      return false;
    }
    if (Number.isNaN(this.#quietSinceMs)) {
      this.#quietSinceMs = activeMs;
      return false;
    }
    const wasOver = this.#isOver;
    this.#isOver = activeMs - this.#quietSinceMs > this.#timeoutMs;
    return wasOver && this.#isOver;
  }
}
