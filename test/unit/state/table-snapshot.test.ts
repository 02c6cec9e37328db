import { describe, expect, it } from 'vitest';
import type { StateTable, TableSpec } from '../../../src/state/contract.js';
import { PAGE_SHIFT } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { loadTable, TableWriter } from '../../../src/state/table-snapshot.js';
import {
  applyEntries,
  printRows,
  setClock,
  TableDriver,
} from '../../contract/state-table-model.js';
import { KEYS, Pieces, piecesOf, WHOLE } from './state-fixtures.js';

const KEY_GROUPS = 6;

function open(spec: TableSpec, start = 0, end = KEY_GROUPS): StateTable {
  return createHotTable(spec, { keyGroups: { start, end } });
}

function contentOf(...tables: readonly StateTable[]): readonly string[] {
  const entries = tables.flatMap((table) =>
    [...Array(KEY_GROUPS).keys()].flatMap((group) => {
      try {
        return [...table.entriesOf(group)];
      } catch {
        return [];
      }
    }),
  );
  return printRows(applyEntries(new Map(), entries).values(), true);
}

const COLUMNS: TableSpec['columns'] = [
  { name: 'f', form: 'f64' },
  { name: 'i', form: 'i32' },
  { name: 'u', form: 'u8' },
  { name: 'l', form: 'i64' },
  { name: 't', form: 'utf8' },
  { name: 'j', form: 'js' },
];

function fill(driver: TableDriver, keys: readonly (readonly unknown[])[], seed: number): void {
  keys.forEach((key, n) => {
    const values = [
      n / 3 + seed,
      -n,
      n % 256,
      BigInt(n) << 40n,
      `wert ${n} ü`,
      { n, at: new Date(seed) },
    ];
    driver.write(driver.upsert(key), values, PAGE_SHIFT);
  });
}

describe('table snapshots', () => {
  it.each(KEYS.map(([type, keyOf]) => [type.kind, type, keyOf] as const))(
    'bring back every value under keys of %s',
    (_, type, keyOf) => {
      const spec: TableSpec = {
        name: 's',
        keys: [type, { kind: 'utf8' }],
        columns: COLUMNS,
        ttlMs: 50,
      };
      const driver = new TableDriver(open(spec), KEY_GROUPS);
      setClock(driver.table, 1000);
      fill(
        driver,
        Array.from({ length: 60 }, (__, n) => [keyOf(n), `k${n}`]),
        1,
      );
      const restored = open(spec);
      setClock(restored, 1000);
      loadTable(restored, piecesOf(driver.table));
      expect(restored.entries).toBe(60);
      expect(contentOf(restored)).toEqual(contentOf(driver.table));
    },
  );

  const SPEC: TableSpec = { name: 's', keys: [{ kind: 'number' }], columns: COLUMNS, ttlMs: null };
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => [from + n]);

  it('carry changes and removals on top of a base', () => {
    const driver = new TableDriver(open(SPEC), KEY_GROUPS);
    fill(driver, numbers(0, 500), 1);
    const base = piecesOf(driver.table, { full: true, isConfirmable: true });
    fill(driver, numbers(300, 350), 2);
    for (let key = 0; key < 20; key++) driver.table.remove(driver.find([key]));
    const changes = piecesOf(driver.table, { full: false, isConfirmable: true });
    const sum = (pieces: typeof base): number =>
      pieces.reduce((total, { bytes }) => total + bytes.length, 0);
    expect(sum(changes)).toBeLessThan(sum(base) / 4);
    const restored = open(SPEC);
    loadTable(restored, [...base, ...changes]);
    expect(contentOf(restored)).toEqual(contentOf(driver.table));
    expect(restored.entries).toBe(480);
  });

  it('are dealt to other subtasks by key group', () => {
    const driver = new TableDriver(open(SPEC), KEY_GROUPS);
    fill(driver, numbers(0, 300), 1);
    const halves = [open(SPEC, 0, 2), open(SPEC, 2, KEY_GROUPS)];
    const pieces = piecesOf(driver.table);
    halves.forEach((half, at) => {
      const own = pieces.filter(({ keyGroup }) => keyGroup < 2 === (at === 0));
      loadTable(half, own);
    });
    expect(contentOf(...halves)).toEqual(contentOf(driver.table));
  });

  it('are written in slices while the table changes', () => {
    const driver = new TableDriver(open(SPEC), KEY_GROUPS);
    fill(driver, numbers(0, 400), 1);
    const wanted = contentOf(driver.table);
    const writer = new TableWriter('op', driver.table, WHOLE);
    const pieces = new Pieces();
    for (let key = 0; !writer.step(pieces, { left: 7 }); key += 3) {
      fill(driver, numbers(key, key + 5), 9);
    }
    const restored = open(SPEC);
    loadTable(restored, pieces.get('op', SPEC.name));
    expect(contentOf(restored)).toEqual(wanted);
  });

  it('refuse damaged bytes, wherever the damage is', () => {
    const driver = new TableDriver(open(SPEC), 1);
    fill(driver, numbers(0, 3), 1);
    const [{ bytes: piece }] = piecesOf(driver.table);
    for (let at = 0; at < piece.length; at++) {
      const damaged = piece.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      const load = () => loadTable(open(SPEC), [{ bytes: damaged }]);
      expect(load).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
    }
    for (const length of [0, 3, 20, piece.length - 1]) {
      const load = () => loadTable(open(SPEC), [{ bytes: piece.slice(0, length) }]);
      expect(load).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
    }
  });

  it('refuse a table of another layout and name both', () => {
    const driver = new TableDriver(open(SPEC), 1);
    fill(driver, numbers(0, 1), 1);
    const [{ bytes: piece }] = piecesOf(driver.table);
    const other = open({ ...SPEC, columns: COLUMNS.slice(1) });
    expect(() => loadTable(other, [{ bytes: piece }])).toThrow(
      expect.objectContaining({
        code: 'STATE_INCOMPATIBLE',
        message: expect.stringMatching(/f: f64, .*declares keys \(number\) with \(i: i32/),
      }),
    );
  });

  it('let a time to live be added and dropped', () => {
    const withTtl: TableSpec = { ...SPEC, ttlMs: 10 };
    for (const [from, to] of [
      [SPEC, withTtl],
      [withTtl, SPEC],
    ] as const) {
      const driver = new TableDriver(open(from), 1);
      fill(driver, numbers(0, 3), 1);
      const restored = new TableDriver(open(to), 1);
      setClock(restored.table, 1e6);
      loadTable(restored.table, piecesOf(driver.table));
      expect([0, 1, 2].map((key) => restored.find([key]) >= 0)).toEqual([true, true, true]);
    }
  });
});
