/**
 * Grouping by texts whose entries are remembered by code, alone and with numbers beside them, against a Map: keys
 * that come and go, more of them than a pre-aggregation or a dictionary holds, one slot and two.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectSink, count, job, ndjson, run, sum } from '../../src/index.js';

const ROWS = 60_000;
const CITIES = 9_000;

interface Row {
  readonly city: string;
  readonly hour: number;
  readonly n: number;
}

/** Hours come in order, mostly; cities drift, so that a dictionary fills up and starts anew. */
const rows: readonly Row[] = Array.from({ length: ROWS }, (_, index) => ({
  city: `city ${(index % 40) * 7 + Math.floor((index / ROWS) * CITIES)}`,
  hour: Math.floor(index / 500) - (index % 97 === 0 ? 3 : 0),
  n: index % 13,
}));

let folder = '';
let path = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-coded-'));
  path = join(folder, 'rows.ndjson');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each([1, 2])('with %i subtasks', (parallelism) => {
  it.each([0, 50, 65_536])('and %i keys before the exchange', async (keys) => {
    const settings = { 'aggregate.preAggregateKeys': keys };
    const byCity = collectSink<{ city: string; n: number }>();
    const byBoth = collectSink<{ city: string; hour: number; n: number; rows: number }>();
    const grouping = job('coded keys', (flow) => {
      flow
        .from(ndjson<Row>(path))
        .keyBy('city')
        .aggregate({ n: sum('n') })
        .to(byCity);
      flow
        .from(ndjson<Row>(path))
        .keyBy('hour', 'city')
        .aggregate({ n: sum('n'), rows: count() })
        .to(byBoth);
    });
    await run(grouping, { parallelism, settings, runtime: 'in-thread' });
    expect(new Map(byCity.rows.map(({ city, n }) => [city, n]))).toEqual(
      sums(
        (row) => row.city,
        (row) => row.n,
      ),
    );
    const key = ({ city, hour }: { city: string; hour: number }): string => `${hour} ${city}`;
    expect(new Map(byBoth.rows.map((row) => [key(row), row.n]))).toEqual(sums(key, (row) => row.n));
    expect(new Map(byBoth.rows.map((row) => [key(row), Number(row.rows)]))).toEqual(
      sums(key, () => 1),
    );
    expect(byBoth.rows.length).toBe(sums(key, () => 1).size);
  });
});

function sums(keyOf: (row: Row) => string, valueOf: (row: Row) => number): Map<string, number> {
  const totals = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(row);
    totals.set(key, (totals.get(key) ?? 0) + valueOf(row));
  }
  return totals;
}
