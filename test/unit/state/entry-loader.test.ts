import { describe, expect, it } from 'vitest';
import type { StateTable, TableSpec } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { hashNumber } from '../../../src/record/key-hash.js';
import { setClock } from '../../contract/state-table-model.js';

const SPEC: TableSpec = {
  name: 's',
  keys: [{ kind: 'number' }],
  columns: [{ name: 'value', form: 'f64' }],
  ttlMs: 100,
};
const PROJECTION = { spec: SPEC, columns: [0], bit: 0 };

/** Keys `from` to `to`, each with its value. */
function columnsOf(from: number, to: number, stamps?: number) {
  const rows = to - from;
  const numbers = Float64Array.from({ length: rows }, (_, at) => from + at);
  const columns = { k0: numbers, c0: numbers.map((key) => key / 2) };
  if (stamps === undefined) return { rows, columns };
  return { rows, columns: { ...columns, stamps: new Float64Array(rows).fill(stamps) } };
}

const find = (table: StateTable, key: number): number =>
  (table.find as (group: number, hash: number, key: number) => number)(0, hashNumber(key), key);

// `ColumnLoader`, by way of the table that it loads into.
describe('loading entries by column', () => {
  it('puts new ones across pages, others over those there are, and takes some away', () => {
    const table = createHotTable(SPEC, { keyGroups: { start: 0, end: 1 }, pageShift: 4 });
    setClock(table, 1000);
    const written = new Set(['k0', 'c0', 'stamps']);
    const loader = table.loader(PROJECTION, written);
    // Past their time they are loaded all the same; the clock may not be set yet.
    loader.load(columnsOf(0, 70_000, 890), 0, true);
    loader.load(columnsOf(70_000, 70_010), 0, true);
    loader.load({ ...columnsOf(5, 25, 950) }, 0, false);
    expect(() => loader.load(columnsOf(0, 1), 1, true)).toThrow(/key groups/);
    loader.remove({ rows: 2, columns: { k0: Float64Array.of(7, 99_999) } }, 0);
    loader.finish();
    expect(table.entries).toBe(70_009);
    expect(table.nowMs).toBe(1000);
    const isFound = [4, 5, 7, 24, 25, 70_000].map((key) => find(table, key) >= 0);
    expect(isFound).toEqual([false, true, false, true, false, true]);
    const values = [...table.entriesOf(0)].map(({ key, values: of, stampMs }) => [
      key[0],
      of?.[0],
      stampMs,
    ]);
    expect(values).toHaveLength(19 + 10);
    expect(values).toContainEqual([6, 3, 950]);
    expect(values).toContainEqual([70_009, 35_004.5, 1000]);
    // What was loaded has not changed, but removing it is to be told.
    table.remove(find(table, 5));
    table.freeze();
    const changes: unknown[] = [];
    table.drain(100, false, ({ key, values: of }) => changes.push([key[0], of]));
    expect(changes).toEqual([[5, null]]);
  });
});
