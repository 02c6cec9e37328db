/**
 * Generated code between the pages of a table and records of its cold tier. Compiled once per table, for the forms of
 * its keys and values. Callers: `tiered-table.ts`. Runs on: worker. Invariant: no name from outside is part of the
 * code.
 */
import { deserialize } from 'node:v8';
import { compileFunction } from 'node:vm';
import { sameBytes } from '../byte-arena.js';
import type { KeyTuple, StateTable, TablePage, TableSpec, ValueForm } from '../contract.js';
import type { EntryParts } from '../entry-code.js';
import { FrozenHeapValue } from '../heap-value.js';
import { rowPlace } from '../row-place.js';
import { keyParameters, type TableCode } from '../table-code.js';
import { keyOfArguments, tableKeyHash } from '../table-key.js';
import { columnCode, type KeyForm, type TableShape } from '../table-shape.js';
import {
  groupedHash,
  RECORD_GENERATION,
  RECORD_HASH,
  RECORD_HEADER,
  RECORD_KEY_BYTES,
  RECORD_KEY_GROUP,
  RECORD_LENGTH,
  type RecordBuffer,
  TOMBSTONE,
} from './cold-record.js';

/** What is known of an entry beside what its page has. */
export interface RecordFacts {
  /** What it is ordered by, and the hash of its key, which is the same where entries have no groups. */
  hash: number;
  keyHash: number;
  keyGroup: number;
  generation: number;
  stampMs: number;
  isRemoved: boolean;
}

/** Where a record is. */
export interface RecordPlace {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly at: number;
}

/** The cold tier, to the look-up that brings an entry in. */
export interface RecordTier extends RecordPlace {
  readonly isTombstone: boolean;
  first(hash: number): boolean;
  next(): boolean;
  /** Takes the record at hand into the table: its entry. */
  bringIn(): number;
}

/** The generated functions. */
export interface RecordCode {
  /** Appends the entry at `o` of a page. */
  encode(out: RecordBuffer, page: TablePage, o: number, facts: RecordFacts): void;
  /** Brings in the entry of a key that is not in memory; -1 where there is none. */
  readonly fetch: (keyGroup: number, hash: number, ...key: never[]) => number;
  /** The entry of a record's key, looked up as `find` does. */
  find(place: RecordPlace): number;
  /** The number in a key column of a record. */
  numberOf(place: RecordPlace, key: number): number;
  /** A new entry of what a record holds, with its key alone if it is a tombstone. */
  insert(place: RecordPlace): number;
  /** The entry of a record's key, also one that was removed and whose tombstone waits; -1 where there is none. */
  locate(place: RecordPlace): number;
}

const FIXED: Partial<
  Record<KeyForm | ValueForm, { readonly bytes: number; readonly name: string }>
> = {
  f64: { bytes: 8, name: 'Float64' },
  f32: { bytes: 4, name: 'Float32' },
  i32: { bytes: 4, name: 'Int32' },
  u32: { bytes: 4, name: 'Uint32' },
  u8: { bytes: 1, name: 'Uint8' },
  i64: { bytes: 8, name: 'BigInt64' },
};

/** Where the key of a record begins. */
export function keyStartOf(shape: TableShape): number {
  return ownHashOf(shape) + (isGrouped(shape) ? 4 : 0);
}

/** Where a record has the hash of its key when it is ordered by another one: behind the time stamp. */
function ownHashOf({ spec }: TableShape): number {
  return RECORD_HEADER + (spec.ttlMs === null ? 0 : 8);
}

function isGrouped({ spec }: TableShape): boolean {
  return spec.groupKey !== undefined || spec.ownerKeys !== undefined;
}

/** The hash of the entry that one belongs to, by the arguments or the values of its key. */
export function ownerHash({ keys, ownerKeys = 0 }: TableSpec, key: KeyTuple): number {
  return tableKeyHash(keys.slice(0, ownerKeys), key.slice(0, ownerKeys));
}

