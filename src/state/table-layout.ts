/**
 * What makes the entries of one table readable as those of another: key types, and names and forms of the columns.
 * A column of the form `none` has never held a value and takes any form later; a key of type `null` never made an
 * entry. Callers: table-snapshot.ts, keyed operators whose records turn out to need more. Runs on: any thread; pure.
 */
import { typeName } from '../record/schema.js';
import type { StateTable, TableEntry, TableSpec, ValueForm } from './contract.js';

/** The part of a layout that entries depend on, as plain data. */
export interface TableLayout {
  /** Names of the key types. */
  readonly keys: readonly string[];
  readonly columns: TableSpec['columns'];
}

/** Entries that are moved together. */
const MOVED_ENTRIES = 4096;

/** What a column holds in an entry that never wrote it. */
const ZEROS: Readonly<Record<ValueForm, unknown>> = {
  f64: 0,
  i32: 0,
  u8: 0,
  i64: 0n,
  utf8: '',
  js: undefined,
  rows: [],
  none: undefined,
};

/** The layout of a table. */
export function layoutOf({ keys, columns }: TableSpec): TableLayout {
  return { keys: keys.map(typeName), columns };
}

/** A layout as people read it, which also tells whether two are the same. */
export function layoutText({ keys, columns }: TableLayout): string {
  const forms = columns.map(({ name, form }) => `${name}: ${form}`);
  return `keys (${keys.join(', ')}) with (${forms.join(', ')})`;
}

/** The specification whose table takes the entries of both; null when their types contradict each other. */
export function mergeSpecs(a: TableSpec, b: TableSpec): TableSpec | null {
  if (a.keys.length !== b.keys.length || a.columns.length !== b.columns.length) return null;
  const keys = a.keys.map((key, index) => {
    const other = b.keys[index];
    if (other.kind === 'null' || typeName(key) === typeName(other)) return key;
    return key.kind === 'null' ? other : null;
  });
  const columns = a.columns.map((column, index) => {
    const other = b.columns[index];
    if (column.name !== other.name) return null;
    if (other.form === 'none' || column.form === other.form) return column;
    return column.form === 'none' ? other : null;
  });
  const isWhole = keys.every((key) => key !== null) && columns.every((column) => column !== null);
  return isWhole ? { ...a, keys, columns } : null;
}

/** Whether a table takes entries that were written under a layout. */
export function takesLayout({ keys, columns }: TableLayout, spec: TableSpec): boolean {
  return (
    keys.length === spec.keys.length &&
    columns.length === spec.columns.length &&
    keys.every((key, index) => key === 'null' || key === typeName(spec.keys[index])) &&
    columns.every(({ name, form }, index) => {
      const own = spec.columns[index];
      return name === own.name && (form === 'none' || form === own.form);
    })
  );
}

/** Values written under the columns of a layout as a table of the specification holds them. */
export function valuesFor(
  values: readonly unknown[],
  written: TableLayout['columns'],
  columns: TableLayout['columns'],
): readonly unknown[] {
  return values.map((value, index) =>
    written[index].form === 'none' ? ZEROS[columns[index].form] : value,
  );
}

/** Moves all entries of a table into an empty one that takes its layout. They count as changed. */
export function moveEntries(from: StateTable, to: StateTable): void {
  const { columns } = from.spec;
  to.nowMs = from.nowMs;
  to.stampMs = from.stampMs;
  // Earlier snapshots may hold removed entries, so the next one has to say that they are gone.
  from.eachRemoved((removed) => to.loadRemoved(removed));
  from.freeze(false, true);
  const load = (entry: TableEntry): void => {
    const { values } = entry;
    if (values === null) return;
    to.load({ ...entry, values: valuesFor(values, columns, to.spec.columns) });
  };
  while (!from.drain(MOVED_ENTRIES, true, load));
  for (let at = 0; at >= 0; to.makeRoom?.()) {
    at = to.scan(at, Number.MAX_SAFE_INTEGER, (entry) => to.touch(entry));
  }
  from.clear();
}
