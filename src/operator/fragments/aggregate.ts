/**
 * The fragment of `aggregate`: accumulators change in place in the pages of a state table. A partial aggregation
 * that does not pay turns every row into accumulators of its own instead. Callers: the chain compiler. Runs on:
 * worker, when a chain is compiled. Every row counts as an insert, as in Flink's DataStream API.
 */
import { assert } from '../../base/assert.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../record/batch.js';
import type { TableSpec } from '../../state/contract.js';
import type { AggregatePlan, PlannedAggregate } from '../aggregate-tables.js';
import { resultKeyName } from '../aggregate-fields.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { Cell } from '../aggregate-accumulator.js';
import type { KeyedRun } from '../chain-keyed.js';
import { PaneRun } from '../chain-panes.js';
import { SESSION_DUE_AGAIN, SESSION_GIVEN, SessionRun } from '../chain-sessions.js';
import { WindowRun } from '../chain-window.js';
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
  type PaneCode,
  pageCode,
  type TableCell,
} from '../key-entry-code.js';
import { propertyCode, recordValueCode } from '../object-code.js';
import { cellIn } from './entry-cells.js';
import { overflowFragment } from './overflow.js';
import { type PaneBound, boundPanes, paneRowCode, paneWindowCode } from './panes.js';
import { type SessionBound, boundSessions, sessionRowCode } from './sessions.js';
import { forEachPane, linkEntry, lonePaneStart, type WindowBound, windowFields } from './window.js';

/** Accumulators of a row alone are in no table. */
const NO_ENTRY: EntryCode = {
  table: '',
  entry: '',
  page: '',
  at: '',
  column: () => '',
  isNew: () => 'true',
};
/** Whether an entry of a window has a result to give: no, for the first time, or again. */
const DUE = 1;
const DUE_AGAIN = 2;
const NO_MARKS: RowMarks = { time: null, kind: null };

/** An aggregation with its plan and state. */
interface Bound extends Placed<'aggregate'> {
  readonly plan: AggregatePlan;
  readonly keyed: KeyedRun;
  readonly window: WindowBound | null;
  readonly panes: PaneBound | null;
  readonly sessions: SessionBound | null;
}

function bind(code: ChainCode, placed: Placed<'aggregate'>): Bound {
  const keyed = code.run.keyed[placed.index];
  assert(keyed !== null, 'An aggregation is keyed.');
  const plan = keyed.plan();
  keyed.linkWindows(plan);
  const { windows } = keyed;
  const isPaned = plan.panes !== null;
  const window =
    plan.window === null || windows === null
      ? null
      : { ...placed, windows, columns: plan.window, isPaned };
  const panes = windows instanceof PaneRun ? boundPanes(placed, plan, keyed, windows) : null;
  const sessions =
    windows instanceof SessionRun ? boundSessions(placed, plan, keyed, windows) : null;
  return { ...placed, plan, keyed, window, panes, sessions };
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
    if (bound.window !== null) return windowCode(code, bound, bound.window, { keys, row }, place);
    const table = keyed.table(bound.plan.table);
    const inside = overflowFragment(code, { index, table, keys, row }, place);
    const entry = accumulateCode(code, bound, { keys, row, pane: null }, inside);
    if (spec.emit === 'updates') updateCode(code, bound, keys, entry, row, inside);
    return;
  }
  const state = code.unit.constant(keyed, `partial${index}`);
  const holds = spec.keys.length === 0 ? place : passOrHold(code, bound, keys, row, place);
  holds.line(`${code.unit.register(`${state}.rows`, 'partialRows')}++;`);
  if (bound.window === null) {
    accumulateCode(code, bound, { keys, row, pane: null }, holds);
    return;
  }
  const { rows: column } = bound.window.columns;
  forEachPane(code, bound.window, row, holds, (pane, inside) => {
    const entry = accumulateCode(code, bound, { keys, row, pane }, inside);
    inside.line(`${entry.column(column)}++;`);
  });
}

