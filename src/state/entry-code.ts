/**
 * Generated code between the pages of a table and blocks of entries: what a snapshot appends, and what a restore
 * places. Compiled at the first snapshot or restore, for all columns of a table or for some. Callers: hot-table.ts.
 * Runs on: worker. Invariant: no name from outside is part of the code.
 */
import { compileFunction } from 'node:vm';
import {
  combineHash,
  hashBigint,
  hashBool,
  hashBytes,
  hashNumber,
  hashTextBytes,
  TUPLE_HASH_START,
} from '../record/key-hash.js';
import type { DataType } from '../record/schema.js';
import { textKindOf } from '../record/text.js';
import type { ByteArena } from './byte-arena.js';
import type { AppendCode, EntryColumns, Projection, StateTable, TablePage } from './contract.js';
import { isFixed, keyColumns, valueColumns } from './entry-block.js';
import { type StagedEntries, WORD_DIRECT } from './hot-index.js';
import type { KeyTexts } from './key-texts.js';
import { rowPlace } from './row-place.js';
import { keyOfArguments } from './table-key.js';
import { columnCode, type KeyShape, type TableShape } from './table-shape.js';

/** Where rows are put: from `o` on of a page, with their hashes beside it; `staged` has room for them. */
export interface FillPlace {
  readonly page: TablePage;
  readonly o: number;
  readonly hashes: Int32Array;
  readonly staged: StagedEntries;
}

/** Puts entries of a view into the table. */
export interface PlaceCode {
  /**
   * Puts rows whose keys the table does not have: those of a view from `row` up to `end` into entries from `entry` on,
   * which lie in one page. What the index has to know of them is staged.
   */
  fill(view: EntryColumns, row: number, end: number, entry: number, place: FillPlace): void;
  /** Puts a row over the entry of its key, which is made when missing; gives the entry. */
  put(view: EntryColumns, row: number, keyGroup: number): number;
  /** The entry of the key of a row, or -1. */
  find(view: EntryColumns, row: number, keyGroup: number): number;
  /** Takes the columns out of an entry; true when nothing else is in it. */
  clear(entry: number): boolean;
}

/** What the code works on. */
export interface EntryParts {
  readonly table: StateTable;
  readonly pages: readonly TablePage[];
  readonly arena: ByteArena;
  readonly keyTexts: KeyTexts;
  /** The hash of a key, where it is not `tableKeyHash`. */
  readonly hashOf: ((key: readonly unknown[]) => number) | null;
}

const CONSTANTS = {
  combineHash,
  hashBigint,
  hashBool,
  hashBytes,
  hashNumber,
  hashText,
  keyOfArguments,
  loadRows,
};

/** Gives an entry these rows, oldest first. */
function loadRows(
  table: StateTable,
  entry: number,
  column: number,
  rows: readonly Uint8Array[],
): void {
  table.dropRows(entry, column);
  for (const row of rows) {
    const { chunk, offset } = rowPlace(table.addRow(entry, column, row.length));
    table.rows.chunks[chunk].set(row, offset);
  }
}

/** The hash of a text, most of which are ASCII. */
function hashText(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte >= 0x80) return hashTextBytes(bytes, start, end, textKindOf(bytes, start, end));
    hash = (Math.imul(31, hash) + byte) | 0;
  }
  return hash;
}

function compile<C>(shape: TableShape, parts: EntryParts, name: string, code: string): C {
  const text = `'use strict';
const { table, pages, arena, keyTexts, hashOf, combineHash, hashBigint, hashBool, hashBytes,
  hashNumber, hashText, keyOfArguments, loadRows } = constants, types = table.spec.keys;
${code}`;
  const make = compileFunction(text, ['constants'], {
    filename: `millrace:state-table/${shape.spec.name}/${name}.js`,
  }) as (constants: unknown) => C;
  return make({ ...parts, ...CONSTANTS });
}

