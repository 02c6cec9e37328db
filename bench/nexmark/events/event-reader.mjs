/**
 * Reads generated events: fills the columns of a batch with the next events of a split, no faster than a rate allows.
 * Callers: `event-source.mjs`. Runs on: the slot's thread. Invariants: a batch lies within one block; a position is the
 * number of events that the split has given, which says exactly which are left.
 */
import { eventColumns } from './event-columns.mjs';
import { EventRows } from './event-rows.mjs';
import { BLOCK } from './event-settings.mjs';

// The results of `SourceReader.poll`, as the contract numbers them.
const POLL_BATCH = 0;
const POLL_WAIT = 1;
const POLL_NEED_SPLIT = 2;
/** Events are made at least this far apart in time, so that slow rates do not mean a timer for each. */
const WAIT_MS_MIN = 5;

/**
 * Which events a split has: blocks `first`, `first + every`, … as long as there are any.
 *
 * @typedef {{ first: number, every: number }} EventSplit
 */

export class EventReader {
  batch = null;
  bytesRead = 0;
  #context;
  #settings;
  #emitPerSecond;
  #rows;
  #writers;
  #schema;
  #version;
  #split = null;
  #given = 0;
  /** When the split was taken up, and at which event: the base of the rate. */
  #startMs = 0;
  #startEvent = 0;
  #timer = null;

  constructor({ form, settings, emitPerSecond, context }) {
    this.#context = context;
    this.#settings = settings;
    this.#emitPerSecond = emitPerSecond;
    this.#rows = new EventRows(settings);
    this.#writers = eventColumns(form, context.columns, settings);
    this.#schema = { shape: 'object', fields: this.#writers.map(({ field }) => field) };
    this.#version = context.schemas.propose(this.#schema).version;
  }

  addSplit(split, position) {
    this.batch = null;
    this.#split = split;
    this.#given = position ?? 0;
    this.#startMs = this.#context.clock.monotonicMs();
    this.#startEvent = eventOf(split.data, this.#given);
  }

  poll() {
    if (this.#split === null) return POLL_NEED_SPLIT;
    this.#given += this.batch?.rows ?? 0;
    this.batch = null;
    const event = eventOf(this.#split.data, this.#given);
    const left = this.#settings.events - event;
    if (left <= 0) {
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    const wanted = Math.min(this.#context.batchRows, BLOCK - (event % BLOCK), left);
    const count = Math.min(wanted, this.#eventsDue(event));
    if (count < 1) return this.#wait(event);
    this.#rows.locate(event, count);
    this.batch = {
      schema: this.#schema,
      schemaVersion: this.#version,
      rows: count,
      columns: this.#writers.map((writer) => writer.write(this.#rows)),
      times: null,
      kinds: null,
    };
    return POLL_BATCH;
  }

  positions(rows) {
    if (this.#split === null) return [];
    return [{ split: this.#split, position: this.#given + (rows ?? this.batch?.rows ?? 0) }];
  }

  close() {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#split = null;
  }

  /** Events from `event` on whose turn has come; event n is due n / rate after the start. */
  #eventsDue(event) {
    if (this.#emitPerSecond === null) return Number.POSITIVE_INFINITY;
    const passedMs = this.#context.clock.monotonicMs() - this.#startMs;
    return Math.floor(this.#startEvent + (passedMs / 1000) * this.#emitPerSecond) - event;
  }

  #wait(event) {
    if (this.#timer !== null) return POLL_WAIT;
    const dueMs = ((event + 1 - this.#startEvent) / this.#emitPerSecond) * 1000;
    const passedMs = this.#context.clock.monotonicMs() - this.#startMs;
    const wake = () => {
      this.#timer = null;
      this.#context.wake();
    };
    this.#timer = setTimeout(wake, Math.max(WAIT_MS_MIN, dueMs - passedMs));
    return POLL_WAIT;
  }
}

/** The number of a split's event. */
function eventOf({ first, every }, given) {
  const block = Math.floor(given / BLOCK);
  return (first + block * every) * BLOCK + (given % BLOCK);
}
