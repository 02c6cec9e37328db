/**
 * The lattice of schemas: the least schema that every record of two schemas fits. It adds fields
 * (optional where one side lacks them), makes nullable, widens `null` to anything, numbers to wider
 * numbers and the rest to `any`; it never narrows. Callers: registry, inference, unions, appenders. Runs on: any
 * thread; pure. Invariant: merging is idempotent, associative, and commutative but for the order of
 * fields.
 */
import type { DataType, Field, Schema, SimpleKind, Slot } from './schema.js';
import { VALUE_FIELD } from './schema.js';

const ANY: DataType = Object.freeze({ kind: 'any' });

/** The bottom of the lattice, the type of a place in which no value was seen. */
export const NOTHING: DataType = Object.freeze({ kind: 'null' });

/**
 * The number kinds that hold all values of a kind, narrowest first; their common first is the
 * merged kind.
 */
const WIDER: Partial<Record<DataType['kind'], readonly SimpleKind[]>> = {
  int8: ['int8', 'int16', 'int32', 'float64', 'number'],
  int16: ['int16', 'int32', 'float64', 'number'],
  int32: ['int32', 'float64', 'number'],
  uint8: ['uint8', 'uint16', 'int16', 'uint32', 'int32', 'float64', 'number'],
  uint16: ['uint16', 'uint32', 'int32', 'float64', 'number'],
  uint32: ['uint32', 'float64', 'number'],
  float32: ['float32', 'float64', 'number'],
  float64: ['float64', 'number'],
  number: ['number'],
  date: ['date', 'timestamp'],
  timestamp: ['timestamp'],
};

/**
 * The least schema that records of both fit. Fields of `a` come first. Gives `a` itself when it
 * suffices.
 */
export function mergeSchemas(a: Schema, b: Schema): Schema {
  if (a === b) return a;
  if (a.shape !== b.shape) return mergeShapes(a, b);
  const fields = mergeFields(a.fields, b.fields);
  if (fields === a.fields) return a;
  return Object.freeze({
    shape: a.shape,
    fields: a.shape === 'tuple' ? Object.freeze(fields.toSorted(byPosition)) : fields,
  });
}

/**
 * Whether every record of `narrow` is one of `wide` as well, so that `wide` need not change for it.
 */
export function fits(narrow: Schema, wide: Schema): boolean {
  return mergeSchemas(wide, narrow) === wide;
}

/** Whether a record type is the same, field order included. */
export function sameSchema(a: Schema, b: Schema): boolean {
  return a === b || (a.shape === b.shape && sameFields(a.fields, b.fields));
}

/** Whether two types are the same, field order included. */
export function sameType(a: DataType, b: DataType): boolean {
  if (a === b) return true;
  if (a.kind === 'decimal' && b.kind === 'decimal') {
    return a.precision === b.precision && a.scale === b.scale;
  }
  if (a.kind === 'list' && b.kind === 'list') return sameSlot(a.item, b.item);
  if (a.kind === 'struct' && b.kind === 'struct') return sameFields(a.fields, b.fields);
  if (a.kind === 'map' && b.kind === 'map') {
    return sameType(a.key, b.key) && sameSlot(a.value, b.value);
  }
  return a.kind === b.kind;
}

function sameSlot(a: Slot, b: Slot): boolean {
  return a.nullable === b.nullable && sameType(a.type, b.type);
}

function sameFields(a: readonly Field[], b: readonly Field[]): boolean {
  return (
    a.length === b.length &&
    a.every((field, index) => {
      const other = b[index];
      return (
        field.name === other.name && field.optional === other.optional && sameSlot(field, other)
      );
    })
  );
}

/** The least type that values of both fit. Gives `a` itself when it suffices. */
export function mergeTypes(a: DataType, b: DataType): DataType {
  if (a === b || b.kind === 'null') return a;
  if (a.kind === 'null') return b;
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = mergeFields(a.fields, b.fields);
    return fields === a.fields ? a : Object.freeze({ kind: 'struct', fields });
  }
  if (a.kind === 'list' && b.kind === 'list') {
    const item = mergeSlots(a.item, b.item);
    return item === a.item ? a : Object.freeze({ kind: 'list', item });
  }
  if (a.kind === 'map' && b.kind === 'map') return mergeMaps(a, b);
  if (a.kind === 'decimal' && b.kind === 'decimal' && a.scale === b.scale) {
    return a.precision >= b.precision ? a : b;
  }
  return mergeSimple(a, b);
}

function mergeSimple(a: DataType, b: DataType): DataType {
  if (sameType(a, b)) return a;
  const widerThanB = WIDER[b.kind];
  const kind = WIDER[a.kind]?.find((wider) => widerThanB?.includes(wider));
  if (kind === undefined) return a.kind === 'any' ? a : ANY;
  if (kind === a.kind) return a;
  return kind === b.kind ? b : Object.freeze({ kind });
}

function mergeMaps(
  a: DataType & { readonly kind: 'map' },
  b: DataType & { readonly kind: 'map' },
): DataType {
  const key = mergeTypes(a.key, b.key);
  const value = mergeSlots(a.value, b.value);
  if (key === a.key && value === a.value) return a;
  return Object.freeze({ kind: 'map', key, value });
}

/** The least slot that values of both fit. Gives `a` itself when it suffices. */
export function mergeSlots(a: Slot, b: Slot): Slot {
  const type = mergeTypes(a.type, b.type);
  const nullable = a.nullable || b.nullable;
  if (type === a.type && nullable === a.nullable) return a;
  return Object.freeze({ type, nullable });
}

function mergeFields(a: readonly Field[], b: readonly Field[]): readonly Field[] {
  const others = new Map(b.map((field) => [field.name, field]));
  const merged = a.map((field) => mergeField(field, others.get(field.name)));
  const known = new Set(a.map((field) => field.name));
  const added = b.filter((field) => !known.has(field.name)).map(asOptional);
  const same = added.length === 0 && merged.every((field, index) => field === a[index]);
  return same ? a : Object.freeze([...merged, ...added]);
}

function mergeField(field: Field, other: Field | undefined): Field {
  if (other === undefined) return asOptional(field);
  const slot = mergeSlots(field, other);
  const optional = field.optional || other.optional;
  if (slot === field && optional === field.optional) return field;
  return Object.freeze({ name: field.name, type: slot.type, nullable: slot.nullable, optional });
}

function asOptional(field: Field): Field {
  return field.optional ? field : Object.freeze({ ...field, optional: true });
}

function byPosition(a: Field, b: Field): number {
  return Number(a.name) - Number(b.name);
}

/** Records of several shapes: the top of the lattice, one `any` that holds whole records. */
function mergeShapes(a: Schema, b: Schema): Schema {
  const whole = [a, b].flatMap((schema) => (schema.shape === 'value' ? schema.fields : []));
  const field: Field = Object.freeze({
    name: VALUE_FIELD,
    type: ANY,
    nullable: whole.some((slot) => slot.nullable),
    optional: whole.some((slot) => slot.optional),
  });
  const top: Schema = Object.freeze({ shape: 'value', fields: Object.freeze([field]) });
  return sameSchema(a, top) ? a : top;
}
