/**
 * A value column of a table as the state handles use it: numbers, booleans, bigints and text of a declared type
 * outside of the heap, anything else on it. Callers: the `*-state.ts` handles. Runs on: worker. Invariant: what is
 * written comes back equal; a value of another type than declared is refused, never converted.
 */
import { compileFunction } from 'node:vm';
import { MillraceError } from '../base/errors.js';
import type { DataType } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import { encodeTextInto } from '../record/text.js';
import type { StateTable, ValueForm } from './contract.js';
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';

/** Reads and writes one column. */
export interface StateColumn {
  readonly form: ValueForm;
  read(table: StateTable, entry: number): unknown;
  write(table: StateTable, entry: number, value: unknown): void;
}

/** Column `index` of a table for values of a type, or of any type. */
export function stateColumn(state: string, type: DataType | undefined, index: number): StateColumn {
  const name = `c${index}`;
  const refuse = (value: unknown): never => {
    throw new MillraceError(
      'VALUE_UNSUPPORTED',
      `State ${JSON.stringify(state)} of type ${type === undefined ? 'any' : typeName(type)} ` +
        `is given ${describe(value)}.`,
      { advice: 'Give values of the declared type, or declare the state without a type.' },
    );
  };
  switch (type?.kind) {
    case 'number':
    case 'float64':
      return fixedColumn(name, 'f64', (value) =>
        typeof value === 'number' ? value : refuse(value),
      );
    case 'int64':
      return fixedColumn(name, 'i64', (value) =>
        typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : refuse(value),
      );
    case 'bool':
      return booleanColumn(name, refuse);
    case 'utf8':
      return textColumn(index, refuse);
    default:
      return heapColumn(index, refuse);
  }
}

function fixedColumn(
  name: string,
  form: 'f64' | 'i64',
  check: (value: unknown) => number | bigint,
): StateColumn {
  return { form, ...accessCode(name, '$', check) };
}

function booleanColumn(name: string, refuse: (value: unknown) => never): StateColumn {
  const check = (value: unknown): number => {
    if (typeof value !== 'boolean') refuse(value);
    return value === true ? 1 : 0;
  };
  return { form: 'u8', ...accessCode(name, '$ === 1', check) };
}

/** Compiled for each column, so that the array it names stays one property to V8; `$` is the place of the entry. */
function accessCode(
  name: string,
  read: string,
  check: (value: unknown) => unknown,
): Pick<StateColumn, 'read' | 'write'> {
  const place = `table.pages[entry >>> ${PAGE_SHIFT}].${name}[entry & ${PAGE_MASK}]`;
  const code = `'use strict';
return {
  read: (table, entry) => ${read.replace('$', () => place)},
  write: (table, entry, value) => { ${place} = check(value); },
};`;
  const make = compileFunction(code, ['check'], {
    filename: `millrace:state-column/${name}.js`,
  }) as (check: unknown) => Pick<StateColumn, 'read' | 'write'>;
  return make(check);
}

/** Where texts are encoded before they are copied into a table; grows to the longest. */
let scratch = new Uint8Array(256);

function textColumn(index: number, refuse: (value: unknown) => never): StateColumn {
  return {
    form: 'utf8',
    read: (table, entry) => table.getText(entry, index),
    write: (table, entry, value) => {
      if (typeof value !== 'string') return refuse(value);
      if (value.length * 3 > scratch.length) scratch = new Uint8Array(value.length * 6);
      table.setText(entry, index, scratch, 0, encodeTextInto(value, scratch, 0));
    },
  };
}

function heapColumn(index: number, refuse: (value: unknown) => never): StateColumn {
  return {
    form: 'js',
    read: (table, entry) => table.getValue(entry, index),
    write: (table, entry, value) => {
      if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
      table.setValue(entry, index, value);
    },
  };
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a ${typeof value}`;
}
