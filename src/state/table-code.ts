/**
 * The generated part of a hot table: look-ups specialised for the forms of its keys, and the functions that read,
 * copy and clear entries without asking for forms. One compilation per table, so that its memory is constant to
 * the compiler. Callers: hot-table.ts. Runs on: worker. Invariant: no name from outside is part of the code.
 *
 * A look-up compares hashes in the index first. The key itself is read only where its hash does not prove it:
 * a number whose hash is the number has the flag WORD_DIRECT in the index, so integer keys cost one cache miss less.
 * Those of a range that has a block are nowhere but in there (key-blocks.ts).
 */
import { compileFunction } from 'node:vm';
import { decimalText } from '../record/decimal.js';
import type { ByteArena } from './byte-arena.js';
import type { StateTable, TablePage, ValueForm } from './contract.js';
import type { DividedIndex } from './divided-index.js';
import type { HotIndex } from './hot-index.js';
import {
  SEGMENT_GENERATION,
  SEGMENT_MASK_OFFSET,
  slotHash,
  WORD_DIRECT,
  WORD_ENTRY,
  WORD_REMOVED,
  WORD_TOUCHED,
} from './hot-index.js';
import { freezeHeapValue } from './heap-value.js';
import { KEY_TEXT_BYTES, type KeyTexts } from './key-texts.js';
import { BLOCK_MASK, BLOCK_SHIFT, NO_BLOCK } from './key-blocks.js';
import type { PageMarks } from './page-marks.js';
import { columnCode, type KeyShape, type TableShape } from './table-shape.js';

/** What generated look-ups ask of their table beside its memory. */
export interface LookupOwner {
  readonly generation: number;
  readonly nowMs: number;
  readonly stampMs: number;
  created: boolean;
  /** A fresh, zeroed entry that counts as alive. */
  take(keyGroup: number, hash: number): number;
  /** Makes an entry writable in the open generation, or brings a removed one back to life. */
  open(entry: number, segment: Int32Array, slot: number): void;
  /** Starts an expired entry afresh. */
  reset(entry: number): number;
  /** Brings in the entry of a key that is in the table's cold tier: the entry, or -1. Null without such a tier. */
  readonly fetch: ((...key: never[]) => number) | null;
}

/** What the generated code works on. */
export interface TableParts {
  readonly table: LookupOwner;
  readonly pages: readonly TablePage[];
  readonly marks: readonly PageMarks[];
  readonly index: HotIndex;
  /** Null for a table that is not divided. */
  readonly divided: DividedIndex | null;
  readonly arena: ByteArena;
  readonly keyTexts: KeyTexts;
}

/** The generated functions. `o` is the offset of an entry in its page. */
export interface TableCode {
  readonly upsert: StateTable['upsert'];
  readonly find: StateTable['find'];
  readonly upsertShort: StateTable['upsertShort'];
  readonly findShort: StateTable['findShort'];
  readonly findWritten: StateTable['findWritten'];
  /** A new entry of a key that is not in the index. */
  readonly create: (keyGroup: number, hash: number, ...key: never[]) => number;
  /** The entry of a key in the index, also a removed one, or -1; null for a table without a cold tier. */
  readonly locate: ((keyGroup: number, hash: number, ...key: never[]) => number) | null;
  makePage(): TablePage;
  readKey(page: TablePage, o: number): readonly unknown[];
  readValues(page: TablePage, o: number): readonly unknown[];
  /** Sets the fixed columns; text and heap columns are left as they are. */
  writeFixed(page: TablePage, o: number, values: readonly unknown[]): void;
  /** Clears the value columns and counts their texts dead. */
  clearValues(page: TablePage, o: number): void;
  /** Counts the texts of the key dead and forgets them. */
  clearKey(page: TablePage, o: number): void;
  /** Copies keys and values; heap values are copied so that later changes in place do not reach the copy. */
  copy(from: TablePage, o: number, to: TablePage, p: number): void;
  ownsText(page: TablePage, o: number, position: number): boolean;
  moveText(page: TablePage, o: number, from: number, to: number): void;
}

