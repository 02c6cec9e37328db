/**
 * Code that finds the entry of a row's key in a state table. Callers: the fragments of keyed operators. Runs on:
 * worker, when a chain is compiled. Invariant: the key group of an entry is that of its key, so that state moves
 * with the keys; state without a key, and of partial aggregations, belongs to the first group of the subtask.
 */
import { combineHash, TUPLE_HASH_START } from '../record/key-hash.js';
import { keyGroupOf } from '../record/key-group.js';
import { formOf, type Field } from '../record/schema.js';
import {
  PAGE_MASK,
  PAGE_SHIFT,
  type StateTable,
  type TableSpec,
  type ValueForm,
} from '../state/contract.js';
import { columnCode } from '../state/table-shape.js';
import type { Cell } from './aggregate-accumulator.js';
import { unknownField } from './aggregate-fields.js';
import type { ChainCode } from './chain-code.js';
import type { ChainRun } from './chain-run.js';
import { CHAIN_INPUT } from './chain-tree.js';
import type { FieldValue, FlowRow } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import {
  binaryParts,
  hashCode,
  KeyText,
  keyArguments,
  textKeyCode,
  tupleHashCode,
} from './key-code.js';
import {
  hashAnyBytes,
  hashWords,
  LITTLE_ENDIAN,
  SHORT_TEXT_BYTES_MAX,
  SHORT_TEXT_MASKS,
} from '../record/short-text.js';

/** An entry in generated code: locals of its id, page and offset there. */
export interface EntryCode {
  readonly table: string;
  readonly entry: string;
  readonly page: string;
  readonly at: string;
  /** Code of a fixed column of the table. */
  column(index: number): string;
  /** A local that is true when the entry was just created; only of entries found by `findEntry`. */
  isNew(): string;
}

/** The key of an entry in generated code, for looking it up in a second table. */
export interface KeyCode {
  readonly values: readonly FieldValue[];
  /** How many columns it has, with the window. */
  readonly size: number;
  /** Code of the hash. */
  readonly hash: string;
  readonly group: string;
  readonly args: readonly string[];
}

/** What is looked up, and where. */
export interface Lookup {
  /** Index of the operator. */
  readonly index: number;
  readonly table: StateTable;
  readonly values: readonly FieldValue[];
  /** Whether all entries belong to the first key group of the subtask. */
  readonly isLocal: boolean;
  /** Code that is true, for all rows of a batch, when none is looked up; false when omitted. */
  readonly unless?: string;
  /** The window or pane that is one more key of the table. */
  readonly pane?: PaneCode;
}

/** A window or pane in generated code. */
export interface PaneCode {
  /** The local that holds it: a `Pane`. */
  readonly pane: string;
  readonly start: string;
  /** Whether these are locals of the whole function, which hold the pane of the row before between two rows. */
  readonly isKept: boolean;
}

/** The values of a row's key, and code that refuses null. */
export function keyValues(
  code: ChainCode,
  index: number,
  names: readonly string[],
  row: FlowRow,
  place: CodeBlock,
): readonly FieldValue[] {
  const { unit, run } = code;
  const errors = unit.constant(run.errors, 'errors');
  return names.map((name) => {
    const value = row.field(name);
    if (value === null) {
      const { spec } = run.tree.operators[index];
      throw unknownField(spec.name, name, row.schema ?? { shape: 'object', fields: [] });
    }
    if (value.isNull !== 'false') {
      place.line(
        `if (${value.isNull}) throw ${errors}.nullKey(${index}, ${JSON.stringify(name)});`,
      );
    }
    return value;
  });
}

