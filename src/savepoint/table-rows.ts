/**
 * Entries of state tables as rows of JavaScript values, out of the pieces of a checkpoint.
 * Callers: this folder. Runs on: any thread; takes memory for one key group of one table.
 * Invariant: the rows of a chain of pieces are the entries that a job has that is restored from them.
 */
import { assert } from '../base/assert.js';
import type { DataType } from '../record/schema.js';
import { decodeText, textKindOf } from '../record/text.js';
import type { KeyTuple, TableColumn, ValueForm } from '../state/contract.js';
import { BytesColumn, RowsColumn, ValuesReader } from '../state/entry-block.js';
import { EntryPiece, type PieceColumns } from '../state/entry-piece.js';
import { keyOfArguments } from '../state/table-key.js';
import { valuesFor } from '../state/table-layout.js';
import { keyText, keyTypeOf } from './key-types.js';

/** An entry of a table. */
export interface TableRow {
  readonly key: KeyTuple;
  /** By column; of `rows` the bytes of each. */
  readonly values: readonly unknown[];
  /** When it was written last, for its time to live; null in a table without. */
  readonly stampMs: number | null;
}

/** What the rows of a table are. */
export interface RowLayout {
  readonly keys: readonly DataType[];
  readonly columns: readonly TableColumn[];
  readonly hasStamps: boolean;
}

/** The rows of one key group. */
export interface GroupRows {
  /** Null where there is no piece. */
  readonly layout: RowLayout | null;
  readonly rows: Iterable<TableRow>;
}

/** What the rows of a piece are. */
export function layoutOfPiece({ layout, hasStamps }: EntryPiece): RowLayout {
  return { keys: layout.keys.map(keyTypeOf), columns: layout.columns, hasStamps };
}

/** The rows of the pieces of one key group, which come the oldest first. To be gone through once. */
export function readGroup(bytes: Iterable<Uint8Array>): GroupRows {
  const pieces = Array.from(bytes, (each) => new EntryPiece(each));
  const [first] = pieces;
  if (first === undefined) return { layout: null, rows: [] };
  if (isPlain(pieces)) return { layout: layoutOfPiece(first), rows: plainRows(pieces) };
  const layout = mergedLayout(pieces);
  return { layout, rows: merged(pieces, layout).values() };
}

/** How many rows there are. */
export function countGroup(bytes: Iterable<Uint8Array>): number {
  const pieces = Array.from(bytes, (each) => new EntryPiece(each));
  if (isPlain(pieces)) return pieces.reduce((rows, piece) => rows + piece.rows, 0);
  return merged(pieces, mergedLayout(pieces)).size;
}

/** Whether no piece changes what is in one before it. */
function isPlain(pieces: readonly EntryPiece[]): boolean {
  return pieces.every(
    (piece, at) =>
      (at === 0 ? piece.removedRows === 0 : piece.isMore) &&
      Buffer.compare(piece.layoutBytes, pieces[0].layoutBytes) === 0,
  );
}

function* plainRows(pieces: readonly EntryPiece[]): Generator<TableRow> {
  for (const piece of pieces) yield* rowsOf(piece.read().entries, layoutOfPiece(piece));
}

function merged(pieces: readonly EntryPiece[], layout: RowLayout): Map<string, TableRow> {
  const rows = new Map<string, TableRow>();
  for (const piece of pieces) {
    const written = layoutOfPiece(piece);
    const { entries, removed } = piece.read();
    for (const row of rowsOf(entries, written)) {
      const values = valuesFor(row.values, written.columns, layout.columns);
      rows.set(keyText(row.key), { ...row, values });
    }
    for (const key of keysOf(removed, written.keys)) rows.delete(keyText(key));
  }
  return rows;
}

/** What was not known when the first pieces were written may be known by the last. */
function mergedLayout(pieces: readonly EntryPiece[]): RowLayout {
  return pieces.map(layoutOfPiece).reduce((known, next) => ({
    keys: known.keys.map((type, at) => (type.kind === 'null' ? next.keys[at] : type)),
    columns: known.columns.map((column, at) =>
      column.form === 'none' ? next.columns[at] : column,
    ),
    hasStamps: next.hasStamps,
  }));
}

function* rowsOf(entries: PieceColumns, layout: RowLayout): Generator<TableRow> {
  const { columns } = entries;
  const stamps = layout.hasStamps ? columns['stamps'] : undefined;
  const keys = keysOf(entries, layout.keys);
  for (let row = 0; row < entries.rows; row++) {
    const key = keys.next().value;
    assert(key !== undefined, 'A row has a key.');
    const values = layout.columns.map(({ form }, index) =>
      valueAt(columns[`c${index}`], form, row),
    );
    yield { key, values, stampMs: stamps instanceof Float64Array ? stamps[row] : null };
  }
}

function* keysOf(
  { rows, columns }: PieceColumns,
  types: readonly DataType[],
): Generator<KeyTuple, undefined> {
  for (let row = 0; row < rows; row++) {
    const flat: unknown[] = [];
    for (const [index] of types.entries()) {
      const column = columns[`k${index}`];
      if (column instanceof BytesColumn) {
        const bytes = column.next();
        flat.push(bytes, 0, bytes.length);
      } else flat.push((column as ArrayLike<unknown>)[row]);
    }
    yield keyOfArguments(types, flat);
  }
  return undefined;
}

/** Columns of values that are written one behind the other are read so. */
function valueAt(
  column: PieceColumns['columns'][string] | undefined,
  form: ValueForm,
  row: number,
): unknown {
  if (column === undefined) return undefined;
  if (column instanceof ValuesReader) return column.next();
  if (column instanceof RowsColumn) return column.next().map((bytes) => bytes.slice());
  if (!(column instanceof BytesColumn)) return column[row];
  const bytes = column.next();
  if (form !== 'utf8') return bytes.slice();
  return decodeText(bytes, 0, bytes.length, textKindOf(bytes, 0, bytes.length));
}
