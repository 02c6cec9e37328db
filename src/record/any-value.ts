/**
 * Values that no typed column carries: `any` columns hold them as `v8.serialize` writes them.
 * Callers: appenders, row codec, inference. Runs on: worker. Invariant: what was accepted comes
 * back equal, so functions, symbols and class instances, which serialization would refuse or strip
 * of their class, are refused by name here.
 */
import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { MillraceError } from '../base/errors.js';

/** True for objects without a class of their own, also from another realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && !types.isModuleNamespaceObject(value);
}

/** The value as bytes; `path` names the field in the error. */
export function serializeAny(value: unknown, path: string): Uint8Array {
  checkAny(value, path, null);
  try {
    return serialize(value);
  } catch (cause) {
    throw unsupported(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/**
 * The value that these bytes are. Works on a copy: typed arrays inside would otherwise view the
 * source.
 */
export function deserializeAny(bytes: Uint8Array, start: number, end: number): unknown {
  const copy = bytes.slice(start, end);
  try {
    return deserialize(copy);
  } catch (cause) {
    throw new MillraceError('FRAME_CORRUPT', 'A serialized value of a frame cannot be read.', {
      cause,
    });
  }
}

/** Objects on the way down, so that cycles (which serialization keeps) end the walk. */
interface Trail {
  readonly value: object;
  readonly above: Trail | null;
}

/**
 * Throws `VALUE_UNSUPPORTED` when the value, or something inside it, would not come back as it is.
 */
export function checkAny(value: unknown, path: string, trail: Trail | null): void {
  if (typeof value === 'function') throw unsupported(path, 'It is a function.');
  if (typeof value === 'symbol') throw unsupported(path, 'It is a symbol.');
  if (typeof value !== 'object' || value === null || isCloneable(value)) return;
  for (let above = trail; above !== null; above = above.above) {
    if (above.value === value) return;
  }
  const here = { value, above: trail };
  if (Array.isArray(value)) {
    value.forEach((item, index) => checkAny(item, `${path}[${index}]`, here));
  } else if (types.isMap(value)) {
    for (const [key, item] of value) {
      checkAny(key, `${path}.<key>`, here);
      checkAny(item, `${path}.<value>`, here);
    }
  } else if (types.isSet(value)) {
    for (const item of value) checkAny(item, `${path}.<item>`, here);
  } else if (isPlainObject(value)) {
    for (const [key, item] of Object.entries(value)) checkAny(item, `${path}.${key}`, here);
  } else {
    throw unsupported(path, `It is an instance of ${className(value)}.`);
  }
}

/** Objects with a class that serialization knows and that hold no further values. */
function isCloneable(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isBoxedPrimitive(value) ||
    (types.isAnyArrayBuffer(value) && !types.isSharedArrayBuffer(value)) ||
    ArrayBuffer.isView(value)
  );
}

function className(value: object): string {
  const constructor: unknown = Reflect.get(value, 'constructor');
  return typeof constructor === 'function' && constructor.name !== ''
    ? constructor.name
    : 'a class without a name';
}

function unsupported(path: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'VALUE_UNSUPPORTED',
    `The value of field "${path}" cannot be carried by a record. ${reason}`,
    {
      cause,
      where: { field: path },
      advice:
        'Turn it into plain data (objects, arrays, Maps, numbers, text, dates) in a map() first.',
    },
  );
}
