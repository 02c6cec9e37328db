/**
 * The state of one operator on its way from one savepoint into another: copied where nothing changes, else as rows that
 * are changed, or dealt to other key groups. Callers: `savepoint-writer.ts`. Runs on: any thread; takes memory for one
 * key group, and for the rows of others that wait for their pieces to be full. Invariant: an entry ends up in the key
 * group of its key; one that cannot be dealt is refused, never lost.
 */
import { MillraceError } from '../base/errors.js';
import type { StatePiece } from '../checkpoint/contract.js';
import { NO_KEY_GROUP } from '../checkpoint/contract.js';
import { keyGroupOf, subtaskOf } from '../record/key-group.js';
import type { KeyTuple } from '../state/contract.js';
import { mergeTablePieces } from '../state/merge-pieces.js';
import { readItems, writeItems } from '../state/operator-state.js';
import { tableKeyHash } from '../state/table-key.js';
import { GroupWriter } from './group-writer.js';
import { keyText } from './key-types.js';
import { isKeyed, type SavepointReader } from './savepoint-reader.js';
import type { CataloguedOperator, CataloguedState, WrittenPiece } from './state-catalog.js';
import { rowsOfValue } from './state-edits.js';
import { type GroupRows, readGroup, type RowLayout, type TableRow } from './table-rows.js';

/** What becomes of a key of a state. */
export interface StateEdit {
  readonly key: KeyTuple;
  readonly keyGroup: number;
  /** The key as it was given. */
  readonly given: unknown;
  /** Null deletes. */
  readonly to: { readonly value: unknown } | null;
}

/** A piece that is written, but for its uid and its place. */
type NewPiece = Omit<StatePiece, 'uid' | 'at'> & { readonly subtask: number };
type Put = (piece: NewPiece, bytes: Uint8Array) => void;
type EditsByKey = ReadonlyMap<string, StateEdit>;

/** Rows that wait for their pieces to be full, over all key groups. */
const WAITING_ROWS_MAX = 1 << 18;

/** Rewrites one operator. */
export class OperatorRewrite {
  readonly #reader: SavepointReader;
  readonly #operator: CataloguedOperator;
  readonly #edits: ReadonlyMap<string, EditsByKey>;
  readonly #parallelism: number;
  readonly #maxParallelism: number;
  readonly #layouts = new Map<string, RowLayout>();
  put = 0;
  deleted = 0;
  readonly notFound: { readonly uid: string; readonly state: string; readonly key: unknown }[] = [];

  /** `edits` are by state and text of the key. */
  constructor(
    reader: SavepointReader,
    operator: CataloguedOperator,
    edits: ReadonlyMap<string, EditsByKey>,
  ) {
    this.#reader = reader;
    this.#operator = operator;
    this.#edits = edits;
    const record = reader.manifest.operators.find(({ uid }) => uid === operator.uid);
    this.#parallelism = record?.parallelism ?? 1;
    this.#maxParallelism = record?.maxParallelism ?? 1;
  }

  /** Throws VALUE_UNSUPPORTED for a value that does not fit its state. */
  checkEdit(state: CataloguedState, edit: StateEdit): void {
    if (isKeyed(state.kind)) this.#newRows(state, edit);
  }

  /** Writes all pieces; `maxParallelism` null keeps the key groups. */
  write(maxParallelism: number | null, put: Put): void {
    const { pieces, states } = this.#operator;
    for (const [name, all] of pieces) {
      for (const piece of all)
        if (piece.keyGroup === NO_KEY_GROUP) this.#keepKeyless(name, piece, put);
    }
    for (const state of states.values()) {
      if (isKeyed(state.kind)) this.#writeKeyed(state, maxParallelism, put);
      else this.#countEdits(state, new Set(this.#keylessFound(state)));
    }
  }

  #writeKeyed(state: CataloguedState, maxParallelism: number | null, put: Put): void {
    const edits = this.#edits.get(state.name) ?? new Map<string, StateEdit>();
    const found = new Set<string>();
    const added = this.#rowsToAdd(state, edits);
    // A part of the state that had no table yet has none in the catalogue either.
    for (const [part, name] of Object.entries(state.tables)) {
      const table = { state, part, name, edits, added, found };
      if (maxParallelism === null || maxParallelism === this.#maxParallelism)
        this.#keep(table, put);
      else this.#deal(table, maxParallelism, put);
    }
    this.#countEdits(state, found);
  }