const MS_PER_DAY = 86_400_000;

/** Compiles the functions of a table. */
export function compileTable(shape: TableShape, parts: TableParts): TableCode {
  const constants = {
    ...parts,
    segments: parts.index.segments,
    blocks: parts.index.blocks,
    NO_BLOCK,
    slotHash,
    keyTexts: parts.keyTexts,
    decimalText,
    freezeHeapValue,
  };
  const make = compileFunction(tableCode(shape, parts.table.fetch !== null), ['constants'], {
    filename: `millrace:state-table/${shape.spec.name}.js`,
  }) as (constants: unknown) => TableCode;
  return make(constants);
}

/** The text of the generated functions. What a tiered table does not find, it looks for in its cold tier. */
export function tableCode(shape: TableShape, isTiered = false): string {
  const i64 = shape.keys.some((key) => key.form === 'i64');
  const isShort = isShortText(shape) && !isTiered;
  return [
    `'use strict';`,
    BINDINGS,
    ...(i64 ? [SCRATCH] : []),
    makePageCode(shape),
    createCode(shape),
    lookupCode(shape, 'upsert', upsertHit(shape), createdCode(shape, isTiered)),
    ...(isShort ? shortCode(shape) : ['const upsertShort = null;']),
    isShortText(shape) && shape.spec.ttlMs === null
      ? findShortCode(shape)
      : 'const findShort = null;',
    ...(isNumber(shape) ? findWrittenCode(shape) : ['const findWritten = null;']),
    lookupCode(shape, 'find', findHit(shape), missedCode(shape, isTiered)),
    isTiered ? lookupCode(shape, 'locate', 'return entry;', 'return -1;') : 'const locate = null;',
    readKeyCode(shape),
    readValuesCode(shape),
    writeFixedCode(shape),
    ...clearCode(shape),
    copyCode(shape),
    ...textCode(shape),
    'return { upsert, upsertShort, findShort, findWritten, find, create, locate, makePage,',
    '  readKey, readValues, writeFixed, clearValues, clearKey, copy, ownsText, moveText };',
  ].join('\n');
}

/** Bound as constants, not as parameters: V8 then takes them for constants where it inlines a look-up. */
const BINDINGS = `const { table, pages, marks, index, divided, arena, segments, blocks, slotHash,
  NO_BLOCK, keyTexts, decimalText, freezeHeapValue } = constants;`;

/** A bigint is compared as two words: storing it in an array makes no garbage, comparing bigints does. */
const SCRATCH = `const wide = new BigInt64Array(1);
const words = new Int32Array(wide.buffer);
wide[0] = 1n;
const LOW = words[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;`;

/** A constructor, because V8 forgets at the second run of a literal what it knew of the arrays in it. */
function makePageCode({ arrays, pageBytes, pageShift, spec, keys }: TableShape): string {
  const entries = 1 << pageShift;
  const typed = arrays.map(
    ({ name, constructor, offset, width }) =>
      `  this.${name} = new ${constructor}(buffer, ${offset}, ${entries * width});`,
  );
  const heap = spec.columns.flatMap((column, index) =>
    column.form === 'js' ? [`  this.c${index} = new Array(${entries}).fill(undefined);`] : [],
  );
  const views = keys.flatMap(({ form }, index) => {
    const offset = arrays.find((array) => array.name === `k${index}`)?.offset;
    if (form === 'i64') {
      return [`  this.k${index}w = new Int32Array(buffer, ${offset}, ${2 * entries});`];
    }
    if (form !== 'text') return [];
    return [`  this.k${index}b = new Uint8Array(buffer, ${offset}, ${KEY_TEXT_BYTES * entries});`];
  });
  return [
    'function Page(buffer) {',
    ...typed,
    ...heap,
    ...views,
    '}',
    `function makePage() { return new Page(new ArrayBuffer(${pageBytes})); }`,
  ].join('\n');
}

