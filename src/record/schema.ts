/**
 * Schemas: what the records of a stream look like. Plain frozen data, so that they print, compare, hash and
 * cross threads. Callers: every folder above `record`. Runs on: any thread; pure.
 */

/** Types that need no parameters. */
export type SimpleKind =
  | 'number'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'bool'
  | 'utf8'
  | 'bytes'
  | 'date'
  | 'timestamp'
  | 'null'
  | 'any';

/**
 * The type of a value. As JavaScript values: `number int8..uint32 float32 float64` are numbers, `int64` is a
 * bigint, `bytes` a Uint8Array, `date` (UTC midnight) and `timestamp` (milliseconds) are `Date`, `decimal` is
 * canonical text such as `'-12.50'`, `list` an array, `struct` a plain object, `map` a `Map`, and `any` is
 * whatever structured clone can carry. `null` is the type of a place in which no value but null was seen so far:
 * inference gives it, and the first value that comes along widens it to the type of that value.
 */
export type DataType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly item: Slot }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: Slot };

/** A typed place for a value. */
export interface Slot {
  readonly type: DataType;
  /** Whether the value may be `null`. */
  readonly nullable: boolean;
}

/** A named slot of a record. */
export interface Field extends Slot {
  readonly name: string;
  /** Whether the property may be missing altogether; `undefined` counts as missing. */
  readonly optional: boolean;
}

/**
 * What the records of a stream are. `object`: plain objects with the fields as properties, in this order.
 * `tuple`: arrays; the fields are named '0', '1', … `value`: the record itself; one field named 'value'.
 */
export interface Schema {
  readonly shape: 'object' | 'tuple' | 'value';
  readonly fields: readonly Field[];
}

/** Physical form of a column in memory: the typed array (or pair of arrays) that holds its values. */
export type ColumnForm =
  | 'f64' // Float64Array: number, float64, timestamp (ms since the epoch)
  | 'f32' // Float32Array: float32
  | 'i32' // Int32Array: int8, int16, int32, uint8, uint16, date (days since the epoch)
  | 'u32' // Uint32Array: uint32
  | 'u8' // Uint8Array: bool (0 or 1), null (0)
  | 'i64' // BigInt64Array: int64, decimal up to 18 digits (unscaled)
  | 'utf8' // dictionary codes + byte offsets + one UTF-8 block: utf8, decimal beyond 18 digits
  | 'bytes' // the same without text: bytes, any (as written by v8.serialize)
  | 'list'
  | 'struct'
  | 'map';

/** The physical form of a type. */
export function formOf(type: DataType): ColumnForm {
  switch (type.kind) {
    case 'number':
    case 'float64':
    case 'timestamp':
      return 'f64';
    case 'float32':
      return 'f32';
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'date':
      return 'i32';
    case 'uint32':
      return 'u32';
    case 'bool':
    case 'null':
      return 'u8';
    case 'int64':
      return 'i64';
    case 'decimal':
      return type.precision <= 18 ? 'i64' : 'utf8';
    case 'utf8':
      return 'utf8';
    case 'bytes':
    case 'any':
      return 'bytes';
    default:
      return type.kind;
  }
}

/** The name of the only field of a `value` schema. */
export const VALUE_FIELD = 'value';

/** Index of a field by name, or -1. */
export function fieldIndex(schema: Schema, name: string): number {
  return schema.fields.findIndex((field) => field.name === name);
}

/** A type as people write it: `decimal(10,2)`, `list<utf8?>`, `struct<a: number>`. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'list':
      return `list<${slotName(type.item)}>`;
    case 'map':
      return `map<${typeName(type.key)}, ${slotName(type.value)}>`;
    case 'struct':
      return `struct<${type.fields.map(fieldName).join(', ')}>`;
    default:
      return type.kind;
  }
}

function slotName(slot: Slot): string {
  return typeName(slot.type) + (slot.nullable ? '?' : '');
}

function fieldName(field: Field): string {
  return `${field.name}${field.optional ? '?' : ''}: ${slotName(field)}`;
}

/** A schema as people write it: `{ user: utf8, price: number? }`. */
export function schemaName(schema: Schema): string {
  const fields = schema.fields.map(fieldName).join(', ');
  if (schema.shape === 'value') return schema.fields.map(slotName).join('');
  return schema.shape === 'tuple' ? `[${fields}]` : `{ ${fields} }`;
}