  #countEdits({ name }: CataloguedState, found: ReadonlySet<string>): void {
    for (const [text, { to, given }] of this.#edits.get(name) ?? []) {
      if (to !== null) this.put++;
      else if (found.has(text)) this.deleted++;
      else this.notFound.push({ uid: this.#operator.uid, state: name, key: given });
    }
  }

  /** Key groups that nothing changes in are copied, their changes merged into their bases. */
  #keep(table: EditedTable, put: Put): void {
    const { name, edits } = table;
    const edited = new Set([...edits.values()].map(({ keyGroup }) => keyGroup));
    const pieces = this.#operator.pieces.get(name) ?? [];
    for (const keyGroup of groupsOf(pieces, edited)) {
      const subtask = this.#subtaskOf(keyGroup, this.#maxParallelism);
      const add = (bytes: Uint8Array, isChanges: boolean): void =>
        put({ name, keyGroup, isChanges, subtask }, bytes);
      if (edited.has(keyGroup)) {
        const writer = new GroupWriter(keyGroup, add);
        for (const { row, layout } of this.#rowsOf(table, keyGroup)) writer.add(row, layout);
        writer.flush();
        continue;
      }
      const all = [...this.#reader.bytesOf(pieces, keyGroup)];
      // A savepoint has no changes, only pieces that add to one that was full.
      const isWhole = this.#reader.kind === 'savepoint' || all.length === 1;
      const merged = isWhole ? null : mergeTablePieces(all, true);
      if (merged === null) all.forEach((bytes, at) => add(bytes, at > 0));
      else for (const { bytes, isChanges } of merged) add(bytes, isChanges);
    }
  }

  #deal(table: EditedTable, maxParallelism: number, put: Put): void {
    const { name, edits } = table;
    const edited = new Set([...edits.values()].map(({ keyGroup }) => keyGroup));
    const writers = new Map<number, GroupWriter>();
    let waiting = 0;
    const flush = (): void => {
      for (const writer of writers.values()) writer.flush();
      waiting = 0;
    };
    for (const old of groupsOf(this.#operator.pieces.get(name) ?? [], edited)) {
      for (const { row, layout } of this.#rowsOf(table, old)) {
        const hash = this.#hashOf(row, layout);
        if (keyGroupOf(hash, this.#maxParallelism) !== old)
          throw this.#undealable(table.state.name);
        const keyGroup = keyGroupOf(hash, maxParallelism);
        const subtask = this.#subtaskOf(keyGroup, maxParallelism);
        const writer =
          writers.get(keyGroup) ??
          new GroupWriter(keyGroup, (bytes, isChanges) =>
            put({ name, keyGroup, isChanges, subtask }, bytes),
          );
        writers.set(keyGroup, writer);
        writer.add(row, layout);
        if (++waiting === WAITING_ROWS_MAX) flush();
      }
    }
    flush();
  }

  /** The rows of a key group of a table, with those in that were put, and without those of keys that are edited. */
  *#rowsOf(
    { state, part, name, edits, added, found }: EditedTable,
    keyGroup: number,
  ): Generator<{ readonly row: TableRow; readonly layout: RowLayout }> {
    const pieces = this.#operator.pieces.get(name) ?? [];
    const group: GroupRows = readGroup(this.#reader.bytesOf(pieces, keyGroup));
    const own = this.#keysOf(state, part);
    if (group.layout !== null) {
      const layout = this.#canonical(group.layout);
      for (const row of group.rows) {
        const text = edits.size === 0 ? null : keyText(row.key.slice(0, own ?? row.key.length));
        if (text !== null && edits.has(text)) found.add(text);
        else yield { row, layout };
      }
    }
    const layout = this.#reader.layoutOf(this.#operator, state, part);
    for (const one of added.get(keyGroup) ?? []) {
      if (one.part !== part || layout === null) continue;
      const stampMs = layout.hasStamps ? this.#reader.timestampMs : null;
      yield { row: { ...one.row, stampMs }, layout: this.#canonical(layout) };
    }
  }

  #rowsToAdd(state: CataloguedState, edits: EditsByKey): AddedRows {
    const added = new Map<number, AddedRow[]>();
    for (const edit of edits.values()) {
      const own = added.get(edit.keyGroup) ?? [];
      added.set(edit.keyGroup, own);
      own.push(...this.#newRows(state, edit));
    }
    return added;
  }

  #newRows(state: CataloguedState, { key, to }: StateEdit): ReturnType<typeof rowsOfValue> {
    if (to === null) return [];
    const layouts = Object.fromEntries(
      Object.keys(state.tables).map((part) => {
        return [part, this.#reader.layoutOf(this.#operator, state, part) ?? undefined];
      }),
    );
    const rows = rowsOfValue(state, layouts, key, to.value);
    const missing = rows.find(({ part }) => layouts[part] === undefined);
    if (missing === undefined) return rows;
    throw new MillraceError(
      'FEATURE_UNSUPPORTED',
      `State "${state.name}" of "${this.#operator.uid}" has no entry yet, so that nothing ` +
        'tells the types of its values.',
      { where: { uid: this.#operator.uid }, advice: 'Let the job put the first one.' },
    );
  }

  /** Key columns that belong to the key, at the start of those of a part. */
  #keysOf(state: CataloguedState, part: string): number | null {
    const { keys } = this.#operator;
    if (keys !== null) return keys;
    const columns = this.#reader.layoutOf(this.#operator, state, part)?.keys.length;
    return columns ?? null;
  }

  #hashOf({ key }: TableRow, { keys }: RowLayout): number {
    const own = this.#operator.keys ?? keys.length;
    return tableKeyHash(keys.slice(0, own), key.slice(0, own));
  }

  #subtaskOf(keyGroup: number, maxParallelism: number): number {
    return subtaskOf(keyGroup, Math.min(this.#parallelism, maxParallelism), maxParallelism);
  }

  /** Layouts that say the same are one, so that their rows go into one piece. */
  #canonical(layout: RowLayout): RowLayout {
    const text = JSON.stringify(layout);
    const known = this.#layouts.get(text) ?? layout;
    this.#layouts.set(text, known);
    return known;
  }

  #undealable(state: string): MillraceError {
    const { uid } = this.#operator;
    return new MillraceError(
      'FEATURE_UNSUPPORTED',
      `State "${state}" of "${uid}" cannot be dealt to other key groups: its keys do not say ` +
        'in which one an entry is.',
      { where: { uid }, advice: 'Keep the maximum parallelism of this operator.' },
    );
  }

  /** Headers, lists and broadcast maps. */
  #keepKeyless(name: string, piece: WrittenPiece, put: Put): void {
    const { keyGroup, isChanges, subtask } = piece;
    const bytes = this.#reader.bytesOfPiece(piece);
    put({ name, keyGroup, isChanges, subtask }, this.#editKeyless(name, subtask, bytes));
  }

  #editKeyless(name: string, subtask: number, bytes: Uint8Array): Uint8Array {
    const state = [...this.#operator.states.values()].find(
      ({ tables }) => tables['items'] === name,
    );
    const edits = state === undefined ? undefined : this.#edits.get(state.name);
    if (state === undefined || edits === undefined) return bytes;
    if (state.kind !== 'broadcast') {
      const first = this.#operator.pieces.get(name)?.[0]?.subtask;
      // All items go to one subtask; a job deals them anew when its parallelism changes.
      return writeItems(subtask === first ? ((edits.get('')?.to?.value ?? []) as unknown[]) : []);
    }
    const pairs = readItems(bytes) as readonly (readonly [unknown, unknown])[];
    const kept = pairs.filter(([key]) => !edits.has(keyText([key])));
    const added = [...edits.values()].flatMap(({ key, to }) =>
      to === null ? [] : [[key[0], to.value]],
    );
    return writeItems([...kept, ...added]);
  }

  /** Texts of the keys that a broadcast map has. */
  #keylessFound({ kind, name }: CataloguedState): readonly string[] {
    if (kind !== 'broadcast') return [];
    const map = this.#reader.readBroadcastState(this.#operator.uid, name);
    return [...map.keys()].map((key) => keyText([key]));
  }
}

/** A table of a state, and what is changed in it. */
interface EditedTable {
  readonly state: CataloguedState;
  readonly part: string;
  readonly name: string;
  readonly edits: EditsByKey;
  readonly added: AddedRows;
  /** Texts of edited keys that there were. */
  readonly found: Set<string>;
}

type AddedRow = ReturnType<typeof rowsOfValue>[number];
type AddedRows = ReadonlyMap<number, readonly AddedRow[]>;

function groupsOf(pieces: readonly WrittenPiece[], edited: ReadonlySet<number>): readonly number[] {
  const groups = new Set([...pieces.map(({ keyGroup }) => keyGroup), ...edited]);
  return [...groups].filter((keyGroup) => keyGroup !== NO_KEY_GROUP).toSorted((a, b) => a - b);
}
