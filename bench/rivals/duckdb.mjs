/**
 * DuckDB as a rival: one SQL query over the input file, in a database in memory, with as many threads as Millrace has.
 * Its result stays in DuckDB's own form while the clock runs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { sortedAnswer } from '../lib/answer.mjs';

/**
 * Options: `config` of the database, and `sql`, in which `$file` stands for the path.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input, threads, options }) {
  const temporary = mkdtempSync(join(tmpdir(), 'millrace-duckdb-'));
  const config = { threads: String(threads), temp_directory: temporary, ...options.config };
  const instance = await DuckDBInstance.create(':memory:', config);
  const connection = await instance.connect();
  const file = `'${input.path.replaceAll("'", "''")}'`;
  const reader = await connection.runAndReadAll(options.sql.replaceAll('$file', file));
  rmSync(temporary, { recursive: true, force: true });
  return {
    records: input.rows,
    bytes: input.bytes,
    answer: () => sortedAnswer(reader.getRows().map((row) => row.map(plainCell))),
  };
}

/** Counts and sums of whole numbers come as bigints. */
function plainCell(cell) {
  return typeof cell === 'bigint' ? Number(cell) : cell;
}
