/**
 * The fragment of `aggregate`: accumulators change in place in the pages of a state table. A partial aggregation
 * that does not pay turns every row into accumulators of its own instead. Callers: the chain compiler. Runs on:
 * worker, when a chain is compiled. Every row counts as an insert, as in Flink's DataStream API.
 */
import { assert } from '../../base/assert.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../record/batch.js';
import type { AggregatePlan, PlannedAggregate } from '../aggregate-plan.js';
import { planAggregate } from '../aggregate-plan.js';
import { resultKeyName } from '../aggregate-fields.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { KeyedRun } from '../chain-keyed.js';
import { ComputedRow } from '../chain-row.js';
import type { FieldValue, FlowRow, RowMarks } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { compileCondition, compileExpression } from '../expression-compiler.js';
import {
  distinctCode,
  type EntryCode,
  entryKeyValues,
  findEntry,
  findEntryAndKey,
  type KeyCode,
  keyValues,
  pageCode,
  TableCell,
} from '../key-entry-code.js';
import { propertyCode, recordValueCode } from '../object-code.js';

/** Accumulators of a row alone are in no table. */
const NO_ENTRY: EntryCode = {
  table: '',
  entry: '',
  page: '',
  at: '',
  column: () => '',
  isNew: () => 'true',
};
const NO_MARKS: RowMarks = { time: null, kind: null };

/** An aggregation with its plan and state. */
interface Bound extends Placed<'aggregate'> {
  readonly plan: AggregatePlan;
  readonly keyed: KeyedRun;
}

function bind(code: ChainCode, placed: Placed<'aggregate'>): Bound {
  const keyed = code.run.keyed[placed.index];
  const input = keyed?.input ?? null;
  assert(keyed !== null && input !== null, 'An aggregation knows its records.');
  return { ...placed, plan: planAggregate(placed.spec, input), keyed };
}

/** Adds a row to the accumulators of its key. */
export function aggregateFragment(
  code: ChainCode,
  placed: Placed<'aggregate'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const bound = bind(code, placed);
  const { index, spec, keyed } = bound;
  const keys = keyValues(code, index, spec.keys, row, place);
  if (!keyed.isPartial) {
    const entry = accumulateCode(code, bound, keys, row, place);
    if (spec.emit === 'updates') updateCode(code, bound, keys, entry, row, place);
    return;
  }
  const state = code.unit.constant(keyed, `partial${index}`);
  const passes = place.open(`if (${code.unit.hoist(`${state}.passesThrough`, 'passesThrough')})`);
  loneCode(code, bound, keys, row, passes);
  const holds = place.open('else');
  holds.line(`${code.unit.register(`${state}.rows`, 'partialRows')}++;`);
  accumulateCode(code, bound, keys, row, holds);
}

/** Finds the entry of the key and adds the row to each accumulator. */
function accumulateCode(
  code: ChainCode,
  bound: Bound,
  values: readonly FieldValue[],
  row: FlowRow,
  place: CodeBlock,
): EntryCode {
  const { plan, keyed, index } = bound;
  const table = keyed.table(plan.table);
  const lookup = { index, table, values, isLocal: keyed.isPartial };
  const needsKey = plan.aggregates.some((aggregate) => aggregate.distinct !== null);
  const found = needsKey ? findEntryAndKey(code, lookup, place) : null;
  const entry = found?.entry ?? findEntry(code, lookup, place);
  const head = place.place();
  const inside = place.indented();
  const tail = place.place();
  for (const aggregate of plan.aggregates) {
    aggregate.accumulator.create(cellOf(code, bound, entry, aggregate), inside);
  }
  if (keyed.isPartial) {
    const state = code.unit.constant(keyed, `partial${index}`);
    const full = inside.open(`if (${entry.table}.entries >= ${keyed.keysMax})`);
    full.line(`${state}.isFull = true;`);
    code.stop(full);
  }
  if (!inside.isEmpty) {
    head.line(`if (${entry.isNew()}) {`);
    tail.line('}');
  }
  plan.aggregates.forEach((aggregate) => {
    place.comment(`${aggregate.spec.fn} ${aggregate.spec.as}`);
    const cell = cellOf(code, bound, entry, aggregate);
    if (bound.spec.phase === 'merge') {
      aggregate.accumulator.merge(cell, carriedFields(aggregate, row), place);
    } else {
      addCode(code, bound, aggregate, cell, found?.key ?? null, row, place);
    }
  });
  return entry;
}

function cellOf(
  code: ChainCode,
  bound: Bound,
  entry: EntryCode,
  aggregate: PlannedAggregate,
): TableCell {
  return new TableCell(code, bound.index, entry, aggregate.firstColumn, aggregate.spec.as);
}

function carriedFields(aggregate: PlannedAggregate, row: FlowRow): readonly FieldValue[] {
  return aggregate.accumulator.carried.map(({ name }) => {
    const value = row.field(name);
    assert(value !== null, `A partial aggregation sends the field "${name}".`);
    return value;
  });
}

