/**
 * Sliding windows that are made of panes, in generated code: a row is added to the pane of its key, and when a
 * window is over, each key is brought on to it. How the panes of a key are kept is told in `chain-panes.ts`.
 * Callers: the aggregate fragment. Runs on: worker, when a chain is compiled.
 */
import { PAGE_MASK, PAGE_SHIFT, type StateTable } from '../../state/contract.js';
import { columnCode } from '../../state/table-shape.js';
import type { Cell } from '../aggregate-accumulator.js';
import type { AggregatePlan, PaneColumns, PlannedAggregate } from '../aggregate-tables.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { KeyedRun } from '../chain-keyed.js';
import { NO_ENTRY } from '../chain-aligned.js';
import type { PaneRun } from '../chain-panes.js';
import type { CodeBlock } from '../code-block.js';
import type { FieldValue } from '../flow-row.js';
import { type EntryCode, findEntry, LocalCell, pageCode, paneKeyCode } from '../key-entry-code.js';
import { cellIn, mergeCells, mergeInto } from './entry-cells.js';
import type { RowPane } from './window.js';

/** The panes of an aggregation, bound to its tables. */
export interface PaneBound {
  readonly index: number;
  readonly windows: PaneRun;
  readonly aggregates: readonly PlannedAggregate[];
  readonly columns: PaneColumns;
  readonly panes: StateTable;
  readonly keys: StateTable;
}

/** Binds the panes of an aggregation. */
export function boundPanes(
  { index }: Placed<'aggregate'>,
  { table, panes, aggregates }: AggregatePlan,
  keyed: KeyedRun,
  windows: PaneRun,
): PaneBound | null {
  if (panes === null) return null;
  const { columns, keys } = panes;
  return {
    index,
    windows,
    aggregates,
    columns,
    panes: keyed.table(table),
    keys: keyed.table(keys),
  };
}

/** A row with its key and pane; `late` writes what happens when all its windows have fired. */
interface PaneRow {
  readonly keys: readonly FieldValue[];
  readonly pane: RowPane;
  readonly late: (place: CodeBlock) => void;
}

/** Adds a row to the pane of its key; `add` writes how, for an entry of the table of panes. */
export function paneRowCode(
  code: ChainCode,
  bound: PaneBound,
  { keys, pane, late }: PaneRow,
  place: CodeBlock,
  add: (entry: EntryCode, place: CodeBlock) => void,
): void {
  const { unit } = code;
  const { columns, panes, windows } = bound;
  const lookup = { index: bound.index, table: bound.keys, values: keys, isLocal: false };
  const key = findEntry(code, lookup, place);
  const run = unit.constant(windows, `windows${bound.index}`);
  place.line(`if (${key.isNew()}) ${run}.open(${key.page}, ${key.at});`);
  const target = unit.fresh('pane');
  const table = unit.constant(panes, 'table');
  const isBehind = `${pane.start} < ${key.column(columns.passed)}`;
  place.line(`let ${target} = ${key.column(columns.newest)};`);
  const known = place.open(
    `if (${target} !== ${NO_ENTRY} && ${startOf(code, bound, target)} === ${pane.start})`,
  );
  known.line(`${table}.touch(${target});`);
  const over = place.open(
    `else if (${pane.start} < ${key.column(columns.passed)} - ${windows.keptMs})`,
  );
  over.line(`${target} = ${NO_ENTRY};`);
  late(over);
  const found = place.open('else');
  const full = paneKeyCode(code, { ...lookup, table: panes, pane }, found);
  found.line(`${target} = ${table}.upsert(${[full.group, full.hash, ...full.args].join(', ')});`);
  newPaneCode(code, bound, { key, pane, target }, found.open(`if (${table}.created)`));
  // A pane that a window has reached already is part of what was added up since, unless it is of the front.
  const isFront = unit.fresh('isFront');
  place.line(`let ${isFront} = false;`);
  const behind = place.open(`if (${target} !== ${NO_ENTRY} && ${isBehind})`);
  behind.line(`${isFront} = ${pane.start} <= ${key.column(columns.front)};`);
  behind.line(`if (!${isFront}) ${run}.renew(${key.entry});`);
  // In the front each pane also holds what those behind it come to.
  const loop = place.open(`while (${target} !== ${NO_ENTRY})`);
  const entry = pageCode(code, panes, target, loop);
  add(entry, loop);
  loop.line(`if (!${isFront}) break;`);
  loop.line(`${target} = ${entry.column(columns.older)};`);
  loop.line(`if (${target} !== ${NO_ENTRY}) ${table}.touch(${target});`);
}

/** A row whose key has no pane there yet. */
interface NewPane {
  readonly key: EntryCode;
  readonly pane: RowPane;
  readonly target: string;
}

