/**
 * Tells when a stream has had no record for a while. It is asked at every tick, so that it costs nothing per
 * record: the first tick without a record starts the clock. Callers: `watermark-source.ts`. Runs on: the thread
 * of its owner; pure.
 */

/** The idleness of one stream of records. */
export class Idleness {
  readonly #timeoutMs: number;
  #quietSinceMs = Number.NaN;

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
      return false;
    }
    if (Number.isNaN(this.#quietSinceMs)) {
      this.#quietSinceMs = activeMs;
      return false;
    }
    return activeMs - this.#quietSinceMs > this.#timeoutMs;
  }
}
