/**
 * The fragments of sorting: records are kept as bytes behind the key by whose bytes they are sorted, and handed on in
 * that order when the input has ended. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 */
import { assert } from '../../base/assert.js';
import { type DataType, formOf } from '../../record/schema.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { CodeBlock } from '../code-block.js';
import type { JsValue } from '../code-value.js';
import { compileExpression } from '../expression-compiler.js';
import type { FlowRow } from '../flow-row.js';
import { binaryParts } from '../key-code.js';
import { sortOrders } from '../sort-form.js';
import type { SortRun } from '../sort-run.js';
import { type RowPlace, storeRowCode } from '../stored-row.js';
import { eachRowCode } from '../stored-rows.js';

/** What the bytes of values are combined with, to have them the other way round. */
const DESCENDING = 255;
const DAY_MS = 86_400_000;

function sortOf({ run }: ChainCode, { index }: Placed<'sort'>): SortRun {
  const sort = run.sorts[index];
  assert(sort !== null, 'A sort is running.');
  return sort;
}

/** Keeps a record. */
export function sortFragment(
  code: ChainCode,
  placed: Placed<'sort'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit } = code;
  const sort = sortOf(code, placed);
  const state = unit.constant(sort, `sort${placed.index}`);
  const key = unit.constant(sort.key, 'sortKey');
  row.useAllFields();
  place.line(`${key}.length = 0;`);
  for (const { by, descending } of sortOrders(placed.spec)) {
    const value = compileExpression(by, row, unit.at(place));
    keyPartCode(code, key, value, descending ? DESCENDING : 0, place);
  }
  const at = unit.fresh('recordAt');
  const claim = (bytes: string): RowPlace => {
    place.line(`const ${at} = ${state}.claim(${bytes});`);
    const view = unit.hoist(`${state}.view`, 'sortView');
    return { bytes: unit.hoist(`${state}.memory`, 'sortMemory'), view, at };
  };
  storeRowCode(unit, sort.layouts.layout, row, claim, place);
}

/** Adds a value to a key. */
function keyPartCode(
  code: ChainCode,
  key: string,
  value: JsValue,
  mask: number,
  place: CodeBlock,
): void {
  const none = `${key}.none(${mask});`;
  if (value.isNull === 'true' || value.type.kind === 'null') return place.line(none);
  const call = partCall(code, value);
  if (value.isNull === 'false') return place.line(`${key}.${call}, ${mask});`);
  place.line(`if (${value.isNull}) ${none}`);
  place.line(`else ${key}.${call}, ${mask});`);
}

/** The call that adds a value which is not null, but for its last argument. */
function partCall({ unit }: ChainCode, { type, value, binary }: JsValue): string {
  const form = type.kind === 'decimal' ? 'decimal' : formOf(type);
  if (binary !== null && (form === 'utf8' || form === 'bytes')) {
    const { bytes, start, end } = binaryParts(unit, binary);
    return `${form === 'utf8' ? 'text' : 'blob'}(${bytes}, ${start}, ${end}`;
  }
  switch (form) {
    case 'decimal':
      return decimalCall(type, value);
    case 'u8':
      return `bool(${value}`;
    case 'i64':
      return `int64(${value}`;
    case 'utf8':
      return `string(${value}`;
    case 'bytes':
      return `bytesOf(${value}`;
    default:
      return `number(${type.kind === 'date' ? `${value} * ${DAY_MS}` : value}`;
  }
}

function decimalCall(type: DataType, value: string): string {
  assert(type.kind === 'decimal', 'Decimals have digits.');
  return formOf(type) === 'i64'
    ? `big(${value}`
    : `decimal(${value}, ${type.precision}, ${type.scale}`;
}

/** The loop that hands the records on in order. */
export function sortedFragment(code: ChainCode, placed: Placed<'sort'>, place: CodeBlock): void {
  const { unit } = code;
  const sort = sortOf(code, placed);
  const state = unit.constant(sort, `sort${placed.index}`);
  const take = (row: FlowRow, inside: CodeBlock): void => code.next(placed.index, row, inside);
  eachRowCode(unit, state, sort.layouts, take, place);
}
