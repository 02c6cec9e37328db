/**
 * What generated code calls for the texts of rows that are kept as bytes. Callers: code that `stored-row.ts` writes.
 * Runs on: worker. Invariant: memory that is looked at here may hold another row at the next call, so nothing that is
 * given keeps it.
 */
import { deserializeAny } from '../record/any-value.js';
import { BinaryColumn, TEXT_WTF8 } from '../record/column.js';
import type { Field } from '../record/schema.js';
import { decodeText, encodeTextInto, textKindOf } from '../record/text.js';

/** A column of one value, which is shown one after the other to what works on bytes of columns. */
export function textSlot(field: Field): BinaryColumn {
  return new BinaryColumn({
    field,
    codes: new Int32Array(1),
    offsets: new Int32Array(2),
    bytes: new Uint8Array(0),
    entries: 1,
    // Of what is behind nothing is known.
    textKind: TEXT_WTF8,
    validity: null,
    presence: null,
    isDictionary: false,
  });
}

/** Has the column show these bytes. */
export function showText(
  column: BinaryColumn,
  bytes: Uint8Array,
  start: number,
  end: number,
): BinaryColumn {
  column.bytes = bytes;
  column.offsets[0] = start;
  column.offsets[1] = end;
  return column;
}

/** The text in there. */
export function storedText(bytes: Uint8Array, start: number, end: number): string {
  return decodeText(bytes, start, end, textKindOf(bytes, start, end));
}

/** A copy of the bytes in there. */
export function storedBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.slice(start, end);
}

/** The value that was serialized in there. */
export const storedAny: typeof deserializeAny = deserializeAny;

/** Texts that are no bytes yet, encoded one by one. */
export class TextScratch {
  bytes = new Uint8Array(256);
  view = new DataView(this.bytes.buffer);

  /** Encodes a text at the start of `bytes` and gives the bytes written. */
  encode(text: string): number {
    if (text.length * 3 > this.bytes.length) {
      this.bytes = new Uint8Array(text.length * 6);
      this.view = new DataView(this.bytes.buffer);
    }
    return encodeTextInto(text, this.bytes, 0);
  }
}
