/**
 * Inference: the least schema that given records fit. Plain objects become objects with typed
 * fields, arrays become tuples, everything else the one field of a `value` schema; inside records
 * nested plain objects become structs, arrays lists, Maps maps, and what columns cannot carry
 * `any`. Callers: sources, chains with lambdas. Runs on: any thread; pure. Invariant: what is inferred
 * of records in parts and merged is what is inferred of all of them; a field in which only null was
 * seen, and the items of an empty list, have the type `null`, which any other type widens.
 */
import { types } from 'node:util';
import { checkAny, isPlainObject } from './any-value.js';
import type { DataType, Field, Schema, SimpleKind, Slot } from './schema.js';
import { VALUE_FIELD } from './schema.js';
import { mergeSchemas, mergeSlots, mergeTypes, NOTHING } from './schema-merge.js';

const ANY: DataType = Object.freeze({ kind: 'any' });
const NO_RECORDS: Schema = Object.freeze({ shape: 'object', fields: Object.freeze([]) });

/** One shared object per kind, so that merging compares identities. */
const SIMPLE: Readonly<
  Record<'number' | 'int64' | 'utf8' | 'bool' | 'timestamp' | 'bytes', DataType>
> = {
  number: simple('number'),
  int64: simple('int64'),
  utf8: simple('utf8'),
  bool: simple('bool'),
  timestamp: simple('timestamp'),
  bytes: simple('bytes'),
};

function simple(kind: SimpleKind): DataType {
  return Object.freeze({ kind });
}

/** Objects on the way down from a field of the record, to notice cycles. */
interface Trail {
  readonly value: object;
  readonly above: Trail | null;
  /** Shared by the whole trail. */
  readonly found: { cycle: boolean };
}

/**
 * The least schema that all records fit; an object without fields when there are none. Throws
 * `VALUE_UNSUPPORTED` with the field named for functions, symbols and class instances.
 */
export function inferSchema(records: Iterable<unknown>): Schema {
  let seen: Schema | null = null;
  for (const record of records) {
    const schema = recordSchema(record);
    seen = seen === null ? schema : mergeSchemas(seen, schema);
  }
  return seen === null ? NO_RECORDS : finishSchema(seen);
}

/** The slot that one value needs, for fields whose values are seen apart from their records. */
export function inferSlot(value: unknown, path: string): Slot {
  return finishSlot(slotOf(value, path, null));
}

function recordSchema(record: unknown): Schema {
  if (isPlainObject(record)) return { shape: 'object', fields: fieldsOf(record, '', null) };
  if (Array.isArray(record)) {
    const fields = record.map((value, index) => fieldOf(String(index), value, `[${index}]`, null));
    return { shape: 'tuple', fields: Array.from(fields, (field, index) => field ?? hole(index)) };
  }
  return { shape: 'value', fields: [fieldOf(VALUE_FIELD, record, VALUE_FIELD, null)] };
}

function fieldsOf(
  record: Readonly<Record<string, unknown>>,
  path: string,
  trail: Trail | null,
): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(record)) {
    // Undefined counts as missing: a field that never has a value is no field.
    if (value !== undefined) fields.push(fieldOf(name, value, path + name, trail));
  }
  return fields;
}

function fieldOf(name: string, value: unknown, path: string, trail: Trail | null): Field {
  if (value === undefined) return { name, type: NOTHING, nullable: false, optional: true };
  const { type, nullable } = slotOf(value, path, trail);
  return { name, type, nullable, optional: false };
}

/** An element that a tuple skips. */
function hole(index: number): Field {
  return { name: String(index), type: NOTHING, nullable: false, optional: true };
}

function slotOf(value: unknown, path: string, trail: Trail | null): Slot {
  if (value === null) return { type: NOTHING, nullable: true };
  return { type: typeOf(value, path, trail), nullable: false };
}

function typeOf(value: unknown, path: string, trail: Trail | null): DataType {
  switch (typeof value) {
    case 'number':
      return SIMPLE.number;
    case 'string':
      return SIMPLE.utf8;
    case 'boolean':
      return SIMPLE.bool;
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? SIMPLE.int64 : ANY;
    case 'object':
      return value === null ? NOTHING : objectType(value, path, trail);
    default:
      checkAny(value, path, null);
      return ANY;
  }
}

function objectType(value: object, path: string, trail: Trail | null): DataType {
  if (types.isDate(value)) return SIMPLE.timestamp;
  if (value instanceof Uint8Array) return SIMPLE.bytes;
  const isNested = Array.isArray(value) || types.isMap(value) || isPlainObject(value);
  const here = { value, above: trail, found: trail?.found ?? { cycle: false } };
  if (hasCycle(here)) here.found.cycle = true;
  if (!isNested || here.found.cycle) {
    checkAny(value, path, null);
    return ANY;
  }
  const type = nestedType(value, path, here);
  // Only as a whole does a value that contains itself come back as it is.
  return trail === null && here.found.cycle ? ANY : type;
}

function nestedType(value: object, path: string, trail: Trail): DataType {
  if (Array.isArray(value)) return listType(value, path, trail);
  if (types.isMap(value)) return mapType(value, path, trail);
  const record = value as Readonly<Record<string, unknown>>;
  return { kind: 'struct', fields: fieldsOf(record, `${path}.`, trail) };
}

/** Whether the newest object on the trail is also above itself. */
function hasCycle(trail: Trail): boolean {
  for (let above = trail.above; above !== null; above = above.above) {
    if (above.value === trail.value) return true;
  }
  return false;
}

function listType(list: readonly unknown[], path: string, trail: Trail): DataType {
  let item: Slot = { type: NOTHING, nullable: false };
  for (let index = 0; index < list.length; index++) {
    // Only `any` tells a skipped element from an undefined one.
    if (!(index in list)) {
      checkAny(list, path, null);
      return ANY;
    }
    item = mergeSlots(item, slotOf(list[index], `${path}[${index}]`, trail));
  }
  return { kind: 'list', item };
}

function mapType(map: ReadonlyMap<unknown, unknown>, path: string, trail: Trail): DataType {
  let key: DataType = NOTHING;
  let value: Slot = { type: NOTHING, nullable: false };
  for (const [entryKey, entryValue] of map) {
    if (entryKey === null) {
      checkAny(map, path, null);
      return ANY;
    }
    key = mergeTypes(key, typeOf(entryKey, `${path}.<key>`, trail));
    value = mergeSlots(value, slotOf(entryValue, `${path}.<value>`, trail));
  }
  return { kind: 'map', key, value };
}

function finishSchema(schema: Schema): Schema {
  return Object.freeze({ shape: schema.shape, fields: finishFields(schema.fields) });
}

function finishFields(fields: readonly Field[]): readonly Field[] {
  return Object.freeze(
    fields.map((field) => {
      const { name, optional } = field;
      return Object.freeze({ name, ...finishSlot(field), optional });
    }),
  );
}

function finishSlot(slot: Slot): Slot {
  return Object.freeze({ type: finishType(slot.type), nullable: slot.nullable });
}

function finishType(type: DataType): DataType {
  switch (type.kind) {
    case 'list':
      return Object.freeze({ kind: 'list', item: finishSlot(type.item) });
    case 'struct':
      return Object.freeze({ kind: 'struct', fields: finishFields(type.fields) });
    case 'map':
      return Object.freeze({
        kind: 'map',
        key: finishType(type.key),
        value: finishSlot(type.value),
      });
    default:
      return type;
  }
}