/** Parameters of one key column. */
function parametersOf(key: KeyShape, index: number): string {
  return key.form === 'text' ? `b${index}, s${index}, n${index}` : `k${index}`;
}

/** Names of the parameters by which look-ups take a key. */
export function keyParameters({ keys }: TableShape): string {
  return keys.map(parametersOf).join(', ');
}

function argumentsOf({ keys }: TableShape): string {
  return ['keyGroup', 'hash', ...keys.map(parametersOf)].join(', ');
}

/** Brings an argument to the value under which it is kept, so that equal keys are kept alike. */
function normaliseCode({ form }: KeyShape, index: number): readonly string[] {
  switch (form) {
    case 'f64':
      return [`k${index} += 0;`];
    case 'f32':
      return [`k${index} = Math.fround(k${index}) + 0;`];
    case 'i32':
      return [`k${index} |= 0;`];
    case 'u32':
      return [`k${index} >>>= 0;`];
    case 'u8':
      return [`k${index} &= 255;`];
    case 'i64':
      return [
        `wide[0] = k${index};`,
        `const l${index} = words[LOW], h${index} = words[HIGH];`,
        `const w${index} = words[0], v${index} = words[1];`,
      ];
    default:
      return [];
  }
}

/** Whether key column `index` of the page `p` at `o` equals the argument. */
function equalCode({ form }: KeyShape, index: number): string {
  const kept = `p.k${index}[o]`;
  switch (form) {
    case 'f64':
    case 'f32':
      return `(${kept} === k${index} || (k${index} !== k${index} && ${kept} !== ${kept}))`;
    case 'i64':
      return `p.k${index}w[2 * o] === w${index} && p.k${index}w[2 * o + 1] === v${index}`;
    case 'text':
      return `keyTexts.equals(p.k${index}, p.k${index}b, o, b${index}, s${index}, n${index})`;
    default:
      return `${kept} === k${index}`;
  }
}

/** How many keys an index tells entries apart by: all but the one that divides the table. */
function indexedKeys({ keys, spec }: TableShape): number {
  return spec.isDivided === true ? keys.length - 1 : keys.length;
}

/** Code that makes `index` and `segments` those of a division of a divided table. */
function enterCode({ spec }: TableShape, division: string): string {
  if (spec.isDivided !== true) return '';
  return `if (${division} !== divided.division) divided.enter(${division});
  const index = divided.index, segments = index.segments, blocks = index.blocks;`;
}

/** Whether the argument is the number that its hash is; null where that cannot be. */
function directCode(shape: TableShape): string | null {
  const { keys } = shape;
  if (indexedKeys(shape) !== 1) return null;
  switch (keys[0].form) {
    case 'f64':
    case 'f32':
    case 'i32':
      return 'k0 === hash';
    case 'u32':
      return '(k0 | 0) === hash';
    case 'i64':
      return 'l0 === hash && h0 === hash >> 31';
    default:
      return null;
  }
}

/** Whether keys are one text, short ones of which may be given as words. */
function isShortText({ keys, spec }: TableShape): boolean {
  return spec.isDivided !== true && keys.length === 1 && keys[0].form === 'text';
}

/** All flags of a word, and those of an entry whose hash is its key, which has been written in this generation. */
const FLAGS = WORD_DIRECT | WORD_REMOVED | WORD_TOUCHED;
const WRITTEN = WORD_DIRECT | WORD_TOUCHED;

/** Whether keys are one number that may be its own hash, without a time to live. */
function isNumber(shape: TableShape): boolean {
  const { keys, spec } = shape;
  const isOne = indexedKeys(shape) === 1 && ['f64', 'f32', 'i32', 'u32'].includes(keys[0].form);
  return isOne && spec.ttlMs === null;
}

