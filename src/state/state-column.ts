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
import type { StateTable, TableColumn, TableSpec, ValueForm } from './contract.js';
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import { columnCode } from './table-shape.js';

/** How one column is read and written. */
interface ColumnAccess {
  read(table: StateTable, entry: number): unknown;
  write(table: StateTable, entry: number, value: unknown): void;
  /** Throws VALUE_UNSUPPORTED for what may not be written. */
  check(value: unknown): void;
  /** Takes back what a snapshot holds of it. */
  load(table: StateTable, entry: number, stored: unknown): void;
}

/** How generated code reads and writes a column that is an array of fixed values. */
interface FixedValues {
  /** Code behind the place of a value that makes of it what was written. */
  readonly test: string;
  /** What is kept of a value. Throws VALUE_UNSUPPORTED for what may not be written. */
  readonly kept: (value: unknown) => number | bigint;
}

/** Reads and writes one column. */
export class StateColumn implements ColumnAccess {
  readonly form: ValueForm;
  /** Null where values are texts, or on the heap. */
  readonly fixed: FixedValues | null;
  read!: ColumnAccess['read'];
  write!: ColumnAccess['write'];
  check!: ColumnAccess['check'];
  load!: ColumnAccess['load'];
  readonly #access: (index: number, place: string) => ColumnAccess;

  constructor(
    form: ValueForm,
    access: (index: number, place: string) => ColumnAccess,
    fixed: FixedValues | null = null,
  ) {
    this.form = form;
    this.fixed = fixed;
    this.#access = access;
  }

  /** Says where the column is. */
  place(spec: TableSpec, index: number): this {
    const { read, write, check, load } = this.#access(index, columnCode(spec, index, 'page', 'o'));
    this.read = read;
    this.write = write;
    this.check = check;
    this.load = load;
    return this;
  }
}

/** What a table says of a column with the values of a state. */
export function columnOfState(column: StateColumn, type: DataType | undefined): TableColumn {
  const { form } = column;
  return type === undefined ? { name: 'value', form } : { name: 'value', form, type };
}

/** A column for values of a type, or of any type; it is the first one of a table of its own until it is placed. */
export function stateColumn(state: string, type: DataType | undefined): StateColumn {
  const refuse = (value: unknown): never => {
    throw new MillraceError(
      'VALUE_UNSUPPORTED',
      `State ${JSON.stringify(state)} of type ${type === undefined ? 'any' : typeName(type)} ` +
        `is given ${describe(value)}.`,
      { advice: 'Give values of the declared type, or declare the state without a type.' },
    );
  };
  const column = columnOf(type, refuse);
  const columns = [{ name: 'value', form: column.form }];
  return column.place({ name: state, keys: [], columns, ttlMs: null }, 0);
}

function columnOf(type: DataType | undefined, refuse: (value: unknown) => never): StateColumn {
  switch (type?.kind) {
    case 'number':
    case 'float64':
      return fixedColumn('f64', (value) => (typeof value === 'number' ? value : refuse(value)));
    case 'int64':
      return fixedColumn('i64', (value) =>
        typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : refuse(value),
      );
    case 'bool':
      return fixedColumn(
        'u8',
        (value) => (typeof value !== 'boolean' ? refuse(value) : value ? 1 : 0),
        ' === 1',
      );
    case 'utf8':
      return new StateColumn('utf8', (index) => textAccess(index, refuse));
    default:
      return new StateColumn('js', (index) => heapAccess(index, refuse));
  }
}

/** Compiled for each column, so that the array it names stays one property to V8. */
function fixedColumn(form: ValueForm, check: FixedValues['kept'], test = ''): StateColumn {
  const access = (_: number, place: string): ColumnAccess => {
    const at = `const page = table.pages[entry >>> ${PAGE_SHIFT}], o = entry & ${PAGE_MASK};`;
    const code = `'use strict';
return {
  read(table, entry) { ${at} return ${place}${test}; },
  write(table, entry, value) { ${at} ${place} = check(value); },
  check,
  load(table, entry, stored) { ${at} ${place} = stored; },
};`;
    const make = compileFunction(code, ['check'], {
      filename: `millrace:state-column/${form}.js`,
    }) as (check: unknown) => ColumnAccess;
    return make(check);
  };
  return new StateColumn(form, access, { test, kept: check });
}

/** Where texts are encoded before they are copied into a table; grows to the longest. */
let scratch = new Uint8Array(256);

function textAccess(index: number, refuse: (value: unknown) => never): ColumnAccess {
  const check = (value: unknown): string => (typeof value === 'string' ? value : refuse(value));
  const write: ColumnAccess['write'] = (table, entry, given) => {
    const value = check(given);
    if (value.length * 3 > scratch.length) scratch = new Uint8Array(value.length * 6);
    table.setText(entry, index, scratch, 0, encodeTextInto(value, scratch, 0));
  };
  return { read: (table, entry) => table.getText(entry, index), write, check, load: write };
}

function heapAccess(index: number, refuse: (value: unknown) => never): ColumnAccess {
  const load: ColumnAccess['load'] = (table, entry, value) => table.setValue(entry, index, value);
  const check: ColumnAccess['check'] = (value) => {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
  };
  return {
    read: (table, entry) => table.getValue(entry, index),
    write: (table, entry, value) => {
      check(value);
      table.setValue(entry, index, value);
    },
    check,
    load,
  };
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a ${typeof value}`;
}