/** Code that hashes a key whose values are not null. */
export function keyCode(
  code: ChainCode,
  values: readonly FieldValue[],
  isLocal: boolean,
  place: CodeBlock,
): KeyCode {
  const { unit, run } = code;
  const first = String(run.firstKeyGroup);
  if (values.length === 0)
    return { values, size: 0, hash: String(TUPLE_HASH_START), group: first, args: [] };
  const hash = unit.fresh('hash');
  place.line(`const ${hash} = ${tupleHashCode(unit, values, place)};`);
  const args = values.flatMap((value) => keyArguments(unit, value, place));
  const size = values.length;
  if (isLocal) return { values, size, hash, group: first, args };
  const group = unit.fresh('keyGroup');
  const groupOf = unit.constant(keyGroupOf, 'keyGroupOf');
  place.line(`const ${group} = ${groupOf}(${hash}, ${run.options.maxParallelism});`);
  return { values, size, hash, group, args };
}

/** Code that finds or creates the entry of a key, and keeps what a second table needs of the key. */
export function findEntryAndKey(
  code: ChainCode,
  lookup: Lookup,
  place: CodeBlock,
): { readonly entry: EntryCode; readonly key: KeyCode } {
  const { unit } = code;
  const table = unit.constant(lookup.table, 'table');
  const { key, args } = argumentsCode(code, lookup, place);
  const entry = unit.fresh('entry');
  place.line(`const ${entry} = ${table}.upsert(${args.join(', ')});`);
  // The table remembers only its last answer, so it is asked at once, if it is asked at all.
  const asked = place.place();
  let isNew: string | null = null;
  const ask = (): string => {
    if (isNew === null) {
      isNew = unit.fresh('isNew');
      asked.line(`const ${isNew} = ${table}.created;`);
    }
    return isNew;
  };
  const found = { ...pageCode(code, lookup.table, entry, place), isNew: ask };
  return { entry: found, key: withPane(code, lookup, key, place) };
}

/** What a table is asked for an entry, and the key without its window. */
function argumentsCode(
  code: ChainCode,
  lookup: Lookup,
  place: CodeBlock,
): { readonly key: KeyCode; readonly args: readonly string[] } {
  const key = keyCode(code, lookup.values, lookup.isLocal, place);
  const { pane, table } = lookup;
  // A divided table is not told of the window by the hash.
  const isWhole = pane !== undefined && table.spec.isDivided === true;
  const { group, hash, args } = isWhole ? key : withPane(code, lookup, key, place);
  return { key, args: [group, hash, ...args, ...(isWhole ? [pane.start] : [])] };
}

/** The key with its window; the key group is that of the key alone. */
export function paneKeyCode(code: ChainCode, lookup: Lookup, place: CodeBlock): KeyCode {
  const key = keyCode(code, lookup.values, lookup.isLocal, place);
  return withPane(code, lookup, key, place);
}

function withPane(code: ChainCode, { pane }: Lookup, key: KeyCode, place: CodeBlock): KeyCode {
  if (pane === undefined) return key;
  const hash = code.unit.fresh('paneHash');
  place.line(`const ${hash} = ${longerHash(code, key, `${pane.pane}.hash`)};`);
  return { ...key, size: key.size + 1, hash, args: [...key.args, pane.start] };
}

/** Code of the hash of a key with one column more. */
function longerHash(code: ChainCode, { size, hash }: KeyCode, element: string): string {
  if (size === 0) return element;
  const combine = code.unit.constant(combineHash, 'combineHash');
  // One column hashes as itself, several as a tuple.
  const open = size === 1 ? `${combine}(${TUPLE_HASH_START}, ${hash})` : hash;
  return `${combine}(${open}, ${element})`;
}

