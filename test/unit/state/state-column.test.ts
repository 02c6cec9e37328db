import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../src/record/schema.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { stateColumn } from '../../../src/state/state-column.js';

type NumberLookup = (keyGroup: number, hash: number, key: number) => number;

describe('stateColumn', () => {
  const cases: readonly (readonly [string, DataType | undefined, string, readonly unknown[]])[] = [
    ['numbers', { kind: 'number' }, 'f64', [0, -0, Number.NaN, 1e308]],
    ['bigints', { kind: 'int64' }, 'i64', [0n, -(2n ** 63n), 2n ** 63n - 1n]],
    ['booleans', { kind: 'bool' }, 'u8', [true, false]],
    ['text', { kind: 'utf8' }, 'utf8', ['', 'ü', '\ud800', 'x'.repeat(10_000)]],
    ['dates, on the heap', { kind: 'date' }, 'js', [new Date(0)]],
    ['anything', undefined, 'js', [{ a: [1] }, null, 'b', 5n]],
  ];

  it.each(cases)('gives %s back as they were written', (_, type, form, values) => {
    const column = stateColumn('s', type);
    expect(column.form).toBe(form);
    const table = createHotTable(
      {
        name: 's',
        keys: [{ kind: 'number' }],
        columns: [{ name: 'v', form: column.form }],
        ttlMs: null,
      },
      { keyGroups: { start: 0, end: 1 } },
    );
    for (const value of values) {
      const entry = (table.upsert as NumberLookup)(0, 1, 1);
      column.write(table, entry, value);
      expect(column.read(table, entry)).toEqual(value);
    }
  });
});