/** Code of a look-up of many: the word of `hash` in the one segment, in one of several, or in a block if it has one. */
const PROBE_ONE = `let slot = (slotHash(hash) << 1) & mask;
        while (segment[slot] !== hash && segment[slot + 1] !== 0) slot = (slot + 2) & mask;
        const word = segment[slot + 1];`;
const PROBE_SEVERAL = `const segment = segments[(slotHash(hash) >>> 1) >>> shift];
        const mask = segment.length - ${SEGMENT_MASK_OFFSET};
        ${PROBE_ONE}`;
const PROBE_BLOCKS = `const range = hash >>> ${BLOCK_SHIFT};
        let segment = range < blocks.length ? blocks[range] : NO_BLOCK, word = 0;
        if (segment !== NO_BLOCK) word = segment[hash & ${BLOCK_MASK}];
        else {
          const mixed = slotHash(hash);
          segment = segments[(mixed >>> 1) >>> shift];
          const mask = segment.length - ${SEGMENT_MASK_OFFSET};
          let slot = (mixed << 1) & mask;
          while (segment[slot] !== hash && segment[slot + 1] !== 0) slot = (slot + 2) & mask;
          word = segment[slot + 1];
        }`;
const PROBES = { one: PROBE_ONE, several: PROBE_SEVERAL, blocks: PROBE_BLOCKS };

/**
 * The look-up of many rows, in a loop without calls that reads nothing but the index, so that the processor is at
 * several rows at a time. Keys that are not their own hash are left to `upsert`.
 */
function findWrittenCode(shape: TableShape): readonly string[] {
  const current = ` && segment[segment.length - ${SEGMENT_GENERATION}] === generation`;
  const loop = (isSelected: boolean, kind: keyof typeof PROBES): string => `
      for (let at = from | 0; at < to; at++) {
        const key = values[${isSelected ? 'selection[at]' : 'at'}], hash = key | 0;
        ${PROBES[kind]}
        const isWritten = hash === key && (word & ${FLAGS}) === ${WRITTEN}${
          kind === 'one' ? '' : current
        };
        found[at] = isWritten ? (word & ${WORD_ENTRY}) - 1 : -1;
      }`;
  const lookUp = (isSelected: boolean): string => {
    const name = isSelected ? 'findSelected' : 'findInOrder';
    return `function ${name}(values, selection, from, to, found, division) {
  ${enterCode(shape, 'division')}
  const generation = table.generation, shift = index.shift;
  if (blocks.length > 0) {${loop(isSelected, 'blocks')}
  } else if (segments.length === 1) {
    const segment = segments[0], mask = segment.length - ${SEGMENT_MASK_OFFSET};
    if (segment[segment.length - ${SEGMENT_GENERATION}] !== generation) found.fill(-1, from, to);
    else {${loop(isSelected, 'one')}
    }
  } else {${loop(isSelected, 'several')}
  }
}`;
  };
  return [
    lookUp(false),
    lookUp(true),
    `function findWritten(values, selection, from, to, found, division) {
  if (selection === null) findInOrder(values, null, from, to, found, division);
  else findSelected(values, selection, from, to, found, division);
}`,
  ];
}

/** Whether the key at `k` of the column `q` is the short text that the parameters say. */
const SHORT_EQUAL = 'q[k] === length && q[k + 1] === w0 && q[k + 2] === w1 && q[k + 3] === w2';

