/**
 * What a row is to the operators of a chain while code is generated: besides the values of the fields it knows its
 * schema, can become a JavaScript object for a user function, and carries event time and kind of change. Callers:
 * everything that generates code of chains; `chain-row.ts` and `object-row.ts` implement it. Runs on: worker; pure.
 */
import type { Schema } from '../record/schema.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import type { CodeBlock } from './code-block.js';
import type { JsValue, SymbolicRow } from './code-value.js';

/** A field that holds the result of a key function; user functions never see it. */
export const KEY_FIELD = '$key';

/** The event time of rows that have none, beside rows that do: before every other time. */
export const NO_EVENT_TIME = WATERMARK_MIN;

/** A place in a column of the batch at hand. */
export interface FieldSource {
  /** Column and row: JavaScript expressions. */
  readonly column: string;
  readonly row: string;
  /** Index of the column in the batch, where each row of the batch gives one row at most; else null. */
  readonly index: number | null;
}

/** A value that may still be where it came from. */
export interface FieldValue extends JsValue {
  /** Where it lies unchanged. */
  readonly source?: FieldSource;
  /** The value as a record holds it, where that is at hand: a JavaScript expression, null when null. */
  readonly object?: string;
}

/** Code of the event time and the kind of change of a row; null when rows have none. */
export interface RowMarks {
  readonly time: string | null;
  readonly kind: string | null;
}

/** A row on its way through a chain. */
export interface FlowRow extends SymbolicRow {
  /** Null for the result of a function when nobody has asked for its fields. */
  readonly schema: Schema | null;
  readonly marks: RowMarks;
  field(name: string): FieldValue | null;
  /** Code of the record with at least these fields (null: all); statements it needs go to `place`. */
  object(names: readonly string[] | null, place: CodeBlock): string;
  /** Tells the row that every field a record has is used, so that one unknown to the schema must not pass. */
  useAllFields(): void;
}
