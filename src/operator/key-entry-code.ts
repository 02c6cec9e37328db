/**
 * Code that finds the entry of a row's key in a state table. Callers: the fragments of keyed operators. Runs on:
 * worker, when a chain is compiled. Invariant: the key group of an entry is that of its key, so that state moves
 * with the keys; state without a key, and of partial aggregations, belongs to the first group of the subtask.
 */
import { TUPLE_HASH_START } from '../record/key-hash.js';
import { keyGroupOf } from '../record/key-group.js';
import { formOf, type Field } from '../record/schema.js';
import { PAGE_MASK, PAGE_SHIFT, type StateTable } from '../state/contract.js';
import type { Cell } from './aggregate-accumulator.js';
import { unknownField } from './aggregate-fields.js';
import type { ChainCode } from './chain-code.js';
import type { FieldValue, FlowRow } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import { binaryParts, KeyText, keyArguments, tupleHashCode } from './key-code.js';

/** An entry in generated code: locals of its id, page and offset there. */
export interface EntryCode {
  readonly table: string;
  readonly entry: string;
  readonly page: string;
  readonly at: string;
  /** A local that is true when the entry was just created; only of entries found by `findEntry`. */
  isNew(): string;
}

/** The key of an entry in generated code, for looking it up in a second table. */
export interface KeyCode {
  readonly values: readonly FieldValue[];
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
function keyCode(
  code: ChainCode,
  values: readonly FieldValue[],
  isLocal: boolean,
  place: CodeBlock,
): KeyCode & { readonly hash: string } {
  const { unit, run } = code;
  const first = String(run.firstKeyGroup);
  if (values.length === 0)
    return { values, hash: String(TUPLE_HASH_START), group: first, args: [] };
  const hash = unit.fresh('hash');
  place.line(`const ${hash} = ${tupleHashCode(unit, values, place)};`);
  const args = values.flatMap((value) => keyArguments(unit, value, place));
  if (isLocal) return { values, hash, group: first, args };
  const group = unit.fresh('keyGroup');
  const groupOf = unit.constant(keyGroupOf, 'keyGroupOf');
  place.line(`const ${group} = ${groupOf}(${hash}, ${run.options.maxParallelism});`);
  return { values, hash, group, args };
}

/** Code that finds or creates the entry of a key, and keeps what a second table needs of the key. */
export function findEntryAndKey(
  code: ChainCode,
  lookup: Lookup,
  place: CodeBlock,
): { readonly entry: EntryCode; readonly key: KeyCode } {
  const { unit } = code;
  const table = unit.constant(lookup.table, 'table');
  const key = keyCode(code, lookup.values, lookup.isLocal, place);
  const entry = unit.fresh('entry');
  place.line(`const ${entry} = ${table}.upsert(${[key.group, key.hash, ...key.args].join(', ')});`);
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
  return { entry: { ...pageCode(code, lookup.table, entry, place), isNew: ask }, key };
}

/** Code that finds or creates the entry of a key. */
export function findEntry(code: ChainCode, lookup: Lookup, place: CodeBlock): EntryCode {
  const numbers = lookup.values.filter(isPlainNumber);
  const texts = lookup.values.filter((value) => value.binary !== null);
  const binary = texts.length === 1 ? texts[0].binary : null;
  if (binary === null || texts.length + numbers.length < lookup.values.length) {
    return findEntryAndKey(code, lookup, place).entry;
  }
  return findByDictionary(code, lookup, binary, numbers, place);
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
function findByDictionary(
  code: ChainCode,
  lookup: Lookup,
  binary: NonNullable<FieldValue['binary']>,
  numbers: readonly FieldValue[],
  place: CodeBlock,
): EntryCode {
  const { unit, run } = code;
  const table = unit.constant(lookup.table, 'table');
  const { column } = binary;
  const memory = unit.constant(run.keyed[lookup.index], `keyed${lookup.index}`);
  const remembered = unit.hoist(
    `${column}.isDictionary ? ${memory}.entryMemory(${column}) : null`,
    'entryOfCode',
  );
  const beside = numbers.map((value, index) => ({
    value: value.value,
    memory: unit.hoist(`${memory}.numberMemory(${index})`, 'numberOfCode'),
  }));
  const word = binaryParts(unit, binary).entry;
  const entry = unit.fresh('entry');
  const isNew = unit.fresh('isNew');
  place.line(`let ${entry} = ${remembered} === null ? -1 : ${remembered}[${word}];`);
  place.line(`let ${isNew} = false;`);
  const changed = beside.map((number) => `${number.memory}[${word}] !== ${number.value}`);
  const miss = place.open(`if (${[`${entry} < 0`, ...changed].join(' || ')})`);
  const key = keyCode(code, lookup.values, lookup.isLocal, miss);
  miss.line(`${entry} = ${table}.upsert(${[key.group, key.hash, ...key.args].join(', ')});`);
  miss.line(`${isNew} = ${table}.created;`);
  const keep = miss.open(`if (${remembered} !== null)`);
  keep.line(`${remembered}[${word}] = ${entry};`);
  for (const number of beside) keep.line(`${number.memory}[${word}] = ${number.value};`);
  return { ...pageCode(code, lookup.table, entry, place), isNew: () => isNew };
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
  const page = unit.fresh('page');
  const at = unit.fresh('at');
  place.line(`const ${page} = ${bound}.pages[${entry} >>> ${PAGE_SHIFT}];`);
  place.line(`const ${at} = ${entry} & ${PAGE_MASK};`);
  return { table: bound, entry, page, at, isNew: () => 'false' };
}

/** Code that finds or creates the entry of a key and one value more; true in generated code when it is new. */
export function distinctCode(
  code: ChainCode,
  table: StateTable,
  key: KeyCode,
  value: FieldValue,
  place: CodeBlock,
): string {
  const { unit } = code;
  const bound = unit.constant(table, 'distinct');
  const hash = tupleHashCode(unit, [...key.values, value], place);
  const args = [key.group, hash, ...key.args, ...keyArguments(unit, value, place)];
  place.line(`${bound}.upsert(${args.join(', ')});`);
  return `${bound}.created`;
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
    return `${this.#entry.page}.c${this.#first + index}[${this.#entry.at}]`;
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
    const errors = this.unit.constant(this.#code.run.errors, 'errors');
    const name = JSON.stringify(this.#name);
    return `throw ${errors}.inexact(${this.operator}, ${name}, ${JSON.stringify(reason)})`;
  }
}
