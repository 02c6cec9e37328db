/**
 * Says what is wrong with a schema that a program was given, before something further on fails on it. Callers:
 * whatever takes a schema or a type from a user. Runs on: any thread; pure.
 */
import { nearestName } from '../base/nearest-name.js';
import type { SimpleKind } from './schema.js';

const SIMPLE: Readonly<Record<SimpleKind, true>> = {
  number: true,
  int8: true,
  int16: true,
  int32: true,
  uint8: true,
  uint16: true,
  uint32: true,
  int64: true,
  float32: true,
  float64: true,
  bool: true,
  utf8: true,
  bytes: true,
  date: true,
  timestamp: true,
  null: true,
  any: true,
};
const KINDS: readonly string[] = [...Object.keys(SIMPLE), 'decimal', 'list', 'struct', 'map'];
const SHAPES: readonly unknown[] = ['object', 'tuple', 'value'];

/** What keeps a value from being a schema, as the end of a sentence; null when it is one. */
export function schemaFault(value: unknown): string | null {
  const shape = memberOf(value, 'shape');
  if (!SHAPES.includes(shape)) return 'its shape is none of object, tuple and value';
  const fields = memberOf(value, 'fields');
  const fault = fieldsFault(fields, '');
  if (fault !== null || shape !== 'value' || memberOf(fields, 'length') === 1) return fault;
  return 'of shape "value" there is one field';
}

/** The same of the type of a field, which is named `path`. */
export function typeFault(type: unknown, path: string): string | null {
  const kind = memberOf(type, 'kind');
  if (typeof kind !== 'string') return `the type of "${path}" is no object with a kind`;
  switch (kind) {
    case 'decimal':
      return decimalFault(type, path);
    case 'list':
      return typeFault(memberOf(memberOf(type, 'item'), 'type'), `${path}[]`);
    case 'struct':
      return fieldsFault(memberOf(type, 'fields'), `${path}.`);
    case 'map':
      return (
        typeFault(memberOf(type, 'key'), `${path} key`) ??
        typeFault(memberOf(memberOf(type, 'value'), 'type'), `${path} value`)
      );
    default:
      return kindFault(kind, path);
  }
}

function kindFault(kind: string, path: string): string | null {
  if (KINDS.includes(kind)) return null;
  const nearest = nearestName(kind, KINDS);
  const hint =
    nearest === null ? `: types are ${KINDS.join(', ')}` : `; did you mean "${nearest}"?`;
  return `there is no type "${kind}", which "${path}" has${hint}`;
}

function decimalFault(type: unknown, path: string): string | null {
  const precision = memberOf(type, 'precision');
  const scale = memberOf(type, 'scale');
  if (isWhole(precision) && isWhole(scale) && precision >= 1 && scale <= precision) return null;
  return `"${path}" needs a precision of 1 or more and a scale from 0 to that`;
}

function fieldsFault(fields: unknown, prefix: string): string | null {
  if (!Array.isArray(fields)) return `${prefix === '' ? 'it' : prefix} has no list of fields`;
  const names = new Set<string>();
  for (const field of fields) {
    const name = memberOf(field, 'name');
    if (typeof name !== 'string') return 'a field has no name';
    if (names.has(name)) return `there are two fields "${prefix}${name}"`;
    names.add(name);
    const fault = typeFault(memberOf(field, 'type'), `${prefix}${name}`);
    if (fault !== null) return fault;
  }
  return null;
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