/** Puts a new pane into the list of its key, mostly as its last. */
function newPaneCode(
  code: ChainCode,
  bound: PaneBound,
  { key, pane, target }: NewPane,
  place: CodeBlock,
): void {
  const { unit } = code;
  const { columns, aggregates } = bound;
  const run = unit.constant(bound.windows, `windows${bound.index}`);
  const newest = unit.fresh('newest');
  const entry = pageCode(code, bound.panes, target, place);
  for (const aggregate of aggregates) {
    aggregate.accumulator.create(cellIn(code, bound, entry, aggregate), place);
  }
  place.line(`const ${newest} = ${key.column(columns.newest)};`);
  const isLast = `${newest} === ${NO_ENTRY} || ${startOf(code, bound, newest)} < ${pane.start}`;
  const last = place.open(`if (${isLast})`);
  last.line(`${entry.column(columns.older)} = ${newest};`);
  last.line(`${entry.column(columns.newer)} = ${NO_ENTRY};`);
  last.line(`${key.column(columns.newest)} = ${target};`);
  last.line(`if (${newest} === ${NO_ENTRY}) ${key.column(columns.oldest)} = ${target};`);
  const before = last.open('else');
  const neighbour = pageCode(code, bound.panes, newest, before);
  before.line(`${neighbour.column(columns.newer)} = ${target};`);
  const isNext = `${key.column(columns.next)} === ${NO_ENTRY}`;
  const isAhead = `${pane.start} >= ${key.column(columns.passed)}`;
  last.line(`if (${isNext} && ${isAhead}) ${key.column(columns.next)} = ${target};`);
  const between = place.open('else');
  between.line(`${run}.insert(${key.entry}, ${target});`);
  const inFront = between.open(`if (${pane.start} < ${key.column(columns.front)})`);
  const newer = unit.fresh('newer');
  inFront.line(`const ${newer} = ${entry.column(columns.newer)};`);
  const heir = pageCode(code, bound.panes, newer, inFront);
  mergeInto(code, bound, entry, heir, inFront);
}

/** A key in the window that is fired. */
interface KeyWindow {
  readonly key: EntryCode;
  /** Code of the start of the window. */
  readonly start: string;
  /** The accumulators of the window by the name of their result. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** Where the window has records of the key. */
  readonly inside: CodeBlock;
}

/** Brings the key in the local `entry` on to the window that is fired; a loop over keys is around it. */
export function paneWindowCode(
  code: ChainCode,
  bound: PaneBound,
  entry: string,
  place: CodeBlock,
): KeyWindow {
  const { unit } = code;
  const { columns, aggregates } = bound;
  const run = unit.constant(bound.windows, `windows${bound.index}`);
  const start = unit.hoist(`${run}.startMs`, 'windowStart');
  const end = unit.hoist(`${run}.endMs`, 'windowEnd');
  const key = pageCode(code, bound.keys, entry, place);
  const oldest = unit.fresh('oldest');
  place.line(`if (${key.column(columns.passed)} >= ${end}) continue;`);
  place.line(`${key.table}.touch(${entry});`);
  reachCode(code, bound, { key, end }, place);
  place.line(`let ${oldest} = ${key.column(columns.oldest)};`);
  const inside = place.open(
    `if (${oldest} !== ${NO_ENTRY} && ${startOf(code, bound, oldest)} < ${end})`,
  );
  const behind = place.place();
  // A key is gone with its last pane.
  place.line(`if (${oldest} === ${NO_ENTRY}) ${key.table}.remove(${entry});`);
  turnCode(code, bound, { key, oldest }, inside);
  const first = pageCode(code, bound.panes, oldest, inside);
  const cells = new Map(
    aggregates.map(({ spec, accumulator }) => {
      const local = new LocalCell(
        code,
        { operator: bound.index, name: spec.as },
        accumulator.columns,
        inside,
      );
      accumulator.create(local, inside);
      return [spec.as, local];
    }),
  );
  const cellOf = ({ spec }: PlannedAggregate): Cell => cells.get(spec.as) as Cell;
  mergeCells(aggregates, cellOf, (one) => cellIn(code, bound, first, one), inside);
  const rest = inside.open(`if (${key.column(columns.isVoid)} === 0)`);
  mergeCells(aggregates, cellOf, (one) => cellIn(code, bound, key, one), rest);
  leaveCode(code, bound, { key, oldest }, behind);
  return { key, start, cells, inside };
}

