/**
 * What is wrong with a call of an asynchronous function. Callers: `async-run.ts`, which adds the subtask and the row.
 * Runs on: the slot's thread. Invariant: what a function failed with is kept as the cause.
 */
import { inspect } from 'node:util';
import { MillraceError } from '../../base/errors.js';
import { formatDuration } from '../../base/units.js';
import type { OperatorIdentity } from '../operator-spec.js';

/** A call: its record, and how often the function was called for it. */
interface CallOf {
  readonly record: unknown;
  readonly attempt: number;
}

/** A call failed, and is not made again. */
export function rejected(spec: OperatorIdentity, error: unknown, call: CallOf): MillraceError {
  if (MillraceError.is(error)) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const last = call.attempt > 1 ? `, at attempt ${call.attempt}` : '';
  return new MillraceError(
    'USER_FUNCTION_FAILED',
    `The call of "${spec.name}" for ${textOf(call.record)} failed with ${reason}${last}.`,
    { cause: error, advice: createdAt(spec) || 'Look at the cause.' },
  );
}

/** No answer came in time. */
export function timedOut(spec: OperatorIdentity, timeoutMs: number, call: CallOf): MillraceError {
  const before = call.attempt > 1 ? `, nor were ${call.attempt - 1} before it` : '';
  return new MillraceError(
    'ASYNC_TIMEOUT',
    `The call of "${spec.name}" for ${textOf(call.record)} was not answered within ` +
      `${formatDuration(timeoutMs)}${before}.`,
    {
      advice:
        'Raise its option timeout, or give onTimeout to have another result for such records. ' +
        createdAt(spec),
    },
  );
}

function createdAt(spec: OperatorIdentity): string {
  return spec.createdAt === null ? '' : `The operator was created at ${spec.createdAt}.`;
}

function textOf(record: unknown): string {
  return inspect(record, { depth: 1, breakLength: Infinity, maxStringLength: 40 }).slice(0, 200);
}
