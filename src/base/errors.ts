/**
 * The one error class of the engine. An error says what happened, where (job, operator, subtask, record,
 * file) and what to do; it carries a stable code from `error-codes.ts`, keeps its cause, and crosses threads
 * and processes as plain data without losing its identity. Callers: every folder. Runs on: any thread.
 */
import type { ErrorCode } from './error-codes.js';
import { isRetryable } from './retryable-codes.js';

/** Structured clone strips classes, so identity across threads and copies of the package is this brand. */
const BRAND = Symbol.for('millrace.error');

/** Coordinates of an error; each part is filled in by the layer that knows it. */
export interface ErrorWhere {
  readonly job?: string;
  readonly operator?: string;
  readonly uid?: string;
  readonly subtask?: number;
  readonly field?: string;
  readonly record?: number;
  readonly file?: string;
  readonly line?: number;
  readonly byteOffset?: number;
}

/** What an error may carry besides its code and message. */
export interface ErrorDetails {
  readonly cause?: unknown;
  readonly where?: ErrorWhere;
  /** What the reader can do about it, as a full sentence. */
  readonly advice?: string;
}

/** The form in which an error crosses a thread or process boundary: plain, structured-cloneable data. */
export interface WireError {
  readonly code: ErrorCode | null;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly where: ErrorWhere;
  readonly advice: string | null;
  readonly cause: WireError | null;
}

/**
 * An operating error with a stable code.
 *
 * @example
 * try { await run(job); } catch (error) {
 *   if (MillraceError.is(error) && error.code === 'FILE_NOT_FOUND') console.error(error.where.file);
 * }
 */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly where: ErrorWhere;
  readonly advice: string | null;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MillraceError';
    this.code = code;
    this.where = details.where ?? {};
    this.advice = details.advice ?? null;
  }

  /** Whether trying the same again may succeed; decided by the code, so that it survives the wire. */
  get retryable(): boolean {
    return isRetryable(this.code);
  }

  /** True for every Millrace error, also one that another copy of the package created. */
  static is(value: unknown): value is MillraceError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** The same error with more coordinates; coordinates that are already known win. */
  at(where: ErrorWhere): MillraceError {
    const details = { where: { ...where, ...this.where }, cause: this.cause };
    const moved = new MillraceError(
      this.code,
      this.message,
      this.advice === null ? details : { ...details, advice: this.advice },
    );
    if (this.stack !== undefined) moved.stack = this.stack;
    return moved;
  }
}

/** Any thrown value as plain data, causes included (at most eight levels). */
export function toWire(error: unknown, depth = 0): WireError {
  const cause = error instanceof Error && depth < 8 ? error.cause : undefined;
  return {
    code: MillraceError.is(error) ? error.code : null,
    name: error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? (error.stack ?? null) : null,
    where: MillraceError.is(error) ? error.where : {},
    advice: MillraceError.is(error) ? error.advice : null,
    cause: cause === undefined ? null : toWire(cause, depth + 1),
  };
}

/** The inverse of `toWire`: a `MillraceError` when it had a code, else an `Error` of the same name. */
export function fromWire(wire: WireError): Error {
  const cause = wire.cause === null ? {} : { cause: fromWire(wire.cause) };
  const error =
    wire.code === null
      ? new Error(wire.message, cause)
      : new MillraceError(wire.code, wire.message, {
          ...cause,
          where: wire.where,
          ...(wire.advice === null ? {} : { advice: wire.advice }),
        });
  error.name = wire.name;
  if (wire.stack !== null) error.stack = wire.stack;
  return error;
}

/** One line for people: code, message, coordinates, advice. */
export function describeError(error: unknown): string {
  if (!MillraceError.is(error)) return error instanceof Error ? error.message : String(error);
  const where = Object.entries(error.where)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
  const place = where === '' ? '' : ` (${where})`;
  const advice = error.advice === null ? '' : ` ${error.advice}`;
  return `${error.code}: ${error.message}${place}${advice}`;
}
