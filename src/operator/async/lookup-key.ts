/**
 * Keys of look-ups: what is looked up for a record, and what tells equal keys. Callers: `lookup.ts`. Runs on: the
 * slot's thread; pure. Invariant: different keys have different ids, so that nobody is given the rows of another key.
 */
import { MillraceError } from '../../base/errors.js';
import { isPlainObject } from '../../record/any-value.js';
import { setOwn } from '../../record/column-value.js';
import { fieldOf } from '../../record/field-of.js';
import { scalarKeyText } from '../../state/map-key.js';
import type { LookupFunctions } from './async-function.js';
import type { LookupId } from './lookup-cache.js';

/** Texts that begin with it stand for keys that are no plain text. */
const MARK = '\0';

/** Gives the key of a record; null or undefined when it has none, so that nothing is looked up. */
export type ReadKey = (record: unknown) => unknown;

/** What gives the key of a record. */
export function keyReader(key: LookupFunctions['key']): ReadKey {
  if (typeof key === 'function') return key as ReadKey;
  if (typeof key === 'string') return (record) => fieldOf(record, key);
  return function readFields(record) {
    const fields: Record<string, unknown> = {};
    for (const name of key) {
      const value = fieldOf(record, name);
      // Null is equal to nothing.
      if (value === null || value === undefined) return null;
      setOwn(fields, name, value);
    }
    return fields;
  };
}

/** What tells keys apart. */
export function lookupId(key: unknown): LookupId {
  switch (typeof key) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return key;
    case 'string':
      return key.startsWith(MARK) ? `${MARK}${textOf(key)}` : key;
    default:
      return `${MARK}${textOf(key)}`;
  }
}

/** A key, or a part of one, as a text: a letter for its type, then its value. */
function textOf(key: unknown): string {
  const scalar = scalarKeyText(key);
  if (scalar !== null) return scalar;
  if (key === undefined) return 'u';
  if (key instanceof Uint8Array) return `b${Buffer.from(key).toString('hex')}`;
  if (Array.isArray(key)) return `a${JSON.stringify(key.map(textOf))}`;
  if (isPlainObject(key)) {
    const fields = Object.entries(key).map(([name, part]) => [name, textOf(part)]);
    return `o${JSON.stringify(fields)}`;
  }
  const what = typeof key === 'object' ? 'an object of a class' : `a ${typeof key}`;
  throw new MillraceError('KEY_UNSUPPORTED', `The key of a look-up holds ${what}.`, {
    advice:
      'Use text, numbers, bigints, booleans, dates, bytes, and arrays and plain objects of those.',
  });
}