/** Code that finds or creates the entry of a key. */
export function findEntry(code: ChainCode, lookup: Lookup, place: CodeBlock): EntryCode {
  const { unit } = code;
  const hasPane = lookup.pane !== undefined;
  if (hasPane && lookup.table.spec.isDivided !== true) {
    return findEntryAndKey(code, lookup, place).entry;
  }
  const isOneText = !hasPane && lookup.values.length === 1 && lookup.table.upsertShort !== null;
  const known = entryAhead(code, lookup) ?? (hasPane ? null : entryMemory(code, lookup));
  if (known === null && !isOneText && !hasPane) {
    return findEntryAndKey(code, lookup, place).entry;
  }
  const table = unit.constant(lookup.table, 'table');
  const entry = unit.fresh('entry');
  const isNew = unit.fresh('isNew');
  place.line(`let ${entry} = ${known?.entry ?? '-1'};`);
  place.line(`let ${isNew} = false;`);
  const miss =
    known === null ? place : place.open(`if (${[`${entry} < 0`, ...known.changes].join(' || ')})`);
  if (isOneText) {
    upsertText(code, lookup, { entry, isNew }, miss);
  } else {
    const { args } = argumentsCode(code, lookup, miss);
    miss.line(`${entry} = ${table}.upsert(${args.join(', ')});`);
    miss.line(`${isNew} = ${table}.created;`);
  }
  known?.keep(entry, miss);
  return { ...pageCode(code, lookup.table, entry, place), isNew: () => isNew };
}

/** An entry that may be known before a row is looked up, in generated code. */
interface KnownEntry {
  /** The entry, negative where it is not known. */
  readonly entry: string;
  /** Conditions under which it is that of another key. */
  readonly changes: readonly string[];
  /** Writes what remembers an entry that had to be looked up. */
  keep(entry: string, place: CodeBlock): void;
}

/**
 * The entries of all rows that are there already are looked up before the loop over the rows, where the key is a number
 * in a column of the input: many look-ups in a small loop take a third of the time that they take one by one. Of
 * entries in windows, those of the window of the last row before.
 */
function entryAhead(code: ChainCode, lookup: Lookup): KnownEntry | null {
  const { index, table, values, unless = 'false', pane } = lookup;
  if (pane !== undefined && !(pane.isKept && table.spec.isDivided === true)) return null;
  const state = code.unit.constant(code.run.keyed[index], `keyed${index}`);
  const found = lookUpAhead(code, { index, table, values, owner: state });
  if (found === null) return null;
  const { entry, place } = found;
  if (pane === undefined) {
    const look = `${found.look()};`;
    place.line(unless === 'false' ? look : `if (!${unless}) ${look}`);
    return { entry, changes: [], keep: () => {} };
  }
  const start = code.unit.fresh('startAhead');
  place.line(`const ${start} = ${unless} ? NaN : ${pane.start};`);
  place.line(`if (${start} === ${start}) ${found.look(start)};`);
  return { entry, changes: [`${start} !== ${pane.start}`], keep: () => {} };
}

/** A look-up for all rows to come, before the loop over them. */
export interface AheadCode {
  /** Where it is written, and the expression that does it. */
  readonly place: CodeBlock;
  look(...division: readonly string[]): string;
  /** The entry of the row at hand, negative where it is not known, and the local of those of all rows. */
  readonly entry: string;
  readonly found: string;
  /** The positions of the first row and of the one behind the last. */
  readonly from: string;
  readonly to: string;
}

/** What is looked up ahead; the code `owner` has memory for it. */
interface LookupAhead extends Pick<Lookup, 'index' | 'table' | 'values'> {
  readonly owner: string;
}

/** The code that looks the keys of all rows up; null where they are not one number in a column of the input. */
export function lookUpAhead(
  { unit, run, ahead }: ChainCode,
  { index, table, values, owner }: LookupAhead,
): AheadCode | null {
  if (ahead === null || table.findWritten === null || values.length !== 1) return null;
  if (!isBehindInput(run.tree.operators, index)) return null;
  const [value] = values;
  const source = isPlainNumber(value) ? value.source : undefined;
  if (source === undefined || source.index === null) return null;
  const bound = unit.constant(table, 'table');
  const column = unit.hoist(`${source.column}.values`, 'keys');
  const found = unit.hoist(`${owner}.rowEntries(to)`, 'entryOfRow');
  const { place, position, selection } = ahead;
  const args = [column, selection ?? 'null', position, 'end', found];
  return {
    place,
    look: (...division) => `${bound}.findWritten(${[...args, ...division].join(', ')})`,
    entry: `${found}[${position}]`,
    found,
    from: position,
    to: 'end',
  };
}