/** Adds the panes up that the window reaches and the one before did not. */
function reachCode(
  code: ChainCode,
  bound: PaneBound,
  { key, end }: { readonly key: EntryCode; readonly end: string },
  place: CodeBlock,
): void {
  const { columns, aggregates, keys } = bound;
  const next = code.unit.fresh('next');
  place.line(`let ${next} = ${key.column(columns.next)};`);
  const loop = place.open(
    `while (${next} !== ${NO_ENTRY} && ${startOf(code, bound, next)} < ${end})`,
  );
  const reached = pageCode(code, bound.panes, next, loop);
  const afresh = loop.open(`if (${key.column(columns.isVoid)} !== 0)`);
  afresh.line(`${key.column(columns.isVoid)} = 0;`);
  for (const aggregate of aggregates) {
    const cell = cellIn(code, bound, key, aggregate);
    aggregate.accumulator.columns.forEach(({ form }, index) => {
      const zero = ZEROS.get(keys.spec.columns[aggregate.firstColumn + index].form);
      if (form === 'js') afresh.line(`${cell.write(index, 'undefined')};`);
      else if (zero !== undefined) afresh.line(`${cell.column(index)} = ${zero};`);
    });
    aggregate.accumulator.create(cell, afresh);
  }
  mergeInto(code, bound, key, reached, loop);
  loop.line(`${next} = ${reached.column(columns.newer)};`);
  place.line(`${key.column(columns.next)} = ${next};`);
  place.line(`${key.column(columns.passed)} = ${end};`);
}

/** What is not set to these values is empty by itself. */
const ZEROS: ReadonlyMap<string, string> = new Map([
  ['f64', '0'],
  ['i32', '0'],
  ['u8', '0'],
  ['i64', '0n'],
]);

/** Makes the panes behind a front that is used up the new front. */
function turnCode(
  code: ChainCode,
  bound: PaneBound,
  { key, oldest }: { readonly key: EntryCode; readonly oldest: string },
  place: CodeBlock,
): void {
  const { unit } = code;
  const { columns } = bound;
  const turn = place.open(`if (${startOf(code, bound, oldest)} > ${key.column(columns.front)})`);
  const [newer, older] = [unit.fresh('newer'), unit.fresh('older')];
  const next = key.column(columns.next);
  turn.line(`let ${newer} = ${next};`);
  turn.line(
    `${newer} = ${newer} === ${NO_ENTRY} ? ${key.column(columns.newest)} : ` +
      `${columnOf(code, bound, newer, columns.older)};`,
  );
  turn.line(`${key.column(columns.front)} = ${startOf(code, bound, newer)};`);
  turn.line(`${key.column(columns.isVoid)} = 1;`);
  const loop = turn.open(`while (${newer} !== ${oldest})`);
  const from = pageCode(code, bound.panes, newer, loop);
  loop.line(`const ${older} = ${from.column(columns.older)};`);
  const into = pageCode(code, bound.panes, older, loop);
  loop.line(`${into.table}.touch(${older});`);
  mergeInto(code, bound, into, from, loop);
  loop.line(`${newer} = ${older};`);
}

/** Removes the panes that the next window leaves behind. */
function leaveCode(
  code: ChainCode,
  bound: PaneBound,
  { key, oldest }: { readonly key: EntryCode; readonly oldest: string },
  place: CodeBlock,
): void {
  const { unit } = code;
  const { columns, windows } = bound;
  const table = unit.constant(bound.panes, 'table');
  const end = unit.hoist(`${unit.constant(windows, `windows${bound.index}`)}.endMs`, 'windowEnd');
  const kept = unit.hoist(`${end} - ${windows.keptMs}`, 'keptFrom');
  const newer = unit.fresh('newer');
  const loop = place.open(
    `while (${oldest} !== ${NO_ENTRY} && ${startOf(code, bound, oldest)} < ${kept})`,
  );
  loop.line(`const ${newer} = ${columnOf(code, bound, oldest, columns.newer)};`);
  loop.line(`${table}.remove(${oldest});`);
  loop.line(`${oldest} = ${newer};`);
  place.line(`${key.column(columns.oldest)} = ${oldest};`);
  const isThere = place.open(`if (${oldest} !== ${NO_ENTRY})`);
  isThere.line(`${columnOf(code, bound, oldest, columns.older)} = ${NO_ENTRY};`);
}

/** Code of the start of a pane, by a local that holds its entry. */
function startOf(code: ChainCode, { panes }: PaneBound, entry: string): string {
  return `${pageOf(code, panes, entry)}.k${panes.spec.keys.length - 1}[${entry} & ${PAGE_MASK}]`;
}

/** Code of a column of a pane, likewise. */
function columnOf(code: ChainCode, { panes }: PaneBound, entry: string, column: number): string {
  return columnCode(panes.spec, column, pageOf(code, panes, entry), `${entry} & ${PAGE_MASK}`);
}

function pageOf(code: ChainCode, table: StateTable, entry: string): string {
  return `${code.unit.constant(table, 'table')}.pages[${entry} >>> ${PAGE_SHIFT}]`;
}
