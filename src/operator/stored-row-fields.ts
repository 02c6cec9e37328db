/**
 * How the fields of a schema lie in the bytes of a row that an operator keeps in its state. Callers: `stored-row.ts`,
 * which writes code for them, and whoever reads rows of a snapshot. Runs on: any thread; pure. Invariant: a schema
 * gives the same places in every version, since rows are in checkpoints.
 */
import { type ColumnForm, type Field, formOf, type Schema } from '../record/schema.js';

/** Width and DataView accessor of the fixed forms. */
const FIXED: Partial<Record<ColumnForm, readonly [bytes: number, accessor: string]>> = {
  f64: [8, 'Float64'],
  i64: [8, 'BigInt64'],
  f32: [4, 'Float32'],
  i32: [4, 'Int32'],
  u32: [4, 'Uint32'],
  u8: [1, 'Uint8'],
};
const END_BYTES = 4;
/** Bytes of the id, which a row begins with. */
export const ID_BYTES = 4;

/** A field of a row. */
export interface StoredField {
  readonly field: Field;
  /** The accessor of a fixed value; null: the bytes end where the word at `offset` says. */
  readonly accessor: string | null;
  readonly offset: number;
  /** Number of the bit that is set for null, and for a missing value; -1: none. */
  readonly nullBit: number;
  readonly missingBit: number;
  /** Offset of the word that says where the bytes start; -1: behind the fixed part. */
  readonly startsAt: number;
}

/** How the fields of a schema lie in a row. */
export interface RowLayout {
  /** What rows of this layout begin with. */
  readonly id: number;
  readonly schema: Schema;
  readonly fields: readonly StoredField[];
  /** Bytes of a row without those of texts. */
  readonly fixedBytes: number;
  /** Bytes of its marks. */
  readonly markBytes: number;
}

/** Lays out the fields of a schema. */
export function rowLayout(schema: Schema, id: number): RowLayout {
  let bits = 0;
  const marked = schema.fields.map((field) => ({
    field,
    nullBit: field.nullable || field.optional || field.type.kind === 'null' ? bits++ : -1,
    missingBit: field.optional ? bits++ : -1,
  }));
  const markBytes = Math.ceil(bits / 8);
  let offset = ID_BYTES + markBytes;
  let startsAt = -1;
  const fields = marked.map(({ field, ...marks }): StoredField => {
    const fixed = FIXED[formOf(field.type)];
    const stored = { field, ...marks, accessor: fixed?.[1] ?? null, offset, startsAt };
    offset += fixed?.[0] ?? END_BYTES;
    if (fixed === undefined) startsAt = stored.offset;
    return stored;
  });
  return { id, schema, fields, fixedBytes: offset, markBytes };
}