/** The look-up of a short text that has been written in this generation: the fast way of its upsert by itself. */
function findShortCode({ pageShift }: TableShape): string {
  const mask = (1 << pageShift) - 1;
  return `function findShort(hash, length, w0, w1, w2) {
  const mixed = slotHash(hash);
  const segment = segments[(mixed >>> 1) >>> index.shift];
  const mask = segment.length - ${SEGMENT_MASK_OFFSET};
  let slot = (mixed << 1) & mask;
  while (segment[slot] !== hash && segment[slot + 1] !== 0) slot = (slot + 2) & mask;
  const word = segment[slot + 1];
  if ((word & ${FLAGS}) !== ${WORD_TOUCHED}) return -1;
  if (segment[segment.length - ${SEGMENT_GENERATION}] !== table.generation) return -1;
  const entry = (word & ${WORD_ENTRY}) - 1;
  const q = pages[entry >>> ${pageShift}].k0, k = (entry & ${mask}) << 2;
  return ${SHORT_EQUAL} ? entry : -1;
}`;
}

/** The upsert of a short text by its length and words. */
function shortCode(shape: TableShape): readonly string[] {
  const page = `pages[entry >>> ${shape.pageShift}]`;
  const at = `(entry & ${(1 << shape.pageShift) - 1}) << 2`;
  const create = `const entry = table.take(keyGroup, hash);
  q = ${page}.k0, k = ${at};
  q[k] = length, q[k + 1] = w0, q[k + 2] = w1, q[k + 3] = w2;
  index.insert(hash, entry + 1, table.generation);
  return entry;`;
  const probe = {
    parameters: 'keyGroup, hash, length, w0, w1, w2',
    test: `(q = ${page}.k0, k = o << 2, ${SHORT_EQUAL})`,
    locals: 'q, k = 0',
  };
  return [probeCode(shape, 'upsertShort', probe, upsertHit(shape), create)];
}

/** How a look-up tells an entry with the right hash: an expression over `entry` and its offset `o`. */
interface Probe {
  readonly parameters: string;
  readonly test: string;
  /** Locals that `test` assigns. */
  readonly locals: string;
  readonly start?: string;
}

/** A look-up that runs `hit` with the locals `entry`, `o` and `word` set, or `miss`. */
function lookupCode(shape: TableShape, name: string, hit: string, miss: string): string {
  const direct = directCode(shape);
  const equal = shape.keys.slice(0, indexedKeys(shape)).map(equalCode).join(' && ');
  const compare = `p = pages[entry >>> ${shape.pageShift}]`;
  const test =
    direct === null
      ? `(${compare}, ${equal || 'true'})`
      : `(direct ? word < 0 : word >= 0 && (${compare}, ${equal}))`;
  const start = `${shape.keys.flatMap(normaliseCode).join('\n  ')}
  ${direct === null ? '' : `const direct = ${direct};`}`;
  const probe = { parameters: argumentsOf(shape), test, locals: 'p', start };
  return probeCode(shape, name, probe, hit, miss);
}

function probeCode(
  shape: TableShape,
  name: string,
  { parameters, test, locals, start = '' }: Probe,
  hit: string,
  miss: string,
): string {
  const mask = (1 << shape.pageShift) - 1;
  const entry = `const entry = (word & ${WORD_ENTRY}) - 1, o = entry & ${mask};`;
  const mayBeKeyed = directCode(shape) !== null && start !== '';
  const block = `const range = hash >>> ${BLOCK_SHIFT};
  if (direct && range < blocks.length && blocks[range] !== NO_BLOCK) {
    const segment = blocks[range], slot = (hash & ${BLOCK_MASK}) - 1, word = segment[slot + 1];
    if (word !== 0) {
      ${entry}
      ${hit}
    }
    ${miss}
  }`;
  return `function ${name}(${parameters}) {
  ${start}
  ${enterCode(shape, `k${shape.keys.length - 1}`)}
  ${mayBeKeyed ? block : ''}
  const mixed = slotHash(hash);
  const segment = segments[(mixed >>> 1) >>> index.shift];
  const mask = segment.length - ${SEGMENT_MASK_OFFSET};
  let slot = (mixed << 1) & mask, word = 0, ${locals};
  while ((word = segment[slot + 1]) !== 0) {
    if (segment[slot] === hash) {
      ${entry}
      if (${test}) {
        ${hit}
      }
    }
    slot = (slot + 2) & mask;
  }
  ${miss}
}`;
}

