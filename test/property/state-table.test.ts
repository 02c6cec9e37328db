import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../../src/record/schema.js';
import type { TableEntry, TableSpec } from '../../src/state/contract.js';
import { createHotTable } from '../../src/state/hot-table.js';
import { createTieredTable } from '../../src/state/cold/tiered-table.js';
import { tableKeyHash } from '../../src/state/table-key.js';
import { MemoryScratch } from '../contract/memory-scratch.js';
import type { Rows } from '../contract/state-table-model.js';
import {
  applyEntries,
  copyEntry,
  copyRows,
  printKey,
  printRows,
  setClock,
  TableDriver,
} from '../contract/state-table-model.js';

const KEY_GROUPS = 3;
const PAGE_SHIFT = 2;
/** Few keys, so that commands meet the same ones again and again. */
const KEYS_MAX = 11;

interface KeyCase {
  readonly name: string;
  readonly types: readonly DataType[];
  /** The key of a number, so that commands hit the same few keys again and again. */
  readonly keyOf: (n: number) => readonly unknown[];
  readonly isDivided?: boolean;
  readonly groupKey?: number;
}

const TEXTS = ['', 'a', 'ä', 'b'.repeat(70), '\ud800', '😀', 'x\u0000y'];

const KEY_CASES: readonly KeyCase[] = [
  {
    name: 'number',
    types: [{ kind: 'number' }],
    keyOf: (n) => [[0, -0, Number.NaN, 0.5, 2 ** 32, 1, 2 ** 53][n] ?? n - 20],
  },
  { name: 'int32', types: [{ kind: 'int32' }], keyOf: (n) => [n - 7] },
  { name: 'uint32', types: [{ kind: 'uint32' }], keyOf: (n) => [n < 5 ? 4294967295 - n : n] },
  { name: 'float32', types: [{ kind: 'float32' }], keyOf: (n) => [Math.fround(n / 3)] },
  { name: 'bool', types: [{ kind: 'bool' }], keyOf: (n) => [n % 2 === 0] },
  {
    name: 'int64',
    types: [{ kind: 'int64' }],
    keyOf: (n) => [[0n, -1n, 2n ** 32n, -(2n ** 63n), 2n ** 63n - 1n][n] ?? BigInt(n)],
  },
  {
    name: 'decimal',
    types: [{ kind: 'decimal', precision: 9, scale: 2 }],
    keyOf: (n) => [`${n}.50`],
  },
  { name: 'date', types: [{ kind: 'date' }], keyOf: (n) => [new Date((n - 9) * 86_400_000)] },
  { name: 'timestamp', types: [{ kind: 'timestamp' }], keyOf: (n) => [new Date(n * 1e11 + n)] },
  { name: 'text', types: [{ kind: 'utf8' }], keyOf: (n) => [TEXTS[n] ?? `key-${n}`] },
  { name: 'bytes', types: [{ kind: 'bytes' }], keyOf: (n) => [new Uint8Array([n, 255 - n])] },
  { name: 'two numbers', types: [{ kind: 'number' }, { kind: 'int32' }], keyOf: (n) => [n % 3, n] },
  {
    name: 'text, bigint and text',
    types: [{ kind: 'utf8' }, { kind: 'int64' }, { kind: 'utf8' }],
    keyOf: (n) => [TEXTS[n % 3], BigInt(n), TEXTS[n % 5]],
  },
  {
    name: 'a number, divided by another',
    types: [{ kind: 'number' }, { kind: 'number' }],
    keyOf: (n) => [[0, -0, Number.NaN, 0.5][n] ?? n % 5, (n % 3) * 1000 - 1000],
    isDivided: true,
  },
  {
    name: 'nothing, divided by a number',
    types: [{ kind: 'number' }],
    keyOf: (n) => [n - 5],
    isDivided: true,
  },
  {
    name: 'text, divided by a number',
    types: [{ kind: 'utf8' }, { kind: 'number' }],
    keyOf: (n) => [TEXTS[n % 7], n % 2],
    isDivided: true,
  },
  {
    name: 'text and a number of a group, and a number',
    types: [{ kind: 'utf8' }, { kind: 'number' }, { kind: 'number' }],
    keyOf: (n) => [TEXTS[n % 5], n % 3, n],
    groupKey: 1,
  },
];

const COLUMNS: TableSpec['columns'] = [
  { name: 'f', form: 'f64' },
  { name: 'i', form: 'i32' },
  { name: 'b', form: 'u8' },
  { name: 'l', form: 'i64' },
  { name: 't', form: 'utf8' },
  { name: 'j', form: 'js' },
  { name: 'r', form: 'rows' },
];

