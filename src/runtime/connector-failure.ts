/**
 * Makes coded errors of what connectors throw. Built-in ones throw coded errors themselves; those of users may throw
 * anything. Callers: everything that calls a source or a sink. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';

/** The error itself when it is coded, else a failure of the source or sink with the error as its cause. */
export function connectorFailure(
  cause: unknown,
  code: 'SOURCE_FAILED' | 'SINK_FAILED',
): MillraceError {
  if (MillraceError.is(cause)) return cause;
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const what = code === 'SOURCE_FAILED' ? 'source' : 'sink';
  return new MillraceError(code, `The ${what} threw ${reason}.`, {
    cause,
    advice: `Look at the cause; its stack points into the ${what}.`,
  });
}
