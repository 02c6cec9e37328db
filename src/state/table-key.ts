/**
 * Keys of state tables as JavaScript values: their hash, and the flat arguments that `upsert` and `find` take.
 * Callers: hot-table.ts (restore), key-context.ts, tests. Runs on: worker; pure. Invariant: the hash of a tuple is
 * the one that generated loops compute: of one element its own, of several Java's `Arrays.hashCode`.
 */
import { MillraceError } from '../base/errors.js';
import { decimalText, decimalUnscaled } from '../record/decimal.js';
import { combineHash, hashValue, TUPLE_HASH_START } from '../record/key-hash.js';
import type { DataType } from '../record/schema.js';
import { formOf, typeName } from '../record/schema.js';
import { decodeText, encodeText, textKindOf } from '../record/text.js';
import type { KeyTuple } from './contract.js';

const MS_PER_DAY = 86_400_000;

/** The hash by which a table expects a key. */
export function tableKeyHash(types: readonly DataType[], key: KeyTuple): number {
  if (types.length === 1) return hashValue(key[0], types[0]);
  return types.reduce(
    (hash, type, index) => combineHash(hash, hashValue(key[index], type)),
    TUPLE_HASH_START,
  );
}

/** Appends the arguments of one key value to `target`. */
export function pushKeyArguments(target: unknown[], type: DataType, value: unknown): void {
  switch (type.kind) {
    case 'utf8':
      if (typeof value !== 'string') throw misfit(type, value);
      pushBytes(target, encodeText(value));
      return;
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw misfit(type, value);
      pushBytes(target, value);
      return;
    case 'decimal':
      pushDecimal(target, type, value);
      return;
    default:
      target.push(fixedArgument(type, value));
  }
}

/** How many arguments a key takes. */
export function flatLength(types: readonly DataType[]): number {
  let length = 0;
  for (const type of types) length += isBinary(type) ? 3 : 1;
  return length;
}

/** The key of such arguments, as JavaScript values that own their memory. */
export function keyOfArguments(types: readonly DataType[], flat: readonly unknown[]): KeyTuple {
  let at = 0;
  return types.map((type) => {
    if (!isBinary(type)) return fixedValue(type, flat[at++]);
    const [bytes, start, end] = flat.slice(at, at + 3) as [Uint8Array, number, number];
    at += 3;
    if (type.kind === 'bytes') return bytes.slice(start, end);
    return decodeText(bytes, start, end, textKindOf(bytes, start, end));
  });
}

function isBinary(type: DataType): boolean {
  const form = formOf(type);
  return form === 'utf8' || form === 'bytes';
}

function fixedValue(type: DataType, argument: unknown): unknown {
  switch (type.kind) {
    case 'date':
      return new Date((argument as number) * MS_PER_DAY);
    case 'timestamp':
      return new Date(argument as number);
    case 'bool':
      return argument === 1;
    case 'decimal':
      return decimalText(argument as bigint, type.scale);
    case 'number':
      // Keys that are equal are one key: -0 is 0.
      return (argument as number) + 0;
    default:
      return argument;
  }
}

function pushBytes(target: unknown[], bytes: Uint8Array): void {
  target.push(bytes, 0, bytes.length);
}

function pushDecimal(
  target: unknown[],
  type: DataType & { readonly kind: 'decimal' },
  value: unknown,
): void {
  if (typeof value !== 'string') throw misfit(type, value);
  if (type.precision > 18) {
    pushBytes(target, encodeText(value));
    return;
  }
  const unscaled = decimalUnscaled(value, type.precision, type.scale);
  if (unscaled === null) throw misfit(type, value);
  target.push(unscaled);
}

function fixedArgument(type: DataType, value: unknown): unknown {
  switch (type.kind) {
    case 'date':
      if (value instanceof Date) return Math.floor(value.getTime() / MS_PER_DAY);
      break;
    case 'timestamp':
      if (value instanceof Date) return value.getTime();
      break;
    case 'bool':
      if (typeof value === 'boolean') return value ? 1 : 0;
      break;
    case 'int64':
      if (typeof value === 'bigint') return value;
      break;
    default:
      if (typeof value === 'number') return value;
  }
  throw misfit(type, value);
}

function misfit(type: DataType, value: unknown): MillraceError {
  const what = value === null ? 'null' : value === undefined ? 'missing' : `a ${typeof value}`;
  return new MillraceError(
    'KEY_UNSUPPORTED',
    `A state key of type ${typeName(type)} is ${what} instead.`,
    { advice: 'Key by a value of the declared type that is neither null nor missing.' },
  );
}