/** What becomes of a snapshot: it is kept for good, aborted when or before it is drained, or is a savepoint. */
const ENDS = ['confirmed', 'confirmed', 'confirmed', 'lost', 'aborted', 'savepoint'] as const;
type End = (typeof ENDS)[number];

type Command =
  | { readonly kind: 'upsert' | 'remove' | 'find'; readonly n: number; readonly x: number }
  | { readonly kind: 'freeze'; readonly full: boolean; readonly end: End }
  | { readonly kind: 'drain' | 'advance' | 'expire' | 'burst'; readonly x: number }
  | { readonly kind: 'restore' | 'empty' | 'makeRoom' };

const n = fc.integer({ min: 0, max: KEYS_MAX });
const x = fc.integer({ min: 1, max: 9 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('upsert' as const), n, x }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), n, x }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('find' as const), n, x }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('freeze' as const),
      full: fc.integer({ min: 0, max: 4 }).map((one) => one === 0),
      end: fc.constantFrom(...ENDS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('drain' as const),
      x: fc.oneof(x, fc.constant(1000)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('advance' as const, 'expire' as const), x }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('burst' as const), x }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('restore' as const, 'empty' as const) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('makeRoom' as const) }) },
);

/** A row of some bytes, which begins with their number. */
function rowOf(seed: number): Uint8Array {
  const row = new Uint8Array(1 + ((seed * 7) % 40)).fill(seed);
  row[0] = row.length;
  return row;
}

/** A table and its model, stepped together. */
class Comparison {
  readonly #case: KeyCase;
  readonly #spec: TableSpec;
  readonly #hashOf: (key: readonly unknown[]) => number;
  #driver: TableDriver;
  #live: Rows = new Map();
  #nowMs = 1000;
  /** State as of the freeze, and as the confirmed snapshots give it. */
  #frozen: Rows | null = null;
  #restored: Rows = new Map();
  /** What the confirmed drains since the last full one gave, in order: the base and its deltas. */
  #history: TableEntry[] = [];
  #full = true;
  /** Whether none of the entries is in a snapshot. */
  #isFresh = true;
  #end: End = 'confirmed';
  #generation = 0;
  #freezeMs = 0;
  #drained: TableEntry[] = [];
  #counter = 0;
  /** Keys changed in the open generation, and in those from the confirmed one to the frozen one. */
  #changed = new Set<string>();
  #frozenChanged = new Set<string>();

  /** Where entries are put aside that leave memory; null for a table that keeps all in memory. */
  readonly #disk: MemoryScratch | null;

  constructor(keyCase: KeyCase, options: CaseOptions) {
    const { ttlMs, collide, isPacked, isTiered } = options;
    this.#case = keyCase;
    const { types: keys, isDivided = false } = keyCase;
    this.#disk = isTiered ? new MemoryScratch() : null;
    const { groupKey } = keyCase;
    const grouped = groupKey === undefined ? {} : { groupKey };
    this.#spec = { name: 'model', keys, columns: COLUMNS, ttlMs, isPacked, isDivided, ...grouped };
    const hashed = isDivided ? keys.slice(0, -1) : keys;
    this.#hashOf = collide ? () => 7 : (key) => tableKeyHash(hashed, key.slice(0, hashed.length));
    this.#driver = this.#open();
  }

