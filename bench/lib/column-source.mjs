/**
 * A source of Millrace that hands out the same columns again and again: records in memory at no cost, through the
 * public contract of sources. Callers: the job modules. Runs on: the thread of each slot.
 */
import { PASS_ROWS, passesOf } from './records.mjs';

// The results of `SourceReader.poll`, as the contract numbers them.
const POLL_BATCH = 0;
const POLL_NEED_SPLIT = 2;
/** Enough for fast subtasks to take over from slow ones. */
const SPLITS_PER_SUBTASK = 8;
const ASCII = 0;

/**
 * @typedef {{ offsets: Int32Array, bytes: Uint8Array }} Texts
 */

/**
 * A column that grows from pass to pass, as times do: a pass of a split adds `byMs` to the values of the one before. There
 * is one split for each subtask then, so that time passes for all of them alike.
 *
 * @typedef {{ field: string, byMs: number }} Advance
 */

/**
 * The columns of records. They are told beforehand, because a plan is no place to make records in.
 *
 * @typedef {{ numbers: readonly string[], texts?: readonly string[] }} ColumnNames
 */

/**
 * Records of columns by name.
 *
 * @param {ColumnNames} names
 * @param {() => Record<string, Float64Array | Texts>} make called on the thread that reads, since columns do not travel
 * @param {number} rows about how many records; whole passes are given
 * @param {{ passRows?: number, advance?: Advance }} [options] records of a pass, as many as the columns have, and what
 *   grows
 * @returns {import('millrace').SourceConnector}
 */
export function columnSource(names, make, rows, { passRows = PASS_ROWS, advance } = {}) {
  const passes = passesOf(rows, passRows);
  const splitsPerSubtask = advance === undefined ? SPLITS_PER_SUBTASK : 1;
  return {
    kind: 'source',
    type: 'columns',
    name: `${passes} passes over ${passRows} records in memory`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    plan: ({ parallelism }) => ({
      schema: schemaOf(names, null),
      splits: splitsOf(passes, parallelism * splitsPerSubtask, passRows),
      bytes: null,
      rows: passes * passRows,
      data: null,
    }),
    open: (context) =>
      new ColumnReader(schemaOf(names, context.columns), make(), context, passRows, advance),
  };
}

/** Deals passes to splits as evenly as they go. */
function splitsOf(passes, splitsMax, passRows) {
  const count = Math.min(passes, splitsMax);
  return Array.from({ length: count }, (_, index) => {
    const share = Math.floor(((index + 1) * passes) / count) - Math.floor((index * passes) / count);
    return { id: String(index), bytes: null, rows: share * passRows, data: share };
  });
}

function schemaOf({ numbers, texts = [] }, wanted) {
  const fields = [...numbers, ...texts].map((name) => ({
    name,
    type: { kind: numbers.includes(name) ? 'number' : 'utf8' },
    nullable: false,
    optional: false,
  }));
  return { shape: 'object', fields: fields.filter(({ name }) => wanted?.includes(name) ?? true) };
}

class ColumnReader {
  batch = null;
  bytesRead = 0;
  #batches;
  #next = 0;
  #passesLeft = 0;
  #split = null;
  /** The column that grows: its values in the first pass, and by how much they have grown. */
  #growing = null;
  #grownMs = 0;
  #byMs = 0;

  constructor(schema, records, { schemas, batchRows }, passRows, advance) {
    const { version } = schemas.propose(schema);
    const count = passRows / batchRows;
    const codes = Int32Array.from({ length: batchRows }, (_, row) => row);
    this.#batches = Array.from({ length: count }, (_, index) => ({
      schema,
      schemaVersion: version,
      rows: batchRows,
      columns: schema.fields.map((field) =>
        columnOf(field, records[field.name], index * batchRows, codes),
      ),
      times: null,
      kinds: null,
    }));
    const field = schema.fields.findIndex(({ name }) => name === advance?.field);
    if (field < 0) return;
    this.#byMs = advance.byMs;
    this.#growing = this.#batches.map(({ columns }) => {
      const [{ values: first }, values] = [columns[field], new Float64Array(batchRows)];
      columns[field] = { ...columns[field], values };
      return { first, values };
    });
  }

  addSplit(split) {
    this.#split = split;
    this.#passesLeft = split.data;
    this.#next = 0;
    this.#grownMs = 0;
  }

  poll() {
    if (this.#next === this.#batches.length) {
      this.#next = 0;
      this.#passesLeft--;
      this.#grownMs += this.#byMs;
    }
    if (this.#passesLeft <= 0) {
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    if (this.#growing !== null) grow(this.#growing[this.#next], this.#grownMs);
    this.batch = this.#batches[this.#next++];
    return POLL_BATCH;
  }

  positions() {
    return this.#split === null ? [] : [{ split: this.#split, position: null }];
  }

  close() {}
}

function grow({ first, values }, byMs) {
  for (let row = 0; row < values.length; row++) values[row] = first[row] + byMs;
}

/** A column over a part of the records' arrays, with the properties that columns of the engine have. */
function columnOf(field, records, from, codes) {
  const rows = codes.length;
  if (records instanceof Float64Array) {
    return { field, values: records.subarray(from, from + rows), validity: null, presence: null };
  }
  const start = records.offsets[from];
  const end = records.offsets[from + rows];
  return {
    field,
    codes,
    offsets: records.offsets.slice(from, from + rows + 1).map((offset) => offset - start),
    bytes: records.bytes.subarray(start, end),
    entries: rows,
    textKind: ASCII,
    validity: null,
    presence: null,
    isDictionary: false,
    decoded: null,
    block: null,
    blockStarts: null,
    hashes: null,
  };
}