/** Compiles what a snapshot appends: column by column, so that each is written in a row. */
export function compileAppend(
  shape: TableShape,
  parts: EntryParts,
  projection: Projection,
): AppendCode {
  const loop = (column: string, source: string, each: string): string => `{
    const column = columns.${column};${source === '' ? '' : ` ${source}`}
    for (let at = from, n = first; at < to; at++, n++) { const o = os[at]; ${each} }
  }`;
  const keys = shape.keys.map(({ form }, index) => {
    const name = `k${index}`;
    return form === 'text'
      ? loop(
          name,
          `const words = page.${name}, bytes = page.${name}b;`,
          'keyTexts.appendTo(words, bytes, o, column);',
        )
      : loop(name, `const source = page.${name};`, 'column[n] = source[o];');
  });
  const values = valueColumns(projection.spec).map(({ name, form }) => {
    if (name === 'stamps') return loop(name, '', 'column[n] = stamps[at];');
    const column = projection.columns[Number(name.slice(1))];
    const place = columnCode(shape.spec, column, 'page', 'o');
    if (form === 'utf8') return loop(name, '', `arena.appendTo(${place}, column);`);
    if (form === 'js') return loop(name, '', `column.add(${place});`);
    if (form === 'rows') return loop(name, '', `column.add(arena.copyRows(${place}));`);
    return loop(name, '', `column[n] = ${place};`);
  });
  const room = `entries.reserve(to - from);
  const first = entries.rows, { columns } = entries;
  entries.rows += to - from;`;
  const code = `function append(entries, page, os, from, to, stamps) {
  ${room}
  ${[...keys, ...values].join('\n  ')}
}
function appendKeys(entries, page, os, from, to) {
  ${room}
  ${keys.join('\n  ')}
}
return { append, appendKeys };`;
  return compile(shape, parts, 'append', code);
}

/** Compiles what a restore places. `written` are the names of the columns that the pieces have. */
export function compilePlace(
  shape: TableShape,
  parts: EntryParts,
  projection: Projection,
  written: ReadonlySet<string>,
): PlaceCode {
  const { pageShift, spec } = shape;
  const mask = (1 << pageShift) - 1;
  const views = [...keyColumns(spec), ...valueColumns(projection.spec)].filter(({ name }) =>
    written.has(name),
  );
  const columns = views.map(({ name }) => `${name} = view.columns.${name}`);
  const locals = columns.length === 0 ? '' : `const ${columns.join(', ')};`;
  const keyArgs = shape.keys.map(keyArgumentsCode);
  const spans = shape.keys.map(spanCode);
  const hash = hashCode(shape, parts);
  const last = spec.columns.length - 1;
  const bit =
    projection.bit === 0 ? '' : `${columnCode(spec, last, 'page', 'o')} |= ${projection.bit};`;
  const values = valueColumns(projection.spec).map(({ name, form }) => {
    if (name === 'stamps') return '';
    const column = projection.columns[Number(name.slice(1))];
    const place = columnCode(spec, column, 'page', 'o');
    if (!written.has(name))
      return isFixed(form) ? `${place} = ${form === 'i64' ? '0n' : '0'};` : '';
    if (isFixed(form)) return `${place} = ${name}[row];`;
    if (form === 'js') return `table.setValue(entry, ${column}, ${name}.next());`;
    if (form === 'rows') return `loadRows(table, entry, ${column}, ${name}.next());`;
    return `{ const end = ${name}.at + ${name}.lengths[row];
    table.setText(entry, ${column}, ${name}.bytes, ${name}.at, end);
    ${name}.at = end; }`;
  });
  const keep = shape.keys.map(({ form }, index) => {
    const kept = `page.k${index}`;
    return form === 'text'
      ? `keyTexts.keep(${kept}, ${kept}b, entry, ${keyArgs[index]});`
      : `${kept}[o] = ${keyArgs[index]};`;
  });
  const pass = shape.keys.flatMap(({ form }, index) =>
    form === 'text' ? [`k${index}.at = n${index};`] : [],
  );
  const direct = directCode(shape.keys);
  const code = `function fill(view, first, end, firstEntry, { page, o: firstO, hashes, staged }) {
  ${locals}
  const stagedHashes = staged.hashes, stagedWords = staged.words;
  let at = staged.count;
  staged.count += end - first;
  for (let row = first; row < end; row++) {
    const entry = firstEntry + row - first, o = firstO + row - first;
    ${spans.join('\n    ')}
    ${hash}
    hashes[o] = hash;
    ${keep.join('\n    ')}
    ${pass.join('\n    ')}
    stagedHashes[at] = hash;
    stagedWords[at++] = (entry + 1) | ${direct};
    ${values.join('\n    ')}
    ${bit}
  }
}
function put(view, row, keyGroup) {
  ${locals}
  ${spans.join('\n  ')}
  ${hash}
  const entry = table.upsert(${['keyGroup', 'hash', ...keyArgs].join(', ')});
  ${pass.join('\n  ')}
  const page = pages[entry >>> ${pageShift}], o = entry & ${mask};
  ${values.join('\n  ')}
  ${bit}
  return entry;
}
function find(view, row, keyGroup) {
  ${locals}
  ${spans.join('\n  ')}
  ${hash}
  ${pass.join('\n  ')}
  return table.find(${['keyGroup', 'hash', ...keyArgs].join(', ')});
}
function clear(entry) {
  ${clearCode(shape, projection)}
}
return { fill, put, find, clear };`;
  return compile(shape, parts, 'place', code);
}