/** The fast way through an upsert: the entry is there and was changed in this generation already. */
function upsertHit({ pageShift, spec }: TableShape): string {
  const ttl =
    spec.ttlMs === null
      ? ''
      : `const m = marks[entry >>> ${pageShift}];
        if (m.stamps[o] + ${spec.ttlMs} <= table.nowMs) return table.reset(entry);
        if (!(m.stamps[o] >= table.stampMs)) m.stamps[o] = table.stampMs;`;
  const flags = `(word & ${WORD_REMOVED | WORD_TOUCHED}) !== ${WORD_TOUCHED}`;
  const stale = `segment[segment.length - ${SEGMENT_GENERATION}] !== table.generation`;
  return `table.created = false;
        if (${flags} || ${stale}) table.open(entry, segment, slot);
        ${ttl}
        return entry;`;
}

function findHit({ pageShift, spec }: TableShape): string {
  const removed = `(word & ${WORD_REMOVED}) !== 0`;
  const stamp = `marks[entry >>> ${pageShift}].stamps[o]`;
  const expired = spec.ttlMs === null ? '' : ` || ${stamp} + ${spec.ttlMs} <= table.nowMs`;
  return `return ${removed}${expired} ? -1 : entry;`;
}

/** A key that is not in the index is new, unless the cold tier has it. */
function createdCode(shape: TableShape, isTiered: boolean): string {
  const args = argumentsOf(shape);
  const known = isTiered ? `if (table.fetch(${args}) >= 0) return upsert(${args});\n  ` : '';
  return `${known}return create(${args});`;
}

function missedCode(shape: TableShape, isTiered: boolean): string {
  const args = argumentsOf(shape);
  return isTiered ? `return table.fetch(${args}) >= 0 ? find(${args}) : -1;` : 'return -1;';
}

/** The slow way: arguments are normalised already, except bigints, whose words are needed again. */
function createCode(shape: TableShape): string {
  const direct = directCode(shape);
  const keep = shape.keys.map(({ form }, index) =>
    form === 'text'
      ? `keyTexts.keep(p.k${index}, p.k${index}b, entry, b${index}, s${index}, n${index});`
      : `p.k${index}[o] = k${index};`,
  );
  const again = shape.keys.flatMap((key, index) =>
    key.form === 'i64' ? normaliseCode(key, index) : [],
  );
  const flag = direct === null ? '0' : `(${direct} ? ${WORD_DIRECT} : 0)`;
  const index = shape.spec.isDivided === true ? 'divided.index' : 'index';
  return `function create(${argumentsOf(shape)}) {
  ${direct === null ? '' : again.join('\n  ')}
  const entry = table.take(keyGroup, hash);
  const p = pages[entry >>> ${shape.pageShift}], o = entry & ${(1 << shape.pageShift) - 1};
  ${keep.join('\n  ')}
  ${index}.insert(hash, (entry + 1) | ${flag}, table.generation);
  return entry;
}`;
}

function readKeyCode({ keys }: TableShape): string {
  const parts = keys.map(({ type, form }, index) => {
    const kept = `page.k${index}[o]`;
    if (form === 'text') {
      const read = type.kind === 'bytes' ? 'copy' : 'text';
      return `keyTexts.${read}(page.k${index}, page.k${index}b, o)`;
    }
    switch (type.kind) {
      case 'date':
        return `new Date(${kept} * ${MS_PER_DAY})`;
      case 'timestamp':
        return `new Date(${kept})`;
      case 'bool':
        return `${kept} !== 0`;
      case 'decimal':
        return `decimalText(${kept}, ${type.scale})`;
      default:
        return kept;
    }
  });
  return `function readKey(page, o) { return [${parts.join(', ')}]; }`;
}