/** Passes a row on while that is what pays, and gives the place where it is held back. */
function passOrHold(
  code: ChainCode,
  bound: Bound,
  keys: readonly FieldValue[],
  row: FlowRow,
  place: CodeBlock,
): CodeBlock {
  const passes = place.open(`if (${passesThrough(code, bound.index, bound.keyed)})`);
  loneCode(code, bound, keys, row, passes);
  return place.open('else');
}

/** The local that tells whether a partial aggregation passes rows on one by one, which it decides between batches. */
function passesThrough({ unit }: ChainCode, index: number, keyed: KeyedRun): string {
  return unit.hoist(`${unit.constant(keyed, `partial${index}`)}.passesThrough`, 'passesThrough');
}

/** Adds a row to each of its windows, and has those that fired already give a result again. */
function windowCode(
  code: ChainCode,
  bound: Bound,
  window: WindowBound,
  { keys, row }: KeyedRow,
  place: CodeBlock,
): void {
  const { panes, sessions } = bound;
  if (sessions !== null) {
    sessionRowCode(code, sessions, window, { keys, row }, place, (entry, target) =>
      addRow(code, bound, { entry, row, key: null }, target),
    );
    return;
  }
  forEachPane(code, window, row, place, (pane, inside, late) => {
    if (panes !== null) {
      paneRowCode(code, panes, { keys, pane, late }, inside, (entry, target) =>
        addRow(code, bound, { entry, row, key: null }, target),
      );
      return;
    }
    const entry = accumulateCode(code, bound, { keys, row, pane }, inside);
    if (!bound.keyed.refires) return;
    const isDue = entry.column(window.columns.isDue);
    inside.line(`${isDue} = ${pane.firesAtOnce} ? ${DUE_AGAIN} : ${DUE};`);
    const again = inside.open(`if (${pane.firesAtOnce})`);
    again.line(
      `${code.unit.constant(window.windows, `windows${bound.index}`)}.refire(${entry.entry});`,
    );
    again.line(`${code.unit.constant(bound.keyed, `keyed${bound.index}`)}.mustEmit = true;`);
    code.stop(again);
  });
}

/** A row with the values of its key. */
interface KeyedRow {
  readonly keys: readonly FieldValue[];
  readonly row: FlowRow;
}

/** Finds the entry of the key and adds the row to each accumulator. */
function accumulateCode(
  code: ChainCode,
  bound: Bound,
  { keys, row, pane }: KeyedRow & { readonly pane: PaneCode | null },
  place: CodeBlock,
): EntryCode {
  const { plan, keyed, index } = bound;
  const table = keyed.table(plan.table);
  const mayPass = keyed.isPartial && keys.length > 0;
  const passes = mayPass ? { unless: passesThrough(code, index, keyed) } : {};
  const of = { index, table, values: keys, isLocal: keyed.isPartial, ...passes };
  const lookup = pane === null ? of : { ...of, pane };
  const needsKey = plan.aggregates.some((aggregate) => aggregate.distinct !== null);
  const found = needsKey ? findEntryAndKey(code, lookup, place) : null;
  const entry = found?.entry ?? findEntry(code, lookup, place);
  const head = place.place();
  const inside = place.indented();
  const tail = place.place();
  for (const aggregate of plan.aggregates) {
    aggregate.accumulator.create(cellIn(code, bound, entry, aggregate), inside);
  }
  if (pane !== null && plan.window !== null && !keyed.isPartial) {
    linkEntry({ pane: pane.pane, list: 0, next: plan.window.next }, entry, inside);
  }
  if (keyed.isPartial) {
    const state = code.unit.constant(keyed, `partial${index}`);
    const { windows } = keyed;
    const entriesMax =
      windows === null
        ? keyed.keysMax
        : `${code.unit.constant(windows, `windows${index}`)}.entriesMax`;
    const full = inside.open(`if (${entry.table}.entries >= ${entriesMax})`);
    full.line(`${state}.mustEmit = true;`);
    code.stop(full);
  }
  if (!inside.isEmpty) {
    head.line(`if (${entry.isNew()}) {`);
    tail.line('}');
  }
  addRow(code, bound, { entry, row, key: found === null ? null : { ...found.key, pane } }, place);
  return entry;
}

