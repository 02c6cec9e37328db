/**
 * Which earlier counters rates are reckoned from: those of five to ten seconds before, or the first ones. Callers:
 * whoever is given snapshots of a run's counters one after the other. Runs on: the caller's thread.
 */

/** Rates are reckoned over once to twice as long. */
const RATE_WINDOW_MS = 5000;

/** The newest snapshots. */
export class RateWindow<T extends { readonly elapsedMs: number }> {
  #newest: T;
  #middle: T;
  #earlier: T;
  #isFirst = false;

  constructor(first: T) {
    this.#newest = first;
    this.#middle = first;
    this.#earlier = first;
  }

  /** What comes next has nothing to do with what came before: rates are reckoned from it on. */
  begin(): void {
    this.#isFirst = true;
  }

  add(snapshot: T): void {
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#earlier = snapshot;
      this.#middle = snapshot;
    } else if (snapshot.elapsedMs - this.#middle.elapsedMs >= RATE_WINDOW_MS) {
      this.#earlier = this.#middle;
      this.#middle = snapshot;
    }
    this.#newest = snapshot;
  }

  get newest(): T {
    return this.#newest;
  }

  get earlier(): T {
    return this.#earlier;
  }
}
