/**
 * The fragments of a join: a row is kept as bytes under its key, and paired with the rows of the other side there,
 * whose fields are read when something behind the join wants them. A pair is an object only where the results are made
 * by a function. When the loop has to stop in the middle of a row's pairs, a function of its own goes on with them.
 * Callers: the chain compiler. Runs on: worker, when a chain is compiled. Invariant: a row is kept before it is paired,
 * so that what is put aside finds it in state.
 */
import { assert } from '../../base/assert.js';
import type { RowLayouts } from '../row-layouts.js';
import { storedRow } from '../stored-row.js';
import { addRowCode, rowPlaceCode } from '../stored-rows.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { JoinRun } from '../chain-join.js';
import { ComputedRow } from '../chain-row.js';
import type { CodeBlock } from '../code-block.js';
import type { FlowRow, RowMarks } from '../flow-row.js';
import { keyCode, keyValues } from '../key-entry-code.js';
import { usedFields } from '../lambda-fields.js';
import { marksCode } from '../record-code.js';
import { itemsCode, turnCode } from './turns.js';

/** A row that is being paired. */
interface Pairing extends Placed<'join'> {
  readonly join: JoinRun;
  /** The local of the join, and of its table. */
  readonly bound: string;
  readonly table: string;
  readonly side: 0 | 1;
  readonly row: FlowRow;
  /** How the rows of the other side are written. */
  readonly others: RowLayouts;
}

/** Keeps a row, and hands on its pairs. */
export function joinFragment(
  code: ChainCode,
  { index, spec }: Placed<'join'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run, side } = code;
  const join = run.joins[index];
  assert(join !== null, 'A join runs.');
  if (join.keepsAll(side)) row.useAllFields();
  const bound = unit.constant(join, 'join');
  if (row.marks.kind !== null) {
    place.line(`if (${row.marks.kind} !== 0) throw ${bound}.updated();`);
  }
  const key = keyCode(code, keyValues(code, index, spec.keys[side], row, place), false, place);
  const table = unit.constant(join.table, 'table');
  const entry = unit.fresh('entry');
  place.line(`const ${entry} = ${table}.upsert(${[key.group, key.hash, ...key.args].join(', ')});`);
  const position = addRowCode(unit, join.layouts[side], row, { table, entry, index: side }, place);
  const others = join.layouts[side === 0 ? 1 : 0];
  // Nothing has come of the other side as long as nobody knows what it is.
  if (others.schema === null) return;
  const newest = unit.fresh('newest');
  place.line(`const ${newest} = ${table}.newestRow(${entry}, ${1 - side});`);
  const found = place.open(`if (${newest} !== 0)`);
  const pairing: Pairing = { index, spec, join, bound, table, side, row, others };
  const count = unit.fresh('count');
  const at = unit.fresh('at');
  found.line(`const ${count} = ${bound}.begin(${newest});`);
  found.line(`let ${at} = 0;`);
  pairLoop(code, pairing, at, count, found);
  const rest = found.open(`if (${at} < ${count})`);
  code.stop(rest);
  rest.line(`${bound}.hold(${side}, ${position}, ${at}, ${marksCode(row.marks)});`);
}

/** Goes on with the pairs of a row of side `side` that wait. */
export function joinRestFragment(
  code: ChainCode,
  { index, spec }: Placed<'join'>,
  side: 0 | 1,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const join = run.joins[index];
  assert(join !== null, 'A join runs.');
  const layouts = join.layouts[side];
  const others = join.layouts[side === 0 ? 1 : 0];
  const bound = unit.constant(join, 'join');
  const table = unit.constant(join.table, 'table');
  for (const name of ['time', 'kind', 'row']) {
    place.line(`${name === 'row' ? '' : 'const '}${name} = ${bound}.${name};`);
  }
  const memory = rowPlaceCode(unit, layouts, table, `${bound}.position`, place);
  const row = storedRow(unit, layouts.layout, { time: 'time', kind: 'kind' }, memory);
  const at = unit.register(`${bound}.at`, 'at');
  const count = unit.hoist(`${bound}.count`, 'count');
  pairLoop(code, { index, spec, join, bound, table, side, row, others }, at, count, place);
}

/** The loop over the partners of a row from `at` on. */
function pairLoop(
  code: ChainCode,
  pairing: Pairing,
  at: string,
  count: string,
  place: CodeBlock,
): void {
  const { unit } = code;
  const { bound, table, others, row, spec, index } = pairing;
  const partners = unit.fresh('partners');
  place.line(`const ${partners} = ${bound}.partners;`);
  const own =
    spec.columns === null ? row.object(usedFields(spec.apply, pairing.side), place) : null;
  const loop = place.open(`while (${at} < ${count} && ${turnCode(code)})`);
  loop.line(`${itemsCode(code)}++;`);
  const position = unit.fresh('partner');
  loop.line(`const ${position} = ${partners}[${at}++];`);
  const memory = rowPlaceCode(unit, others, table, position, loop);
  const other = storedRow(unit, others.layout, row.marks, memory);
  code.severalPerRow(() => {
    if (own === null) code.next(index, selectedPair(code, pairing, other), loop);
    else appliedPair(code, pairing, own, other, loop);
  });
}

/** Chosen fields of both. */
function selectedPair(code: ChainCode, pairing: Pairing, other: FlowRow): FlowRow {
  const { spec, side, row, join } = pairing;
  const schema = join.resultSchema;
  assert(schema !== null && spec.columns !== null, 'Both sides of a pair are known.');
  const { columns } = spec;
  const marks: RowMarks = row.marks;
  return new ComputedRow(code.unit, schema, marks, (as) => {
    const column = columns.find((each) => each.as === as);
    if (column === undefined) return null;
    const value = (column.side === side ? row : other).field(column.name);
    // The row is there once for each pair, so it does not travel as the row of its batch.
    return value?.source === undefined
      ? value
      : { ...value, source: { ...value.source, index: null } };
  });
}

/** What the function makes of both. */
function appliedPair(
  code: ChainCode,
  { index, spec, side, row }: Pairing,
  own: string,
  other: FlowRow,
  loop: CodeBlock,
): void {
  const { unit, run } = code;
  assert(spec.columns === null, 'A function makes what is not selected.');
  const partner = other.object(usedFields(spec.apply, side === 0 ? 1 : 0), loop);
  code.enter(index, loop);
  const result = unit.fresh('result');
  const pair = side === 0 ? `${own}, ${partner}` : `${partner}, ${own}`;
  loop.line(`const ${result} = ${unit.constant(spec.apply, 'apply')}(${pair});`);
  const errors = unit.constant(run.errors, 'errors');
  loop.line(`if (${result} === undefined) throw ${errors}.undefinedRecord(${index});`);
  code.nextRecord(index, result, row.marks, loop);
}
