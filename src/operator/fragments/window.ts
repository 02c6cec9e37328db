/**
 * The code by which an aggregation finds the windows of a row, and says of a result which window it is of. A row in
 * the window of the row before costs two comparisons. Callers: the aggregate fragment. Runs on: worker, when a
 * chain is compiled. Invariant: a row that no window takes is counted as late, given to the side output, or lies in
 * a gap between windows.
 */
import type { Slot } from '../../record/schema.js';
import { presentValue } from '../aggregate-accumulator.js';
import type { WindowColumns } from '../aggregate-tables.js';
import {
  BOOL,
  LATE_FIRING,
  NUMBER,
  PANE_FIELD,
  ROWS_FIELD,
  WINDOW_END,
  WINDOW_START,
} from '../aggregate-fields.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { TimedWindows } from '../chain-aligned.js';
import { assert } from '../../base/assert.js';
import type { WindowGrid } from '../../time/window-arithmetic.js';
import type { CodeBlock } from '../code-block.js';
import type { FieldValue, FlowRow, RowMarks } from '../flow-row.js';
import type { EntryCode, PaneCode } from '../key-entry-code.js';

const NUMBER_SLOT: Slot = Object.freeze({ type: NUMBER, nullable: false });
const BOOL_SLOT: Slot = Object.freeze({ type: BOOL, nullable: false });

/** An aggregation with windows. */
export interface WindowBound extends Placed<'aggregate'> {
  readonly windows: TimedWindows;
  readonly columns: WindowColumns;
  /** Whether rows are added to panes, each to one. */
  readonly isPaned: boolean;
}

/** A window as the code that fills it sees it. */
export interface RowPane extends PaneCode {
  /** Code that is true when the window has fired already. */
  readonly firesAtOnce: string;
}

/** Adds a row to a window; `late` writes what happens to a row that has come too late. */
type AddCode = (pane: RowPane, inside: CodeBlock, late: (place: CodeBlock) => void) => void;

/** Runs `add` where the row is added to its window, or to each of them. */
export function forEachPane(
  code: ChainCode,
  bound: WindowBound,
  row: FlowRow,
  place: CodeBlock,
  add: AddCode,
): void {
  const { grid } = bound.windows.spec;
  assert(grid !== undefined, 'Sessions are in no grid.');
  const time = timeCode(code, bound, row, place);
  const isAlone = bound.spec.phase === 'partial' || bound.isPaned || grid.sizeMs <= grid.slideMs;
  if (isAlone) onlyPane(code, bound, { row, time }, place, add);
  else allPanes(code, bound, { row, time }, grid, place, add);
}

/** A row and the local of its time. */
export interface TimedRow {
  readonly row: FlowRow;
  readonly time: string;
}

/** Code of the time that says which windows a row is in. */
export function timeCode(
  code: ChainCode,
  { index, spec, windows }: WindowBound,
  row: FlowRow,
  place: CodeBlock,
): string {
  const { unit, run } = code;
  if (windows.spec.time === 'processing') {
    return unit.hoist(`${unit.constant(windows, `windows${index}`)}.nowMs()`, 'now');
  }
  const time = spec.phase === 'merge' ? row.field(PANE_FIELD)?.value : row.marks.time;
  if (time === undefined || time === null) throw run.errors.timestampMissing(index, null, 'none');
  const local = unit.fresh('rowTime');
  // What a partial aggregation gave is by the clock of the windows already.
  const isLocal = spec.phase === 'merge' || !hasZone(windows);
  const bound = unit.constant(windows, `windows${index}`);
  place.line(`const ${local} = ${isLocal ? time : `${bound}.local(${time})`};`);
  return local;
}

function onlyPane(
  code: ChainCode,
  bound: WindowBound,
  timed: TimedRow,
  place: CodeBlock,
  add: AddCode,
): void {
  const { pane, start, isLate } = enterCode(code, bound, timed, place);
  const late = (inside: CodeBlock): void => lateCode(code, bound, timed, inside);
  late(place.open(`if (${isLate})`));
  const of = { pane, start, isKept: true, firesAtOnce: `${pane}.firesAtOnce` };
  add(of, place.open('else'), late);
}

/** Locals of the only window that may hold a row, which mostly is that of the row before. */
function enterCode(
  { unit }: ChainCode,
  { index, windows: run }: WindowBound,
  { time }: TimedRow,
  place: CodeBlock,
): { readonly pane: string; readonly start: string; readonly isLate: string } {
  const windows = unit.constant(run, `windows${index}`);
  const [pane, start, end, isLate] = ['pane', 'paneStart', 'paneEnd', 'isLate'].map((name) =>
    unit.fresh(name),
  );
  unit.atStart(`let ${pane} = ${windows}.pane;`);
  unit.atStart(`let ${start} = ${pane}.startMs;`);
  unit.atStart(`let ${end} = ${pane}.endMs;`);
  unit.atStart(`let ${isLate} = ${pane}.isLate;`);
  const enter = place.open(`if (!(${time} >= ${start} && ${time} < ${end}))`);
  enter.line(`${pane} = ${windows}.enter(${time});`);
  enter.line(`${start} = ${pane}.startMs;`);
  enter.line(`${end} = ${pane}.endMs;`);
  enter.line(`${isLate} = ${pane}.isLate;`);
  return { pane, start, isLate };
}