/** An entry that has only these columns goes as a whole. */
function clearCode({ spec, pageShift }: TableShape, { columns, bit }: Projection): string {
  if (bit === 0) return 'return true;';
  const at = { page: `pages[entry >>> ${pageShift}]`, o: `(entry & ${(1 << pageShift) - 1})` };
  const bits = columnCode(spec, spec.columns.length - 1, at.page, at.o);
  const zeros = columns.map((column) => {
    const { form } = spec.columns[column];
    if (form === 'utf8') return `table.setText(entry, ${column}, new Uint8Array(0), 0, 0);`;
    if (form === 'js') return `table.setValue(entry, ${column}, undefined);`;
    if (form === 'rows') return `table.dropRows(entry, ${column});`;
    return `${columnCode(spec, column, at.page, at.o)} = ${form === 'i64' ? '0n' : '0'};`;
  });
  return `if ((${bits} & ${bit}) === 0) return ${bits} === 0;
  ${zeros.join('\n  ')}
  ${bits} &= ${~bit};
  return ${bits} === 0;`;
}

/** Start and end of a text key of a row. */
function spanCode({ form }: KeyShape, index: number): string {
  if (form !== 'text') return '';
  return `const s${index} = k${index}.at, n${index} = s${index} + k${index}.lengths[row];`;
}

function keyArgumentsCode({ form }: KeyShape, index: number): string {
  return form === 'text' ? `k${index}.bytes, s${index}, n${index}` : `k${index}[row]`;
}

/** The hash of the key of a row: as `tableKeyHash` has it, or of the values where a table has one of its own. */
function hashCode({ keys: all, spec }: TableShape, { hashOf }: EntryParts): string {
  if (hashOf !== null) {
    return `const hash = hashOf(keyOfArguments(types, [${all.map(keyArgumentsCode).join(', ')}]));`;
  }
  // Hashes of a divided table are of the other keys only.
  const keys = spec.isDivided === true ? all.slice(0, -1) : all;
  const [first, ...others] = keys.map(({ type, form }, index) => elementHash(type, form, index));
  if (first === undefined) return `const hash = ${TUPLE_HASH_START};`;
  if (others.length === 0) return `const hash = ${first};`;
  const combined = [first, ...others].reduce(
    (code, element) => `combineHash(${code}, ${element})`,
    String(TUPLE_HASH_START),
  );
  return `const hash = ${combined};`;
}

function elementHash(type: DataType, form: KeyShape['form'], index: number): string {
  const value = `k${index}[row]`;
  if (form === 'text') {
    const span = `k${index}.bytes, s${index}, n${index}`;
    return type.kind === 'bytes' ? `hashBytes(${span})` : `hashText(${span})`;
  }
  if (form === 'i64') return `hashBigint(${value})`;
  return type.kind === 'bool' ? `hashBool(${value})` : `hashNumber(${value})`;
}

/** The flag of a key that its hash proves, as look-ups expect it. */
function directCode(keys: readonly KeyShape[]): string {
  if (keys.length !== 1) return '0';
  switch (keys[0].form) {
    case 'f64':
    case 'f32':
    case 'i32':
      return `(k0[row] === hash ? ${WORD_DIRECT} : 0)`;
    case 'u32':
      return `((k0[row] | 0) === hash ? ${WORD_DIRECT} : 0)`;
    case 'i64':
      return `(k0[row] === BigInt(hash) ? ${WORD_DIRECT} : 0)`;
    default:
      return '0';
  }
}