  #open(): TableDriver {
    const options = {
      keyGroups: { start: 0, end: KEY_GROUPS },
      pageShift: PAGE_SHIFT,
      hashOf: this.#hashOf,
    };
    // With next to no budget everything leaves whenever it may.
    const table =
      this.#disk === null
        ? createHotTable(this.#spec, options)
        : createTieredTable(this.#spec, {
            ...options,
            space: { disk: this.#disk, directory: '', budgetBytes: 1 },
          });
    setClock(table, this.#nowMs);
    return new TableDriver(table, KEY_GROUPS, this.#hashOf);
  }

  get #hasRows(): boolean {
    return this.#spec.columns.some(({ form }) => form === 'rows');
  }

  /** Gives the table up; no file stays open. */
  close(): void {
    this.#driver.table.clear();
    expect(this.#disk?.open ?? 0).toBe(0);
  }

  #dropExpired(rows: Rows, nowMs: number): void {
    const { ttlMs } = this.#spec;
    if (ttlMs === null) return;
    for (const [name, row] of rows) if (row.stampMs + ttlMs <= nowMs) rows.delete(name);
  }

  run(step: Command): void {
    this.#dropExpired(this.#live, this.#nowMs);
    switch (step.kind) {
      case 'upsert':
        return this.#upsert(this.#case.keyOf(step.n), step.x);
      case 'burst':
        for (let key = 100; key < 100 + 8 * step.x; key++) this.#upsert(this.#case.keyOf(key), key);
        return;
      case 'remove': {
        const key = this.#case.keyOf(step.n);
        const entry = this.#driver.find(key);
        expect(entry >= 0).toBe(this.#live.delete(printKey(key)));
        if (entry < 0) return;
        this.#driver.table.remove(entry);
        this.#changed.add(printKey(key));
        return;
      }
      case 'find':
        return this.#find(this.#case.keyOf(step.n));
      case 'freeze':
        return this.#freeze(step);
      case 'drain':
        return this.#drain(step.x);
      case 'advance':
        this.#nowMs += step.x * 10;
        setClock(this.#driver.table, this.#nowMs);
        return;
      case 'expire':
        this.#driver.table.expire?.(step.x, this.#nowMs);
        return;
      case 'empty':
        return this.#empty();
      case 'makeRoom':
        this.#driver.table.makeRoom?.();
        return;
      case 'restore':
        return this.#restore();
    }
  }

  #upsert(key: readonly unknown[], value: number): void {
    const name = printKey(key);
    const entry = this.#driver.upsert(key);
    const before = this.#live.get(name);
    expect(this.#driver.created).toBe(before === undefined);
    expect(this.#driver.read(entry, PAGE_SHIFT)).toEqual(
      before?.values ?? [0, 0, 0, 0n, '', undefined, ...(this.#hasRows ? [[]] : [])],
    );
    this.#counter++;
    // Some objects are changed in place, as user aggregators do.
    const held = this.#driver.table.getValue(entry, 5);
    const object = Array.isArray(held) && value % 2 === 0 ? held : [];
    object.push(this.#counter);
    const text = value === 5 ? '' : value === 6 ? 'long '.repeat(30) : `ü${this.#counter}`;
    const fixed = [value / 4, -this.#counter, value, BigInt(this.#counter)];
    // Often only fixed columns are written, which the table does not hear of.
    const rest: unknown[] = value < 5 ? [undefined, undefined] : [text, object];
    const rows = (before?.values[6] ?? []) as Uint8Array[];
    if (!this.#hasRows) rest.length = 2;
    else if (value === 7) rest.push([]);
    // A row or two more, or none any more.
    else if (value !== 8) {
      rest.push([...rows, rowOf(this.#counter), ...(value % 2 === 0 ? [rowOf(value)] : [])]);
    }
    this.#driver.write(entry, [...fixed, ...rest], PAGE_SHIFT);
    this.#changed.add(name);
    this.#live.set(name, {
      keyGroup: this.#driver.keyGroupOf(key),
      key: this.#driver.table.keyOf(entry),
      values: structuredClone(this.#driver.read(entry, PAGE_SHIFT)),
      stampMs: this.#nowMs,
    });
  }

  #empty(): void {
    if (!this.#isFresh) return;
    this.#driver.table.empty();
    this.#live.clear();
    this.#changed.clear();
    expect(this.#driver.table.entries).toBe(0);
    expect(this.#driver.table.scan(0, 1000, () => expect.unreachable())).toBe(-1);
  }

  #find(key: readonly unknown[]): void {
    const entry = this.#driver.find(key);
    const row = this.#live.get(printKey(key));
    expect(entry >= 0).toBe(row !== undefined);
    if (row === undefined) return;
    // A heap value that is read while a snapshot is under way counts as changed: it may be changed in place.
    if (this.#frozen !== null) this.#changed.add(printKey(key));
    expect(this.#driver.read(entry, PAGE_SHIFT)).toEqual(row.values);
    expect(printKey(this.#driver.table.keyOf(entry))).toBe(printKey(key));
  }

  #freeze({ full, end }: { readonly full: boolean; readonly end: End }): void {
    this.#isFresh = false;
    if (this.#frozen !== null) this.#drain(Number.MAX_SAFE_INTEGER);
    this.#end = end;
    this.#full = full || end === 'savepoint';
    this.#generation = this.#driver.table.freeze(end !== 'savepoint');
    this.#frozen = copyRows(this.#live);
    for (const name of this.#changed) this.#frozenChanged.add(name);
    this.#changed = new Set();
    this.#drained = [];
    this.#freezeMs = this.#nowMs;
  }

  #drain(entriesMax: number): void {
    if (this.#frozen === null) return;
    const before = this.#drained.length;
    const isDone = this.#driver.table.drain(entriesMax, this.#full, (entry) =>
      this.#drained.push(copyEntry(entry)),
    );
    expect(this.#drained.length - before).toBeLessThanOrEqual(entriesMax);
    expect(this.#driver.table.isFrozen).toBe(!isDone);
    if (this.#end === 'aborted') {
      this.#driver.table.abandon();
      this.#frozen = null;
    }
    if (!isDone || this.#frozen === null) return;
    const names = this.#drained.map((entry) => printKey(entry.key));
    expect(new Set(names).size).toBe(names.length);
    if (this.#full) expect(this.#drained.every((entry) => entry.values !== null)).toBe(true);
    else if (this.#spec.ttlMs === null) {
      expect(names.filter((name) => !this.#frozenChanged.has(name))).toEqual([]);
    }
    const restored = applyEntries(this.#full ? new Map() : this.#restored, this.#drained);
    // What expired since it was drained is still in the base, and invisible after a restore.
    const visible = copyRows(restored);
    this.#dropExpired(visible, this.#freezeMs);
    expect(this.#print(visible)).toEqual(this.#print(this.#frozen));
    this.#frozen = null;
    if (this.#end !== 'confirmed') return;
    this.#driver.table.confirm(this.#generation);
    this.#restored = restored;
    this.#frozenChanged = new Set();
    this.#history = this.#full ? this.#drained : [...this.#history, ...this.#drained];
  }

  #print(rows: Rows): readonly string[] {
    return printRows(rows.values(), this.#spec.ttlMs !== null);
  }

  /** Fails over: a new table from the snapshots, going on from the state of the last one. */
  #restore(): void {
    this.#isFresh = false;
    this.#frozen = null;
    this.#driver.table.clear();
    this.#driver = this.#open();
    for (const entry of this.#history) this.#driver.table.load(copyEntry(entry));
    this.#live = copyRows(this.#restored);
    this.#changed = new Set();
    this.#frozenChanged = new Set();
    this.#dropExpired(this.#live, this.#nowMs);
  }

  check(): void {
    this.#dropExpired(this.#live, this.#nowMs);
    const { table } = this.#driver;
    const seen: string[] = [];
    for (let position = 0; position >= 0; ) {
      position = table.scan(position, 3, (entry) => seen.push(printKey(table.keyOf(entry))));
    }
    expect(seen.sort()).toEqual([...this.#live.keys()].sort());
    if (this.#spec.groupKey !== undefined) this.#checkGroups(this.#spec.groupKey);
    const rows = [...Array(KEY_GROUPS).keys()].flatMap((group) => [...table.entriesOf(group)]);
    expect(this.#print(applyEntries(new Map(), rows))).toEqual(this.#print(this.#live));
    expect(table.entries).toBeGreaterThanOrEqual(this.#live.size);
    if (this.#spec.ttlMs === null) expect(table.entries).toBe(this.#live.size);
    for (let key = 0; key <= KEYS_MAX; key++) this.#find(this.#case.keyOf(key));
  }

  /** A scan for a group has all entries of it. */
  #checkGroups(key: number): void {
    const { table } = this.#driver;
    for (const value of [0, 1, 2, 99]) {
      const seen: string[] = [];
      const see = (entry: number): void => {
        const tuple = table.keyOf(entry);
        if (tuple[key] === value) seen.push(printKey(tuple));
      };
      for (let position = 0; position >= 0; ) {
        position = table.scan(position, 3, see, { key, value });
      }
      const wanted = [...this.#live.keys()].filter((text) => text.includes(`|n${value}|`));
      expect(seen.sort()).toEqual(wanted.sort());
    }
  }
}

/** What a run of commands is of. */
interface CaseOptions {
  readonly ttlMs: number | null;
  /** Whether all keys have one hash. */
  readonly collide: boolean;
  readonly isPacked: boolean;
  readonly isTiered: boolean;
}

function agrees(keyCase: KeyCase, isTiered: boolean): void {
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 80, maxLength: 220, size: 'max' }),
      fc.constantFrom(null, 35),
      fc.boolean(),
      fc.boolean(),
      (commands, ttlMs, collide, isPacked) => {
        const comparison = new Comparison(keyCase, { ttlMs, collide, isPacked, isTiered });
        for (const step of commands) comparison.run(step);
        comparison.check();
        comparison.close();
      },
    ),
    { numRuns: isTiered ? 30 : 10, endOnFailure: true },
  );
}

describe('state table against a Map', () => {
  for (const keyCase of KEY_CASES) {
    it(`agrees for keys of ${keyCase.name}`, () => agrees(keyCase, false));
    if (keyCase.isDivided === true) continue;
    it(`agrees for keys of ${keyCase.name}, most of them on disk`, () => agrees(keyCase, true));
  }
});
