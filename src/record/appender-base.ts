/**
 * What all appenders share: the marks of null and missing rows, growth, and copying from a column
 * of a narrower type. Callers: `appenders.ts`. Runs on: worker. Invariant: a bitmap exists only
 * once a mark was set, and every bit without a mark is set.
 */
import { assert } from '../base/assert.js';
import type { Appender } from './batch-builder.js';
import { bitmapBytes, setBitsFrom } from './bitmap.js';
import type { Column } from './column.js';
import { valueAt } from './column-value.js';
import type { Field } from './schema.js';
import { sameType } from './schema-merge.js';

/** Bytes of a column beside its buffers: its directory entry, and padding of up to three buffers. */
const COLUMN_BYTES = 64;

/** The common part of every appender. */
export abstract class BaseAppender implements Appender {
  readonly field: Field;
  /** Rows there is room for; only appenders below lists and maps grow. */
  protected capacity: number;
  #validity: Uint8Array | null = null;
  #presence: Uint8Array | null = null;
  #hasNulls = false;
  #hasMissing = false;
  /** The source field last seen by `copiesFrom`, and whether its values are stored as ours. */
  #sourceField: Field | null = null;
  #sourceAlike = false;

  constructor(field: Field, capacity: number) {
    this.field = field;
    this.capacity = capacity;
  }

  setNull(row: number): void {
    this.setEmpty(row);
    this.markNull(row);
  }

  setMissing(row: number): void {
    this.setEmpty(row);
    this.markMissing(row);
  }

  /** Marks a row null whose stored value is written otherwise. */
  markNull(row: number): void {
    this.#validity = cleared(this.#validity, row, this.capacity);
    this.#hasNulls = true;
  }

  /** Marks a row missing whose stored value is written otherwise. */
  markMissing(row: number): void {
    this.#validity = cleared(this.#validity, row, this.capacity);
    this.#presence = cleared(this.#presence, row, this.capacity);
    this.#hasMissing = true;
  }

  appendValue(row: number, value: unknown): boolean {
    if (value === undefined) {
      if (!this.field.optional) return false;
      this.setMissing(row);
      return true;
    }
    if (value === null) {
      if (!this.field.nullable) return false;
      this.setNull(row);
      return true;
    }
    return this.write(row, value);
  }

  /**
   * Writes an item of a list or map, where undefined is not missing but a value that `any` keeps.
   */
  appendItem(row: number, value: unknown): boolean {
    if (value === undefined && this.field.type.kind === 'any') return this.write(row, value);
    return this.appendValue(row, value);
  }

  appendFrom(row: number, source: Column, sourceRow: number): void {
    const { validity } = source;
    if (validity !== null && ((validity[sourceRow >> 3] >> (sourceRow & 7)) & 1) === 0) {
      const { presence } = source;
      const present = presence === null || (presence[sourceRow >> 3] >> (sourceRow & 7)) & 1;
      if (present) this.setNull(row);
      else this.setMissing(row);
    } else if (this.copiesFrom(source)) {
      this.copy(row, source, sourceRow);
    } else {
      const fits = this.appendValue(row, valueAt(source, sourceRow));
      assert(fits, `A value is copied between columns of related types (${this.field.name}).`);
    }
  }

  appendRows(first: number, source: Column, sourceRows: Int32Array): void {
    if (sourceRows.length > 0 && source.validity === null && this.copiesFrom(source)) {
      this.reserve(first + sourceRows.length - 1);
      return this.copyRows(first, source, sourceRows);
    }
    for (let index = 0; index < sourceRows.length; index++) {
      this.appendFrom(first + index, source, sourceRows[index]);
    }
  }

  /**
   * Takes the rows numbered in `sourceRows` as the only ones, without copying their texts: the column views the source
   * until `reset`. False where there is nothing to be saved: then they are to be appended.
   */
  showRows(_source: Column, _sourceRows: Int32Array): boolean {
    return false;
  }

  /**
   * Forgets the rows from `rows` on, so that a row which was written in part can be written anew.
   */
  truncate(rows: number): void {
    if (this.#validity !== null) setBitsFrom(this.#validity, rows);
    if (this.#presence !== null) setBitsFrom(this.#presence, rows);
    this.forget(rows);
  }

  /** Forgets all rows. */
  reset(): void {
    if (this.#hasNulls || this.#hasMissing) {
      this.#validity?.fill(0xff);
      this.#presence?.fill(0xff);
      this.#hasNulls = false;
      this.#hasMissing = false;
    }
    this.clear();
  }

  /** The first `rows` rows as a column that views this appender's memory. */
  column(rows: number): Column {
    const { name, nullable, optional } = this.field;
    assert(!this.#hasNulls || nullable, `Field "${name}" holds null but is not nullable.`);
    assert(!this.#hasMissing || optional, `Field "${name}" is missing but is not optional.`);
    return this.view(
      rows,
      this.#hasNulls || this.#hasMissing ? this.#validity : null,
      this.#hasMissing ? this.#presence : null,
    );
  }

  /** Bytes the first `rows` rows take in a frame, an upper bound. */
  estimatedBytes(rows: number): number {
    const marks = (this.#hasNulls || this.#hasMissing ? 1 : 0) + (this.#hasMissing ? 1 : 0);
    return marks * (bitmapBytes(rows) + 8) + this.valueBytes(rows) + COLUMN_BYTES;
  }

  /** Makes room for row `row` and, by doubling, for more. */
  protected reserve(row: number): void {
    if (row < this.capacity) return;
    const capacity = Math.max(16, this.capacity * 2, row + 1);
    this.#validity = grownMarks(this.#validity, capacity);
    this.#presence = grownMarks(this.#presence, capacity);
    this.capacity = capacity;
    this.grow(capacity);
  }

  /** Writes the stored zero of the type: what lies under a mark, or below a null struct. */
  abstract setEmpty(row: number): void;
  /** Writes a value that is not null; false when it does not fit. */
  protected abstract write(row: number, value: unknown): boolean;
  /** Copies a value that is not null from a column whose type has the same stored form. */
  protected abstract copy(row: number, source: Column, sourceRow: number): void;
  /** Copies rows without marks as `copy` does, where there is room for them. */
  protected copyRows(first: number, source: Column, sourceRows: Int32Array): void {
    for (let index = 0; index < sourceRows.length; index++) {
      this.copy(first + index, source, sourceRows[index]);
    }
  }
  /** Forgets the values of the rows from `rows` on. */
  protected abstract forget(rows: number): void;
  protected abstract clear(): void;
  protected abstract grow(capacity: number): void;
  protected abstract view(
    rows: number,
    validity: Uint8Array | null,
    presence: Uint8Array | null,
  ): Column;
  protected abstract valueBytes(rows: number): number;

  /** Whether values of the source can be copied as they are stored; remembered per source field. */
  protected copiesFrom(source: Column): boolean {
    if (source.field !== this.#sourceField) {
      this.#sourceField = source.field;
      this.#sourceAlike = sameType(source.field.type, this.field.type);
    }
    return this.#sourceAlike;
  }
}

function cleared(bitmap: Uint8Array | null, row: number, capacity: number): Uint8Array {
  const marks = bitmap ?? new Uint8Array(bitmapBytes(capacity)).fill(0xff);
  marks[row >> 3] &= ~(1 << (row & 7));
  return marks;
}

function grownMarks(bitmap: Uint8Array | null, capacity: number): Uint8Array | null {
  if (bitmap === null) return null;
  const grown = new Uint8Array(bitmapBytes(capacity)).fill(0xff);
  grown.set(bitmap);
  return grown;
}
