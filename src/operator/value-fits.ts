/**
 * Whether a JavaScript value fits a type, and the least widening of a schema for a record that does not fit.
 * Callers: generated code for nested values, and the chain task when a function returned something new. Runs on:
 * worker. Invariant: what fits can be appended to a column of the type without loss.
 */
import { types } from 'node:util';
import { isPlainObject } from '../record/any-value.js';
import { decimalUnscaled } from '../record/decimal.js';
import { inferSchema, inferSlot } from '../record/infer.js';
import type { DataType, Field, Schema, Slot } from '../record/schema.js';
import { mergeSchemas, mergeSlots } from '../record/schema-merge.js';

const MS_PER_DAY = 86_400_000;

/** Least and greatest value of the integer kinds. */
export const INTEGER_RANGES: Readonly<
  Partial<Record<DataType['kind'], readonly [number, number]>>
> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
};

/** Whether a value (null included, undefined not) fits a slot. */
export function fitsSlot(value: unknown, slot: Slot): boolean {
  return value === null ? slot.nullable : value !== undefined && fitsType(value, slot.type);
}

/** Whether a value that is neither null nor undefined fits a type. */
export function fitsType(value: unknown, type: DataType): boolean {
  switch (type.kind) {
    case 'any':
      return true;
    case 'null':
      return false;
    case 'number':
    case 'float64':
      return typeof value === 'number';
    case 'float32':
      return (
        typeof value === 'number' &&
        (!Number.isFinite(value) || Number.isFinite(Math.fround(value)))
      );
    case 'bool':
      return typeof value === 'boolean';
    case 'utf8':
      return typeof value === 'string';
    case 'int64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'timestamp':
      return types.isDate(value);
    case 'date':
      return types.isDate(value) && Number.isInteger(value.getTime() / MS_PER_DAY);
    case 'decimal':
      return (
        typeof value === 'string' && decimalUnscaled(value, type.precision, type.scale) !== null
      );
    case 'list':
      return Array.isArray(value) && fitsItems(value, type.item);
    case 'map':
      return types.isMap(value) && fitsEntries(value, type.key, type.value);
    case 'struct':
      return isPlainObject(value) && fitsFields(value, type.fields);
    default: {
      const range = INTEGER_RANGES[type.kind];
      return (
        range !== undefined &&
        typeof value === 'number' &&
        Number.isInteger(value) &&
        value >= range[0] &&
        value <= range[1]
      );
    }
  }
}

function fitsItems(items: readonly unknown[], slot: Slot): boolean {
  for (let index = 0; index < items.length; index++) {
    if (!fitsSlot(items[index], slot)) return false;
  }
  return true;
}

function fitsEntries(entries: ReadonlyMap<unknown, unknown>, key: DataType, slot: Slot): boolean {
  for (const [entryKey, value] of entries) {
    if (entryKey === null || entryKey === undefined || !fitsType(entryKey, key)) return false;
    if (!fitsSlot(value, slot)) return false;
  }
  return true;
}

function fitsFields(record: Readonly<Record<string, unknown>>, fields: readonly Field[]): boolean {
  for (const field of fields) {
    const value = record[field.name];
    if (value === undefined ? !field.optional : !fitsSlot(value, field)) return false;
  }
  return hasOnly(record, new Set(fields.map((field) => field.name)));
}

/** Whether an object has no properties with a value but these. */
export function hasOnly(
  record: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): boolean {
  for (const name of Object.keys(record)) {
    if (!names.has(name) && record[name] !== undefined) return false;
  }
  return true;
}

/** Number of properties of a plain object. */
export function countProperties(record: object): number {
  let count = 0;
  for (const _ in record) count++;
  return count;
}

/**
 * The least schema that both the records of `schema` and `record` fit. Unlike merging with what inference says
 * of the one record, a value that fits the type of its field leaves it alone, such as a whole number in an int32.
 */
export function widenFor(schema: Schema, record: unknown): Schema {
  const parts = partsOf(schema, record);
  if (parts === null) return mergeSchemas(schema, inferSchema([record]));
  const rest = new Map(parts);
  const fields = schema.fields.map((field): Field => {
    const value = rest.get(field.name);
    rest.delete(field.name);
    return widenField(field, value);
  });
  for (const [name, value] of rest) {
    if (value !== undefined) fields.push({ name, ...inferSlot(value, name), optional: true });
  }
  return mergeSchemas(schema, { shape: schema.shape, fields });
}

/** The fields of a record of the schema's shape; null when it has another shape. */
function partsOf(schema: Schema, record: unknown): readonly [string, unknown][] | null {
  if (schema.shape === 'value') return [[schema.fields[0].name, record]];
  if (schema.shape === 'object') return isPlainObject(record) ? Object.entries(record) : null;
  if (!Array.isArray(record)) return null;
  return record.map((value: unknown, index): [string, unknown] => [String(index), value]);
}

function widenField(field: Field, value: unknown): Field {
  if (value === undefined) return { ...field, optional: true };
  if (value === null) return { ...field, nullable: true };
  if (fitsType(value, field.type)) return field;
  return { ...field, ...mergeSlots(field, inferSlot(value, field.name)) };
}
