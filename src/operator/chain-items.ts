/**
 * The items of one row that an `explode` has not come to, because an output was full or the budget used up: the rest
 * of the list, or of the text whose parts they are, and what else of the row its results hold. Callers: generated
 * code and the chain task. Runs on: worker. Invariant: at most one row waits at a time, since generated loops stop
 * at once when one does; everything is a copy, so that the batch may go.
 */
import { BinaryColumn, type TextKind } from '../record/column.js';
import { PendingRecords } from './chain-pending.js';
import { ITEM_FIELD } from './text-parts.js';

/** The pending items of one `explode`; those of a list are `list` from `index` on. */
export class PendingItems extends PendingRecords {
  /** The fields that results take over, as the record they were in. */
  record: unknown = undefined;
  /** The rest of a text, in one entry; null when the items are those of a list. */
  text: BinaryColumn | null = null;
  /** Where the next part starts in it; -1 when there is no further one. */
  at = -1;
  /** Whether the text stands for none, and its only part for null. */
  isNone = false;

  override get isEmpty(): boolean {
    return this.at < 0 && super.isEmpty;
  }

  /** Takes the items of a list. */
  holdList(
    record: unknown,
    time: number,
    kind: number,
    row: number,
    list: readonly unknown[],
  ): void {
    this.#takeMarks(record, time, kind, row);
    this.list = list;
    this.count = list.length;
    this.index = 0;
  }

  /** Takes the parts of the text in `bytes` from `start`, where a part starts, to `end`. */
  holdText(
    record: unknown,
    time: number,
    kind: number,
    row: number,
    isNone: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    textKind: TextKind,
  ): void {
    this.#takeMarks(record, time, kind, row);
    this.text = new BinaryColumn({
      field: ITEM_FIELD,
      codes: new Int32Array(1),
      offsets: Int32Array.of(0, end - start),
      bytes: bytes.slice(start, end),
      entries: 1,
      textKind,
      validity: null,
      presence: null,
      isDictionary: false,
    });
    this.at = 0;
    this.isNone = isNone;
  }

  #takeMarks(record: unknown, time: number, kind: number, row: number): void {
    this.record = record;
    this.time = time;
    this.kind = kind;
    this.row = row;
  }

  /** Lets go of the row when its items are done. */
  settle(): void {
    if (!this.isEmpty) return;
    this.record = undefined;
    this.text = null;
    this.releaseHeld();
  }

  override close(): void {
    this.at = -1;
    this.record = undefined;
    this.text = null;
    super.close();
  }
}