/** The windows of a row, latest first: once one takes no records, those before it do not either. */
function allPanes(
  code: ChainCode,
  bound: WindowBound,
  timed: TimedRow,
  { sizeMs, slideMs }: WindowGrid,
  place: CodeBlock,
  add: AddCode,
): void {
  const { unit } = code;
  const windows = unit.constant(bound.windows, `windows${bound.index}`);
  const [pane, start, isIn] = ['pane', 'paneStart', 'isIn'].map((name) => unit.fresh(name));
  const { time } = timed;
  place.line(`let ${isIn} = false;`);
  const loop = place.open(
    `for (let ${start} = ${windows}.lastStart(${time}); ` +
      `${start} > ${time} - ${sizeMs}; ${start} -= ${slideMs})`,
  );
  loop.line(`const ${pane} = ${windows}.at(${start});`);
  loop.line(`if (${pane}.isLate) break;`);
  loop.line(`${isIn} = true;`);
  const late = (inside: CodeBlock): void => lateCode(code, bound, timed, inside);
  add({ pane, start, isKept: false, firesAtOnce: `${pane}.firesAtOnce` }, loop, late);
  late(place.open(`if (!${isIn})`));
}

/** What happens to a row that is in no window. */
export function lateCode(
  code: ChainCode,
  { index, spec, windows }: WindowBound,
  { row, time }: TimedRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const bound = unit.constant(windows, `windows${index}`);
  if (windows.spec.lateTag === null) {
    const rows = spec.phase === 'merge' ? (row.field(ROWS_FIELD)?.value ?? '1') : '1';
    place.line(`${bound}.late(${time}, ${rows});`);
    return;
  }
  const inside = place.open(`if (${bound}.late(${time}, 1))`);
  row.useAllFields();
  const record = row.object(null, inside);
  for (const side of run.tree.sideOutputsOf(index)) {
    const pending = unit.constant(run.pending[side], `pending${side}`);
    const kind = row.marks.kind ?? '0';
    inside.line(`${pending}.hold(${record}, ${row.marks.time ?? time}, ${kind}, row, undefined);`);
    code.stop(inside.open(`if (stop !== 0 || ${pending}.drain() !== 0)`));
  }
}

/** A result of a window; `rows` is code of how many rows a partial one is of. */
export interface WindowResult {
  readonly start: string;
  /** Null in a grid, which tells it. */
  readonly end: string | null;
  readonly rows: string;
  readonly isLate: string;
}

/** The fields of a result that tell of its window, and its event time: the last instant of the window. */
export function windowFields(
  code: ChainCode,
  { index, spec, windows }: WindowBound,
  { start, end: given, rows, isLate }: WindowResult,
  place: CodeBlock,
): { readonly values: ReadonlyMap<string, FieldValue>; readonly marks: RowMarks } {
  const number = (value: string): FieldValue => presentValue(NUMBER_SLOT, value);
  if (spec.phase === 'partial') {
    const values = new Map([
      [PANE_FIELD, number(start)],
      [ROWS_FIELD, number(rows)],
    ]);
    return { values, marks: { time: null, kind: null } };
  }
  const { grid, allowedLatenessMs } = windows.spec;
  const run = code.unit.constant(windows, `windows${index}`);
  const instant = (local: string): string =>
    hasZone(windows) ? `${run}.instant(${local})` : local;
  const end = code.unit.fresh('windowEnd');
  place.line(`const ${end} = ${instant(given ?? `${start} + ${grid?.sizeMs}`)};`);
  const values = new Map([
    [WINDOW_START, number(instant(start))],
    [WINDOW_END, number(end)],
  ]);
  if (allowedLatenessMs !== null) {
    values.set(LATE_FIRING, presentValue(BOOL_SLOT, isLate));
  }
  return { values, marks: { time: `(${end} - 1)`, kind: null } };
}

/** Whether windows are counted by other clocks than those of UTC. */
function hasZone({ spec }: WindowBound['windows']): boolean {
  return spec.grid?.timeZone !== undefined;
}

/** Where an entry goes: into the list of a table, by its number, through a column of it. */
export interface WindowList {
  readonly pane: string;
  readonly list: number;
  readonly next: number;
}

/** Links an entry that was just created into a list of its window. */
export function linkEntry(
  { pane, list, next }: WindowList,
  entry: EntryCode,
  place: CodeBlock,
): void {
  place.line(`${entry.column(next)} = ${pane}.heads[${list}];`);
  place.line(`${pane}.heads[${list}] = ${entry.entry};`);
}

/** The start of the pane of a row that a partial aggregation hands on alone. */
export function lonePaneStart(
  code: ChainCode,
  bound: WindowBound,
  row: FlowRow,
  place: CodeBlock,
): string {
  const time = timeCode(code, bound, row, place);
  return enterCode(code, bound, { row, time }, place).start;
}
