/**
 * The records whose calls are under way, in order of arrival, with the watermarks that came between them. Ordered, it
 * gives answers in order of arrival; unordered, as they come, but never past a watermark: the records between two
 * watermarks are a segment, and the next segment begins when all of the one before have been given and its watermark
 * has been released. Callers: `async-run.ts`. Runs on: the slot's thread; pure. Invariant: what was given is
 * forgotten; memory stays within a small multiple of what is under way.
 */
import { assert } from '../../base/assert.js';

/** Answers are given in order of arrival, or as they come between two watermarks. */
export type AsyncOrder = 'ordered' | 'unordered';

/** What the queue keeps of a record. */
export interface QueuedCall {
  /** Whether its answer has come. */
  isDone: boolean;
  /** Whether it has been given. */
  isTaken: boolean;
  segment: Segment | null;
}

/** The records between two watermarks. */
export class Segment {
  /** Unordered: those whose answers have come, in that order; given up to `at`. */
  readonly done: QueuedCall[] = [];
  at = 0;
}

/** A watermark, and the segment that begins behind it. */
class Mark {
  watermarkMs: number;
  readonly behind = new Segment();

  constructor(watermarkMs: number) {
    this.watermarkMs = watermarkMs;
  }
}

/** Entries that may be there beside those that live, before the dead ones are dropped. */
const DEAD_MAX = 64;

/** The queue of one operator. */
export class AsyncQueue<C extends QueuedCall> {
  readonly #isOrdered: boolean;
  #entries: (C | Mark)[] = [];
  #head = 0;
  #size = 0;
  #marks = 0;
  /** The segment that answers are given from, and the one that records go to. */
  #first = new Segment();
  #last = this.#first;

  constructor(order: AsyncOrder) {
    this.#isOrdered = order === 'ordered';
  }

  /** Records that have not been given. */
  get size(): number {
    return this.#size;
  }

  /** Entries held, those included that were given and not yet dropped. */
  get entries(): number {
    return this.#entries.length;
  }

  /** The first record whose answer has not come; null when there is none, or results or watermarks are due. */
  get oldest(): C | null {
    const front = this.#front();
    return front === null || front instanceof Mark || front.isDone ? null : front;
  }

  /** Puts a record behind all others. */
  add(call: C): void {
    call.segment = this.#last;
    this.#size++;
    this.#push(call);
  }

  /** Puts a watermark behind all records; one right behind another one takes its place. */
  mark(watermarkMs: number): void {
    const last = this.#entries.length > this.#head ? this.#entries.at(-1) : undefined;
    if (last instanceof Mark) {
      last.watermarkMs = watermarkMs;
      return;
    }
    const mark = new Mark(watermarkMs);
    this.#last = mark.behind;
    this.#marks++;
    this.#push(mark);
  }

  /** The answer for a record has come. */
  done(call: C): void {
    assert(call.segment !== null, 'A record is answered that is in the queue.');
    call.isDone = true;
    if (!this.#isOrdered) call.segment.done.push(call);
  }

  /** Whether there is a record to be given. */
  get isReady(): boolean {
    if (!this.#isOrdered) return this.#first.at < this.#first.done.length;
    const first = this.#front();
    return first !== null && !(first instanceof Mark) && first.isDone;
  }

  /** Whether a watermark has nothing before it any more. */
  get isMarkDue(): boolean {
    return this.#marks > 0 && this.#front() instanceof Mark;
  }

  /** Takes out the next record to be given; null when there is none. */
  take(): C | null {
    if (!this.isReady) return null;
    const segment = this.#first;
    const call = (this.#isOrdered ? this.#front() : segment.done[segment.at]) as C;
    if (this.#isOrdered) this.#head++;
    else if (++segment.at === segment.done.length) {
      segment.done.length = 0;
      segment.at = 0;
    }
    call.isTaken = true;
    this.#size--;
    return call;
  }

  /** Takes out the watermark that is due. */
  release(): number {
    const mark = this.#front();
    assert(mark instanceof Mark, 'A watermark is released that is due.');
    this.#head++;
    this.#marks--;
    this.#first = mark.behind;
    return mark.watermarkMs;
  }

  /** Records that have not been given, in order of arrival. */
  calls(): readonly C[] {
    return this.#living().filter((entry): entry is C => !(entry instanceof Mark));
  }

  /** The first entry that is still there. */
  #front(): C | Mark | null {
    for (; this.#head < this.#entries.length; this.#head++) {
      const entry = this.#entries[this.#head];
      if (entry instanceof Mark || !entry.isTaken) return entry;
    }
    return null;
  }

  #push(entry: C | Mark): void {
    const living = this.#size + this.#marks;
    if (this.#entries.length > 2 * living + DEAD_MAX) {
      this.#entries = this.#living();
      this.#head = 0;
    }
    this.#entries.push(entry);
  }

  #living(): (C | Mark)[] {
    return this.#entries
      .slice(this.#head)
      .filter((entry) => entry instanceof Mark || !entry.isTaken);
  }
}
