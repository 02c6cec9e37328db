/**
 * Records between two operators of a chain that could not be handed on at once: the rest of what a flatMap
 * returned when an output was full, and records a function returned whose schema was not settled. Callers:
 * generated code and the chain task. Runs on: worker. Invariant: a record is taken out exactly when the code
 * behind it has run; nothing is pulled from a user's iterator before the item before it is done.
 */

/** Records looked at before a schema is inferred from them. */
const SAMPLE_RECORDS = 64;
/** Records taken at a time of those that a function gave without making them. */
const TAKEN_AT_ONCE = 64;

const NOTHING: readonly unknown[] = [];
/** Places for held records that are kept for the next ones: emptied arrays would have to grow anew each time. */
const PLACES_KEPT = 1024;

/** Code that has not been compiled for the schemas of now: it does nothing, and makes its caller stop. */
const NOT_READY = (): number => 1;

/** Records that are made when they are taken, and the marks that they have. */
interface Promised {
  readonly records: Iterator<unknown>;
  readonly time: number;
  readonly kind: number;
  readonly row: number;
}

/** The pending records of one operator. */
export class PendingRecords {
  /** Index of the operator that made the records. */
  readonly operator: number;
  /** The records at hand, `count` of them; done up to `index`. */
  list: readonly unknown[] = NOTHING;
  count = 0;
  index = 0;
  /** Event time, kind and row in the batch of the record that a flatMap was called with. */
  time = 0;
  kind = 0;
  row = -1;
  /** The same, and the computed key, for each held record. */
  readonly times: number[] = [];
  readonly kinds: number[] = [];
  readonly rows: number[] = [];
  readonly keys: unknown[] = [];
  /** Whether the record at `index` does not fit the schema that the code was compiled for. */
  isMisfit = false;
  /** Runs the code behind the operator over the pending records; 0 when none is left. */
  drain: () => number = NOT_READY;
  readonly #held: unknown[] = [];
  readonly #promised: Promised[] = [];
  #iterator: Iterator<unknown> | null = null;
  readonly #notIterable: (result: unknown) => Error;

  constructor(operator: number, notIterable: (result: unknown) => Error) {
    this.operator = operator;
    this.#notIterable = notIterable;
  }

  /** Whether anything is pending. */
  get isEmpty(): boolean {
    return this.index >= this.count && this.#iterator === null && this.#promised.length === 0;
  }

  /** Forgets the compiled code, which has become wrong. */
  invalidate(): void {
    this.drain = NOT_READY;
  }

  /** Takes what a flatMap returned; false when there is nothing in it. */
  start(result: unknown, time: number, kind: number, row: number): boolean {
    if (result === null || result === undefined) return false;
    this.time = time;
    this.kind = kind;
    this.row = row;
    this.index = 0;
    if (Array.isArray(result)) {
      this.list = result;
      this.count = result.length;
      return result.length > 0;
    }
    const iterate: unknown =
      typeof result === 'object' ? Reflect.get(result, Symbol.iterator) : undefined;
    if (typeof iterate !== 'function') throw this.#notIterable(result);
    this.list = NOTHING;
    this.count = 0;
    this.#iterator = iterate.call(result) as Iterator<unknown>;
    return this.refill();
  }

  /** Puts the next item of the iterator into `list`; false when there is none. */
  refill(): boolean {
    this.index = 0;
    this.list = NOTHING;
    this.count = 0;
    if (this.#iterator === null) return false;
    const next = this.#iterator.next();
    if (next.done === true) {
      this.#iterator = null;
      return false;
    }
    this.list = [next.value];
    this.count = 1;
    return true;
  }

  /** Holds a record, with its key if one was computed; true when enough are held to infer a schema from. */
  hold(record: unknown, time: number, kind: number, row: number, key: unknown): boolean {
    if (this.list !== this.#held) {
      this.list = this.#held;
      this.index = 0;
      this.count = 0;
    }
    const at = this.count++;
    this.#held[at] = record;
    this.times[at] = time;
    this.kinds[at] = kind;
    this.rows[at] = row;
    this.keys[at] = key;
    return this.count >= SAMPLE_RECORDS;
  }

  /**
   * Holds records that are made only when they are taken, a few at a time: however many they are, they need no room.
   * They come after what is held by then.
   */
  promise(records: Iterable<unknown>, time: number, kind: number, row: number): void {
    this.#promised.push({ records: records[Symbol.iterator](), time, kind, row });
    // There is a first one to infer a schema from, or nothing is pending.
    if (this.index >= this.count) this.release();
  }

  /** Ends a pass over held records, and takes more of those that were promised; false when there are none. */
  release(): boolean {
    this.releaseHeld();
    for (let first = this.#promised[0]; first !== undefined; first = this.#promised[0]) {
      const { records, time, kind, row } = first;
      while (this.count < TAKEN_AT_ONCE) {
        const next = records.next();
        if (next.done === true) {
          this.#promised.shift();
          break;
        }
        this.hold(next.value, time, kind, row, undefined);
      }
      if (this.count > 0) return true;
    }
    return false;
  }

  /** Ends a pass over held records. */
  protected releaseHeld(): void {
    const held = this.list === this.#held ? this.count : 0;
    this.list = NOTHING;
    this.count = 0;
    this.index = 0;
    if (held > PLACES_KEPT) {
      for (const all of [this.#held, this.times, this.kinds, this.rows, this.keys]) all.length = 0;
    }
    // What was held is not kept alive by its place.
    for (let at = Math.min(held, this.#held.length) - 1; at >= 0; at--) {
      this.#held[at] = undefined;
      this.keys[at] = undefined;
    }
  }

  /** Gives everything up; a user's iterator is told so. */
  close(): void {
    const iterators = [this.#iterator, ...this.#promised.map(({ records }) => records)];
    this.#iterator = null;
    this.#promised.length = 0;
    this.releaseHeld();
    this.invalidate();
    for (const iterator of iterators) iterator?.return?.();
  }
}