/** Compiles the functions of a table. Without a tier entries are only passed on, and heap values so stay bytes. */
export function compileRecords(
  shape: TableShape,
  parts: EntryParts,
  { create, find, locate }: TableCode,
  tier: RecordTier | null,
): RecordCode {
  const code = `'use strict';
const { table, pages, arena, keyTexts, create, find_entry, locate_entry } = constants;
const { tier, sameBytes, valueOf, state, takeRows, groupedHash, ownerHashOf } = constants;
${encodeCode(shape)}
${matchesCode(shape)}
${fetchCode(shape)}
${insertCode(shape)}
${lookCode(shape, 'locate')}
${lookCode(shape, 'find')}
${numberCode(shape)}
return { encode, fetch, find, insert, locate, numberOf };`;
  const make = compileFunction(code, ['constants'], {
    filename: `millrace:state-table/${shape.spec.name}/records.js`,
  }) as (constants: unknown) => RecordCode;
  const valueOf =
    tier === null
      ? (bytes: Uint8Array) => new FrozenHeapValue(Buffer.from(bytes))
      : (bytes: Uint8Array) => deserialize(bytes);
  const state = shape.spec.name;
  return make({
    ...parts,
    create,
    find_entry: find,
    locate_entry: locate,
    tier,
    sameBytes,
    valueOf,
    state,
    takeRows,
    groupedHash,
    ownerHashOf: (...key: unknown[]) => ownerHash(shape.spec, keyOfArguments(shape.spec.keys, key)),
  });
}

/** Gives an entry the rows that a record has from `at` on; where they end. */
function takeRows(
  table: StateTable,
  entry: number,
  column: number,
  { bytes, view }: RecordPlace,
  at: number,
): number {
  let from = at + 4;
  for (let left = view.getUint32(at, true); left > 0; left--) {
    const start = from + 4;
    const length = view.getUint32(from, true);
    const { chunk, offset } = rowPlace(table.addRow(entry, column, length));
    from = start + length;
    table.rows.chunks[chunk].set(bytes.subarray(start, from), offset);
  }
  return from;
}

function valueForms({ spec }: TableShape): readonly { form: ValueForm; index: number }[] {
  return spec.columns
    .map(({ form }, index) => ({ form, index }))
    .filter(({ form }) => form !== 'none');
}

/** Bytes of all that has a fixed size, with lengths of the rest. */
function fixedBytes(shape: TableShape): number {
  const forms = [...shape.keys, ...valueForms(shape)].map(({ form }) => FIXED[form]?.bytes ?? 4);
  return forms.reduce((sum, bytes) => sum + bytes, keyStartOf(shape) + 4);
}

function encodeCode(shape: TableShape): string {
  const append = (call: string): string =>
    `out.length = at; ${call} out.reserve(${fixedBytes(shape)}); view = out.view; at = out.length;`;
  const keys = shape.keys.map(({ form }, index) => {
    const fixed = FIXED[form];
    if (fixed === undefined) {
      return append(`keyTexts.appendTo(page.k${index}, page.k${index}b, o, out);`);
    }
    return `view.set${fixed.name}(at, page.k${index}[o], true); at += ${fixed.bytes};`;
  });
  const values = valueForms(shape).map(({ form, index }) => {
    const place = columnCode(shape.spec, index, 'page', 'o');
    const fixed = FIXED[form];
    if (fixed !== undefined)
      return `view.set${fixed.name}(at, ${place}, true); at += ${fixed.bytes};`;
    if (form === 'js') return append(`out.addValue(${place}, state);`);
    if (form === 'rows') return append(`out.addRows(${place}, arena);`);
    return append(`arena.appendTo(${place}, out);`);
  });
  const stamp =
    shape.spec.ttlMs === null
      ? ''
      : `view.setFloat64(start + ${RECORD_HEADER}, facts.stampMs, true);`;
  return `function encode(out, page, o, facts) {
  const start = out.length;
  out.reserve(${fixedBytes(shape)});
  let view = out.view, at = start + ${keyStartOf(shape)};
  view.setInt32(start + ${RECORD_HASH}, facts.hash, true);
  ${isGrouped(shape) ? `view.setInt32(start + ${ownHashOf(shape)}, facts.keyHash, true);` : ''}
  view.setUint32(start + ${RECORD_GENERATION}, facts.generation, true);
  view.setUint16(start + ${RECORD_KEY_GROUP}, facts.keyGroup, true);
  ${stamp}
  ${keys.join('\n  ')}
  view.setUint32(start + ${RECORD_KEY_BYTES}, at - start - ${keyStartOf(shape)}, true);
  if (!facts.isRemoved) {
    ${values.join('\n    ')}
  }
  at = (at + 3) & ~3;
  out.length = at;
  const flag = facts.isRemoved ? ${TOMBSTONE} : 0;
  view.setUint32(start + ${RECORD_LENGTH}, (at - start) | flag, true);
}`;
}

