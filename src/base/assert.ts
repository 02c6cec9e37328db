/**
 * Assertions for programmer errors. They stay on in production and are used once per frame or per job,
 * never once per record. Callers: every folder. Runs on: any thread.
 */
import { MillraceError } from './errors.js';

/** Thrown when the engine contradicts itself: always a defect of Millrace, never of the user's job. */
export class AssertionError extends MillraceError {
  constructor(sentence: string) {
    super(
      'ASSERTION',
      `${sentence} This is a defect of Millrace; please report it with the stack.`,
    );
  }
}

/** Fails with `sentence` (a full sentence that states the broken invariant) unless `condition` holds. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence);
}

/** Marks a place that no value can reach; the compiler proves it, the assertion backs it up. */
export function unreachable(value: never, what: string): never {
  throw new AssertionError(`Unexpected ${what}: ${String(value)}.`);
}
