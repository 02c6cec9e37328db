/**
 * What every backend of keyed state must do, whatever it keeps entries in: `stateTableContract` runs the whole suite
 * against a way to open tables. A backend's test file calls it once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableKeyHash } from '../../src/state/table-key.js';
import type { DataType } from '../../src/record/schema.js';
import type { StateTable, TableEntry, TableSpec } from '../../src/state/contract.js';
import { PAGE_SHIFT } from '../../src/state/contract.js';
import {
  applyEntries,
  copyEntry,
  printKey,
  printRows,
  setClock,
  TableDriver,
} from './state-table-model.js';

/** Opens a table of the backend under test for key groups 0 to `keyGroups`. */
export type OpenTable = (spec: TableSpec, keyGroups: number) => StateTable;

const KEY_GROUPS = 8;
const SUM: TableSpec['columns'] = [{ name: 'sum', form: 'f64' }];
const NUMBER: DataType = { kind: 'number' };
const TEXT: DataType = { kind: 'utf8' };

function specOf(
  keys: readonly DataType[],
  columns: TableSpec['columns'] = SUM,
  ttlMs: number | null = null,
): TableSpec {
  return { name: 'contract', keys, columns, ttlMs };
}

/** The contract suite. `divides`: whether the backend has tables that are divided by their last key. */
export function stateTableContract(
  backend: string,
  open: OpenTable,
  { divides = true }: { readonly divides?: boolean } = {},
): void {
  const driverOf = (spec: TableSpec): TableDriver =>
    new TableDriver(open(spec, KEY_GROUPS), KEY_GROUPS);

  describe(`${backend}: entries`, () => {
    it('creates with zeroed columns, finds, and tells which', () => {
      const driver = driverOf(
        specOf([NUMBER], [...SUM, { name: 'text', form: 'utf8' }, { name: 'any', form: 'js' }]),
      );
      expect(driver.find([5])).toBe(-1);
      const entry = driver.upsert([5]);
      expect(driver.created).toBe(true);
      expect(driver.read(entry, PAGE_SHIFT)).toEqual([0, '', undefined]);
      driver.write(entry, [2.5, 'zwölf', { a: [1] }], PAGE_SHIFT);
      expect(driver.upsert([5])).toBe(entry);
      expect(driver.created).toBe(false);
      expect(driver.find([5])).toBe(entry);
      expect(driver.read(entry, PAGE_SHIFT)).toEqual([2.5, 'zwölf', { a: [1] }]);
      expect(driver.table.keyOf(entry)).toEqual([5]);
      expect(driver.table.entries).toBe(1);
    });

    it('keeps ids while thousands of entries come and go', () => {
      const driver = driverOf(specOf([NUMBER]));
      const ids = Array.from({ length: 20_000 }, (_, key) => driver.upsert([key]));
      for (let key = 1; key < 20_000; key += 2) driver.table.remove(ids[key] ?? -1);
      for (let key = 20_000; key < 40_000; key++) driver.upsert([key]);
      expect(driver.table.entries).toBe(30_000);
      for (let key = 0; key < 20_000; key++) {
        expect(driver.find([key])).toBe(key % 2 === 0 ? ids[key] : -1);
      }
    });

    it('zeroes what a recycled entry held', () => {
      const driver = driverOf(
        specOf([TEXT], [...SUM, { name: 'text', form: 'utf8' }, { name: 'any', form: 'js' }]),
      );
      const first = driver.upsert(['a']);
      driver.write(first, [1, 'x', ['y']], PAGE_SHIFT);
      driver.table.remove(first);
      for (const key of ['b', 'a']) {
        expect(driver.read(driver.upsert([key]), PAGE_SHIFT)).toEqual([0, '', undefined]);
        expect(driver.created).toBe(true);
      }
    });

    it('removes twice without harm', () => {
      const driver = driverOf(specOf([NUMBER]));
      const entry = driver.upsert([1]);
      driver.table.remove(entry);
      driver.table.remove(entry);
      expect(driver.table.entries).toBe(0);
      const ids = [driver.upsert([1]), driver.upsert([2])];
      expect(new Set(ids).size).toBe(2);
    });

    it('replaces texts of all lengths and gives the last one', () => {
      const driver = driverOf(specOf([NUMBER], [{ name: 'text', form: 'utf8' }]));
      const texts = ['', 'a', 'ä'.repeat(100), 'x'.repeat(3_000_000), '\ud83d', 'end'];
      for (const text of texts) {
        const entry = driver.upsert([1]);
        const bytes = Buffer.from(text === '\ud83d' ? [0xed, 0xa0, 0xbd] : Buffer.from(text));
        driver.table.setText(entry, 0, bytes, 0, bytes.length);
        expect(driver.table.getText(entry, 0)).toBe(text);
      }
    });

    it('frees everything and starts again', () => {
      const driver = driverOf(specOf([TEXT], [...SUM, { name: 'any', form: 'js' }]));
      for (let key = 0; key < 5000; key++)
        driver.write(driver.upsert([`key ${key}`]), [key, { key }], PAGE_SHIFT);
      const full = driver.table.bytes;
      driver.table.clear();
      expect(driver.table.entries).toBe(0);
      expect(driver.table.bytes).toBeLessThan(full / 10);
      expect(driver.find(['key 1'])).toBe(-1);
      expect(driver.read(driver.upsert(['key 1']), PAGE_SHIFT)).toEqual([0, undefined]);
    });
  });

  describe(`${backend}: emptying`, () => {
    const spec = specOf([TEXT], [...SUM, { name: 'any', form: 'js' }]);
    const fill = (driver: TableDriver, keys: number): void => {
      for (let key = 0; key < keys; key++)
        driver.write(driver.upsert([`key ${key}`]), [key, { key }], PAGE_SHIFT);
    };

    it('starts again with the memory that it had', () => {
      const driver = driverOf(spec);
      fill(driver, 5000);
      const full = driver.table.bytes;
      driver.table.empty();
      expect(driver.table.entries).toBe(0);
      expect(driver.find(['key 1'])).toBe(-1);
      expect(driver.read(driver.upsert(['key 1']), PAGE_SHIFT)).toEqual([0, undefined]);
      fill(driver, 5000);
      expect(driver.table.entries).toBe(5000);
      expect(driver.table.bytes).toBeLessThanOrEqual(full);
    });

    it('gives memory back that it was far from needing', () => {
      const driver = driverOf(spec);
      fill(driver, 100_000);
      const full = driver.table.bytes;
      driver.table.empty();
      fill(driver, 100);
      driver.table.empty();
      expect(driver.table.bytes).toBeLessThan(full / 100);
    });

    it('is refused where a snapshot may hold entries', () => {
      const driver = driverOf(spec);
      driver.table.freeze();
      expect(() => driver.table.empty()).toThrow('snapshot');
    });
  });

  describe(`${backend}: keys`, () => {
    const sames: readonly (readonly [string, DataType, unknown, unknown])[] = [
      ['zeros', NUMBER, 0, -0],
      ['NaNs', NUMBER, Number.NaN, -Number.NaN],
      ['float32 NaNs', { kind: 'float32' }, Number.NaN, Number.NaN],
      ['dates', { kind: 'date' }, new Date(86_400_000), new Date(86_400_000)],
      ['bytes', { kind: 'bytes' }, new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    ];
    it.each(sames)('takes equal %s for one key', (_, type, left, right) => {
      const driver = driverOf(specOf([type]));
      expect(driver.upsert([left])).toBe(driver.upsert([right]));
      expect(driver.find([right])).toBeGreaterThanOrEqual(0);
      expect(driver.table.entries).toBe(1);
    });

    it('gives zero back for minus zero', () => {
      const driver = driverOf(specOf([NUMBER]));
      expect(Object.is(driver.table.keyOf(driver.upsert([-0]))[0], 0)).toBe(true);
    });

    it('tells numbers apart whose hashes are equal', () => {
      const driver = driverOf(specOf([NUMBER]));
      // 2^32 hashes as 1 does, and -1 as 4294967295 does.
      const keys = [1, 2 ** 32, -1, 4294967295, 2 ** 53, 1.5, -1.5];
      const ids = keys.map((key) => driver.upsert([key]));
      expect(new Set(ids).size).toBe(keys.length);
      expect(keys.map((key) => driver.find([key]))).toEqual(ids);
      expect(ids.map((id) => driver.table.keyOf(id)[0])).toEqual(keys);
    });

    it('tells whole numbers that lie close together from others with their hashes', () => {
      for (const type of [NUMBER, { kind: 'uint32' }, { kind: 'int64' }] as const) {
        const driver = driverOf(specOf([type]));
        const keyOf = (key: number): unknown => (type.kind === 'int64' ? BigInt(key) : key);
        const far = type.kind === 'uint32' ? 2 ** 31 : 2 ** 32;
        const ids = new Map<unknown, number>();
        for (let number = 0; number < 1000; number++) {
          // Numbers from 2^32 on hash as those below 2^32 do.
          for (const key of [keyOf(number), keyOf(far + number)]) {
            if (number % 10 < 8) ids.set(key, driver.upsert([key]));
          }
        }
        expect(new Set(ids.values()).size).toBe(1600);
        for (let number = 0; number < 1000; number++) {
          for (const key of [keyOf(number), keyOf(far + number)]) {
            expect(driver.find([key])).toBe(ids.get(key) ?? -1);
            if (number % 10 < 8) expect(driver.upsert([key])).toBe(ids.get(key));
            if (number % 10 === 3) driver.table.remove(driver.find([key]));
          }
        }
        expect([driver.find([keyOf(3)]), driver.find([keyOf(far + 3)])]).toEqual([-1, -1]);
        expect(driver.find([keyOf(far + 4)])).toBe(ids.get(keyOf(far + 4)));
        expect(driver.table.entries).toBe(1400);
      }
    });

    it('finds numbers of many rows at once where they have been written in this generation', () => {
      const table = open(specOf([NUMBER]), KEY_GROUPS);
      const { findWritten } = table;
      if (findWritten === null) return;
      const driver = new TableDriver(table, KEY_GROUPS);
      // Beyond one segment of the index, and with keys between that are not there.
      const ids = Array.from({ length: 120_000 }, (_, key) => driver.upsert([key * 2]));
      for (const [key, id] of ids.entries()) expect(driver.upsert([key * 2])).toBe(id);
      const keys = Float64Array.from({ length: 240_000 }, (_, key) => key);
      const found = new Int32Array(keys.length);
      findWritten(keys, null, 0, keys.length, found);
      expect(found.every((entry, key) => entry === (key % 2 === 0 ? ids[key / 2] : -1))).toBe(true);
      table.remove(ids[1]);
      findWritten(keys, Int32Array.of(4, 2, 3, 0), 0, 4, found);
      expect([...found.subarray(0, 4)]).toEqual([ids[2], -1, -1, ids[0]]);
      table.freeze();
      findWritten(keys, null, 0, 10, found);
      expect([...found.subarray(0, 10)]).toEqual(Array.from({ length: 10 }, () => -1));
      // A large segment is made ready for the new generation when it has been met often enough.
      for (let write = 0; write < 2000; write++) expect(driver.upsert([4])).toBe(ids[2]);
      findWritten(keys, null, 0, 10, found);
      expect([...found.subarray(0, 10)]).toEqual(
        Array.from({ length: 10 }, (_, key) => (key === 4 ? ids[2] : -1)),
      );
    });

    it.runIf(divides)(
      'finds nothing in a division that has been left, whose entries stay until they are removed',
      () => {
        const spec = { ...specOf([NUMBER, NUMBER]), isDivided: true };
        const table = open(spec, KEY_GROUPS);
        const hashOf = ([key]: readonly unknown[]): number => tableKeyHash([NUMBER], [key]);
        const driver = new TableDriver(table, KEY_GROUPS, hashOf);
        const ids = [0, 1].flatMap((division) =>
          [5, 6].map((key) => driver.upsert([key, division])),
        );
        expect(new Set(ids).size).toBe(4);
        table.leave(0);
        expect([5, 6].map((key) => driver.find([key, 0]))).toEqual([-1, -1]);
        expect([5, 6].map((key) => driver.find([key, 1]))).toEqual([ids[2], ids[3]]);
        expect([table.entries, table.keyOf(ids[0])]).toEqual([4, [5, 0]]);
        // In a snapshot they are what they were.
        table.freeze();
        const drained: unknown[] = [];
        table.drain(100, true, ({ key }) => drained.push(key));
        expect(drained).toEqual([
          [5, 0],
          [6, 0],
          [5, 1],
          [6, 1],
        ]);
        for (const id of ids) table.remove(id);
        expect([table.entries, driver.find([5, 1])]).toEqual([0, -1]);
        expect(driver.upsert([5, 0])).toBeGreaterThanOrEqual(0);
        expect([table.created, table.entries]).toEqual([true, 1]);
      },
    );

    it('has no look-up of many rows for other keys', () => {
      const others: readonly (readonly DataType[])[] = [
        [TEXT],
        [{ kind: 'int64' }],
        [NUMBER, NUMBER],
      ];
      for (const keys of others) expect(open(specOf(keys), KEY_GROUPS).findWritten).toBeNull();
      expect(open(specOf([NUMBER], SUM, 1000), KEY_GROUPS).findWritten).toBeNull();
    });

    it('tells texts apart whose hashes are equal', () => {
      const driver = driverOf(specOf([TEXT]));
      const ids = ['AaAa', 'BBBB', 'AaBB', 'BBAa'].map((key) => driver.upsert([key]));
      expect(new Set(ids).size).toBe(4);
      expect(driver.find(['BBAa'])).toBe(ids[3]);
    });

    const ANY_KEY: readonly (readonly [DataType, fc.Arbitrary<unknown>])[] = [
      [NUMBER, fc.double()],
      [NUMBER, fc.integer()],
      [{ kind: 'int32' }, fc.integer()],
      [{ kind: 'uint32' }, fc.nat(4294967295)],
      [{ kind: 'float32' }, fc.float()],
      [{ kind: 'bool' }, fc.boolean()],
      [{ kind: 'int64' }, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      [TEXT, fc.string({ unit: 'binary' })],
      [{ kind: 'bytes' }, fc.uint8Array({ maxLength: 20 })],
      [{ kind: 'timestamp' }, fc.date({ noInvalidDate: true })],
    ];

    it('gives back every key of every type, alone and in tuples', () => {
      const shape = fc
        .array(fc.constantFrom(...ANY_KEY), { minLength: 1, maxLength: 3 })
        .chain((parts) =>
          fc.record({
            types: fc.constant(parts.map(([type]) => type)),
            keys: fc.array(fc.tuple(...parts.map(([, value]) => value)), { maxLength: 30 }),
          }),
        );
      fc.assert(
        fc.property(shape, ({ types, keys }) => {
          const driver = driverOf(specOf(types));
          const ids = new Map(keys.map((key) => [printKey(key), driver.upsert(key)]));
          expect(driver.table.entries).toBe(ids.size);
          for (const key of keys) {
            expect(driver.find(key)).toBe(ids.get(printKey(key)));
            expect(printKey(driver.table.keyOf(driver.find(key)))).toBe(printKey(key));
          }
        }),
        { numRuns: 60 },
      );
    });
  });

  describe(`${backend}: iteration`, () => {
    it('scans in slices, everything once, while entries are removed on the way', () => {
      const driver = driverOf(specOf([NUMBER]));
      for (let key = 0; key < 10_000; key++) driver.upsert([key]);
      const seen: unknown[] = [];
      let position = 0;
      while (position >= 0) {
        position = driver.table.scan(position, 777, (entry) => {
          seen.push(driver.table.keyOf(entry)[0]);
          if (seen.length % 3 === 0) driver.table.remove(entry);
        });
      }
      expect(new Set(seen).size).toBe(10_000);
      expect(seen.length).toBe(10_000);
      expect(driver.table.entries).toBe(10_000 - 3333);
    });

    it('lists each key group, and every entry in one of them', () => {
      const driver = driverOf(specOf([NUMBER]));
      for (let key = 0; key < 500; key++) driver.write(driver.upsert([key]), [key * 2], PAGE_SHIFT);
      const found = [...Array(KEY_GROUPS).keys()].flatMap((group) => {
        const entries = [...driver.table.entriesOf(group)];
        expect(entries.every((entry) => driver.keyGroupOf(entry.key) === group)).toBe(true);
        return entries;
      });
      expect(found.map(({ key }) => key[0]).sort((a, b) => Number(a) - Number(b))).toEqual([
        ...Array(500).keys(),
      ]);
      expect(found.every(({ key, values }) => values?.[0] === Number(key[0]) * 2)).toBe(true);
    });
  });

  describe(`${backend}: generations`, () => {
    it('drains what was there at the freeze while the table changes', () => {
      const driver = driverOf(specOf([NUMBER], [...SUM, { name: 'text', form: 'utf8' }]));
      for (let key = 0; key < 9000; key++)
        driver.write(driver.upsert([key]), [key, `t${key}`], PAGE_SHIFT);
      driver.table.freeze();
      const drained: TableEntry[] = [];
      for (let round = 0; ; round++) {
        const isDone = driver.table.drain(500, true, (entry) => drained.push(entry));
        expect(driver.table.isFrozen).toBe(!isDone);
        if (isDone) break;
        for (let key = round; key < 9000; key += 7) {
          if (key % 3 === 0) driver.table.remove(driver.upsert([key]));
          else driver.write(driver.upsert([key]), [-1, 'changed'], PAGE_SHIFT);
          driver.upsert([10_000 + key]);
        }
      }
      drained.sort((left, right) => Number(left.key[0]) - Number(right.key[0]));
      expect(drained.map(({ key }) => key[0])).toEqual([...Array(9000).keys()]);
      for (const { key, values } of drained) expect(values).toEqual([key[0], `t${key[0]}`]);
    });

    it('gives only changes and tombstones after a base', () => {
      const driver = driverOf(specOf([TEXT]));
      for (const key of ['a', 'b', 'c', 'd']) driver.write(driver.upsert([key]), [1], PAGE_SHIFT);
      driver.table.confirm(driver.table.freeze());
      expect(driver.drainAll(true, 3)).toHaveLength(4);
      driver.write(driver.upsert(['b']), [2], PAGE_SHIFT);
      driver.table.remove(driver.find(['c']));
      driver.table.remove(driver.find(['d']));
      driver.write(driver.upsert(['d']), [4], PAGE_SHIFT);
      driver.table.remove(driver.upsert(['e']));
      const frozen = driver.table.freeze();
      const changes = driver.drainAll(false, 2);
      driver.table.confirm(frozen);
      expect(new Map(changes.map(({ key, values }) => [key[0], values?.[0] ?? null]))).toEqual(
        new Map([
          ['b', 2],
          ['c', null],
          ['d', 4],
        ]),
      );
      driver.table.freeze();
      expect(driver.drainAll(false, 10)).toEqual([]);
      expect(driver.table.entries).toBe(3);
    });

    it('loads a base and its changes into a table that goes on from there', () => {
      const columns: TableSpec['columns'] = [...SUM, { name: 'any', form: 'js' }];
      const driver = driverOf(specOf([NUMBER], columns));
      const history: TableEntry[] = [];
      for (let generation = 0; generation < 5; generation++) {
        for (let key = generation; key < 300; key += generation + 1) {
          if ((key + generation) % 5 === 0) driver.table.remove(driver.upsert([key]));
          else driver.write(driver.upsert([key]), [generation, { key }], PAGE_SHIFT);
        }
        driver.table.confirm(driver.table.freeze());
        history.push(...driver.drainAll(generation === 0, 50).map(copyEntry));
      }
      const restored = driverOf(specOf([NUMBER], columns));
      for (const entry of history) restored.table.load(entry);
      driver.table.freeze();
      restored.table.freeze();
      const everything = driver.drainAll(true, 1000);
      expect(
        printRows(applyEntries(new Map(), restored.drainAll(true, 1000)).values(), false),
      ).toEqual(printRows(applyEntries(new Map(), everything).values(), false));
      // Loading is no change, but removing what was loaded is one.
      const [first] = everything;
      restored.table.remove(restored.find(first?.key ?? []));
      restored.table.freeze();
      expect(restored.drainAll(false, 10)).toEqual([
        { keyGroup: first?.keyGroup, key: first?.key, values: null, stampMs: 0 },
      ]);
    });

    it('keeps heap values as they were though they are changed in place', () => {
      const driver = driverOf(specOf([NUMBER], [{ name: 'list', form: 'js' }]));
      driver.table.setValue(driver.upsert([1]), 0, ['before']);
      driver.table.freeze();
      const list = driver.table.getValue(driver.upsert([1]), 0);
      if (Array.isArray(list)) list.push('after');
      expect(driver.drainAll(true, 10)[0]?.values).toEqual([['before']]);
      expect(driver.table.getValue(driver.find([1]), 0)).toEqual(['before', 'after']);
    });

    it('keeps heap values as they were though they are changed before they are put back', () => {
      const driver = driverOf(specOf([NUMBER], [{ name: 'list', form: 'js' }]));
      driver.table.setValue(driver.upsert([1]), 0, ['before']);
      driver.table.freeze();
      const list = driver.table.getValue(driver.find([1]), 0) as string[];
      list.push('after');
      driver.table.setValue(driver.upsert([1]), 0, list);
      expect(driver.drainAll(true, 10)[0]?.values).toEqual([['before']]);
    });

    it('gives changes and tombstones again until they are confirmed', () => {
      const driver = driverOf(specOf([TEXT]));
      const { table } = driver;
      const given = (entries: readonly TableEntry[]) =>
        entries.map(({ key, values }) => [key[0], values?.[0] ?? null]).toSorted();
      for (const key of ['a', 'b', 'c']) driver.write(driver.upsert([key]), [1], PAGE_SHIFT);
      table.confirm(table.freeze());
      driver.drainAll(true, 10);
      driver.write(driver.upsert(['a']), [2], PAGE_SHIFT);
      table.remove(driver.find(['b']));
      table.freeze();
      expect(given(driver.drainAll(false, 10))).toEqual([
        ['a', 2],
        ['b', null],
      ]);
      // That one came to nothing. A key that comes and goes again is still to be told of.
      driver.upsert(['b']);
      table.remove(driver.find(['b']));
      driver.write(driver.upsert(['c']), [3], PAGE_SHIFT);
      table.freeze();
      table.drain(1, false, () => {});
      table.abandon();
      expect(table.isFrozen).toBe(false);
      // A savepoint changes nothing of it.
      table.freeze(false);
      expect(driver.drainAll(true, 10)).toHaveLength(2);
      const frozen = table.freeze();
      expect(given(driver.drainAll(false, 10))).toEqual([
        ['a', 2],
        ['b', null],
        ['c', 3],
      ]);
      table.confirm(frozen);
      table.freeze();
      expect(driver.drainAll(false, 10)).toEqual([]);
    });

    it('gives more changes than needed rather than fewer when confirmed late', () => {
      const driver = driverOf(specOf([NUMBER]));
      driver.upsert([1]);
      const first = driver.table.freeze();
      driver.drainAll(true, 10);
      driver.upsert([2]);
      driver.table.freeze();
      driver.table.confirm(first);
      expect(driver.drainAll(false, 10)).toHaveLength(2);
      driver.table.freeze();
      expect(driver.drainAll(false, 10).length).toBeGreaterThanOrEqual(1);
    });

    it('takes ids of removed entries again when only savepoints are taken', () => {
      const driver = driverOf(specOf([NUMBER]));
      for (let round = 0; round < 20; round++) {
        for (let key = 0; key < 3000; key++) driver.upsert([round * 3000 + key]);
        driver.table.freeze(false);
        driver.drainAll(true, 1e6);
        for (let key = 0; key < 3000; key++) driver.table.remove(driver.find([round * 3000 + key]));
      }
      expect(driver.table.pages.length).toBe(1);
    });

    it('refuses a second freeze before the first is drained', () => {
      const { table } = driverOf(specOf([NUMBER]));
      table.freeze();
      expect(() => table.freeze()).toThrow(/drained/);
      expect(table.drain(1, true, () => {})).toBe(true);
      table.freeze();
    });

    it('does not hold on to removed entries for ever', () => {
      const driver = driverOf(specOf([TEXT]));
      let held = 0;
      for (let round = 0; round < 10; round++) {
        const keys = Array.from({ length: 3000 }, (_, key) => [`round ${round} key ${key}`]);
        for (const key of keys) driver.upsert(key);
        driver.table.confirm(driver.table.freeze());
        driver.drainAll(round % 3 === 0, 1000);
        for (const key of keys) driver.table.remove(driver.find(key));
        driver.table.confirm(driver.table.freeze());
        expect(driver.drainAll(round % 3 === 1, 1000)).toHaveLength(round % 3 === 1 ? 0 : 3000);
        if (round === 2) held = driver.table.bytes;
      }
      expect(driver.table.entries).toBe(0);
      expect(driver.table.bytes).toBeLessThan(held * 2);
    });
  });

  describe(`${backend}: time to live`, () => {
    const spec = specOf([NUMBER], SUM, 100);

    it('hides entries past their time and starts them afresh', () => {
      const driver = driverOf(spec);
      setClock(driver.table, 1000);
      driver.write(driver.upsert([1]), [5], PAGE_SHIFT);
      setClock(driver.table, 1099);
      expect(driver.find([1])).toBeGreaterThanOrEqual(0);
      setClock(driver.table, 1100);
      expect(driver.find([1])).toBe(-1);
      expect([...driver.table.entriesOf(driver.keyGroupOf([1]))]).toEqual([]);
      driver.table.scan(0, 10, () => expect.unreachable());
      expect(driver.read(driver.upsert([1]), PAGE_SHIFT)).toEqual([0]);
      expect(driver.created).toBe(true);
    });

    it('counts from the last write, not from reads', () => {
      const driver = driverOf(spec);
      driver.upsert([1]);
      setClock(driver.table, 60);
      driver.upsert([1]);
      setClock(driver.table, 120);
      expect(driver.find([1])).toBeGreaterThanOrEqual(0);
      setClock(driver.table, 160);
      expect(driver.find([1])).toBe(-1);
    });

    it('drains by the time of the freeze, with stamps', () => {
      const driver = driverOf(spec);
      driver.upsert([1]);
      setClock(driver.table, 50);
      driver.upsert([2]);
      setClock(driver.table, 120);
      driver.table.freeze();
      setClock(driver.table, 500);
      const drained = driver.drainAll(true, 10);
      expect(drained.map(({ key, stampMs }) => [key[0], stampMs])).toEqual([[2, 50]]);
      const restored = driverOf(spec);
      setClock(restored.table, 149);
      for (const entry of drained) restored.table.load(entry);
      expect(restored.find([2])).toBeGreaterThanOrEqual(0);
      setClock(restored.table, 150);
      expect(restored.find([2])).toBe(-1);
    });

    it('removes expired entries a few at a time', () => {
      const driver = driverOf(spec);
      const { table } = driver;
      for (let key = 0; key < 1000; key++) driver.upsert([key]);
      setClock(table, 100);
      for (let key = 0; key < 100; key++) driver.upsert([key]);
      if (table.expire === undefined) return;
      let removed = 0;
      for (let call = 0; call < 20; call++) {
        const now = table.expire(64, table.nowMs);
        expect(now).toBeLessThanOrEqual(64);
        removed += now;
      }
      expect(removed).toBe(900);
      expect(table.entries).toBe(100);
    });
  });
}
