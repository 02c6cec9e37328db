/**
 * The context that a process function's calls are given: one object for all of them, which stands for the one at
 * hand. Callers: `chain-process.ts` and generated code enter and leave it, user functions use it. Runs on: the slot's
 * thread. Invariant: between two calls it refuses to work, so that what a function kept cannot give records or
 * register timers under the key, time and watermark of another record.
 */
import { compileFunction } from 'node:vm';
import { MillraceError } from '../base/errors.js';
import { setOwn } from '../record/column-value.js';
import type { DataType } from '../record/schema.js';
import { keyOfArguments } from '../state/table-key.js';
import { resultKeyName } from './aggregate-fields.js';
import type { PendingRecords } from './chain-pending.js';
import type { ProcessRun, ProcessRunParts } from './chain-process.js';
import { NO_EVENT_TIME } from './flow-row.js';
import { propertyCode } from './object-code.js';
import type {
  EngineContext,
  OutputTag,
  TimeDomain,
  TimerContext,
  TimerService,
} from './process-function.js';

/** The side of calls that are not for a record. */
export const NO_SIDE = -1;

/** The context of all calls of one function. */
export class CallContext
  implements TimerContext<unknown, unknown>, EngineContext<unknown, unknown>
{
  timeDomain: TimeDomain = 'event';
  /** The side whose record is at hand. */
  side: number = NO_SIDE;
  readonly #run: ProcessRun;
  readonly #operator: string;
  readonly #pending: PendingRecords;
  readonly #tagged: ProcessRunParts['tagged'];
  readonly #names: readonly string[];
  readonly #notIterable: (result: unknown) => Error;
  #keyOf: KeyReader | null = null;
  #timers: TimerService | null = null;
  #isCalling = false;
  #timeMs = NO_EVENT_TIME;
  #kind = 0;
  #row = -1;

  // Properties, so that a function may take them out of the context by destructuring.
  readonly collect = (record: unknown, timestamp?: number): void => {
    if (!this.#isCalling) throw this.#expired('collect');
    if (record === undefined) throw undefinedRecord('collect');
    this.#pending.hold(record, timestamp ?? this.#timeMs, this.#kind, this.#row, undefined);
  };

  readonly collectAll = (
    records: Iterable<unknown> | null | undefined,
    timestamp?: number,
  ): void => {
    if (!this.#isCalling) throw this.#expired('collect');
    if (records === null || records === undefined) return;
    const iterate: unknown =
      typeof records === 'object' ? Reflect.get(records, Symbol.iterator) : undefined;
    if (typeof iterate !== 'function') throw this.#notIterable(records);
    this.#pending.promise(records, timestamp ?? this.#timeMs, this.#kind, this.#row);
  };

  readonly output = <T>(tag: OutputTag<T>, record: T, timestamp?: number): void => {
    if (!this.#isCalling) throw this.#expired('output');
    if (record === undefined) throw undefinedRecord('output');
    for (const pending of this.#tagged.get(tag.id) ?? []) {
      pending.hold(record, timestamp ?? this.#timeMs, this.#kind, this.#row, undefined);
    }
  };

  readonly applyToKeyedState = <S extends object>(
    state: S,
    visit: (key: never, state: S) => void,
  ): void => {
    if (!this.#isCalling) throw this.#expired('applyToKeyedState');
    this.#run.eachKeyOf(state, () => visit(this.key as never, state));
  };

  constructor(run: ProcessRun, { pending, tagged, spec, errors, operator }: ProcessRunParts) {
    this.#run = run;
    this.#notIterable = (result) => errors.notIterable(operator, result);
    this.#operator = spec.name;
    this.#pending = pending;
    this.#tagged = tagged;
    const keys = spec.keys.find((names) => names !== null) ?? [];
    this.#names = keys.map((name) => resultKeyName(name, 'single'));
  }

  /** A call begins. */
  enter(side: number, timeMs: number, kind: number, row: number): void {
    this.side = side;
    this.#timeMs = timeMs;
    this.#kind = kind;
    this.#row = row;
    this.#isCalling = true;
  }

  /** The call has ended. */
  leave(): void {
    this.#isCalling = false;
    this.side = NO_SIDE;
  }

  get kind(): number {
    return this.#kind;
  }

  get key(): unknown {
    if (!this.#isCalling) throw this.#expired('key');
    const key = this.#run.currentKey;
    if (key === null || !key.isSet) return undefined;
    this.#keyOf ??= keyReader(this.#names, key.types ?? []);
    return this.#keyOf(key.flat);
  }

  get timestamp(): number {
    if (!this.#isCalling) throw this.#expired('timestamp');
    // A record may have no event time; a timer always has one, as the type of its context says.
    return (this.#timeMs === NO_EVENT_TIME ? null : this.#timeMs) as number;
  }

  get hasTime(): boolean {
    return this.#timeMs !== NO_EVENT_TIME;
  }

  /** The time at hand, for states that live by event time. */
  eventTimeMs(): number {
    if (this.hasTime) return this.#timeMs;
    throw new MillraceError(
      'TIMESTAMP_MISSING',
      `"${this.#operator}" uses a state that lives by event time, and the record has none.`,
      {
        where: { operator: this.#operator },
        advice: "Assign event times before it, or give the state clock: 'processing'.",
      },
    );
  }

  get timers(): TimerService {
    // One object for the life of the function; looked up when it is first asked for, as it may be refused.
    this.#timers ??= this.#run.userTimers;
    return this.#timers;
  }

  #expired(what: string): MillraceError {
    return new MillraceError(
      'CONTEXT_EXPIRED',
      `context.${what} of "${this.#operator}" is used after the call that it was given to.`,
      {
        where: { operator: this.#operator },
        advice:
          'Use a context during its call only; to act later, register a timer, and keep in state ' +
          'what it needs.',
      },
    );
  }
}

/** Makes the object of a key from its flat arguments. */
type KeyReader = (flat: readonly unknown[]) => unknown;

/** Compiled where the arguments are numbers that records hold too, as most keys are. */
function keyReader(names: readonly string[], types: readonly DataType[]): KeyReader {
  if (!types.every(({ kind }) => kind === 'number')) {
    return (flat) => {
      const values = keyOfArguments(types, flat);
      const fields: Record<string, unknown> = {};
      names.forEach((name, at) => setOwn(fields, name, values[at]));
      return fields;
    };
  }
  // Keys that are equal are one key: -0 is 0.
  const fields = names.map((name, at) => `${propertyCode(name)}: flat[${at}] + 0`);
  return compileFunction(`return { ${fields.join(', ')} };`, ['flat'], {
    filename: 'millrace:process-key.js',
  }) as KeyReader;
}

function undefinedRecord(method: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `context.${method}(...) was given undefined.`, {
    advice: 'Give a record; to give none, do not call it.',
  });
}
