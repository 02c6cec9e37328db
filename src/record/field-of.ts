/**
 * A field of a record that is at hand as a JavaScript value, whatever the shape of its kind of records. Callers: joins.
 * Runs on: any thread; pure.
 */
import { isPlainObject } from './any-value.js';
import { VALUE_FIELD } from './schema.js';

/** The field of that name: a property, an element of a tuple, or `value` for a record that is one value. */
export function fieldOf(record: unknown, name: string): unknown {
  if (isPlainObject(record)) return record[name];
  if (Array.isArray(record)) return record[Number(name)];
  return name === VALUE_FIELD ? record : undefined;
}
