/**
 * Merges a piece of a table and the changes that came after into pieces that stand for all of them, without knowing the
 * table: values are copied from column to column. Callers: the merge of incremental checkpoints. Runs on: any thread;
 * takes memory for the pieces of one key group. Invariant: loading the result gives what loading all pieces in their
 * order gives.
 */
import { assert } from '../base/assert.js';
import {
  type BlockColumn,
  BytesColumn,
  EntryBlock,
  RowsColumn,
  ValuesColumn,
  ValuesReader,
} from './entry-block.js';
import { EntryPiece, isTablePiece, type PieceColumns, writePiece } from './entry-piece.js';

/** A piece of the result. All but the first one add to it. */
export interface MergedPiece {
  readonly bytes: Uint8Array;
  readonly isChanges: boolean;
}

/** Where an entry is, or the key of a removed one. */
interface Entry {
  readonly from: Rows;
  readonly row: number;
  readonly isRemoved: boolean;
}

/**
 * The pieces of one key group of one table, the oldest first, as few that hold everything. With `isBase` nothing is
 * below them, so that what was deleted needs no mention; otherwise the result is changes too. Null when they cannot be
 * merged: other state than tables, or entries of different layouts, which only the table itself can bring together.
 */
export function mergeTablePieces(
  pieces: readonly Uint8Array[],
  isBase: boolean,
): readonly MergedPiece[] | null {
  let first: EntryPiece | null = null;
  const entries = new Map<string, Entry>();
  for (const bytes of pieces) {
    if (!isTablePiece(bytes)) return null;
    const piece = new EntryPiece(bytes);
    first ??= piece;
    if (!isAlike(piece, first)) return null;
    const columns = piece.read();
    const keys = piece.keyColumns;
    for (const isRemoved of [false, true]) {
      const from = new Rows(isRemoved ? columns.removed : columns.entries, keys);
      for (let row = 0; row < from.count; row++) {
        entries.set(from.keyOf(row), { from, row, isRemoved });
      }
    }
  }
  return first === null ? [] : new Merged(first, isBase).write(entries.values());
}

function isAlike(left: EntryPiece, right: EntryPiece): boolean {
  return (
    left.keyGroup === right.keyGroup &&
    left.hasStamps === right.hasStamps &&
    Buffer.compare(left.layoutBytes, right.layoutBytes) === 0
  );
}

/** Columns of a piece whose values are asked for by row. */
class Rows {
  readonly count: number;
  readonly #columns: Readonly<Record<string, ArrayLike<unknown>>>;
  readonly #keys: readonly BlockColumn[];

  constructor({ rows, columns }: PieceColumns, keys: readonly BlockColumn[]) {
    this.count = rows;
    this.#keys = keys;
    this.#columns = Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [
        name,
        // What is written one after the other is read so, too.
        column instanceof BytesColumn ||
        column instanceof ValuesReader ||
        column instanceof RowsColumn
          ? Array.from({ length: rows }, () => column.next())
          : column,
      ]),
    );
  }

  valueOf(name: string, row: number): unknown {
    return this.#columns[name]?.[row];
  }

  /** One text for each key. */
  keyOf(row: number): string {
    return this.#keys
      .map(({ name }) => {
        const value = this.valueOf(name, row);
        return value instanceof Uint8Array
          ? `${value.length}:${Buffer.from(value).toString('latin1')}`
          : String(value);
      })
      .join();
  }
}

/** Writes the result. */
class Merged {
  readonly #head: EntryPiece;
  readonly #isBase: boolean;
  readonly #pieces: MergedPiece[] = [];
  #entries: EntryBlock | null = null;
  #removed: EntryBlock | null = null;

  constructor(head: EntryPiece, isBase: boolean) {
    this.#head = head;
    this.#isBase = isBase;
  }

  write(entries: Iterable<Entry>): readonly MergedPiece[] {
    const { keyColumns, valueColumns } = this.#head;
    const all = [...keyColumns, ...valueColumns];
    for (const { from, row, isRemoved } of entries) {
      if (isRemoved && this.#isBase) continue;
      const block = isRemoved
        ? (this.#removed ??= new EntryBlock(keyColumns, ''))
        : (this.#entries ??= new EntryBlock(all, ''));
      block.reserve(1);
      for (const { name } of block.layout) addValue(block, name, from.valueOf(name, row));
      block.rows++;
      if (block.isFull) this.#end();
    }
    this.#end();
    return this.#pieces;
  }

  #end(): void {
    if (this.#entries === null && this.#removed === null) return;
    const { keyGroup, hasStamps, layoutBytes } = this.#head;
    const isMore = this.#isBase && this.#pieces.length > 0;
    const isChanges = !this.#isBase || isMore;
    const head = { keyGroup, hasStamps, isMore, isChanges };
    const bytes = writePiece(head, layoutBytes, this.#entries, this.#removed);
    this.#pieces.push({ bytes, isChanges });
    this.#entries = null;
    this.#removed = null;
  }
}

/** Adds a value to a column of the row that is being written; `rows` is counted up by the caller. */
export function addValue({ rows, columns }: EntryBlock, name: string, value: unknown): void {
  const column = columns[name];
  assert(column !== undefined, 'A block has the columns of its layout.');
  if (column instanceof BytesColumn) {
    const bytes = value as Uint8Array;
    column.add(bytes, 0, bytes.length);
  } else if (column instanceof RowsColumn) column.add(value as readonly Uint8Array[]);
  else if (column instanceof ValuesColumn) column.add(value);
  else column[rows] = value as never;
}
