/**
 * The fingerprint of a plan: equal in every thread that rebuilt the same job from the same module
 * and parameters, different when an operator, an option, a parameter or the source of a function
 * differs. Values that functions capture are beyond it. Callers: `plan.ts`. Runs on: any thread;
 * pure.
 */
import { TextDigest } from '../base/text-digest.js';
import { functionSource } from '../operator/lambda-fields.js';
import type { UserFunction } from '../operator/operator-spec.js';
import { isPlainObject } from './plain-object.js';

/** Properties that say where an operator was written, which bundling changes. */
const PLACES: ReadonlySet<string> = new Set(['createdAt']);

/** The fingerprint of any nest of plain data and functions. */
export function fingerprint(value: unknown): string {
  const hash = new TextDigest();
  feed(value, (text) => hash.update(text), []);
  return hash.hex();
}

/** Writes a value as text in which different values differ; `path` holds the objects around it. */
function feed(value: unknown, write: (text: string) => void, path: readonly object[]): void {
  if (isFunction(value)) {
    write(`function ${JSON.stringify(functionSource(value))}`);
    return;
  }
  if (typeof value !== 'object' || value === null) {
    write(scalarText(value));
    return;
  }
  const depth = path.indexOf(value);
  if (depth >= 0) {
    write(`up ${path.length - depth};`);
    return;
  }
  const inner = [...path, value];
  if (Array.isArray(value) || value instanceof Set) {
    write('[');
    for (const item of value) feed(item, write, inner);
    write(']');
  } else if (value instanceof Map) {
    write('map ');
    feed([...value], write, inner);
  } else if (value instanceof Date) {
    write(`date ${value.getTime()};`);
  } else if (ArrayBuffer.isView(value)) {
    write(
      `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')};`,
    );
  } else {
    feedObject(value, write, inner);
  }
}

function feedObject(value: object, write: (text: string) => void, path: readonly object[]): void {
  write('{');
  for (const [name, member] of membersOf(value)) {
    if (member === undefined || PLACES.has(name)) continue;
    write(`${JSON.stringify(name)}:`);
    feed(member, write, path);
  }
  write('}');
}

/**
 * Members sorted by name; an instance, such as a user's aggregator, counts with the methods of its
 * class.
 */
function membersOf(value: object): (readonly [string, unknown])[] {
  const own = Object.entries(value);
  if (isPlainObject(value)) return own.sort(byName);
  const names = new Set<string>();
  let proto: object | null = Object.getPrototypeOf(value);
  while (proto !== null && proto !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(proto)) names.add(name);
    proto = Object.getPrototypeOf(proto);
  }
  names.delete('constructor');
  const inherited = [...names].map((name) => [name, Reflect.get(value, name)] as const);
  const methods = inherited.filter(([, member]) => typeof member === 'function');
  return [...methods, ...own].sort(byName);
}

function byName(left: readonly [string, unknown], right: readonly [string, unknown]): number {
  return left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0;
}

function isFunction(value: unknown): value is UserFunction {
  return typeof value === 'function';
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return `${JSON.stringify(value)};`;
  if (Object.is(value, -0)) return 'number -0;';
  return `${typeof value} ${String(value)};`;
}
