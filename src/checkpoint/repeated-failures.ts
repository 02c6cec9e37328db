/**
 * Whether a job fails at the same record again and again, which no restart cures. A record is known by the operator
 * that it failed, its place in the input or the batch, and what was thrown. Callers: runtime, once for each failure.
 * Runs on: the caller's thread. Invariant: after a checkpoint has completed, what failed before it is forgotten, since
 * places are told from where the job goes on.
 */
import { MillraceError, toWire, type WireError } from '../base/errors.js';

/** Counts the failures of one job by their records. */
export class RepeatedFailures {
  readonly #max: number;
  #counts = new Map<string, number>();

  /** `max` failures at the same record are too many; 0: none ever are. */
  constructor(max: number) {
    this.#max = max;
  }

  /** What the job is to end with, when the record has failed it too often; null otherwise. */
  failed(error: WireError): WireError | null {
    const record = this.#max === 0 ? null : recordOf(error);
    if (record === null) return null;
    const count = (this.#counts.get(record) ?? 0) + 1;
    this.#counts.set(record, count);
    if (count < this.#max) return null;
    const { operator = 'its source', ...place } = error.where;
    const often = `The same record failed the job ${count} times`;
    const message = `${often}, in ${operator}: ${error.message}`;
    return {
      ...toWire(
        new MillraceError('RECORD_FAILED_REPEATEDLY', message, {
          where: { operator, ...place },
          advice: 'Correct the function, or drop such records with filter() before it.',
        }),
      ),
      cause: error,
    };
  }

  /** A checkpoint has completed. */
  passed(): void {
    this.#counts.clear();
  }
}

/** The same text for failures at the same record; null for one that is at none. */
function recordOf({ code, message, where }: WireError): string | null {
  const { operator, uid, field, record, file, line, byteOffset } = where;
  if (record === undefined && line === undefined && byteOffset === undefined) return null;
  // Not the subtask: another attempt may deal the record to another one.
  return JSON.stringify([code, message, operator, uid, field, record, file, line, byteOffset]);
}
