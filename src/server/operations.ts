/**
 * What was asked for and takes its time: savepoints, stops, checkpoints, disposals. Each has an id by which its outcome
 * is asked for; one that the client chose itself starts nothing a second time. Callers: the handlers. Runs on: the
 * server's thread. Invariant: outcomes are kept for so long and so many only.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { freshId } from '../base/random.js';

/** As in Flink. */
const KEPT_MS = 300_000;
const KEPT_MAX = 1000;

/** How an operation stands. */
export type Outcome<T> =
  | { readonly state: 'IN_PROGRESS' }
  | { readonly state: 'COMPLETED'; readonly value: T }
  | { readonly state: 'FAILED'; readonly error: WireError };

interface Entry<T> {
  outcome: Outcome<T>;
  endedMs: number | null;
}

/** The operations of one kind; those of different jobs are told apart by `scope`. */
export class Operations<T> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts one, unless there is one of that id; its id. Throws what it throws at once. */
  start(scope: string, asked: string | null | undefined, operation: () => Promise<T>): string {
    this.#forget();
    const id = asked ?? freshId();
    const key = `${scope}/${id}`;
    if (this.#entries.has(key)) return id;
    const entry: Entry<T> = { outcome: { state: 'IN_PROGRESS' }, endedMs: null };
    const ended = (outcome: Outcome<T>): void => {
      entry.outcome = outcome;
      entry.endedMs = this.#clock.epochMs();
    };
    const running = operation();
    this.#entries.set(key, entry);
    running.then(
      (value) => ended({ state: 'COMPLETED', value }),
      (error: unknown) => ended({ state: 'FAILED', error: toWire(error) }),
    );
    return id;
  }

  /** Throws TRIGGER_UNKNOWN. */
  outcome(scope: string, id: string): Outcome<T> {
    this.#forget();
    const entry = this.#entries.get(`${scope}/${id}`);
    if (entry !== undefined) return entry.outcome;
    throw new MillraceError('TRIGGER_UNKNOWN', `There is no operation ${JSON.stringify(id)}.`, {
      advice: `Outcomes are kept for ${KEPT_MS / 60_000} minutes.`,
    });
  }

  #forget(): void {
    const since = this.#clock.epochMs() - KEPT_MS;
    let ended = [...this.#entries.values()].filter(({ endedMs }) => endedMs !== null).length;
    for (const [key, { endedMs }] of this.#entries) {
      if (endedMs === null || (endedMs >= since && ended <= KEPT_MAX)) continue;
      this.#entries.delete(key);
      ended--;
    }
  }
}
