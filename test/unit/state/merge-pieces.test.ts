import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_SHIFT, type StateTable, type TableSpec } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { mergeTablePieces } from '../../../src/state/merge-pieces.js';
import { loadTable } from '../../../src/state/table-snapshot.js';
import {
  applyEntries,
  printRows,
  setClock,
  TableDriver,
} from '../../contract/state-table-model.js';
import { KEYS, piecesOf } from './state-fixtures.js';

const KEY_GROUPS = 3;
const COLUMNS: TableSpec['columns'] = [
  { name: 'f', form: 'f64' },
  { name: 'i', form: 'i32' },
  { name: 'u', form: 'u8' },
  { name: 'l', form: 'i64' },
  { name: 't', form: 'utf8' },
  { name: 'n', form: 'none' },
  { name: 'j', form: 'js' },
];

const open = (spec: TableSpec): StateTable =>
  createHotTable(spec, { keyGroups: { start: 0, end: KEY_GROUPS } });

function contentOf(table: StateTable): readonly string[] {
  const entries = [0, 1, 2].flatMap((group) => [...table.entriesOf(group)]);
  return printRows(applyEntries(new Map(), entries).values(), true);
}

/** By key group, as a checkpoint keeps them. */
function grouped(
  snapshots: readonly ReturnType<typeof piecesOf>[],
): ReadonlyMap<number, readonly Uint8Array[]> {
  const groups = new Map<number, Uint8Array[]>();
  for (const { keyGroup, bytes } of snapshots.flat()) {
    groups.set(keyGroup, [...(groups.get(keyGroup) ?? []), bytes]);
  }
  return groups;
}

const values = (n: number): readonly unknown[] => [
  n / 3,
  -n,
  n % 256,
  BigInt(n) << 40n,
  `wert ${n} ü`,
  undefined,
  { n, at: new Date(n) },
];

describe('mergeTablePieces', () => {
  it.each(KEYS.map(([type, keyOf]) => [type.kind, type, keyOf] as const))(
    'gives what a base and its changes give, under keys of %s',
    (_, type, keyOf) => {
      const step = fc.tuple(fc.nat({ max: 8 }), fc.boolean());
      fc.assert(
        fc.property(
          fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
          fc.constantFrom(null, 50),
          (rounds, ttlMs) => {
            const spec = {
              name: 's',
              keys: [type, { kind: 'utf8' as const }],
              columns: COLUMNS,
              ttlMs,
            };
            const driver = new TableDriver(open(spec), KEY_GROUPS);
            let written = 0;
            const snapshots = rounds.map((steps, round) => {
              for (const [n, isWrite] of steps) {
                const key = [keyOf(n), `k${n}`];
                setClock(driver.table, ++written);
                if (isWrite) driver.write(driver.upsert(key), values(written), PAGE_SHIFT);
                else {
                  const entry = driver.find(key);
                  if (entry >= 0) driver.table.remove(entry);
                }
              }
              return piecesOf(driver.table, { full: round === 0, isConfirmable: true });
            });
            const restored = open(spec);
            const layered = open(spec);
            for (const pieces of grouped(snapshots).values()) {
              const merged = mergeTablePieces(pieces, true);
              expect(merged?.map(({ isChanges }) => isChanges)).toEqual(
                merged?.map((_, at) => at > 0),
              );
              loadTable(restored, merged ?? []);
              // The changes alone, on top of what they were changes to.
              const [first, ...changes] = pieces;
              const above = mergeTablePieces(changes, false) ?? [];
              expect(above.every(({ isChanges }) => isChanges)).toBe(true);
              loadTable(layered, [{ bytes: first! }, ...above]);
            }
            expect(contentOf(restored)).toEqual(contentOf(driver.table));
            expect(contentOf(layered)).toEqual(contentOf(driver.table));
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  const numbers: TableSpec = {
    name: 's',
    keys: [{ kind: 'number' }],
    columns: [{ name: 'f', form: 'f64' }],
    ttlMs: null,
  };

  it('takes lists of rows as one value', () => {
    const spec: TableSpec = {
      name: 's',
      keys: [{ kind: 'number' }],
      columns: [
        { name: 'left', form: 'rows' },
        { name: 'right', form: 'rows' },
      ],
      ttlMs: null,
    };
    const driver = new TableDriver(open(spec), 1);
    const write = (full: boolean, entries: readonly (readonly [number, string[] | null])[]) => {
      for (const [key, texts] of entries) {
        const rows = texts?.map((text) => new TextEncoder().encode(text)) ?? null;
        if (rows === null) driver.table.remove(driver.find([key]));
        else driver.write(driver.upsert([key]), [rows, []], PAGE_SHIFT);
      }
      return piecesOf(driver.table, { full, isConfirmable: true }).map(({ bytes }) => bytes);
    };
    const base = write(true, [
      [1, ['a', 'b']],
      [2, ['c']],
      [3, []],
    ]);
    const changes = write(false, [
      [1, ['a', 'b', 'dd']],
      [2, null],
    ]);
    const [merged, ...others] = mergeTablePieces([...base, ...changes], true) ?? [];
    expect(others).toEqual([]);
    expect(merged?.bytes).toEqual(piecesOf(driver.table)[0].bytes);
  });

  it('splits what is large, and holds no more than is there', () => {
    const driver = new TableDriver(open(numbers), KEY_GROUPS);
    const snapshots = [true, false, false].map((full) => {
      for (let n = 0; n < 20_000; n++) driver.write(driver.upsert([n]), [n], PAGE_SHIFT);
      return piecesOf(driver.table, { full, isConfirmable: true });
    });
    for (const [keyGroup, pieces] of grouped(snapshots)) {
      const merged = mergeTablePieces(pieces, true) ?? [];
      const total = (all: readonly Uint8Array[]): number =>
        all.reduce((sum, { length }) => sum + length, 0);
      const bytes = total(merged.map((piece) => piece.bytes));
      expect(merged.length).toBeGreaterThan(1);
      expect([keyGroup, bytes / total(pieces) < 0.34]).toEqual([keyGroup, true]);
      expect(Math.max(...merged.map((piece) => piece.bytes.length))).toBeLessThan(66_000);
    }
  });

  it('leaves alone what is not of one table and one layout', () => {
    const driver = new TableDriver(open(numbers), KEY_GROUPS);
    driver.write(driver.upsert([1]), [1], PAGE_SHIFT);
    const [piece] = piecesOf(driver.table);
    const other = new TableDriver(
      open({ ...numbers, columns: [{ name: 'g', form: 'f64' }] }),
      KEY_GROUPS,
    );
    other.write(other.upsert([1]), [1], PAGE_SHIFT);
    const [foreign] = piecesOf(other.table);
    expect(mergeTablePieces([piece!.bytes, foreign!.bytes], true)).toBeNull();
    expect(mergeTablePieces([new Uint8Array(20)], true)).toBeNull();
    expect(mergeTablePieces([new Uint8Array(1)], true)).toBeNull();
    expect(mergeTablePieces([], true)).toEqual([]);
    const damaged = piece!.bytes.slice();
    damaged[damaged.length - 8] = (damaged.at(-8) ?? 0) ^ 1;
    expect(() => mergeTablePieces([damaged], true)).toThrow(
      expect.objectContaining({ code: 'STATE_CORRUPT' }),
    );
  });
});
