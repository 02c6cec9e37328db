/**
 * The sink that gathers records as JavaScript values in an array on the caller's thread. Callers:
 * the api, tests. Runs on: the caller's thread. Invariant: never more rows than its bound; one more
 * fails the job by name.
 */
import { MillraceError } from '../../base/errors.js';
import type { Batch } from '../../record/batch.js';
import { compileRowReader, type RowReader } from '../../record/row-codec.js';
import type { Schema } from '../../record/schema.js';
import { checkOptionsObject } from '../check-arguments.js';
import type { Committable, SinkConnector, SinkWriter } from '../contract.js';

/** Rows an array takes unless it is told otherwise: some gigabytes of objects. */
export const COLLECT_ROWS_MAX = 10_000_000;

/** Options of `collectSink`. */
export interface CollectOptions {
  /** Most rows there may be; default 10 million. */
  readonly rowsMax?: number;
  /** Display name. */
  readonly name?: string;
}

/** A sink whose rows can be read on the caller's thread. */
export interface CollectSink<T = unknown> extends SinkConnector<T> {
  /** The records so far; complete when the job has finished. Emptied when a run begins. */
  readonly rows: readonly T[];
}

/**
 * Gathers records in an array.
 *
 * @example
 * const counts = collectSink();
 * stream.to(counts);
 * // after the run: counts.rows
 */
export function collectSink<T = unknown>(options: CollectOptions = {}): CollectSink<T> {
  checkOptionsObject('collect', options);
  const rowsMax = options.rowsMax ?? COLLECT_ROWS_MAX;
  if (!Number.isSafeInteger(rowsMax) || rowsMax < 0) {
    throw new MillraceError('OPTION_INVALID', `collect: rowsMax cannot be ${rowsMax}.`, {
      advice: 'Give a whole number of rows.',
    });
  }
  const rows: T[] = [];
  /** Rows that belong to a completed checkpoint. */
  let committed = 0;
  return {
    kind: 'sink',
    type: 'collect',
    name: options.name ?? 'collect',
    host: true,
    parallelism: 1,
    guarantee: 'at-least-once',
    columns: null,
    rows,
    plan: () => {
      rows.length = 0;
      committed = 0;
      return null;
    },
    commit: (counts) => {
      committed = Math.max(committed, ...counts.map(Number));
    },
    // What came after the checkpoint comes again. In another process than the one before there is nothing yet.
    resume: () => {
      rows.length = Math.min(rows.length, committed);
      return null;
    },
    open: () => new CollectWriter(rows, rowsMax),
  };
}

class CollectWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #rows: unknown[];
  readonly #rowsMax: number;
  #schema: Schema | null = null;
  #read: RowReader | null = null;

  constructor(rows: unknown[], rowsMax: number) {
    this.#rows = rows;
    this.#rowsMax = rowsMax;
  }

  write(batch: Batch, fromRow: number): number {
    if (this.#rows.length + batch.rows - fromRow > this.#rowsMax) throw tooLarge(this.#rowsMax);
    if (this.#read === null || batch.schema !== this.#schema) {
      this.#read = compileRowReader(batch.schema, null);
      this.#schema = batch.schema;
    }
    const read = this.#read;
    for (let row = fromRow; row < batch.rows; row++) this.#rows.push(read(batch, row));
    return batch.rows - fromRow;
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(): readonly Committable[] {
    return [this.#rows.length];
  }

  close(): void {}
}

function tooLarge(rowsMax: number): MillraceError {
  return new MillraceError(
    'RESULT_TOO_LARGE',
    `The collected result has more than ${rowsMax} rows.`,
    { advice: 'Aggregate or filter first, write it to files, or raise rowsMax.' },
  );
}