/** Whether an operator is given the rows of the input as they come, all of them. */
function isBehindInput(operators: ChainRun['tree']['operators'], index: number): boolean {
  let at = operators[index].input;
  while (at !== CHAIN_INPUT && operators[at].spec.kind === 'assignTimestamps') {
    at = operators[at].input;
  }
  return at === CHAIN_INPUT;
}

function isPlainNumber(value: FieldValue): boolean {
  return NUMBER_FORMS.has(formOf(value.type));
}

const NUMBER_FORMS: ReadonlySet<string> = new Set(['f64', 'f32', 'i32', 'u32']);

/**
 * The entry of a key that is in a dictionary is looked up once, then remembered by its code. Of a key with numbers
 * beside it the last entry of each code is remembered: in what comes in the order of a time, such as the day that is
 * grouped by, most rows have the numbers of the last row of their code.
 */
function entryMemory({ unit, run }: ChainCode, { index, values }: Lookup): KnownEntry | null {
  const numbers = values.filter(isPlainNumber);
  const texts = values.filter((value) => value.binary !== null);
  const binary = texts.length === 1 ? texts[0].binary : null;
  if (binary === null || texts.length + numbers.length < values.length) return null;
  const { entry: word } = binaryParts(unit, binary);
  if (word === null) return null;
  const { column } = binary;
  const memory = unit.constant(run.keyed[index], `keyed${index}`);
  const table = unit.hoist(
    `${column}.isDictionary ? ${memory}.entryMemory(${column}) : null`,
    'entryOfCode',
  );
  const beside = numbers.map((value, position) => ({
    value: value.value,
    cell: `${unit.hoist(`${memory}.numberMemory(${position})`, 'numberOfCode')}[${word}]`,
  }));
  return {
    entry: `${table} === null ? -1 : ${table}[${word}]`,
    changes: beside.map(({ value, cell }) => `${cell} !== ${value}`),
    keep: (entry, place) => {
      const keep = place.open(`if (${table} !== null)`);
      keep.line(`${table}[${word}] = ${entry};`);
      for (const { value, cell } of beside) keep.line(`${cell} = ${value};`);
    },
  };
}

/**
 * Sets `entry` to that of a key of one text, and `isNew` where it is. A short one is loaded, hashed and compared as
 * words. Java's hash is needed where key groups count; the table of a partial aggregation has its own, which costs
 * less.
 */
