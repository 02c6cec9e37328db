/** Lists of rows in state tables: their bytes stay what they are, whatever is moved, frozen and freed around them. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import type { StateTable, TableEntry, TableSpec } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { chunkCode, offsetCode, rowPlace } from '../../../src/state/row-place.js';
import { loadTable, TableWriter } from '../../../src/state/table-snapshot.js';

const SPEC: TableSpec = {
  name: 'rows',
  keys: [{ kind: 'number' }],
  columns: [
    { name: 'left', form: 'rows' },
    { name: 'count', form: 'i32' },
    { name: 'right', form: 'rows' },
  ],
  ttlMs: null,
  isPacked: true,
};

function open(): StateTable {
  return createHotTable(SPEC, { keyGroups: { start: 0, end: 1 } });
}

const upsert = (table: StateTable, key: number): number =>
  (table.upsert as unknown as (group: number, hash: number, key: number) => number)(0, key, key);

function add(table: StateTable, entry: number, index: number, text: string): void {
  const bytes = Buffer.from(text);
  const { chunk, offset } = rowPlace(table.addRow(entry, index, bytes.length));
  table.rows.chunks[chunk].set(bytes, offset);
}

function texts(values: TableEntry['values'], index: number): string[] {
  const rows = (values ?? [])[index] as readonly Uint8Array[];
  return rows.map((row) => Buffer.from(row).toString());
}

const read = (table: StateTable): Map<number, readonly [string[], string[]]> =>
  new Map(
    [...table.entriesOf(0)].map(({ key, values }) => [
      key[0] as number,
      [texts(values, 0), texts(values, 2)],
    ]),
  );

describe('rows in a state table', () => {
  it('are given oldest first, column by column, through snapshots too', () => {
    const table = open();
    const entry = upsert(table, 1);
    add(table, entry, 0, 'a');
    add(table, entry, 2, '');
    add(table, entry, 0, 'b'.repeat(3_000_000));
    add(table, entry, 0, 'c');
    expect(read(table).get(1)).toEqual([['a', 'b'.repeat(3_000_000), 'c'], ['']]);
    const restored = open();
    const writer = new TableWriter('uid', table, { full: true, isConfirmable: false });
    const put = (_uid: string, _name: string, _keyGroup: number, bytes: Uint8Array) =>
      loadTable(restored, [{ bytes }]);
    while (!writer.step({ put }, { left: 100 }));
    expect(read(restored)).toEqual(read(table));
    table.dropRows(entry, 0);
    expect(read(table).get(1)).toEqual([[], ['']]);
    expect(table.newestRow(entry, 0)).toBe(0);
  });

  it('are where generated code looks for them', () => {
    const table = open();
    const entry = upsert(table, 1);
    for (let row = 0; row < 30_000; row++)
      add(table, entry, 0, `row ${row} ${'x'.repeat(row % 90)}`);
    const place = new Function(
      'position',
      `return { chunk: ${chunkCode('position')}, offset: ${offsetCode('position')} };`,
    );
    for (let at = table.newestRow(entry, 0); at !== 0; at = table.olderRow(at)) {
      expect(place(at)).toEqual(rowPlace(at));
    }
    expect(table.rows.views.map(({ buffer }) => buffer)).toEqual(
      table.rows.chunks.map(({ buffer }) => buffer),
    );
  });

  it('stay what they are while most of the memory is freed and used again, frozen or not', () => {
    const random = new SeededRandom(7);
    const table = open();
    const model = new Map<number, [string[], string[]]>();
    let frozen: Map<number, readonly [string[], string[]]> | null = null;
    const drained = new Map<number, readonly [string[], string[]]>();
    for (let step = 0; step < 30_000; step++) {
      const key = random.below(40);
      const entry = upsert(table, key);
      const rows = model.get(key) ?? [[], []];
      model.set(key, rows);
      const side = random.below(2) as 0 | 1;
      if (rows[side].length > random.below(9)) {
        table.dropRows(entry, side * 2);
        rows[side] = [];
      } else {
        const text = `${step} `.repeat(1 + random.below(80));
        add(table, entry, side * 2, text);
        rows[side] = [...rows[side], text];
      }
      if (step % 5000 === 4000) {
        table.freeze();
        frozen = structuredClone(model);
        drained.clear();
      }
      if (frozen !== null && step % 100 === 0) {
        const isDone = table.drain(3, true, ({ key: [of], values }) =>
          drained.set(of as number, [texts(values, 0), texts(values, 2)]),
        );
        if (!isDone) continue;
        expect(drained).toEqual(frozen);
        frozen = null;
      }
    }
    expect(read(table)).toEqual(model);
    // 40 keys of two lists of a few rows of some 200 bytes.
    expect(table.bytes).toBeLessThan(4_000_000);
  });
});