/** Adds a row to one accumulator, if it counts. */
function addCode(
  code: ChainCode,
  bound: Bound,
  aggregate: PlannedAggregate,
  cell: TableCell,
  key: KeyCode | null,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { filter } = aggregate.spec;
  let inside = place;
  if (filter !== null) {
    inside = inside.open(`if (${compileCondition(filter, row, code.unit.at(inside))})`);
  }
  const value = inputValue(code, aggregate, row, inside);
  if (value !== null && value.isNull !== 'false') inside = inside.open(`if (!${value.isNull})`);
  if (aggregate.distinct !== null && value !== null && key !== null) {
    const isNew = distinctCode(code, bound.keyed.table(aggregate.distinct), key, value, inside);
    inside = inside.open(`if (${isNew})`);
  }
  aggregate.accumulator.add(cell, value, row, inside);
}

function inputValue(
  code: ChainCode,
  { spec }: PlannedAggregate,
  row: FlowRow,
  place: CodeBlock,
): FieldValue | null {
  if (spec.fn === 'user' || spec.input === null) return null;
  return compileExpression(spec.input, row, code.unit.at(place));
}

/** Hands on the row of a key after a record changed it. */
function updateCode(
  code: ChainCode,
  bound: Bound,
  keys: readonly FieldValue[],
  entry: EntryCode,
  row: FlowRow,
  place: CodeBlock,
): void {
  const kind = `(${entry.isNew()} ? ${KIND_INSERT} : ${KIND_UPDATE_AFTER})`;
  resultCode(code, bound, keys, entry, { time: row.marks.time, kind }, place);
}

/** Hands on the accumulators of an entry: as results, or as carried fields of a partial aggregation. */
function resultCode(
  code: ChainCode,
  bound: Bound,
  keys: readonly FieldValue[],
  entry: EntryCode,
  marks: RowMarks,
  place: CodeBlock,
): void {
  const { plan, spec, index } = bound;
  const values = new Map<string, FieldValue>();
  spec.keys.forEach((name, position) => {
    values.set(resultKeyName(name, spec.phase), keys[position]);
  });
  for (const aggregate of plan.aggregates) {
    const cell = cellOf(code, bound, entry, aggregate);
    const { accumulator } = aggregate;
    if (spec.phase !== 'partial') {
      values.set(aggregate.spec.as, accumulator.resultOf(cell, place));
      continue;
    }
    const carried = accumulator.carriedOf(cell, place);
    accumulator.carried.forEach(({ name }, part) => values.set(name, carried[part]));
  }
  handOn(code, index, plan, values, marks, place);
}

function handOn(
  code: ChainCode,
  index: number,
  plan: AggregatePlan,
  values: ReadonlyMap<string, FieldValue>,
  marks: RowMarks,
  place: CodeBlock,
): void {
  const { unit } = code;
  if (plan.output !== null) {
    const row = new ComputedRow(unit, plan.output, marks, (name) => values.get(name) ?? null);
    code.next(index, row, place);
    return;
  }
  const record = unit.fresh('result');
  const parts = [...values].map(
    ([name, value]) => `${propertyCode(name)}: ${recordValueCode(unit, value)}`,
  );
  place.line(`const ${record} = { ${parts.join(', ')} };`);
  code.nextRecord(index, record, marks, place);
}

/** Hands a row on as the accumulators of one row. */
function loneCode(
  code: ChainCode,
  bound: Bound,
  keys: readonly FieldValue[],
  row: FlowRow,
  place: CodeBlock,
): void {
  const { plan, spec, index } = bound;
  const { unit } = code;
  const values = new Map<string, FieldValue>();
  spec.keys.forEach((name, position) => values.set(name, keys[position]));
  for (const aggregate of plan.aggregates) {
    const value = inputValue(code, aggregate, row, place);
    const { filter } = aggregate.spec;
    const conditions = [
      ...(filter === null ? [] : [compileCondition(filter, row, unit.at(place))]),
      ...(value === null || value.isNull === 'false' ? [] : [`!${value.isNull}`]),
    ];
    const counts = unit.fresh('counts');
    place.line(`const ${counts} = ${conditions.length === 0 ? 'true' : conditions.join(' && ')};`);
    const cell = cellOf(code, bound, NO_ENTRY, aggregate);
    const carried = aggregate.accumulator.carriedOfRow(cell, value, row, counts, place);
    aggregate.accumulator.carried.forEach(({ name }, part) => values.set(name, carried[part]));
  }
  handOn(code, index, plan, values, NO_MARKS, place);
}

/** Hands on one entry of the table, whose id is in the local `entry`. */
export function aggregateEntryFragment(
  code: ChainCode,
  placed: Placed<'aggregate'>,
  entry: string,
  place: CodeBlock,
): void {
  const bound = bind(code, placed);
  const table = bound.keyed.table(bound.plan.table);
  const found = pageCode(code, table, entry, place);
  const keys = entryKeyValues(code, bound.plan.keys, found, place);
  resultCode(code, bound, keys, found, NO_MARKS, place);
}
