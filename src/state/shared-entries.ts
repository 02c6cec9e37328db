/**
 * One table for all that an operator keeps of a key in one place each: values of states, the first timers. A record
 * then costs one look-up, however many of them it touches, and they lie side by side. Callers: `keyed-state.ts`, timers
 * of operators. Runs on: worker. Invariant: an entry exists as long as one of its parts has a value, which the bits
 * of its last column say; to snapshots each part is a table of its own, so what shares an entry may change.
 */
import { compileFunction } from 'node:vm';
import { assert } from '../base/assert.js';
import type { DataType } from '../record/schema.js';
import type { Projection, StateTable, TableSpec, ValueForm } from './contract.js';
import { PAGE_MASK, PAGE_SHIFT } from './contract.js';
import { type CurrentKey, UNKNOWN_ENTRY } from './key-context.js';
import type { EvolvingColumn } from './migrated-entries.js';
import { columnOfState, type StateColumn } from './state-column.js';
import { flatLength } from './table-key.js';
import { columnCode, keyForm } from './table-shape.js';
import type { SnapshotScope, StateWriter } from './state-writer.js';
import { loadTable, type StateSource, TableWriter } from './table-snapshot.js';

/** Name of the table. */
const TABLE = 'values';
/** Bits of the column that says which parts there are. */
const PARTS_MAX = 31;

/** What a part of an entry is. */
export interface PartSpec {
  /** Unique within the operator. */
  readonly name: string;
  readonly column: StateColumn;
  /** The state whose values it holds; null, or omitted, where these are the engine's. */
  readonly evolving?: EvolvingColumn | null;
  /** Whether ids of entries that have it are kept, so that they stay in memory. */
  readonly isPinned?: boolean;
}

/** What is shared, and by whom. */
export interface SharedEntriesOptions {
  readonly uid: string;
  readonly context: CurrentKey;
  readonly openTable: (spec: TableSpec) => StateTable;
}

/** The parts of the entries of an operator. */
export class SharedEntries {
  readonly #options: SharedEntriesOptions;
  readonly #parts: SharedPart[] = [];
  #pinnedBits = 0;
  #table: StateTable | null = null;
  #source: StateSource | null = null;

  constructor(options: SharedEntriesOptions) {
    this.#options = options;
  }

