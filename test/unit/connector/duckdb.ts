/** DuckDB as the oracle of files: answers as plain JavaScript values. */
import { DuckDBInstance } from '@duckdb/node-api';

/** The rows of a query, as arrays of what JSON can carry; 64-bit integers as texts. */
export async function duckRows(sql: string): Promise<any[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(sql);
    return result.getRowsJson() as any[][];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Runs statements that give nothing back. */
export async function duckRun(...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const sql of statements) await connection.run(sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
