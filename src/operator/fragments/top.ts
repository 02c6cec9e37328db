/**
 * The fragments of top-n: the first rows of each key in an order are kept as bytes, and given with their ranks when the
 * input has ended. Callers: the chain compiler. Runs on: worker, when a chain is compiled. Invariant: the rows of an
 * entry are in order, each alone in a column of its own; one that was handed on is gone, so that what is left goes on
 * from a snapshot.
 */
import { assert } from '../../base/assert.js';
import type { StateTable, TableSpec } from '../../state/contract.js';
import { columnPlace } from '../../state/table-shape.js';
import { keyFields, NUMBER } from '../aggregate-fields.js';
import { keyTable } from '../aggregate-tables.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { ComputedRow } from '../chain-row.js';
import type { CodeBlock } from '../code-block.js';
import type { SymbolicRow } from '../code-value.js';
import { compileCondition } from '../expression-compiler.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import { type EntryCode, findEntry, keyValues, pageCode } from '../key-entry-code.js';
import { topSchema } from '../operator-schema.js';
import type { RowLayouts } from '../row-layouts.js';
import { type RowPlace, storedRow } from '../stored-row.js';
import { addRowCode, rowPlaceCode } from '../stored-rows.js';
import { overflowFragment } from './overflow.js';

const NO_MARKS = { time: null, kind: null } as const;
/** Columns before those of the rows: how many there are. */
const COUNT = 0;
const FIRST_ROW = 1;

/** What top-n keeps, in generated code. */
interface Ranking {
  readonly table: StateTable;
  readonly layouts: RowLayouts;
}

function rankingOf(code: ChainCode, { index, spec }: Placed<'top'>): Ranking {
  const keyed = code.run.keyed[index];
  const input = keyed?.input ?? null;
  assert(keyed !== null && input !== null && keyed.layouts !== null, 'Top-n knows its records.');
  const columns: TableSpec['columns'] = [
    { name: 'count', form: 'i32' },
    ...Array.from({ length: spec.rows }, (_, rank) => ({
      name: String(rank + 1),
      form: 'rows' as const,
    })),
  ];
  const keys = keyFields(spec.name, spec.keys, input);
  // Side by side, so that rows change places within one array.
  const table = keyed.table({ ...keyTable('ranked', keys, columns), isPacked: true });
  return { table, layouts: keyed.layouts };
}

/** Code of the position of the row at a rank, which counts from 0. */
function placeCode({ table }: Ranking, { page, at }: EntryCode, rank: string): string {
  const { array, width, at: first } = columnPlace(table.spec, FIRST_ROW);
  return `${page}.${array}[${at} * ${width} + ${first} + ${rank}]`;
}

/** Puts a row into its place, or drops it when there is none. */
export function topFragment(
  code: ChainCode,
  placed: Placed<'top'>,
  row: FlowRow,
  whole: CodeBlock,
): void {
  const { unit } = code;
  const { index, spec } = placed;
  const ranking = rankingOf(code, placed);
  const { table, layouts } = ranking;
  row.useAllFields();
  const values = keyValues(code, index, spec.keys, row, whole);
  const place = overflowFragment(code, { index, table, keys: values, row }, whole);
  const entry = findEntry(code, { index, table, values, isLocal: false }, place);
  const count = unit.fresh('count');
  const rank = unit.fresh('rank');
  place.line(`const ${count} = ${entry.column(COUNT)};`);
  place.line(`let ${rank} = ${count};`);
  const search = place.open(`while (${rank} > 0)`);
  const other = unit.fresh('other');
  search.line(`const ${other} = ${placeCode(ranking, entry, `${rank} - 1`)};`);
  const memory = rowPlaceCode(unit, layouts, entry.table, other, search);
  const before = storedRow(unit, layouts.layout, NO_MARKS, memory);
  search.line(`if (!(${isAheadCode(code, placed, row, before, search)})) break;`);
  search.line(`${rank}--;`);
  const ranked = place.open(`if (${rank} < ${spec.rows})`);
  const last = unit.fresh('last');
  ranked.line(`const ${last} = ${count} < ${spec.rows} ? ${count} : ${spec.rows - 1};`);
  const drop = `${entry.table}.dropRows(${entry.entry}, ${FIRST_ROW + spec.rows - 1});`;
  ranked.line(`if (${count} < ${spec.rows}) ${entry.column(COUNT)} = ${count} + 1;`);
  ranked.line(`else ${drop}`);
  const at = unit.fresh('to');
  const move = ranked.open(`for (let ${at} = ${last}; ${at} > ${rank}; ${at}--)`);
  move.line(`${placeCode(ranking, entry, at)} = ${placeCode(ranking, entry, `${at} - 1`)};`);
  ranked.line(`${placeCode(ranking, entry, rank)} = 0;`);
  const target = { table: entry.table, entry: entry.entry, index: `${FIRST_ROW} + ${rank}` };
  addRowCode(unit, layouts, row, target, ranked);
}