  /** One more part; null when the entries have been laid out already, or have as many as they can have. */
  part(spec: PartSpec): SharedPart | null {
    if (this.#table !== null || this.#parts.length === PARTS_MAX) return null;
    const part = new SharedPart(spec, this.#parts.length, () => this.open());
    if (spec.isPinned === true) this.#pinnedBits |= 1 << this.#parts.length;
    this.#parts.push(part);
    return part;
  }

  /** Lays the entries out, once the types of the keys are known; parts that are declared later go elsewhere. */
  open(): void {
    const { context, openTable } = this.#options;
    const { types } = context;
    if (this.#table !== null || this.#parts.length === 0) return;
    if (types === null) return context.refuse();
    const columns: { readonly name: string; readonly form: ValueForm }[] = this.#parts.map(
      ({ name, column }) => ({ name, form: column.form }),
    );
    columns.push({ name: 'parts', form: 'i32' });
    const table = openTable({
      name: TABLE,
      keys: types,
      columns,
      ttlMs: null,
      isPacked: true,
      isEvictable: true,
      pinnedBits: this.#pinnedBits,
    });
    this.#table = table;
    for (const part of this.#parts) part.bind(table, context, types);
    if (this.#source !== null) this.#load(table, this.#source);
  }

  /** The table of all parts; null before it is laid out. */
  get table(): StateTable | null {
    return this.#table;
  }

  /** Fills the entries, also when they are laid out later. */
  restore(source: StateSource): void {
    this.#source = source;
    if (this.#table !== null) this.#load(this.#table, source);
  }

  #load(table: StateTable, source: StateSource): void {
    // A table that holds the first pieces already has entries of any of its parts.
    const isBegun = table.entries > 0;
    for (const part of this.#parts) {
      const pieces = source.get(this.#options.uid, part.spec.name);
      const count = loadTable(table, pieces, part.projection, part.evolving);
      if (isBegun || count > 0) part.isUsed = true;
    }
    this.#options.context.forget();
  }

  /** Freezes the entries, to be written with each part as a table of its own; null when there are none. */
  beginSnapshot(scope: SnapshotScope): StateWriter | null {
    const { uid, context } = this.#options;
    // An entry that was at hand may not be written any more before it is kept as it is now.
    context.forget();
    if (this.#table === null) return null;
    const parts = this.#parts.map(({ projection, isUsed }) => ({ ...projection, isUsed }));
    return new TableWriter(uid, this.#table, scope, parts);
  }

  /** Frees everything. */
  close(): void {
    this.#options.context.forget();
    this.#table?.clear();
  }
}

/** Look-ups of the current key's entry by one part. */
interface PartCode {
  find(): number;
  upsert(): number;
  value(): unknown;
  update(value: unknown): void;
  holds(value: number): boolean;
  has(entry: number): boolean;
  clearPart(entry: number): void;
  enter(entry: number): void;
}

/** One part of each entry, used as a table of its own. */
export class SharedPart {
  readonly name: string;
  readonly column: StateColumn;
  readonly evolving: EvolvingColumn | null;
  /** Whether the last `upsert` was the first one of this part. */
  created = false;
  /** Whether any entry has had this part. */
  isUsed = false;
  /** Entry of the current key, or -1 when it has no such part. */
  find: PartCode['find'];
  /** The same: what shares an entry lives for ever, so reading is not noted. */
  read: PartCode['find'];
  /** The same, with the part made when missing. */
  upsert: PartCode['upsert'];
  /** The value of the current key in this part, or undefined. */
  value: PartCode['value'];
  /** Sets it. Throws VALUE_UNSUPPORTED for what may not be written. */
  update: PartCode['update'];
  /**
   * Whether the current key has this number in this part; false where that would take a look-up. What functions ask
   * with every record is one function of generated code, because V8 puts only so much of what they call into them.
   */
  holds: PartCode['holds'];
  /** Whether an entry, which may be one that is gone, has this part. */
  has: PartCode['has'];
  /** Makes the key of an entry the current one. */
  enter: PartCode['enter'];
  /** Takes the part out of an entry, and the entry away with its last part. */
  remove: PartCode['clearPart'];
  readonly #index: number;
  #table: StateTable | null = null;
  #spec: TableSpec | null = null;

  constructor({ name, column, evolving = null }: PartSpec, index: number, open: () => void) {
    this.name = name;
    this.column = column;
    this.evolving = evolving;
    this.#index = index;
    this.find = () => {
      open();
      return this.find();
    };
    this.read = this.find;
    this.upsert = () => {
      open();
      return this.upsert();
    };
    this.value = () => {
      open();
      return this.value();
    };
    this.update = (value) => {
      open();
      this.update(value);
    };
    this.holds = () => false;
    this.has = () => false;
    this.enter = () => {};
    this.remove = this.enter;
  }

  get isBound(): boolean {
    return this.#table !== null;
  }

  /** The table of all parts. */
  get table(): StateTable {
    assert(this.#table !== null, 'A table with entries has been opened.');
    return this.#table;
  }

  /** The part as a table of its own, as snapshots have it. */
  get spec(): TableSpec {
    assert(this.#spec !== null, 'A table with entries has been opened.');
    return this.#spec;
  }

  /** The part as a group of columns of the table of all parts. */
  get projection(): Projection {
    return { spec: this.spec, columns: [this.#index], bit: 1 << this.#index };
  }

  /** Takes the table. */
  bind(table: StateTable, context: CurrentKey, keys: readonly DataType[]): void {
    const { column } = this;
    const columns = [this.evolving?.column ?? columnOfState(column, undefined)];
    this.#spec = { name: this.name, keys, columns, ttlMs: null };
    this.#table = table;
    column.place(table.spec, this.#index);
    const code = compilePart({ part: this, index: this.#index, table, key: context });
    this.find = code.find;
    this.read = code.find;
    this.upsert = code.upsert;
    this.value = code.value;
    this.update = code.update;
    this.holds = code.holds;
    this.has = code.has;
    this.enter = code.enter;
    this.remove = code.clearPart;
  }
}

/** What the code of a part is bound to. */
interface PartConstants {
  readonly part: SharedPart;
  readonly index: number;
  readonly table: StateTable;
  readonly key: CurrentKey;
}

/**
 * Compiled for each part, so that what it calls stays one function to V8. The key remembers its entry: `isOwn` says
 * that it was upserted, so that it may be written.
 */
function compilePart({ part, index, table, key }: PartConstants): PartCode {
  const { spec } = table;
  const args = Array.from({ length: flatLength(spec.keys) }, (_, at) => `flat[${at}]`);
  const parts = columnCode(spec, spec.columns.length - 1, 'page', 'o');
  const bit = 1 << index;
  const place = columnCode(spec, index, 'page', 'o');
  const { column } = part;
  const { fixed } = column;
  const at = `const page = pages[entry >>> ${PAGE_SHIFT}], o = entry & ${PAGE_MASK};`;
  const lookup = (name: string): string =>
    `table.${name}(key.keyGroup, key.hash, ${args.join(', ')})`;
  const fixedUpdate = `const value = kept(given);
  const entry = key.isOwn ? key.entry : own();
  ${at}
  if ((${parts} & ${bit}) === 0) {
    ${parts} |= ${bit};
    part.isUsed = true;
  }
  ${place} = value;`;
  const code = `'use strict';
const { part, table, key, column, kept, nothing } = constants;
const { flat } = key, { pages } = table;
function look() {
  if (!key.isSet) key.refuse();
  return (key.entry = ${lookup('find')});
}
function own() {
  if (!key.isSet) key.refuse();
  key.entry = ${lookup('upsert')};
  key.isOwn = true;
  return key.entry;
}
function find() {
  const entry = key.entry === ${UNKNOWN_ENTRY} ? look() : key.entry;
  return entry >= 0 && has(entry) ? entry : -1;
}
function upsert() {
  const entry = key.isOwn ? key.entry : own();
  ${at}
  const isNew = (${parts} & ${bit}) === 0;
  part.created = isNew;
  if (isNew) {
    ${parts} |= ${bit};
    part.isUsed = true;
  }
  return entry;
}
function value() {
  const entry = key.entry === ${UNKNOWN_ENTRY} ? look() : key.entry;
  if (entry < 0) return undefined;
  ${at}
  if ((${parts} & ${bit}) === 0) return undefined;
  return ${fixed === null ? 'column.read(table, entry)' : `${place}${fixed.test}`};
}
function update(given) {
  ${fixed === null ? 'column.write(table, upsert(), given);' : fixedUpdate}
}
function holds(number) {
  if (${fixed === null} || !key.isOwn) return false;
  const entry = key.entry;
  ${at}
  return (${parts} & ${bit}) !== 0 && ${place} === number;
}
function has(entry) {
  ${at}
  return (${parts} & ${bit}) !== 0;
}
function clearPart(entry) {
  table.touch(entry);
  ${at}
  ${clearingCode(spec, index)}
  ${parts} &= ${~bit};
  if (${parts} !== 0) return;
  table.remove(entry);
  key.forget();
}
${enterCode(spec.keys, spec.name)}
return { find, upsert, value, update, holds, has, clearPart, enter };`;
  const make = compileFunction(code, ['constants'], {
    filename: `millrace:shared-entries/${part.name}.js`,
  }) as (constants: unknown) => PartCode;
  const kept = fixed?.kept ?? null;
  return make({ part, table, key, column, kept, nothing: new Uint8Array(0) });
}

function clearingCode(spec: TableSpec, index: number): string {
  switch (spec.columns[index].form) {
    case 'utf8':
      return `table.setText(entry, ${index}, nothing, 0, 0);`;
    case 'js':
      return `table.setValue(entry, ${index}, undefined);`;
    case 'i64':
      return `${columnCode(spec, index, 'page', 'o')} = 0n;`;
    default:
      return `${columnCode(spec, index, 'page', 'o')} = 0;`;
  }
}

/** What is kept of a key that is no text are its arguments; others are unpacked. */
function enterCode(types: readonly DataType[], table: string): string {
  const isFixed = types.every((type) => keyForm(type, table) !== 'text');
  const values = types.map((_, index) => `flat[${index}] = page.k${index}[o];`);
  const set = isFixed
    ? `const page = pages[entry >>> ${PAGE_SHIFT}], o = entry & ${PAGE_MASK};
  ${values.join('\n  ')}
  key.enter(table.hashOf(entry), table.keyGroupOf(entry));`
    : 'key.set(table.keyOf(entry));';
  return `function enter(entry) {
  ${set}
  key.entry = entry;
}`;
}
