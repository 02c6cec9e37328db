/**
 * Opens what a source over an iterable is given. Callers: `iterable.ts`, when a job begins to read. Runs on: the
 * caller's thread.
 */
import { MillraceError } from '../../base/errors.js';
import type { IterableContext, IterableInput } from './iterable.js';
import { pullFrom, type RecordInput, type RecordPull, sourceFailed } from './record-pull.js';

export { RecordReader } from './record-reader.js';

/** Starts to pull; the signal of a function is aborted when it stops. */
export function openInput<T>(input: IterableInput<T>, name: string, wake: () => void): RecordPull {
  const abort = new AbortController();
  const pull = pullFrom(iterableOf(input, name, abort.signal), name, wake);
  return {
    pull: (max) => pull.pull(max),
    stop: () => {
      abort.abort();
      pull.stop();
    },
  };
}

function iterableOf<T>(input: IterableInput<T>, name: string, signal: AbortSignal): RecordInput<T> {
  const made = typeof input === 'function' ? call(input, name, signal) : input;
  if (Symbol.asyncIterator in made || Symbol.iterator in made || 'getReader' in made) return made;
  throw new MillraceError('OPTION_INVALID', `${name}: the function did not return an iterable.`, {
    advice: 'Return an array, an iterable, an async iterable or a stream of records.',
  });
}

function call<T>(
  make: (context: IterableContext) => RecordInput<T>,
  name: string,
  signal: AbortSignal,
): RecordInput<T> {
  try {
    return make({ signal });
  } catch (cause) {
    throw sourceFailed(cause, name);
  }
}