/** Adds a row to each accumulator of an entry. */
function addRow(
  code: ChainCode,
  bound: Bound,
  { entry, row, key }: Pick<Addition, 'row' | 'key'> & { readonly entry: EntryCode },
  place: CodeBlock,
): void {
  for (const aggregate of bound.plan.aggregates) {
    place.comment(`${aggregate.spec.fn} ${aggregate.spec.as}`);
    const cell = cellIn(code, bound, entry, aggregate);
    if (bound.spec.phase === 'merge') {
      aggregate.accumulator.merge(cell, carriedFields(aggregate, row), place);
    } else {
      addCode(code, bound, { aggregate, cell, key, row }, place);
    }
  }
}

function carriedFields(aggregate: PlannedAggregate, row: FlowRow): readonly FieldValue[] {
  return aggregate.accumulator.carried.map(({ name }) => {
    const value = row.field(name);
    assert(value !== null, `A partial aggregation sends the field "${name}".`);
    return value;
  });
}

/** What is added where; the key is for values that count once, in its window if it has one. */
interface Addition {
  readonly aggregate: PlannedAggregate;
  readonly cell: TableCell;
  readonly key: (KeyCode & { readonly pane: PaneCode | null }) | null;
  readonly row: FlowRow;
}

/** Adds a row to one accumulator, if it counts. */
function addCode(
  code: ChainCode,
  bound: Bound,
  { aggregate, cell, key, row }: Addition,
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
    inside = newValueCode(code, bound.keyed, aggregate.distinct, { key, value }, inside);
  }
  aggregate.accumulator.add(cell, value, row, inside);
}

/** Opens the block of a value that its key, or its window, has not had yet. */
function newValueCode(
  code: ChainCode,
  keyed: KeyedRun,
  spec: TableSpec,
  { key, value }: { readonly key: NonNullable<Addition['key']>; readonly value: FieldValue },
  place: CodeBlock,
): CodeBlock {
  const table = keyed.table(spec);
  const found = distinctCode(code, table, key, value, place);
  const inside = place.open(`if (${found.table}.created)`);
  if (key.pane !== null && keyed.windows instanceof WindowRun) {
    const entry = pageCode(code, table, found.entry, inside);
    const list = keyed.windows.link(table, 0, key.size - 1);
    linkEntry({ pane: key.pane.pane, list, next: 0 }, entry, inside);
  }
  return inside;
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
  const marks = { time: row.marks.time, kind };
  resultCode(code, bound, { keys, entry, marks, start: null, isLate: 'false' }, place);
}

/** An entry whose result is handed on. */
interface ResultCode {
  readonly keys: readonly FieldValue[];
  readonly entry: EntryCode;
  /** Those of a result without a window. */
  readonly marks: RowMarks;
  /** Code of the start of its window; null without windows. */
  readonly start: string | null;
  /** Code of its end, where that does not follow from its start. */
  readonly end?: string;
  /** Code that is true when the window has given a result before. */
  readonly isLate: string;
  /** Where its accumulators are, when not in the entry. */
  readonly cellOf?: (aggregate: PlannedAggregate) => Cell;
}

