/**
 * Events for any number of listeners as async iterators. A listener that does not keep up loses the oldest events
 * beyond the bound, never the newest. Callers: `execution.ts`. Runs on: the caller's thread.
 */

/** Events a slow listener is kept at most. */
const BACKLOG_MAX = 10_000;

/** A stream of events. */
export class EventStream<T> {
  readonly #listeners = new Set<Listener<T>>();
  #ended = false;

  push(event: T): void {
    for (const listener of this.#listeners) listener.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  subscribe(): AsyncIterableIterator<T> {
    const listener = new Listener<T>(() => this.#listeners.delete(listener));
    if (this.#ended) listener.end();
    else this.#listeners.add(listener);
    return listener;
  }
}

class Listener<T> implements AsyncIterableIterator<T> {
  #backlog: T[] = [];
  readonly #leave: () => void;
  /** Calls of `next` that have found nothing, oldest first. */
  #waiting: ((result: IteratorResult<T>) => void)[] = [];
  #ended = false;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(event: T): void {
    const oldest = this.#waiting.shift();
    if (oldest !== undefined) {
      oldest({ value: event, done: false });
      return;
    }
    if (this.#backlog.length === BACKLOG_MAX) this.#backlog.shift();
    this.#backlog.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting) waiting({ value: undefined, done: true });
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#backlog.length > 0) {
      const [event] = this.#backlog.splice(0, 1);
      return Promise.resolve({ value: event, done: false });
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#leave();
    this.#backlog = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