/** Code that is true when a new row comes before one that is there. */
function isAheadCode(
  code: ChainCode,
  { spec }: Placed<'top'>,
  row: FlowRow,
  before: FlowRow,
  place: CodeBlock,
): string {
  let ahead = spec.newestFirst ? 'true' : 'false';
  for (const order of spec.order.toReversed()) {
    const [mine, theirs] = [row.field(order.name), before.field(order.name)];
    assert(mine !== null && theirs !== null, 'Rows are ordered by fields that they have.');
    const [high, low] = order.descending ? [mine, theirs] : [theirs, mine];
    const [isMore, isSame] = compared(code, high, low, place);
    ahead = `(${isMore} || (${isSame} && ${ahead}))`;
  }
  return ahead;
}

/** Whether a value is more than another one, and whether they are the same; null is less than all others. */
function compared(
  { unit }: ChainCode,
  high: FieldValue,
  low: FieldValue,
  place: CodeBlock,
): readonly [string, string] {
  const both: SymbolicRow = {
    names: () => ['high', 'low'],
    field: (name) => (name === 'high' ? high : name === 'low' ? low : null),
  };
  const test = (fn: 'gt' | 'eq'): string => {
    const args = [
      { node: 'column', name: 'high' },
      { node: 'column', name: 'low' },
    ] as const;
    return `(${compileCondition({ node: 'call', fn, args }, both, unit.at(place))})`;
  };
  const isMore = [
    ...(high.isNull === 'false' ? [] : [`!${high.isNull}`]),
    low.isNull === 'false' ? test('gt') : `(${low.isNull} || ${test('gt')})`,
  ];
  const isSame =
    high.isNull === 'false' && low.isNull === 'false'
      ? test('eq')
      : `(${high.isNull} ? ${low.isNull} : ${test('eq')})`;
  return [`(${isMore.join(' && ')})`, isSame];
}

/** Hands on the rows of one entry, whose id is in the local `entry`; `back` goes back to it when there is no room. */
export function topEntryFragment(
  code: ChainCode,
  placed: Placed<'top'>,
  entry: string,
  back: string,
  place: CodeBlock,
): void {
  const { unit } = code;
  const { index } = placed;
  const ranking = rankingOf(code, placed);
  const { table, layouts } = ranking;
  const found: EntryCode = pageCode(code, table, entry, place);
  const count = unit.fresh('count');
  const rank = unit.fresh('rank');
  place.line(`const ${count} = ${found.column(COUNT)};`);
  place.line(`let ${rank} = 0;`);
  const loop = place.open(`while (stop === 0 && ${rank} < ${count})`);
  const position = unit.fresh('position');
  loop.line(`const ${position} = ${placeCode(ranking, found, rank)};`);
  loop.line(`${rank}++;`);
  const left = loop.open(`if (${position} !== 0)`);
  const memory = rowPlaceCode(unit, layouts, found.table, position, left);
  code.next(index, rankedRow(code, placed, memory, layouts, rank), left);
  left.line(`${found.table}.dropRows(${entry}, ${rank} + ${FIRST_ROW - 1});`);
  place.line(`if (${rank} < ${count}) { ${back}; break; }`);
}

function rankedRow(
  { unit, run }: ChainCode,
  { index, spec }: Placed<'top'>,
  memory: RowPlace,
  layouts: RowLayouts,
  rank: string,
): FlowRow {
  const input = run.keyed[index]?.input ?? null;
  assert(input !== null, 'Top-n knows its records.');
  const kept = storedRow(unit, layouts.layout, NO_MARKS, memory);
  const number = { type: NUMBER, nullable: false, value: rank, isNull: 'false', binary: null };
  return new ComputedRow(unit, topSchema(spec, input), NO_MARKS, (name) =>
    name === spec.rank ? number : kept.field(name),
  );
}