function readValuesCode({ spec }: TableShape): string {
  const parts = spec.columns.map(({ form }, index) => {
    if (form === 'none') return 'undefined';
    const place = columnCode(spec, index, 'page', 'o');
    if (form === 'rows') return `arena.copyRows(${place})`;
    return form === 'utf8' ? `arena.text(${place})` : place;
  });
  return `function readValues(page, o) { return [${parts.join(', ')}]; }`;
}

/** Forms without an array of fixed values. */
const VARIABLE: ReadonlySet<ValueForm> = new Set(['utf8', 'js', 'rows', 'none']);

function writeFixedCode({ spec }: TableShape): string {
  const parts = spec.columns.flatMap(({ form }, index) =>
    VARIABLE.has(form) ? [] : [`${columnCode(spec, index, 'page', 'o')} = values[${index}];`],
  );
  return `function writeFixed(page, o, values) { ${parts.join(' ')} }`;
}

const ZEROS = {
  f64: '0',
  i32: '0',
  u8: '0',
  utf8: '0',
  rows: '0',
  i64: '0n',
  js: 'undefined',
} as const;
/** How what a column has in the arena is counted dead. */
const FREE: Partial<Record<ValueForm, string>> = { utf8: 'free', rows: 'freeRows' };

function clearCode({ spec, keys }: TableShape): readonly string[] {
  const values = spec.columns.map(({ form }, index) => {
    if (form === 'none') return '';
    const place = columnCode(spec, index, 'page', 'o');
    const free = FREE[form];
    return `${free === undefined ? '' : `arena.${free}(${place}); `}${place} = ${ZEROS[form]};`;
  });
  const texts = keys.flatMap(({ form }, index) =>
    form === 'text' ? [`keyTexts.clear(page.k${index}, o);`] : [],
  );
  return [
    `function clearValues(page, o) { ${values.join(' ')} }`,
    `function clearKey(page, o) { ${texts.join(' ')} }`,
  ];
}

function copyCode({ spec, keys }: TableShape): string {
  const values = spec.columns.map(({ form }, index) => {
    if (form === 'none') return '';
    const value = columnCode(spec, index, 'from', 'o');
    const target = columnCode(spec, index, 'to', 'p');
    return `${target} = ${form === 'js' ? `freezeHeapValue(${value})` : value};`;
  });
  const kept = keys.map(({ form }, index) =>
    form === 'text'
      ? `keyTexts.copyTo(from.k${index}, o, to.k${index}, p);`
      : `to.k${index}[p] = from.k${index}[o];`,
  );
  return `function copy(from, o, to, p) { ${[...values, ...kept].join(' ')} }`;
}

/** Keys and values that have records in the arena. */
function textCode({ spec, keys }: TableShape): readonly string[] {
  const texts = keys.flatMap(({ form }, index) => (form === 'text' ? [index] : []));
  const values = spec.columns.flatMap(({ form }, index) => (form === 'utf8' ? [index] : []));
  const rows = spec.columns.flatMap(({ form }, index) =>
    form === 'rows' ? [columnCode(spec, index, 'page', 'o')] : [],
  );
  const owns = [
    ...texts.map((index) => `keyTexts.owns(page.k${index}, o, position)`),
    ...values.map((index) => `page.c${index}[o] === position`),
    ...rows.map((place) => `arena.hasRow(${place}, position)`),
  ];
  const moves = [
    ...texts.map((index) => `keyTexts.move(page.k${index}, o, from, to);`),
    ...values.map((index) => `if (page.c${index}[o] === from) page.c${index}[o] = to;`),
    ...rows.map((place) => `${place} = arena.moveRow(${place}, from, to);`),
  ];
  return [
    `function ownsText(page, o, position) { return ${owns.join(' || ') || 'false'}; }`,
    `function moveText(page, o, from, to) { ${moves.join(' ')} }`,
  ];
}