function upsertText(
  code: ChainCode,
  lookup: Lookup,
  { entry, isNew }: { readonly entry: string; readonly isNew: string },
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const { isLocal } = lookup;
  const [value] = lookup.values;
  const table = unit.constant(lookup.table, 'table');
  const { bytes, start, end, view } = textKeyCode(unit, value, place);
  const hash = unit.fresh('hash');
  const group = isLocal ? String(run.firstKeyGroup) : unit.fresh('keyGroup');
  if (!isLocal) {
    const groupOf = unit.constant(keyGroupOf, 'keyGroupOf');
    place.line(`const ${hash} = ${hashCode(unit, value, place)};`);
    place.line(`const ${group} = ${groupOf}(${hash}, ${run.options.maxParallelism});`);
  }
  const anyHash = isLocal
    ? `${unit.constant(hashAnyBytes, 'hashAnyBytes')}(${bytes}, ${start}, ${end})`
    : hash;
  const upsert = (block: CodeBlock, call: string): void => {
    block.line(`${entry} = ${table}.${call};`);
    block.line(`${isNew} = ${table}.created;`);
  };
  const any = `upsert(${group}, ${anyHash}, ${bytes}, ${start}, ${end})`;
  if (view === null) {
    upsert(place, any);
    return;
  }
  const length = unit.fresh('length');
  place.line(`const ${length} = ${end} - ${start};`);
  const isShort = `${length} <= ${SHORT_TEXT_BYTES_MAX} && ${start} <= ${view.last}`;
  const short = place.open(`if (${isShort})`);
  const masks = unit.constant(SHORT_TEXT_MASKS, 'masks');
  const words = [0, 1, 2].map((index) => {
    const word = unit.fresh('word');
    const load = `${view.view}.getInt32(${start} + ${index * 4}, ${LITTLE_ENDIAN})`;
    short.line(`const ${word} = ${load} & ${masks}[${length} * 4 + ${index}];`);
    return word;
  });
  if (isLocal) {
    short.line(
      `const ${hash} = ${unit.constant(hashWords, 'hashWords')}(${words.join(', ')}, ${length});`,
    );
  }
  const key = [hash, length, ...words].join(', ');
  let missed = short;
  if (lookup.table.findShort !== null) {
    short.line(`${entry} = ${table}.findShort(${key});`);
    missed = short.open(`if (${entry} < 0)`);
  }
  upsert(missed, `upsertShort(${group}, ${key})`);
  upsert(place.open('else'), any);
}

/** Code of the page and offset of an entry. */
export function pageCode(
  code: ChainCode,
  table: StateTable,
  entry: string,
  place: CodeBlock,
): EntryCode {
  const { unit } = code;
  const bound = unit.constant(table, 'table');
  const pages = unit.hoist(`${bound}.pages`, 'pages');
  const page = unit.fresh('page');
  const at = unit.fresh('at');
  place.line(`const ${page} = ${pages}[${entry} >>> ${PAGE_SHIFT}];`);
  place.line(`const ${at} = ${entry} & ${PAGE_MASK};`);
  const column = (index: number): string => columnCode(table.spec, index, page, at);
  return { table: bound, entry, page, at, column, isNew: () => 'false' };
}

/**
 * Code that finds or creates the entry of a key and one value more, in the local that it gives; `created` of the
 * table then tells whether it is new.
 */
export function distinctCode(
  code: ChainCode,
  table: StateTable,
  key: KeyCode,
  value: FieldValue,
  place: CodeBlock,
): { readonly table: string; readonly entry: string } {
  const { unit } = code;
  const bound = unit.constant(table, 'distinct');
  const hash = longerHash(code, key, hashCode(unit, value, place));
  const args = [key.group, hash, ...key.args, ...keyArguments(unit, value, place)];
  const entry = unit.fresh('distinctEntry');
  place.line(`const ${entry} = ${bound}.upsert(${args.join(', ')});`);
  return { table: bound, entry };
}

/** The values of an entry's key, read from the table. */
export function entryKeyValues(
  code: ChainCode,
  keys: readonly Field[],
  { table, entry, page, at }: EntryCode,
  place: CodeBlock,
): readonly FieldValue[] {
  let tuple: string | null = null;
  return keys.map(({ type }, index): FieldValue => {
    const present = { type, nullable: false, isNull: 'false', binary: null };
    const form = formOf(type);
    if (form !== 'utf8' && form !== 'bytes') {
      const stored = `${page}.k${index}[${at}]`;
      return { ...present, value: form === 'u8' ? `(${stored} === 1)` : stored };
    }
    if (tuple === null) {
      tuple = code.unit.fresh('key');
      place.line(`const ${tuple} = ${table}.keyOf(${entry});`);
    }
    return { ...present, value: `${tuple}[${index}]`, object: `${tuple}[${index}]` };
  });
}

/** The accumulator columns of an entry, from column `first` on. */
export class TableCell implements Cell {
  readonly unit: ChainCode['unit'];
  readonly operator: number;
  readonly #code: ChainCode;
  readonly #entry: EntryCode;
  readonly #first: number;
  readonly #name: string;

