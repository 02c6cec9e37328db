/**
 * Values of `js` columns: their estimated size, and copies that later changes in place do not reach. Callers:
 * hot-table.ts, frozen-generation.ts, generated copies. Runs on: worker. Invariant: an estimate looks at a bounded
 * number of parts, so that measuring a large value costs no more than measuring a middling one.
 */
import { deserialize, serialize } from 'node:v8';

/** Rough sizes of V8's objects with pointer compression off. */
const OBJECT_BYTES = 40;
const SLOT_BYTES = 16;
const TEXT_BYTES = 24;
const NUMBER_BYTES = 16;
/** Elements of a collection that are looked at; the rest counts as their mean. */
const SAMPLE_MAX = 8;
/** Levels that are looked into. */
const DEPTH_MAX = 4;

/** Bytes that a value takes on the JavaScript heap, about. */
export function heapValueBytes(value: unknown, depth = 0): number {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return 0;
    case 'number':
      return Number.isInteger(value) && value === (value | 0) ? 0 : NUMBER_BYTES;
    case 'string':
      return TEXT_BYTES + value.length;
    case 'bigint':
      return NUMBER_BYTES + 8;
    case 'object':
      return value === null ? 0 : objectBytes(value, depth);
    default:
      return OBJECT_BYTES;
  }
}

function objectBytes(value: object, depth: number): number {
  if (ArrayBuffer.isView(value)) return OBJECT_BYTES * 3 + value.byteLength;
  if (value instanceof ArrayBuffer) return OBJECT_BYTES * 2 + value.byteLength;
  if (depth >= DEPTH_MAX) return OBJECT_BYTES;
  if (Array.isArray(value)) return collectionBytes(value, value.length, 8, depth);
  if (value instanceof Set) return collectionBytes(value, value.size, 2 * SLOT_BYTES, depth);
  if (value instanceof Map) return collectionBytes(mapParts(value), value.size, 40, depth);
  let bytes = OBJECT_BYTES;
  let parts = 0;
  for (const name in value) {
    if (parts++ >= 4 * SAMPLE_MAX) break;
    bytes += SLOT_BYTES + heapValueBytes(Reflect.get(value, name), depth + 1);
  }
  return bytes;
}

function* mapParts(map: ReadonlyMap<unknown, unknown>): Generator<unknown> {
  for (const pair of map) yield pair;
}

/** Looks at the first few elements and takes them for typical. */
function collectionBytes(
  elements: Iterable<unknown>,
  count: number,
  slotBytes: number,
  depth: number,
): number {
  let sampled = 0;
  let bytes = 0;
  for (const element of elements) {
    if (sampled === SAMPLE_MAX) break;
    sampled++;
    bytes += heapValueBytes(element, depth + 1);
  }
  const mean = sampled === 0 ? 0 : bytes / sampled;
  return Math.ceil(OBJECT_BYTES * 2 + count * (slotBytes + mean));
}

/** A value as it was when it was frozen, in bytes that nobody can change. */
export class FrozenHeapValue {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** Objects that a value may consist of to be copied one by one, which costs a tenth of turning it into bytes. */
const COPIED_MAX = 16;
/** Elements of an array that is copied so. */
const ELEMENTS_MAX = 64;
/** The objects met so far. */
const met: object[] = [];

/**
 * The value for keeping, out of reach of user functions, which may change objects in place: small plain ones as a copy,
 * others as bytes.
 */
export function freezeHeapValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  met.length = 0;
  const copy = copyPlain(value);
  met.length = 0;
  return copy === NOT_PLAIN ? new FrozenHeapValue(serialize(value)) : copy;
}

const NOT_PLAIN = Symbol('not plain');

/** A copy of plain data; NOT_PLAIN for large values, those of classes, and those that hold an object twice. */
function copyPlain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return NOT_PLAIN;
  if (typeof value !== 'object' || value === null) return value;
  if (met.length === COPIED_MAX || met.includes(value)) return NOT_PLAIN;
  met.push(value);
  switch (Object.getPrototypeOf(value)) {
    case Array.prototype:
      return copyArray(value as readonly unknown[]);
    case Date.prototype:
      return new Date(value as Date);
    case Object.prototype:
      return copyObject(value as Readonly<Record<string, unknown>>);
    default:
      return NOT_PLAIN;
  }
}

function copyArray(value: readonly unknown[]): unknown {
  if (value.length > ELEMENTS_MAX) return NOT_PLAIN;
  const copy: unknown[] = [];
  for (let at = 0; at < value.length; at++) {
    const part = copyPlain(value[at]);
    // A place that was never filled is no undefined.
    if (part === NOT_PLAIN || (part === undefined && !(at in value))) return NOT_PLAIN;
    copy.push(part);
  }
  return Object.keys(value).length === value.length ? copy : NOT_PLAIN;
}

function copyObject(value: Readonly<Record<string, unknown>>): unknown {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const part = copyPlain(value[name]);
    if (part === NOT_PLAIN || name === '__proto__') return NOT_PLAIN;
    copy[name] = part;
  }
  return copy;
}

/** The value that was frozen. */
export function thawHeapValue(value: unknown): unknown {
  return value instanceof FrozenHeapValue ? deserialize(value.bytes) : value;
}

/** Bytes that a frozen value holds on its own. */
export function frozenBytes(value: unknown): number {
  return value instanceof FrozenHeapValue ? value.bytes.length : heapValueBytes(value);
}
