/**
 * DuckDB as the judge of Nexmark: what each query gives by its SQL in this folder, over the events of a NDJSON file,
 * against a result file, row for row and as often. Callers: `../run.mjs`, tests. Runs on: the caller's thread and those
 * of DuckDB. Nothing here knows how Millrace computes.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const SHOWN_MAX = 5;
const HEADER_BYTES_MAX = 4096;

/** The SQL of a query, or of the tables. */
function sqlOf(name) {
  return readFileSync(fileOf(name), 'utf8').trim();
}

function fileOf(name) {
  return new URL(`${name}.sql`, import.meta.url);
}

/** What of a result is compared: all of it, unless there is a query that says what is the same at every run. */
function comparedSql(query, result) {
  const name = `${query}.compared`;
  return existsSync(fileOf(name)) ? sqlOf(name).replace('$result', result) : `FROM ${result}`;
}

export class Oracle {
  #instance;
  #connection;

  /** @param {string} input path of the events */
  static async open(input) {
    const oracle = new Oracle();
    oracle.#instance = await DuckDBInstance.create(':memory:');
    oracle.#connection = await oracle.#instance.connect();
    // Rows keep the order of the file, which ties are decided by.
    await oracle.#connection.run('SET preserve_insertion_order = true');
    await oracle.#connection.run(sqlOf('events').replace('$input', quoted(input)));
    return oracle;
  }

  /**
   * How a result differs from what it should be, in words; null when it does not.
   *
   * @param {string} query
   * @param {string} path of the CSV file
   * @returns {Promise<string | null>}
   */
  async difference(query, path) {
    const names = await this.#columns(query);
    const header = headerOf(path);
    if (header !== names.join(',')) return `its columns are ${header}, not ${names.join(',')}`;
    await this.#load(query, names, path);
    const [expected, actual] = [await this.#count('expected'), await this.#count('actual')];
    const missing = await this.#surplus('expected', 'actual');
    const unexpected = await this.#surplus('actual', 'expected');
    if (missing.length === 0 && unexpected.length === 0) return null;
    return [
      `${actual} rows, and there should be ${expected}`,
      ...missing.map((row) => `  missing     ${row}`),
      ...unexpected.map((row) => `  unexpected  ${row}`),
    ].join('\n');
  }

  close() {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  async #columns(query) {
    const reader = await this.#connection.runAndReadAll(`DESCRIBE ${sqlOf(query)}`);
    return reader.getRowsJson().map(([name]) => name);
  }

  /** Both results as tables of texts. */
  async #load(query, names, path) {
    const text = "coalesce(CAST(COLUMNS(*) AS VARCHAR), '')";
    const columns = names.map((name) => `'${name}': 'VARCHAR'`).join(', ');
    const csv =
      `read_csv('${quoted(path)}', auto_detect = false, header = true, delim = ',', quote = '"', ` +
      `escape = '"', columns = { ${columns} })`;
    for (const [table, source] of [
      ['expected', `(${sqlOf(query)}\n)`],
      ['actual', csv],
    ]) {
      await this.#connection.run(
        `CREATE OR REPLACE TEMP TABLE ${table} AS
          SELECT ${text} FROM (${comparedSql(query, source)}\n)`,
      );
    }
  }

  async #count(table) {
    const reader = await this.#connection.runAndReadAll(`SELECT count(*) FROM ${table}`);
    return String(reader.getRowsJson()[0][0]);
  }

  /** The first rows that one table has more often than the other. */
  async #surplus(table, other) {
    const reader = await this.#connection.runAndReadAll(
      `SELECT * FROM (FROM ${table} EXCEPT ALL FROM ${other}) ORDER BY ALL LIMIT ${SHOWN_MAX}`,
    );
    return reader.getRowsJson().map((row) => row.join(','));
  }
}

function quoted(path) {
  return path.replaceAll("'", "''");
}

/** The first line of a file. */
function headerOf(path) {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(HEADER_BYTES_MAX);
    const bytes = readSync(file, buffer);
    return buffer.subarray(0, bytes).toString().split(/\r?\n/)[0];
  } finally {
    closeSync(file);
  }
}
