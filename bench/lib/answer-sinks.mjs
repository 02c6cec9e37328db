/**
 * Sinks that keep only what is needed to check an answer, through the public contract of sinks: they read columns and
 * cost about as much as adding numbers up. Callers: the job modules make them, `run-job.mjs` takes the answer. Runs
 * on: the thread of each slot; `commit` on the caller's thread, where `takenAnswer` finds what it put there.
 */
import { mixCell } from './answer.mjs';

/** @type {readonly import('./answer.mjs').AnswerRow[] | null} */
let answer = null;

/** The answer that the newest commit of this thread made. */
export function takenAnswer() {
  return answer;
}

/**
 * Counts records and adds up one field of them: one row `[count, sum]`.
 *
 * @param {string} field
 * @returns {import('millrace').SinkConnector}
 */
export function sumSink(field) {
  return answerSink(
    'sum',
    [field],
    () => new SumWriter([field]),
    (parts) => [[total(parts, 0), total(parts, 1)]],
  );
}

/**
 * Counts records, and mixes whole numbers of some fields into one that does not depend on the order of records: one
 * row `[count, mixed]`.
 *
 * @param {readonly string[]} fields in the order in which they are mixed
 * @returns {import('millrace').SinkConnector}
 */
export function checksumSink(fields) {
  return answerSink(
    'checksum',
    fields,
    () => new ChecksumWriter(fields),
    (parts) => [[total(parts, 0), total(parts, 1) % 4294967296]],
  );
}

function answerSink(type, columns, open, combine) {
  // With checkpoints what has been written becomes visible in parts.
  let visible = [];
  return {
    kind: 'sink',
    type,
    name: `${type} of ${columns.join(', ')}`,
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns,
    plan: () => {
      visible = [];
      return null;
    },
    open,
    commit: (parts) => {
      visible.push(...parts);
      answer = combine(visible);
    },
  };
}

function total(parts, index) {
  return parts.reduce((sum, part) => sum + part[index], 0);
}

/** What both writers share; `prepareCommit` hands over `[rows, number]` of what was written since the last time. */
class AnswerWriter {
  #fields;
  #schema = null;
  /** Where the fields are in batches of that schema. */
  #places = [];

  constructor(fields) {
    this.#fields = fields;
  }

  /** The columns of the fields, looked up once for a schema. */
  placesIn({ schema }) {
    if (schema !== this.#schema) {
      this.#schema = schema;
      this.#places = this.#fields.map((field) =>
        schema.fields.findIndex(({ name }) => name === field),
      );
    }
    return this.#places;
  }

  bytesWritten = 0;
  rows = 0;
  result = 0;

  flush() {
    return true;
  }

  prepareCommit() {
    const part = [this.rows, this.result];
    this.rows = 0;
    this.result = 0;
    return [part];
  }

  close() {}
}

class SumWriter extends AnswerWriter {
  write(batch, fromRow) {
    const [place] = this.placesIn(batch);
    this.rows += batch.rows - fromRow;
    this.result += sumOf(batch.columns[place].values, fromRow, batch.rows);
    return batch.rows - fromRow;
  }
}

/**
 * Four sums at a time, because each addition waits for the one before it, and eight numbers in a turn, in which V8 looks
 * up the array once. The numbers add up without rounding.
 */
function sumOf(values, from, end) {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let row = from | 0;
  for (const last = (end - 7) | 0; row < last; row = (row + 8) | 0) {
    a += values[row];
    b += values[(row + 1) | 0];
    c += values[(row + 2) | 0];
    d += values[(row + 3) | 0];
    a += values[(row + 4) | 0];
    b += values[(row + 5) | 0];
    c += values[(row + 6) | 0];
    d += values[(row + 7) | 0];
  }
  for (; row < end; row++) a += values[row];
  return a + b + c + d;
}

class ChecksumWriter extends AnswerWriter {
  write(batch, fromRow) {
    const columns = this.placesIn(batch).map((place) => batch.columns[place].values);
    for (let row = fromRow; row < batch.rows; row++) {
      let hash = 0;
      for (let index = 0; index < columns.length; index++)
        hash = mixCell(hash, columns[index][row]);
      this.result = (this.result + (hash >>> 0)) % 4294967296;
    }
    this.rows += batch.rows - fromRow;
    return batch.rows - fromRow;
  }
}
