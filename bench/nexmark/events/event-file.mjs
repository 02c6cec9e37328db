/**
 * Files of events as a source of flat records: reads the nested records that `event-source.mjs` writes, by Millrace's
 * own readers of NDJSON and Parquet, and shows the columns within them side by side. No value is copied but the times.
 * Callers: the jobs of Nexmark. Runs on: planning on the caller's thread, reading in the slots.
 */
import { BinaryColumn, FixedColumn, MillraceError, ndjson, parquet } from 'millrace';
import { FLAT_SCHEMA, NESTED_SCHEMA } from './event-fields.mjs';
import { KINDS } from './event-settings.mjs';

/**
 * @param {string} path ends in `.parquet`, or holds NDJSON
 * @returns {import('millrace').SourceConnector}
 */
export function eventFile(path) {
  const files = path.endsWith('.parquet') ? parquet(path) : ndjson(path, { schema: NESTED_SCHEMA });
  const source = files.source();
  return {
    ...source,
    type: 'nexmark-file',
    plan: async (context) => {
      const { schema, data, ...plan } = await source.plan(context);
      return { ...plan, schema: FLAT_SCHEMA, data: { schema, data } };
    },
    open: async (context) => {
      const plan = { ...context.plan, ...context.plan.data };
      const columns = nestedNames(context.columns);
      const paths = nestedPaths(context.columns);
      const inner = { ...context, plan, columns, paths, schemas: privateSchemas() };
      return new FlatReader(await source.open(inner), context);
    },
  };
}

/** The nested fields that hold the wanted flat ones. */
function nestedNames(wanted) {
  if (wanted === null) return null;
  // A record tells its kind, and each kind has times of its own.
  const kinds = wanted.includes('dateTime') ? KINDS : wanted.map((name) => name.split('.')[0]);
  return [...new Set(['kind', ...kinds])].filter((name) => name === 'kind' || KINDS.includes(name));
}

/** Paths to the wanted flat fields. */
function nestedPaths(wanted) {
  return (wanted ?? FLAT_SCHEMA.fields.map(({ name }) => name)).flatMap((name) => {
    if (name === 'kind') return [];
    return name === 'dateTime' ? KINDS.map((kind) => [kind, name]) : [name.split('.')];
  });
}

/** What the inner reader proposes is seen by nobody else. */
function privateSchemas() {
  const versions = [];
  return {
    current: () => versions.at(-1) ?? null,
    propose: (schema) => {
      const known = versions.at(-1);
      if (known !== undefined && JSON.stringify(known.schema) === JSON.stringify(schema))
        return known;
      versions.push({ schema, version: versions.length + 1 });
      return versions.at(-1);
    },
    get: (version) => versions[version - 1].schema,
  };
}

/** A reader of nested records that shows them flat. */
class FlatReader {
  batch = null;
  #reader;
  #schema;
  #version;

  constructor(reader, { columns, schemas }) {
    this.#reader = reader;
    const fields = FLAT_SCHEMA.fields.filter(({ name }) => columns?.includes(name) ?? true);
    this.#schema = { shape: 'object', fields };
    this.#version = schemas.propose(this.#schema).version;
  }

  get bytesRead() {
    return this.#reader.bytesRead;
  }

  addSplit(split, position) {
    this.#reader.addSplit(split, position);
  }

  poll() {
    const result = this.#reader.poll();
    const { batch } = this.#reader;
    this.batch = batch === null ? null : this.#flat(batch);
    return result;
  }

  positions(rows) {
    return this.#reader.positions(rows);
  }

  close() {
    this.#reader.close();
  }

  #flat(batch) {
    const columns = new Map(batch.columns.map((column) => [column.field.name, column]));
    checkKinds(columns, batch.rows);
    return {
      schema: this.#schema,
      schemaVersion: this.#version,
      rows: batch.rows,
      columns: this.#schema.fields.map((field) => flatColumn(field, columns, batch.rows)),
      times: null,
      kinds: null,
    };
  }
}

function flatColumn(field, columns, rows) {
  const { name } = field;
  if (name === 'kind') return asField(columns.get('kind'), field);
  if (name === 'dateTime') return new FixedColumn(field, timesOf(columns, rows), null, null);
  const [kind, own] = name.split('.');
  return asField(childOf(columns.get(kind), own), field);
}

function childOf(struct, name) {
  return struct.children.find((child) => child.field.name === name);
}

/** The values of a column under another field; what is behind cleared bits is 0 or empty. */
function asField(column, field) {
  if (column instanceof FixedColumn) return new FixedColumn(field, column.values, null, null);
  return new BinaryColumn({ ...column, field, validity: null, presence: null });
}

function timesOf(columns, rows) {
  const times = new Float64Array(rows);
  for (const kind of KINDS) {
    const { validity } = columns.get(kind);
    const { values } = childOf(columns.get(kind), 'dateTime');
    for (let row = 0; row < rows; row++) {
      if (validity === null || ((validity[row >> 3] >> (row & 7)) & 1) === 1)
        times[row] = values[row];
    }
  }
  return times;
}

/** Kinds by the first letters of their names. */
const FIRST_LETTERS = new Map(KINDS.map((kind) => [kind.charCodeAt(0), kind]));

/** Every record has what its kind says, as far as it was read. */
function checkKinds(columns, rows) {
  const { codes, offsets, bytes } = columns.get('kind');
  for (let row = 0; row < rows; row++) {
    const kind = FIRST_LETTERS.get(bytes[offsets[codes[row]]]);
    const struct = columns.get(kind);
    const bits = struct?.validity ?? null;
    const isThere = bits === null || ((bits[row >> 3] >> (row & 7)) & 1) === 1;
    if (kind !== undefined && isThere) continue;
    throw new MillraceError('BAD_RECORD', `An event of a file is not what its kind says.`, {
      where: { record: row },
      advice: 'Write lines as {"kind":"bid","bid":{"auction":1000, …}}.',
    });
  }
}
