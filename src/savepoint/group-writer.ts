/**
 * Writes rows of one key group as pieces of a checkpoint again, of a size as jobs write them. Callers: writers of
 * savepoints. Runs on: any thread. Invariant: reading the pieces gives the rows.
 */
import { encodeText } from '../record/text.js';
import { type BlockColumn, EntryBlock, keyColumns, valueColumns } from '../state/entry-block.js';
import { encodeLayout, type PieceHead, writePiece } from '../state/entry-piece.js';
import { addValue } from '../state/merge-pieces.js';
import { pushKeyArguments } from '../state/table-key.js';
import type { RowLayout, TableRow } from './table-rows.js';

/** Takes a piece. */
export type PutPiece = (bytes: Uint8Array, isChanges: boolean) => void;

/** Collects rows of one key group and gives them as pieces. */
export class GroupWriter {
  readonly #keyGroup: number;
  readonly #put: PutPiece;
  #layout: RowLayout | null = null;
  #layoutBytes: Uint8Array = new Uint8Array(0);
  #columns: readonly BlockColumn[] = [];
  #block: EntryBlock | null = null;
  #pieces = 0;

  constructor(keyGroup: number, put: PutPiece) {
    this.#keyGroup = keyGroup;
    this.#put = put;
  }

  /** Adds a row; one of another layout than those before begins a piece. */
  add({ key, values, stampMs }: TableRow, layout: RowLayout): void {
    if (layout !== this.#layout) this.#layOut(layout);
    const { keys, columns, hasStamps } = layout;
    const block = (this.#block ??= new EntryBlock(this.#columns, 'state'));
    block.reserve(1);
    for (const [index, type] of keys.entries()) {
      const flat: unknown[] = [];
      pushKeyArguments(flat, type, key[index]);
      addValue(block, `k${index}`, flat[0]);
    }
    if (hasStamps) addValue(block, 'stamps', stampMs ?? 0);
    for (const [index, { form }] of columns.entries()) {
      if (form === 'none') continue;
      const value = values[index];
      addValue(block, `c${index}`, form === 'utf8' ? encodeText(value as string) : value);
    }
    block.rows++;
    if (block.isFull) this.flush();
  }

  #layOut(layout: RowLayout): void {
    this.flush();
    const { keys, columns, hasStamps } = layout;
    // Whether there are stamps is all that the time tells here.
    const spec = { name: 'state', keys, columns, ttlMs: hasStamps ? 1 : null };
    this.#layout = layout;
    this.#columns = [...keyColumns(spec), ...valueColumns(spec)];
    this.#layoutBytes = encodeLayout(spec);
  }

  /** Gives what was collected as a piece. */
  flush(): void {
    if (this.#block === null) return;
    const isMore = this.#pieces++ > 0;
    const head: PieceHead = {
      keyGroup: this.#keyGroup,
      isChanges: isMore,
      isMore,
      hasStamps: this.#layout?.hasStamps === true,
    };
    const bytes = writePiece(head, this.#layoutBytes, this.#block, null);
    this.#block = null;
    this.#put(bytes, isMore);
  }
}
