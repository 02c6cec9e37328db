/**
 * Random schemas and records that fit them, for the property tests of `record`. Records are what a
 * reader must give back: missing properties are absent, integers and decimals are canonical.
 */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import type { DataType, Field, Schema, SimpleKind, Slot } from '../../src/record/schema.js';

/** A schema, and as many records of it. */
export interface Sample {
  readonly schema: Schema;
  readonly records: readonly unknown[];
}

const units = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

/** Texts of every kind: short, long, repeated, beyond the BMP, with lone surrogates. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', 'red', 'green', 'blue', 'ü', '€uro', '😀', '\ud83d', '\ude00'),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: units, maxLength: 20 }),
  fc.string({ minLength: 20, maxLength: 80 }),
);

const names = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'toString', 'constructor', 'a"b', '', '0') },
);

const SIMPLE_KINDS: readonly SimpleKind[] = [
  'number',
  'int8',
  'int16',
  'int32',
  'uint8',
  'uint16',
  'uint32',
  'int64',
  'float32',
  'float64',
  'bool',
  'utf8',
  'bytes',
  'date',
  'timestamp',
  'null',
  'any',
];

const keyTypes: fc.Arbitrary<DataType> = fc.constantFrom<DataType>(
  { kind: 'utf8' },
  { kind: 'number' },
  { kind: 'int64' },
  { kind: 'int32' },
);

/** Types, nested up to `depth` levels. */
export function types(depth: number): fc.Arbitrary<DataType> {
  const simple: fc.Arbitrary<DataType> = fc.oneof(
    fc.constantFrom(...SIMPLE_KINDS).map((kind): DataType => ({ kind })),
    fc
      .record({ precision: fc.integer({ min: 5, max: 30 }), scale: fc.integer({ min: 0, max: 5 }) })
      .map(({ precision, scale }): DataType => ({ kind: 'decimal', precision, scale })),
  );
  if (depth === 0) return simple;
  const slot = fc.record({ type: types(depth - 1), nullable: fc.boolean() }).map(withNull);
  return fc.oneof(
    { weight: 4, arbitrary: simple },
    { weight: 1, arbitrary: slot.map((item): DataType => ({ kind: 'list', item })) },
    {
      weight: 1,
      arbitrary: fields(depth - 1).map((parts): DataType => ({ kind: 'struct', fields: parts })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ key: keyTypes, value: slot })
        .map(({ key, value }): DataType => ({ kind: 'map', key, value })),
    },
  );
}

/** A place of the type null can hold nothing else. */
function withNull<S extends Slot>(slot: S): S {
  return slot.type.kind === 'null' ? { ...slot, nullable: true } : slot;
}

/** Fields with different names. */
export function fields(depth: number): fc.Arbitrary<Field[]> {
  return fc.uniqueArray(
    fc
      .record({
        name: names,
        type: types(depth),
        nullable: fc.boolean(),
        optional: fc.boolean(),
      })
      .map(withNull),
    { selector: (field) => field.name, maxLength: 5 },
  );
}

/** Schemas of all shapes. */
export const schemas: fc.Arbitrary<Schema> = fc.oneof(
  {
    weight: 4,
    arbitrary: fields(2).map((parts): Schema => ({ shape: 'object', fields: parts })),
  },
  {
    weight: 1,
    arbitrary: fields(1).map(
      (parts): Schema => ({
        shape: 'tuple',
        fields: parts.map((field, index) => ({ ...field, name: String(index) })),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ type: types(2), nullable: fc.boolean() })
      .map(withNull)
      .map(
        (slot): Schema => ({
          shape: 'value',
          fields: [{ name: 'value', ...slot, optional: false }],
        }),
      ),
  },
);

const integers: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint8: [0, 255],
  uint16: [0, 65535],
  uint32: [0, 4294967295],
  date: [-100_000_000, 100_000_000],
};

const anyValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).filter((value) => value !== null),
  fc.constantFrom<unknown>(/x/gi, 2n ** 90n, new Date(5), -0, Number.NaN),
  fc.array(fc.oneof(fc.integer(), fc.constant(undefined), texts)),
  fc.uniqueArray(fc.integer()).map((items) => new Set(items)),
);

