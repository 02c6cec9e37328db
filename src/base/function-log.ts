/**
 * The log of a user function: lines of bounded size and rate, which leave the thread as plain data and never wait.
 * Callers: what opens user functions makes one for each; functions write. Runs on: any thread. Invariants: a line below
 * the level costs one look at a shared word; nothing that is logged can fail the function.
 */
import type { Clock } from './clock.js';

/** Levels, from the most to the least that is said; `silent` says nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whose lines they are. */
export interface LogPlace {
  readonly operator: string;
  readonly uid: string;
  readonly subtask: number;
}

/** A line as it leaves the function. */
export interface LogLine extends LogPlace {
  readonly level: LogLevel;
  /** Wall clock. */
  readonly atMs: number;
  readonly message: string;
  /** An object as JSON; null for none. */
  readonly fields: string | null;
  /** Lines before this one that came too fast and were left out. */
  readonly dropped: number;
}

/**
 * Writes lines to the log of the job, with operator, subtask and attempt. A subtask may write 1000 lines at once and
 * 100 a second in the long run; more are left out, and the next line says how many. A line has at most 8 KB; `fields`
 * that are no JSON are left out of it.
 *
 * @example
 * context.log.warn('no price', { item: order.item });
 */
export interface FunctionLogger {
  trace(message: string, fields?: object): void;
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

const BURST_LINES = 1000;
const LINES_PER_SECOND = 100;
const LINE_LENGTH_MAX = 8192;

/** The log of the functions of one operator in one subtask. */
export class FunctionLog implements FunctionLogger {
  readonly #levelWord: Int32Array;
  readonly #clock: Clock;
  readonly #place: LogPlace;
  readonly #write: (line: LogLine) => void;
  /** Lines that may be written now. */
  #room = BURST_LINES;
  #filledMs: number;
  #dropped = 0;

  // Properties, so that a function may take them out of the log by destructuring.
  readonly trace = (message: string, fields?: object): void => this.#log(0, message, fields);
  readonly debug = (message: string, fields?: object): void => this.#log(1, message, fields);
  readonly info = (message: string, fields?: object): void => this.#log(2, message, fields);
  readonly warn = (message: string, fields?: object): void => this.#log(3, message, fields);
  readonly error = (message: string, fields?: object): void => this.#log(4, message, fields);

  /** Element 0 of `levelWord` is the index of the lowest level that is written; any thread may change it. */
  constructor(
    levelWord: Int32Array,
    clock: Clock,
    place: LogPlace,
    write: (line: LogLine) => void,
  ) {
    this.#levelWord = levelWord;
    this.#clock = clock;
    this.#place = place;
    this.#write = write;
    this.#filledMs = clock.monotonicMs();
  }

  #log(level: number, message: string, fields: object | undefined): void {
    if (level < Atomics.load(this.#levelWord, 0)) return;
    if (!this.#takesOne()) {
      this.#dropped++;
      return;
    }
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#write({
      level: LOG_LEVELS[level],
      atMs: this.#clock.epochMs(),
      ...this.#place,
      message: textOf(message),
      fields: fields === undefined ? null : jsonOf(fields),
      dropped,
    });
  }

  #takesOne(): boolean {
    if (this.#room < 1) {
      const nowMs = this.#clock.monotonicMs();
      const since = Math.max(0, nowMs - this.#filledMs);
      this.#room = Math.min(BURST_LINES, this.#room + (since * LINES_PER_SECOND) / 1000);
      this.#filledMs = nowMs;
      if (this.#room < 1) return false;
    }
    this.#room--;
    return true;
  }
}

/** Writes nothing. */
export const NO_LOG: FunctionLogger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** The number of a level, as the shared word has it. */
export function logLevelNumber(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}

function textOf(message: unknown): string {
  const text = typeof message === 'string' ? message : (jsonOf({ message }) ?? '');
  return text.slice(0, LINE_LENGTH_MAX);
}

function jsonOf(fields: object): string | null {
  try {
    const text = JSON.stringify(fields, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    return text === undefined || text.length > LINE_LENGTH_MAX ? null : text;
  } catch {
    // What cannot be written is no reason to fail a record.
    return null;
  }
}
