/**
 * Says why a value does not fit a declared field: of objects, which field within is at fault. Callers: the NDJSON row
 * reader, for rows that are bad. Runs on: worker. Invariant: nothing stays written.
 */
import { StructAppender } from '../../record/appenders.js';
import type { Appender } from '../../record/batch-builder.js';
import { typeName } from '../../record/schema.js';
import { fromJson, isObject, parseJson } from './json-value.js';

/** What is wrong, and with which field, named with those around it. */
export interface Misfit {
  readonly problem: string;
  readonly field: string;
}

const SHOWN_MAX = 40;

/** Why `bytes[start, end)`, a missing value when `start` is negative, is no value of a column. */
export function misfitOf(
  column: Appender,
  row: number,
  bytes: Buffer,
  start: number,
  end: number,
): Misfit {
  const { name } = column.field;
  if (start < 0) return missing(name);
  const value = parseJson(bytes, start, end);
  return (
    misfitWithin(column, row, value, name) ?? misfit(column, name, bytes.utf8Slice(start, end))
  );
}

/** The first field of an object that takes no value of it; null when the value is none. */
function misfitWithin(column: Appender, row: number, value: unknown, path: string): Misfit | null {
  if (!(column instanceof StructAppender) || !isObject(value)) return null;
  for (const child of column.children) {
    const { field } = child;
    const item = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
    const within = `${path}.${field.name}`;
    if (item === undefined && !field.optional) return missing(within);
    const converted = item === undefined ? undefined : fromJson(item, field.type);
    const isUnknown = item !== undefined && converted === undefined;
    const fits = !isUnknown && child.appendValue(row, converted);
    child.truncate(row);
    if (fits) continue;
    return misfitWithin(child, row, item, within) ?? misfit(child, within, JSON.stringify(item));
  }
  const names = new Set(column.children.map((child) => child.field.name));
  const other = column.isPart ? undefined : Object.keys(value).find((name) => !names.has(name));
  if (other === undefined) return null;
  const field = `${path}.${other}`;
  return { problem: `The field "${field}" is not in the schema.`, field };
}

function missing(field: string): Misfit {
  return { problem: `The field "${field}" is missing, but the schema requires it.`, field };
}

function misfit({ field }: Appender, path: string, text: string): Misfit {
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  const problem = `The value ${shown} of "${path}" does not fit ${typeName(field.type)}.`;
  return { problem, field: path };
}