/** Values of a type that are neither null nor undefined. */
export function values(type: DataType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'number':
    case 'float64':
      return fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 2 ** 53, Number.NaN));
    case 'float32':
      return fc.float();
    case 'bool':
      return fc.boolean();
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'utf8':
      return texts;
    case 'bytes':
      return fc.uint8Array({ maxLength: 70 });
    case 'timestamp':
      return fc.date({ noInvalidDate: false });
    case 'decimal':
      return decimals(type.precision, type.scale);
    case 'any':
      return anyValues;
    case 'null':
      return fc.constant(null);
    case 'list':
      return fc.array(slotValues(type.item), { maxLength: 4 });
    case 'struct':
      return recordsOf(type.fields);
    case 'map':
      return fc
        .array(fc.tuple(values(type.key), slotValues(type.value)), { maxLength: 4 })
        .map((entries) => new Map(entries));
    default: {
      const [min, max] = integers[type.kind] ?? [0, 0];
      const numbers = fc.integer({ min, max });
      return type.kind === 'date' ? numbers.map((days) => new Date(days * 86_400_000)) : numbers;
    }
  }
}

function slotValues(slot: Slot): fc.Arbitrary<unknown> {
  const some = values(slot.type);
  return slot.nullable ? fc.option(some) : some;
}

function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  const most = 10n ** BigInt(precision) - 1n;
  return fc.bigInt({ min: -most, max: most }).map((unscaled) => {
    const sign = unscaled < 0n ? '-' : '';
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
  });
}

const INVALID_DATE = Symbol('invalid date');
/** The mark of a property that is left out. */
const ABSENT = Symbol('absent');

function recordsOf(parts: readonly Field[]): fc.Arbitrary<unknown> {
  return fc.tuple(...parts.map(fieldValues)).map((items) => {
    const record = {};
    items.forEach((value, index) => {
      if (value === ABSENT) return;
      const shape = { value, enumerable: true, writable: true, configurable: true };
      Object.defineProperty(record, parts[index].name, shape);
    });
    return record;
  });
}

function fieldValues(field: Field): fc.Arbitrary<unknown> {
  const some = slotValues(field);
  return field.optional ? fc.oneof(some, fc.constant(ABSENT)) : some;
}

function tuplesOf(parts: readonly Field[]): fc.Arbitrary<unknown> {
  return fc.tuple(...parts.map(fieldValues)).map((items) => {
    const tuple = items.map((value) => (value === ABSENT ? undefined : value));
    while (tuple.length > 0 && items[tuple.length - 1] === ABSENT) tuple.pop();
    return tuple;
  });
}

/** Records of a schema. */
export function records(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.shape === 'object') return recordsOf(schema.fields);
  if (schema.shape === 'tuple') return tuplesOf(schema.fields);
  return slotValues(schema.fields[0]);
}

/**
 * A schema with records of it; sometimes few different ones many times, so that dictionaries arise.
 */
export const samples: fc.Arbitrary<Sample> = schemas.chain((schema) =>
  fc
    .record({
      some: fc.array(records(schema), { maxLength: 12 }),
      times: fc.constantFrom(1, 1, 1, 12),
    })
    .map(({ some, times }) => ({
      schema,
      records: Array.from({ length: times }, () => some).flat(),
    })),
);

/**
 * Compares records exactly. Vitest's own comparison stumbles over properties named "constructor", and
 * Node's takes no invalid date to equal another, so those are replaced by a mark on both sides.
 */
export function expectSame(actual: unknown, expected: unknown): void {
  deepStrictEqual(comparable(actual), comparable(expected));
}

function comparable(value: unknown): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? INVALID_DATE : value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copy.length = value.length;
    // Skipped elements stay skipped.
    for (const index of value.keys()) if (index in value) copy[index] = comparable(value[index]);
    return copy;
  }
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [key, comparable(item)]));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy = {};
  for (const [name, item] of Object.entries(value)) {
    const shape = { value: comparable(item), enumerable: true, writable: true, configurable: true };
    Object.defineProperty(copy, name, shape);
  }
  return copy;
}
