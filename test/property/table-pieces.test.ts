/** Tables that go on from the pieces of snapshots have what the table had when each snapshot began. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../../src/record/schema.js';
import { PAGE_SHIFT, type StateTable, type TableSpec } from '../../src/state/contract.js';
import { createHotTable } from '../../src/state/hot-table.js';
import { createTieredTable } from '../../src/state/cold/tiered-table.js';
import { loadTable, TableWriter } from '../../src/state/table-snapshot.js';
import { MemoryScratch } from '../contract/memory-scratch.js';
import { applyEntries, printRows, TableDriver } from '../contract/state-table-model.js';

const KEY_GROUPS = 3;
const KEYS: readonly (readonly [readonly DataType[], (n: number) => readonly unknown[]])[] = [
  [[{ kind: 'number' }], (n) => [[Number.NaN, 0.5, -0, 2 ** 40][n] ?? n]],
  [[{ kind: 'int64' }], (n) => [n % 2 === 0 ? BigInt(n) : -(2n ** 40n) - BigInt(n)]],
  [[{ kind: 'utf8' }], (n) => [n % 3 === 0 ? `a key beyond the short ones ü ${n}` : `k${n}`]],
  [
    [{ kind: 'bool' }, { kind: 'bytes' }, { kind: 'date' }],
    (n) => [n % 2 === 0, new Uint8Array([n, n]), new Date((n - 5) * 86_400_000)],
  ],
  [[{ kind: 'decimal', precision: 12, scale: 2 }], (n) => [`${n}.25`]],
];
const COLUMNS: TableSpec['columns'] = [
  { name: 'f', form: 'f64' },
  { name: 't', form: 'utf8' },
  { name: 'l', form: 'i64' },
  { name: 'j', form: 'js' },
  { name: 'n', form: 'none' },
  { name: 'u', form: 'u8' },
];

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), n: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), n: fc.nat(40) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      full: fc.boolean(),
      end: fc.constantFrom(
        'confirm' as const,
        'confirm' as const,
        'lose' as const,
        'abort' as const,
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), n: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('makeRoom' as const) }) },
);

type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
type Pieces = {
  readonly keyGroup: number;
  readonly bytes: Uint8Array;
  readonly isChanges: boolean;
}[];

class Comparison {
  readonly #spec: TableSpec;
  readonly #keyOf: (n: number) => readonly unknown[];
  #driver: TableDriver;
  #writer: TableWriter | null = null;
  #end: 'confirm' | 'lose' | 'abort' = 'confirm';
  #pieces: Pieces = [];
  #frozen: readonly string[] = [];
  #confirmed: Pieces = [];
  #confirmedContent: readonly string[] = [];
  #full = true;
  #count = 0;

  /** Where entries are put aside; null for tables that keep all in memory. */
  readonly #disk: MemoryScratch | null;

  constructor(keys: (typeof KEYS)[number], isPacked: boolean, isTiered: boolean) {
    this.#disk = isTiered ? new MemoryScratch() : null;
    this.#spec = { name: 's', keys: keys[0], columns: COLUMNS, ttlMs: null, isPacked };
    this.#keyOf = keys[1];
    this.#driver = this.#open();
  }

  #open(): TableDriver {
    const keyGroups = { start: 0, end: KEY_GROUPS };
    // With next to no budget everything leaves whenever it may.
    const table =
      this.#disk === null
        ? createHotTable(this.#spec, { keyGroups })
        : createTieredTable(this.#spec, {
            keyGroups,
            space: { disk: this.#disk, directory: '', budgetBytes: 1 },
          });
    return new TableDriver(table, KEY_GROUPS);
  }

  run(step: Command): void {
    const driver = this.#driver;
    switch (step.kind) {
      case 'makeRoom':
        return driver.table.makeRoom?.();
      case 'put': {
        const n = this.#count++;
        const values = [n / 4, `text ${n}`, BigInt(n), { n }, undefined, n % 256];
        driver.write(driver.upsert(this.#keyOf(step.n)), values, PAGE_SHIFT);
        return;
      }
      case 'remove': {
        const entry = driver.find(this.#keyOf(step.n));
        if (entry >= 0) driver.table.remove(entry);
        return;
      }
      case 'begin':
        return this.#begin(step.full, step.end);
      case 'step':
        return this.#step(step.n);
      case 'fail':
        return this.#fail();
    }
  }

  #begin(full: boolean, end: 'confirm' | 'lose' | 'abort'): void {
    if (this.#writer !== null) return;
    this.#frozen = contentOf(this.#driver.table);
    this.#full = full;
    this.#end = end;
    this.#pieces = [];
    this.#writer = new TableWriter('op', this.#driver.table, { full, isConfirmable: true });
  }

  #step(entries: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    const sink = {
      put: (_: string, __: string, keyGroup: number, bytes: Uint8Array, isChanges: boolean) => {
        this.#pieces.push({ keyGroup, bytes, isChanges });
      },
    };
    const isDone = writer.step(sink, { left: entries });
    if (this.#end === 'abort') writer.abort();
    if (!isDone && this.#end !== 'abort') return;
    this.#writer = null;
    if (this.#end !== 'confirm') return;
    writer.confirm();
    this.#confirmed = this.#full ? this.#pieces : [...this.#confirmed, ...this.#pieces];
    this.#confirmedContent = this.#frozen;
    const restored = this.#open().table;
    loadTable(restored, this.#confirmed);
    expect(contentOf(restored)).toEqual(this.#frozen);
  }

  #fail(): void {
    this.#writer = null;
    this.#driver = this.#open();
    loadTable(this.#driver.table, this.#confirmed);
    expect(contentOf(this.#driver.table)).toEqual(this.#confirmedContent);
  }
}

function contentOf(table: StateTable): readonly string[] {
  const entries = [...Array(KEY_GROUPS).keys()].flatMap((group) => [...table.entriesOf(group)]);
  expect(entries.length).toBe(table.entries);
  return printRows(applyEntries(new Map(), entries).values(), false);
}

function bringBack(keys: (typeof KEYS)[number], isTiered: boolean): void {
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 60, maxLength: 200, size: 'max' }),
      fc.boolean(),
      (commands, isPacked) => {
        const comparison = new Comparison(keys, isPacked, isTiered);
        for (const step of commands) comparison.run(step);
      },
    ),
    { numRuns: 25 },
  );
}

describe('pieces of tables', () => {
  for (const keys of KEYS) {
    const types = keys[0].map(({ kind }) => kind).join(', ');
    it(`bring back tables by ${types}`, () => bringBack(keys, false));
    it(`bring back tables by ${types}, most of which is on disk`, () => bringBack(keys, true));
  }
});