/** Hands on the accumulators of an entry: as results, or as carried fields of a partial aggregation. */
function resultCode(code: ChainCode, bound: Bound, result: ResultCode, place: CodeBlock): void {
  const { plan, spec, index, window } = bound;
  const { keys, entry, start } = result;
  const values = new Map<string, FieldValue>();
  spec.keys.forEach((name, position) => {
    values.set(resultKeyName(name, spec.phase), keys[position]);
  });
  let { marks } = result;
  if (window !== null && start !== null) {
    // Only partial aggregations know of how many rows a result is.
    const rows = spec.phase === 'partial' ? entry.column(window.columns.rows) : '0';
    const { end = null, isLate } = result;
    const of = windowFields(code, window, { start, end, rows, isLate }, place);
    for (const [name, value] of of.values) values.set(name, value);
    marks = of.marks;
  }
  for (const aggregate of plan.aggregates) {
    const cell = result.cellOf?.(aggregate) ?? cellIn(code, bound, entry, aggregate);
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
  if (bound.window !== null) {
    const start = lonePaneStart(code, bound.window, row, place);
    const of = windowFields(
      code,
      bound.window,
      { start, end: null, rows: '1', isLate: 'false' },
      place,
    );
    for (const [name, value] of of.values) values.set(name, value);
  }
  for (const aggregate of plan.aggregates) {
    const value = inputValue(code, aggregate, row, place);
    const { filter } = aggregate.spec;
    const conditions = [
      ...(filter === null ? [] : [compileCondition(filter, row, unit.at(place))]),
      ...(value === null || value.isNull === 'false' ? [] : [`!${value.isNull}`]),
    ];
    const counts = unit.fresh('counts');
    place.line(`const ${counts} = ${conditions.length === 0 ? 'true' : conditions.join(' && ')};`);
    const cell = cellIn(code, bound, NO_ENTRY, aggregate);
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
  if (bound.panes !== null) return paneResultCode(code, bound, bound.panes, entry, place);
  if (bound.sessions !== null) return sessionResultCode(code, bound, bound.sessions, entry, place);
  const table = bound.keyed.table(bound.plan.table);
  const found = pageCode(code, table, entry, place);
  const { keys, window } = bound.plan;
  let isLate = 'false';
  if (window !== null && bound.keyed.refires) {
    const due = code.unit.fresh('due');
    const isDue = found.column(window.isDue);
    place.line(`const ${due} = ${isDue};`);
    place.line(`if (${due} === 0) continue;`);
    place.line(`${found.table}.touch(${entry});`);
    place.line(`${isDue} = 0;`);
    isLate = `(${due} === ${DUE_AGAIN})`;
  }
  const start = window === null ? null : `${found.page}.k${keys.length}[${found.at}]`;
  const values = entryKeyValues(code, keys, found, place);
  resultCode(code, bound, { keys: values, entry: found, marks: NO_MARKS, start, isLate }, place);
}

/** Brings a key on to the window that is fired, and hands on its result there. */
function paneResultCode(
  code: ChainCode,
  bound: Bound,
  panes: PaneBound,
  entry: string,
  place: CodeBlock,
): void {
  const { key, start, cells, inside } = paneWindowCode(code, panes, entry, place);
  const keys = entryKeyValues(code, bound.plan.keys, key, inside);
  const cellOf = ({ spec }: PlannedAggregate): Cell => {
    const cell = cells.get(spec.as);
    assert(cell !== undefined, 'Every aggregate has a cell.');
    return cell;
  };
  const result = { keys, entry: key, marks: NO_MARKS, start, isLate: 'false', cellOf };
  resultCode(code, bound, result, inside);
}

/** Hands on the result of a session. */
function sessionResultCode(
  code: ChainCode,
  bound: Bound,
  sessions: SessionBound,
  entry: string,
  place: CodeBlock,
): void {
  const found = pageCode(code, sessions.sessions, entry, place);
  const { windows, columns } = sessions;
  const run = code.unit.constant(windows, `windows${bound.index}`);
  const keys = entryKeyValues(code, bound.plan.keys, found, place);
  const [start, end] = [found.column(columns.start), found.column(columns.end)];
  const isLate = `(${found.column(columns.isDue)} === ${SESSION_DUE_AGAIN})`;
  place.line(`if (${found.column(columns.isDue)} === ${SESSION_GIVEN}) continue;`);
  place.line(`${found.table}.touch(${entry});`);
  const result = { keys, entry: found, marks: NO_MARKS, start, end, isLate };
  resultCode(code, bound, result, place);
  place.line(`${run}.given(${entry});`);
}
