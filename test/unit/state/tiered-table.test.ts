import { describe, expect, it } from 'vitest';
import { createTieredTable } from '../../../src/state/cold/tiered-table.js';
import type { StateTable, TableEntry } from '../../../src/state/contract.js';
import { TableDriver } from '../../contract/state-table-model.js';
import { MemoryScratch } from '../../contract/memory-scratch.js';

const PAGE_SHIFT = 3;
const KEYS = 100;

function opened(budgetBytes: number) {
  const disk = new MemoryScratch();
  const table = createTieredTable(
    {
      name: 's',
      keys: [{ kind: 'float64' }],
      columns: [
        { name: 'number', form: 'f64' },
        { name: 'text', form: 'utf8' },
      ],
      ttlMs: null,
    },
    {
      keyGroups: { start: 0, end: 4 },
      pageShift: PAGE_SHIFT,
      space: { disk, directory: '', budgetBytes },
    },
  );
  const driver = new TableDriver(table, 4);
  const write = (key: number, value: number): void =>
    driver.write(driver.upsert([key]), [value, `text ${value}`], PAGE_SHIFT);
  for (let key = 0; key < KEYS; key++) write(key, key);
  return { disk, table, driver, write };
}

const plain = ({ key, values }: TableEntry): string => JSON.stringify([key[0], values]);
const valueOf = (key: number, value: number): string =>
  JSON.stringify([key, [value, `text ${value}`]]);
const all = (): readonly string[] => [...Array(KEYS).keys()].map((key) => valueOf(key, key));

function drained(table: StateTable, full: boolean, entriesMax: number): string[] {
  const seen: string[] = [];
  table.drain(entriesMax, full, (entry) => seen.push(plain(entry)));
  return seen;
}

describe('a snapshot of a table of which nothing is cold', () => {
  it('writes nothing aside, and holds the state as it was', () => {
    const { disk, table, write } = opened(1 << 24);
    table.freeze(true, true);
    const seen = drained(table, true, 30);
    for (let key = 0; key < KEYS; key++) write(key, key + 1000);
    table.makeRoom?.();
    expect(disk.open).toBe(0);
    seen.push(...drained(table, true, Number.MAX_SAFE_INTEGER));
    expect(table.isFrozen).toBe(false);
    expect(seen.toSorted()).toEqual(all().toSorted());
    expect(disk.open).toBe(0);
    table.clear();
  });

  it('tells changes and removals alone', () => {
    const { disk, table, driver, write } = opened(1 << 24);
    const generation = table.freeze(true, true);
    drained(table, true, Number.MAX_SAFE_INTEGER);
    table.confirm(generation);
    write(3, 33);
    table.remove(driver.find([5]));
    table.freeze(true, false);
    const seen = drained(table, false, Number.MAX_SAFE_INTEGER);
    expect(seen.toSorted()).toEqual([valueOf(3, 33), JSON.stringify([5, null])].toSorted());
    expect(disk.open).toBe(0);
    table.clear();
  });

  it('goes on from what has been put aside when entries leave meanwhile', () => {
    // With next to no budget all leaves.
    const { disk, table, write } = opened(1);
    table.freeze(true, true);
    const seen = drained(table, true, 30);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThan(KEYS);
    for (let key = 0; key < KEYS; key += 2) write(key, key + 1000);
    table.makeRoom?.();
    expect(disk.open).toBeGreaterThan(0);
    for (let key = 0; key < KEYS; key += 3) write(key, key + 2000);
    while (table.isFrozen) seen.push(...drained(table, true, 7));
    expect(seen.toSorted()).toEqual(all().toSorted());
    table.clear();
    expect(disk.open).toBe(0);
  });
});