function matchesCode(shape: TableShape): string {
  const tests = shape.keys.map(({ form }, index) => {
    const fixed = FIXED[form];
    if (fixed === undefined) {
      return `if (view.getUint32(at, true) !== n${index} - s${index}) return false;
  if (!sameBytes(bytes, at + 4, b${index}, s${index}, n${index})) return false;
  at += 4 + n${index} - s${index};`;
    }
    const kept = `const v${index} = view.get${fixed.name}(at, true); at += ${fixed.bytes};`;
    const wanted = form === 'i64' ? `BigInt.asIntN(64, k${index})` : `k${index}`;
    const same =
      form === 'f64' || form === 'f32'
        ? `v${index} === ${wanted} || (v${index} !== v${index} && k${index} !== k${index})`
        : `v${index} === ${wanted}`;
    return `${kept} if (!(${same})) return false;`;
  });
  return `function matches(bytes, view, start, ${keyParameters(shape)}) {
  let at = start + ${keyStartOf(shape)};
  ${tests.join('\n  ')}
  return true;
}`;
}

/** Code of the hash that records are ordered by. */
function orderCode(shape: TableShape): string {
  const { groupKey, ownerKeys } = shape.spec;
  if (groupKey !== undefined) return `groupedHash(hash, k${groupKey})`;
  return ownerKeys === undefined ? 'hash' : `ownerHashOf(${keyParameters(shape)})`;
}

function fetchCode(shape: TableShape): string {
  return `function fetch(keyGroup, hash, ${keyParameters(shape)}) {
  if (!tier.first(${orderCode(shape)})) return -1;
  do {
    if (matches(tier.bytes, tier.view, tier.at, ${keyParameters(shape)})) {
      return tier.isTombstone ? -1 : tier.bringIn();
    }
  } while (tier.next());
  return -1;
}`;
}

/** Declares the arguments of look-ups, read from a record; `at` is behind them then. */
function keyCode(shape: TableShape): string {
  const parts = shape.keys.map(({ form }, index) => {
    const fixed = FIXED[form];
    if (fixed !== undefined) {
      return `const k${index} = view.get${fixed.name}(at, true); at += ${fixed.bytes};`;
    }
    return `const b${index} = bytes, s${index} = at + 4;
  const n${index} = s${index} + view.getUint32(at, true);
  at = n${index};`;
  });
  const hashAt = isGrouped(shape) ? ownHashOf(shape) : RECORD_HASH;
  return `const hash = view.getInt32(start + ${hashAt}, true);
  const keyGroup = view.getUint16(start + ${RECORD_KEY_GROUP}, true);
  let at = start + ${keyStartOf(shape)};
  ${parts.join('\n  ')}`;
}

function insertCode(shape: TableShape): string {
  const { spec, pageShift } = shape;
  const values = valueForms(shape).map(({ form, index }) => {
    const fixed = FIXED[form];
    if (fixed !== undefined) {
      const place = columnCode(spec, index, 'page', 'o');
      return `${place} = view.get${fixed.name}(at, true); at += ${fixed.bytes};`;
    }
    if (form === 'rows') return `at = takeRows(table, entry, ${index}, place, at);`;
    const span = 'const from = at + 4, to = from + view.getUint32(at, true); at = to;';
    const set =
      form === 'js'
        ? `table.setValue(entry, ${index}, valueOf(bytes.subarray(from, to)));`
        : `table.setText(entry, ${index}, bytes, from, to);`;
    return `{ ${span} ${set} }`;
  });
  return `function insert(place) {
  const { bytes, view, at: start } = place;
  ${keyCode(shape)}
  const entry = create(${['keyGroup', 'hash', keyParameters(shape)].join(', ')});
  if ((view.getUint32(start + ${RECORD_LENGTH}, true) & ${TOMBSTONE}) !== 0) return entry;
  const page = pages[entry >>> ${pageShift}], o = entry & ${(1 << pageShift) - 1};
  ${values.join('\n  ')}
  return entry;
}`;
}

function numberCode(shape: TableShape): string {
  const steps = shape.keys.map(({ form }, index) => {
    const fixed = FIXED[form];
    if (fixed === undefined) return 'at += 4 + view.getUint32(at, true);';
    const read = `if (key === ${index}) return Number(view.get${fixed.name}(at, true));`;
    return `${read} at += ${fixed.bytes};`;
  });
  return `function numberOf({ view, at: start }, key) {
  let at = start + ${keyStartOf(shape)};
  ${steps.join('\n  ')}
  return NaN;
}`;
}

function lookCode(shape: TableShape, name: 'locate' | 'find'): string {
  return `function ${name}({ bytes, view, at: start }) {
  ${keyCode(shape)}
  return ${name}_entry(${['keyGroup', 'hash', keyParameters(shape)].join(', ')});
}`;
}
