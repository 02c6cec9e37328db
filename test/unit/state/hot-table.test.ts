import { describe, expect, it } from 'vitest';
import { keyGroupOf } from '../../../src/record/key-group.js';
import { hashNumber } from '../../../src/record/key-hash.js';
import type { StateTable, TableSpec } from '../../../src/state/contract.js';
import { PAGE_MASK, PAGE_SHIFT } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { tableCode } from '../../../src/state/table-code.js';
import { tableShape } from '../../../src/state/table-shape.js';

const SUMS: TableSpec = {
  name: 'sums',
  keys: [{ kind: 'number' }],
  columns: [{ name: 'sum', form: 'f64' }],
  ttlMs: null,
};

type NumberLookup = (keyGroup: number, hash: number, key: number) => number;

function add(table: StateTable, key: number, groups: number): void {
  const hash = hashNumber(key);
  const entry = (table.upsert as NumberLookup)(keyGroupOf(hash, groups), hash, key);
  const sums: Float64Array = table.pages[entry >>> PAGE_SHIFT].c0;
  sums[entry & PAGE_MASK] += key;
}

describe('createHotTable', () => {
  it('lets generated loops update columns in place over many pages', () => {
    const table = createHotTable(SUMS, { keyGroups: { start: 0, end: 128 } });
    for (let round = 0; round < 3; round++) {
      for (let key = -10_000; key < 10_000; key++) add(table, key / 2, 128);
    }
    expect(table.entries).toBe(20_000);
    const seen = new Map<unknown, number>();
    table.scan(0, 1e9, (entry) => {
      seen.set(table.keyOf(entry)[0], table.pages[entry >>> PAGE_SHIFT].c0[entry & PAGE_MASK]);
    });
    expect(seen.size).toBe(20_000);
    for (const [key, sum] of seen) expect(sum).toBe(3 * Number(key));
  });

  it('finds short texts that have been written in this generation, and no others', () => {
    const spec: TableSpec = { ...SUMS, keys: [{ kind: 'utf8' }] };
    const table = createHotTable(spec, { keyGroups: { start: 0, end: 1 } });
    const { upsertShort, findShort } = table;
    if (upsertShort === null || findShort === null) throw new Error('The table is not for texts.');
    const keys = Array.from({ length: 5_000 }, (_, key) => [key * 7, 4, key, 0, 0] as const);
    for (const key of keys) expect(findShort(...key)).toBe(-1);
    const entries = keys.map((key) => upsertShort(0, ...key));
    expect(keys.map((key) => findShort(...key))).toEqual(entries);
    expect(findShort(7, 4, 2, 0, 0)).toBe(-1);
    table.freeze();
    for (const key of keys) expect(findShort(...key)).toBe(-1);
    expect(upsertShort(0, ...keys[3])).toBe(entries[3]);
    expect(findShort(...keys[3])).toBe(entries[3]);
    const perishable = createHotTable({ ...spec, ttlMs: 5 }, { keyGroups: { start: 0, end: 1 } });
    expect(perishable.findShort).toBeNull();
  });

  it('adds pages and never moves one', () => {
    const table = createHotTable(SUMS, { keyGroups: { start: 0, end: 4 } });
    add(table, 1, 4);
    const [first] = table.pages;
    for (let key = 0; key < 50_000; key++) add(table, key, 4);
    expect(table.pages[0]).toBe(first);
    expect(table.pages).toHaveLength(Math.ceil(50_000 / 4096));
  });

  it('is right when the hash given is not the key, as for hashes of its own', () => {
    const table = createHotTable(SUMS, {
      keyGroups: { start: 0, end: 1 },
      hashOf: () => 3,
    });
    const upsert = table.upsert as NumberLookup;
    const ids = [1, 2, 3, 3.5, 2 ** 40].map((key) => upsert(0, 3, key));
    expect(new Set(ids).size).toBe(5);
    expect([1, 2, 3, 3.5, 2 ** 40].map((key) => (table.find as NumberLookup)(0, 3, key))).toEqual(
      ids,
    );
  });

  it('counts typed memory exactly and heap values about', () => {
    const table = createHotTable(
      { ...SUMS, columns: [{ name: 'any', form: 'js' }] },
      { keyGroups: { start: 0, end: 1 } },
    );
    const empty = table.bytes;
    const entry = (table.upsert as NumberLookup)(0, 1, 1);
    const page = table.bytes;
    // Keys of 8 bytes, hash and key group, five bitmaps, a pointer and a measured size per value; a segment of the
    // index, and what counts keys that lie close together.
    expect(page - empty).toBe(4096 * (8 + 6 + 12) + 5 * 512 + 8 * 16 + 16 + 64 * 2);
    table.setValue(entry, 0, 'x'.repeat(100_000));
    expect(table.bytes - page).toBeGreaterThan(99_000);
    table.remove(entry);
    expect(table.bytes).toBe(page);
  });

  it('packs single bytes where they make entries no longer, and has them apart elsewhere', () => {
    const bytesOf = (...forms: readonly ('f64' | 'i32' | 'u8')[]): number => {
      const columns = forms.map((form, index) => ({ name: `${index}`, form }));
      const spec = { ...SUMS, keys: [], columns, isPacked: true };
      return tableShape(spec, 12).pageBytes / 4096;
    };
    expect(bytesOf('f64', 'u8')).toBe(9);
    expect(bytesOf('f64', 'f64', 'u8', 'u8')).toBe(18);
    expect(bytesOf('f64', 'i32', 'u8', 'u8')).toBe(16);
  });

  it('refuses keys that are not compared by value', () => {
    for (const kind of ['any', 'list'] as const) {
      const type =
        kind === 'any'
          ? { kind }
          : { kind, item: { type: { kind: 'number' }, nullable: false } as const };
      expect(() =>
        createHotTable({ ...SUMS, keys: [type] }, { keyGroups: { start: 0, end: 1 } }),
      ).toThrow(expect.objectContaining({ code: 'KEY_UNSUPPORTED' }));
    }
  });

  it('refuses to load entries of foreign key groups', () => {
    const table = createHotTable(SUMS, { keyGroups: { start: 2, end: 4 } });
    expect(() => table.load({ keyGroup: 1, key: [1], values: [1], stampMs: 0 })).toThrow(
      /key groups/,
    );
  });

  it('never puts names from outside into generated code', () => {
    const name = '"; throw 1; //';
    const code = tableCode(
      tableShape({ ...SUMS, name, columns: [{ name, form: 'js' }] }, PAGE_SHIFT),
    );
    expect(code).not.toContain('throw 1');
  });

  it('gives the memory of replaced and removed texts back', () => {
    const table = createHotTable(
      {
        name: 'texts',
        keys: [{ kind: 'utf8' }],
        columns: [{ name: 'text', form: 'utf8' }],
        ttlMs: null,
      },
      { keyGroups: { start: 0, end: 1 } },
    );
    const upsert = table.upsert as (
      keyGroup: number,
      hash: number,
      bytes: Uint8Array,
      start: number,
      end: number,
    ) => number;
    const ids: number[] = [];
    for (let step = 0; step < 100_000; step++) {
      const key = Buffer.from(`key number ${step}`);
      const entry = upsert(0, step, key, 0, key.length);
      table.setText(entry, 0, key, 4, key.length);
      ids.push(entry);
      if (ids.length > 2000) table.remove(ids.shift() ?? -1);
    }
    expect(table.entries).toBe(2000);
    for (const entry of ids) expect(`key ${table.getText(entry, 0)}`).toBe(table.keyOf(entry)[0]);
    expect(table.bytes).toBeLessThan(8 * 2 ** 20);
  });
});