  constructor(code: ChainCode, operator: number, entry: EntryCode, first: number, name: string) {
    this.unit = code.unit;
    this.operator = operator;
    this.#code = code;
    this.#entry = entry;
    this.#first = first;
    this.#name = name;
  }

  column(index: number): string {
    return this.#entry.column(this.#first + index);
  }

  read(index: number): string {
    const { table, entry } = this.#entry;
    return `${table}.getValue(${entry}, ${this.#first + index})`;
  }

  readText(index: number): string {
    const { table, entry } = this.#entry;
    return `${table}.getText(${entry}, ${this.#first + index})`;
  }

  write(index: number, value: string): string {
    const { table, entry } = this.#entry;
    return `${table}.setValue(${entry}, ${this.#first + index}, ${value})`;
  }

  writeText(index: number, value: FieldValue, place: CodeBlock): void {
    const { table, entry } = this.#entry;
    const target = `${table}.setText(${entry}, ${this.#first + index}`;
    if (value.binary !== null) {
      const { bytes, start, end } = binaryParts(this.unit, value.binary);
      place.line(`${target}, ${bytes}, ${start}, ${end});`);
      return;
    }
    const text = this.unit.constant(new KeyText(), 'text');
    const length = this.unit.fresh('textBytes');
    place.line(`const ${length} = ${text}.encode(${value.value});`);
    place.line(`${target}, ${text}.bytes, 0, ${length});`);
  }

  call(code: string, place: CodeBlock): string {
    this.#code.enter(this.operator, place);
    return code;
  }

  fail(reason: string): string {
    return failCode(this.#code, this, this.#name, reason);
  }
}

/** An accumulator in locals of a generated function: what is added up to be read once. */
export class LocalCell implements Cell {
  readonly unit: ChainCode['unit'];
  readonly operator: number;
  readonly #code: ChainCode;
  readonly #name: string;
  readonly #locals: readonly string[];

  /** Declares the locals in `place`, empty. */
  constructor(
    code: ChainCode,
    { operator, name }: { readonly operator: number; readonly name: string },
    columns: TableSpec['columns'],
    place: CodeBlock,
  ) {
    this.unit = code.unit;
    this.operator = operator;
    this.#code = code;
    this.#name = name;
    this.#locals = columns.map(({ form }) => {
      const local = code.unit.fresh('added');
      place.line(`let ${local} = ${EMPTY_VALUE[form]};`);
      return local;
    });
  }

  column(index: number): string {
    return this.#locals[index];
  }

  read(index: number): string {
    return this.#locals[index];
  }

  readText(index: number): string {
    return this.#locals[index];
  }

  write(index: number, value: string): string {
    return `${this.#locals[index]} = ${value}`;
  }

  writeText(index: number, value: FieldValue, place: CodeBlock): void {
    place.line(`${this.#locals[index]} = ${value.value};`);
  }

  call(code: string, place: CodeBlock): string {
    this.#code.enter(this.operator, place);
    return code;
  }

  fail(reason: string): string {
    return failCode(this.#code, this, this.#name, reason);
  }
}

/** What a column of a form holds before anything was added. */
export const EMPTY_VALUE: Readonly<Record<ValueForm, string>> = {
  f64: '0',
  i32: '0',
  u8: '0',
  i64: '0n',
  utf8: `''`,
  js: 'undefined',
  rows: '0',
  none: 'undefined',
};

function failCode(
  code: ChainCode,
  { unit, operator }: Pick<Cell, 'unit' | 'operator'>,
  name: string,
  reason: string,
): string {
  const errors = unit.constant(code.run.errors, 'errors');
  return `throw ${errors}.inexact(${operator}, ${JSON.stringify(name)}, ${JSON.stringify(reason)})`;
}
