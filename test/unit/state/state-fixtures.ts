/** What the tests of keyed state handles share: a store over hot tables, and snapshots kept in memory. */
import type { DataType } from '../../../src/record/schema.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import { KeyedStateStore } from '../../../src/state/keyed-state.js';
import type { StateTable } from '../../../src/state/contract.js';
import type { SnapshotScope, StateWriter } from '../../../src/state/state-writer.js';
import { type StateSource, TableWriter } from '../../../src/state/table-snapshot.js';

const MAX_PARALLELISM = 16;

/** A type of keys of each form, and its nth key, those at the edges among them. */
export const KEYS: readonly (readonly [DataType, (n: number) => unknown])[] = [
  [{ kind: 'number' }, (n) => [Number.NaN, 0.1, -5][n] ?? n],
  [{ kind: 'int32' }, (n) => -n],
  [{ kind: 'uint32' }, (n) => 4294967295 - n],
  [{ kind: 'float32' }, (n) => Math.fround(n / 7)],
  [{ kind: 'bool' }, (n) => n % 2 === 1],
  [{ kind: 'int64' }, (n) => -(2n ** 60n) + BigInt(n)],
  [{ kind: 'decimal', precision: 10, scale: 3 }, (n) => `-${n}.125`],
  [{ kind: 'decimal', precision: 30, scale: 1 }, (n) => `${n}00000000000000000000.5`],
  [{ kind: 'date' }, (n) => new Date((n - 5) * 86_400_000)],
  [{ kind: 'timestamp' }, (n) => new Date(n * 1e10 + 1)],
  [{ kind: 'utf8' }, (n) => `schlüssel \ud800 ${n}`],
  [{ kind: 'bytes' }, (n) => new Uint8Array([n, 0, 255])],
  [{ kind: 'int8' }, (n) => -n],
  [{ kind: 'uint16' }, (n) => n],
];

/** Pieces by uid and name, as a checkpoint would keep them. */
export class Pieces implements StateSource {
  readonly #pieces = new Map<string, { keyGroup: number; bytes: Uint8Array }[]>();

  put(uid: string, name: string, keyGroup: number, bytes: Uint8Array): void {
    const id = `${uid}/${name}`;
    this.#pieces.set(id, [...(this.#pieces.get(id) ?? []), { keyGroup, bytes }]);
  }

  get(uid: string, name: string) {
    return this.#pieces.get(`${uid}/${name}`) ?? [];
  }
}

/** A snapshot of everything that nothing builds on. */
export const WHOLE = { full: true, isConfirmable: false };

/** What writers put, in slices of `entriesMax`. */
export function written(
  writers: readonly StateWriter[],
  entriesMax = Number.POSITIVE_INFINITY,
): Pieces {
  const pieces = new Pieces();
  for (const writer of writers) while (!writer.step(pieces, { left: entriesMax }));
  return pieces;
}

/** The pieces of a table; a snapshot that may be confirmed is. */
export function piecesOf(
  table: StateTable,
  scope: SnapshotScope = WHOLE,
): readonly { readonly keyGroup: number; readonly bytes: Uint8Array }[] {
  const writer = new TableWriter('op', table, scope);
  const pieces = written([writer]).get('op', table.spec.name);
  if (scope.isConfirmable) writer.confirm();
  return pieces;
}

/** A store of keyed states with its current key. */
export function openStore(
  types: readonly DataType[] = [{ kind: 'utf8' }],
  eventTimeMs = (): number => 0,
) {
  const key = new CurrentKey(types, MAX_PARALLELISM);
  const store = new KeyedStateStore({
    uid: 'op',
    context: key,
    openTable: (spec) => createHotTable(spec, { keyGroups: { start: 0, end: MAX_PARALLELISM } }),
    eventTimeMs,
  });
  return { key, store };
}
