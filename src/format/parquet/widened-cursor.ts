/**
 * A column as the whole source has it, made of one whose type a file left open because it has nothing but nulls, or
 * empty lists, there. Callers: `row-group-reader.ts`. Runs on: the slot's thread. Invariant: the values are those of
 * the column below, which it copies one by one; such columns are short or empty, so that this is cheap enough.
 */
import type { BaseAppender } from '../../record/appender-base.js';
import { createAppender } from '../../record/appenders.js';
import type { Column } from '../../record/column.js';
import type { DataType, Field } from '../../record/schema.js';
import { sameType } from '../../record/schema-merge.js';
import type { ColumnCursor } from './flat-cursor.js';

/** The cursor of a column under a wider type. */
export class WidenedCursor implements ColumnCursor {
  readonly #below: ColumnCursor;
  readonly #field: Field;
  #appender: BaseAppender | null = null;
  #rows = 0;

  constructor(below: ColumnCursor, field: Field) {
    this.#below = below;
    this.#field = field;
  }

  get bytesPassed(): number {
    return this.#below.bytesPassed;
  }

  available(): number {
    return this.#below.available();
  }

  skip(rows: number): void {
    this.#below.skip(rows);
  }

  column(rows: number): Column {
    const source = this.#below.column(rows);
    if (this.#appender === null || this.#rows < rows) {
      this.#appender = createAppender(this.#field, rows);
      this.#rows = rows;
    }
    this.#appender.reset();
    for (let row = 0; row < rows; row++) this.#appender.appendFrom(row, source, row);
    return this.#appender.column(rows);
  }
}

/**
 * The type of a column in two files, null when they contradict each other: what is null in one of them, at whatever
 * depth, is what it is in the other.
 */
export function typeOfBoth(left: DataType, right: DataType): DataType | null {
  if (right.kind === 'null' || sameType(left, right)) return left;
  if (left.kind === 'null') return right;
  if (left.kind === 'list' && right.kind === 'list') {
    const type = typeOfBoth(left.item.type, right.item.type);
    const nullable = left.item.nullable || right.item.nullable;
    return type === null ? null : { kind: 'list', item: { type, nullable } };
  }
  if (left.kind !== 'struct' || right.kind !== 'struct') return null;
  const fields: Field[] = [];
  for (const [index, field] of left.fields.entries()) {
    const other = right.fields[index];
    const type = other?.name === field.name ? typeOfBoth(field.type, other.type) : null;
    if (type === null) return null;
    fields.push({ ...field, type, nullable: field.nullable || other.nullable });
  }
  return fields.length === right.fields.length ? { kind: 'struct', fields } : null;
}
