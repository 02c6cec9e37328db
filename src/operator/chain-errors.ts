/**
 * The errors of a running chain, with the operator, its uid, the subtask and the line of the user's program.
 * Callers: the chain task and generated code. Runs on: worker. Invariant: what a user function threw is kept as
 * the cause.
 */
import { MillraceError } from '../base/errors.js';
import type { ErrorWhere } from '../base/errors.js';
import type { ErrorCode } from '../base/error-codes.js';
import { schemaName, type Schema } from '../record/schema.js';
import { KEY_FIELD } from './flow-row.js';
import type { OperatorIdentity } from './operator-spec.js';

/** Makes the errors of one chain. */
export class ChainErrors {
  readonly #operators: readonly OperatorIdentity[];
  readonly #vertexName: string;
  readonly #subtask: number;

  constructor(operators: readonly OperatorIdentity[], vertexName: string, subtask: number) {
    this.#operators = operators;
    this.#vertexName = vertexName;
    this.#subtask = subtask;
  }

  /**
   * What was thrown while a chain ran, with all that is known of the place. `operator` is the one whose user
   * function ran, -1 for none; `record` the position in the batch, -1 when unknown.
   */
  failed(error: unknown, operator: number, record: number): unknown {
    const where: ErrorWhere = {
      ...this.#where(operator),
      ...(record < 0 ? {} : { record }),
    };
    if (MillraceError.is(error)) return error.at(where);
    if (operator < 0) return error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return new MillraceError(
      'USER_FUNCTION_FAILED',
      `The function of ${this.#name(operator)} threw ${reason}.`,
      { cause: error, where, advice: this.#advice(operator) },
    );
  }

  /** A function returned undefined, or yielded it, where a record is due. */
  undefinedRecord(operator: number): MillraceError {
    return this.#userError(
      operator,
      'returned undefined where a record is due. Return a value; filter() and flatMap() may drop.',
    );
  }

  /** A function that gives several records returned something that has no items. */
  notIterable(operator: number, result: unknown): MillraceError {
    const type = typeof result === 'string' ? 'a text' : `a ${typeof result}`;
    return this.#userError(
      operator,
      `returned ${type}. It returns an array, another iterable of records, or nothing.`,
    );
  }

  /** A custom partitioner gave no channel. */
  channelOutOfRange(operator: number, channel: unknown, channels: number): MillraceError {
    return this.#userError(
      operator,
      `is partitioned by a function that returned ${String(channel)}. ` +
        `It must return a whole number from 0 to ${channels - 1}.`,
    );
  }

  /** A custom partitioner threw. */
  partitionerFailed(operator: number, cause: unknown): MillraceError {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    return this.#userError(operator, `is partitioned by a function that threw ${reason}.`, cause);
  }

  /** A key is null or missing. */
  nullKey(operator: number, field: string): MillraceError {
    return this.#error(
      'KEY_UNSUPPORTED',
      operator,
      field === KEY_FIELD
        ? `The key function of ${this.#name(operator)} returned null or undefined for a record.`
        : `${this.#name(operator)} met a record whose key "${field}" is null or missing.`,
      'Drop such records with filter() first, or give them a key of their own.',
      { field },
    );
  }

  /** A record has no event time; `field` is where it should be, `given` what was found there. */
  timestampMissing(operator: number, field: string | null, given: unknown): MillraceError {
    const where = field === null ? '' : ` in "${field}"`;
    return this.#error(
      'TIMESTAMP_MISSING',
      operator,
      `${this.#name(operator)} met a record without an event time${where}: ${shown(given)}.`,
      'Drop such records with filter() before, or assign event times with assignTimestamps().',
      field === null ? {} : { field },
    );
  }

  /** A sum is no longer exact. */
  inexact(operator: number, aggregate: string, reason: string): MillraceError {
    return this.#error(
      'NUMBER_INEXACT',
      operator,
      `The sum "${aggregate}" of ${this.#name(operator)} ${reason}.`,
      'Cast the value to int64 for exact sums of whole numbers, or to float64 to accept rounding.',
      { field: aggregate },
    );
  }

  /** A record does not fit the schema that the user declared, or cannot be made to fit any. */
  misfit(operator: number, schema: Schema, field: string | null): MillraceError {
    const what = field === null ? 'a record' : `a record whose field "${field}" is not as declared`;
    return this.#error(
      'SCHEMA_CONFLICT',
      operator,
      `${this.#name(operator)} gave ${what}; its records are ${schemaName(schema)}.`,
      'Correct the function, or the schema in "returns".',
      field === null ? {} : { field },
    );
  }

  /** State of an operator was written for other types than its records now have. */
  stateConflict(operator: number, was: string, is: string, isRestored: boolean): MillraceError {
    const advice =
      'Give keys and aggregated values one type, for example by casting them in a select() before';
    return this.#error(
      isRestored ? 'STATE_INCOMPATIBLE' : 'SCHEMA_CONFLICT',
      operator,
      `${this.#name(operator)} keeps state for ${was}, but its records now need ${is}.`,
      isRestored
        ? `${advice}, or the operator another uid, with which it begins empty.`
        : `${advice}.`,
      {},
    );
  }

  #userError(operator: number, what: string, cause?: unknown): MillraceError {
    return new MillraceError('USER_FUNCTION_FAILED', `${this.#name(operator)} ${what}`, {
      where: this.#where(operator),
      advice: this.#advice(operator),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #error(
    code: ErrorCode,
    operator: number,
    message: string,
    advice: string,
    where: ErrorWhere,
  ): MillraceError {
    return new MillraceError(code, message, {
      where: { ...this.#where(operator), ...where },
      advice: `${advice} ${this.#created(operator)}`.trimEnd(),
    });
  }

  #where(operator: number): ErrorWhere {
    const identity = this.#operators[operator];
    if (identity === undefined) return { operator: this.#vertexName, subtask: this.#subtask };
    return { operator: identity.name, uid: identity.uid, subtask: this.#subtask };
  }

  #name(operator: number): string {
    return JSON.stringify(this.#operators[operator]?.name ?? this.#vertexName);
  }

  #created(operator: number): string {
    const createdAt = this.#operators[operator]?.createdAt ?? null;
    return createdAt === null ? '' : `The operator was created at ${createdAt}.`;
  }

  #advice(operator: number): string {
    return this.#created(operator) || 'Look at the cause; its stack points into the function.';
  }
}

/** A value in a message, cut when it is long. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
