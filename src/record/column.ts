/**
 * Columns in memory: the contract between everything that produces batches (readers, generated loops, the
 * frame decoder) and everything that consumes them. Generated code reads these fields directly, so each form
 * is one class with one shape. A batch decoded from a ring views the ring's memory: its arrays are valid until
 * the frame is released. Callers: format, connector, operator. Runs on: worker.
 *
 * Validity and presence are bitmaps, bit i of byte i >> 3, set when row i has a value / is present; a column
 * without nulls has `validity === null`, one without missing values `presence === null`. The value stored
 * under a cleared bit is zero (empty for text) and must not be read as a value.
 */
import type { Field } from './schema.js';

/** Any fixed-width array that a column may hold. */
export type FixedArray = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Forms f64, f32, i32, u32, u8. `values.length` may exceed the rows of the batch. */
export class FixedColumn<A extends FixedArray = FixedArray> {
  readonly field: Field;
  /** Only `fixedColumn` sets these anew. */
  values: A;
  validity: Uint8Array | null;
  presence: Uint8Array | null;

  constructor(field: Field, values: A, validity: Uint8Array | null, presence: Uint8Array | null) {
    this.field = field;
    this.values = values;
    this.validity = validity;
    this.presence = presence;
  }
}

/**
 * A column of a field that makes use of `spent` again, a column of a batch that nobody looks at any more: columns
 * that are mere views would otherwise be garbage of every batch.
 */
export function fixedColumn<A extends FixedArray>(
  field: Field,
  values: A,
  validity: Uint8Array | null,
  presence: Uint8Array | null,
  spent: Column | null,
): FixedColumn<A> {
  if (!(spent instanceof FixedColumn) || spent.field !== field) {
    return new FixedColumn(field, values, validity, presence);
  }
  spent.values = values;
  spent.validity = validity;
  spent.presence = presence;
  return spent as FixedColumn<A>;
}

/** Form i64. */
export class Int64Column {
  readonly field: Field;
  readonly values: BigInt64Array;
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;

  constructor(
    field: Field,
    values: BigInt64Array,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ) {
    this.field = field;
    this.values = values;
    this.validity = validity;
    this.presence = presence;
  }
}

/** What the bytes of a text column are known to be. */
export const TEXT_ASCII = 0;
/** Valid UTF-8 with at least one byte above 127. */
export const TEXT_UTF8 = 1;
/** WTF-8: UTF-8 in which lone surrogates are encoded as three bytes each. */
export const TEXT_WTF8 = 2;
export type TextKind = typeof TEXT_ASCII | typeof TEXT_UTF8 | typeof TEXT_WTF8;

/**
 * Forms utf8 and bytes. Row i is entry `codes[i]`; entry e is `bytes[offsets[e] .. offsets[e + 1])`. A column
 * without repetition uses the shared identity array (`identityCodes`) as codes, so generated code has one path; one
 * that was picked from it names the entries of its rows.
 */
export class BinaryColumn {
  readonly field: Field;
  /** Entry of each row. */
  readonly codes: Int32Array;
  /** Entries + 1 byte offsets into `bytes`. */
  readonly offsets: Int32Array;
  /** Set anew only in columns of one value that show memory of others (`stored-row-runtime.ts`, `explode`). */
  bytes: Uint8Array;
  readonly entries: number;
  readonly textKind: TextKind;
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;
  /** True when codes repeat, so that work per entry (hash, decode) is worth remembering. */
  readonly isDictionary: boolean;
  /** True when the rows are some of the entries of a plain column (`row-selection.ts`): codes name them. */
  readonly isSelected: boolean;
  /** Decoded entries, filled on demand by `textAt`; lives as long as this batch. */
  decoded: (string | undefined)[] | null = null;
  /** All entries of a plain column as one string, filled on demand by `textAt`. */
  block: string | null = null;
  /** Where each entry starts in `block`, in code units; null until needed and for ASCII, where bytes are units. */
  blockStarts: Int32Array | null = null;
  /** Java hash of each entry, filled on demand by `hashColumn`. */
  hashes: Int32Array | null = null;
  /**
   * What columns of one dictionary that outlives their batches have in common, null for others: its
   * entries are added to but never changed, so what is remembered by code stays true.
   */
  dictionary: object | null = null;

  constructor(parts: BinaryColumnParts) {
    this.field = parts.field;
    this.codes = parts.codes;
    this.offsets = parts.offsets;
    this.bytes = parts.bytes;
    this.entries = parts.entries;
    this.textKind = parts.textKind;
    this.validity = parts.validity;
    this.presence = parts.presence;
    this.isDictionary = parts.isDictionary;
    this.isSelected = parts.isSelected ?? false;
  }
}

/** Constructor argument of `BinaryColumn`. */
export interface BinaryColumnParts {
  readonly field: Field;
  readonly codes: Int32Array;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
  readonly entries: number;
  readonly textKind: TextKind;
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;
  readonly isDictionary: boolean;
  /** False when omitted. */
  readonly isSelected?: boolean;
}

/** Forms list and map: row i holds the child rows `offsets[i] .. offsets[i + 1])`. A map has two children. */
export class NestedColumn {
  readonly field: Field;
  readonly offsets: Int32Array;
  readonly children: readonly Column[];
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;

  constructor(
    field: Field,
    offsets: Int32Array,
    children: readonly Column[],
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ) {
    this.field = field;
    this.offsets = offsets;
    this.children = children;
    this.validity = validity;
    this.presence = presence;
  }
}

/** Form struct: one child per field, with the rows of the parent. */
export class StructColumn {
  readonly field: Field;
  readonly children: readonly Column[];
  readonly validity: Uint8Array | null;
  readonly presence: Uint8Array | null;

  constructor(
    field: Field,
    children: readonly Column[],
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ) {
    this.field = field;
    this.children = children;
    this.validity = validity;
    this.presence = presence;
  }
}

/** Any column. */
export type Column = FixedColumn | Int64Column | BinaryColumn | NestedColumn | StructColumn;
