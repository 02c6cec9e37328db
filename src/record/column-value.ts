/**
 * One value of a column as JavaScript value, whatever its type: the general way, for nested values,
 * tests and places that are not hot; rows are built by the generated readers of `row-codec.ts`.
 * Callers: row codec, appenders, sinks. Runs on: worker. Invariant: nothing it returns views the
 * column's memory.
 */
import { unreachable } from '../base/assert.js';
import { deserializeAny } from './any-value.js';
import { bitAt } from './bitmap.js';
import type { Column } from './column.js';
import { BinaryColumn, FixedColumn, Int64Column, NestedColumn } from './column.js';
import { decimalText } from './decimal.js';
import { textAt } from './text.js';

const MS_PER_DAY = 86_400_000;

/** The value of a row; `undefined` when it is missing. */
export function valueAt(column: Column, row: number): unknown {
  if (!bitAt(column.validity, row)) return bitAt(column.presence, row) ? null : undefined;
  if (column instanceof FixedColumn) return fixedAt(column, row);
  if (column instanceof BinaryColumn) return binaryAt(column, row);
  if (column instanceof Int64Column) return int64At(column, row);
  if (column instanceof NestedColumn) return nestedAt(column, row);
  const record: Record<string, unknown> = {};
  for (const child of column.children) {
    const value = valueAt(child, row);
    if (value !== undefined) setOwn(record, child.field.name, value);
  }
  return record;
}

/** Sets an own property, also one whose name would reach the prototype by plain assignment. */
export function setOwn(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') record[name] = value;
  else {
    Object.defineProperty(record, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

function fixedAt(column: FixedColumn, row: number): unknown {
  const value = column.values[row];
  switch (column.field.type.kind) {
    case 'bool':
      return value !== 0;
    case 'null':
      return null;
    case 'date':
      return new Date(value * MS_PER_DAY);
    case 'timestamp':
      return new Date(value);
    default:
      return value;
  }
}

function int64At(column: Int64Column, row: number): unknown {
  const { type } = column.field;
  const value = column.values[row];
  return type.kind === 'decimal' ? decimalText(value, type.scale) : value;
}

/** A text, bytes or `any` value that is not null. */
export function binaryAt(column: BinaryColumn, row: number): unknown {
  const { kind } = column.field.type;
  if (kind === 'utf8' || kind === 'decimal') return textAt(column, row);
  const entry = column.codes[row];
  const start = column.offsets[entry];
  const end = column.offsets[entry + 1];
  if (kind === 'any') return deserializeAny(column.bytes, start, end);
  const copy = new Uint8Array(end - start);
  copy.set(column.bytes.subarray(start, end));
  return copy;
}

function nestedAt(column: NestedColumn, row: number): unknown {
  const { type } = column.field;
  const start = column.offsets[row];
  const end = column.offsets[row + 1];
  if (type.kind === 'list') {
    const items: unknown[] = [];
    for (let item = start; item < end; item++) items.push(valueAt(column.children[0], item));
    return items;
  }
  if (type.kind === 'map') {
    const entries = new Map<unknown, unknown>();
    for (let item = start; item < end; item++) {
      entries.set(valueAt(column.children[0], item), valueAt(column.children[1], item));
    }
    return entries;
  }
  return unreachable(type as never, 'type of a nested column');
}
