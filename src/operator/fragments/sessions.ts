/**
 * Sessions in generated code: a row is added to the session of its key that it belongs to. How the sessions of a
 * key are kept is told in `chain-sessions.ts`. Callers: the aggregate fragment. Runs on: worker, when a chain is
 * compiled.
 */
import type { StateTable } from '../../state/contract.js';
import type { AggregatePlan, PlannedAggregate, SessionColumns } from '../aggregate-tables.js';
import { NO_ENTRY } from '../chain-aligned.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { KeyedRun } from '../chain-keyed.js';
import { SESSION_DUE, type SessionRun } from '../chain-sessions.js';
import type { CodeBlock } from '../code-block.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import {
  type EntryCode,
  findEntry,
  type PaneCode,
  pageCode,
  paneKeyCode,
} from '../key-entry-code.js';
import { hashNumber } from '../../record/key-hash.js';
import { cellIn, mergeInto } from './entry-cells.js';
import { lateCode, timeCode, type WindowBound } from './window.js';

/** The sessions of an aggregation, bound to their tables. */
export interface SessionBound {
  readonly index: number;
  readonly windows: SessionRun;
  readonly keyed: KeyedRun;
  readonly aggregates: readonly PlannedAggregate[];
  readonly columns: SessionColumns;
  readonly sessions: StateTable;
  readonly keys: StateTable;
}

/** Binds the sessions of an aggregation. */
export function boundSessions(
  { index }: Placed<'aggregate'>,
  { table, sessions, aggregates }: AggregatePlan,
  keyed: KeyedRun,
  windows: SessionRun,
): SessionBound | null {
  if (sessions === null) return null;
  const { columns, keys } = sessions;
  const [entries, byKey] = [keyed.table(table), keyed.table(keys)];
  return { index, windows, keyed, aggregates, columns, sessions: entries, keys: byKey };
}

/** Adds a row to the session it belongs to; `add` writes how, for an entry of the table of sessions. */
export function sessionRowCode(
  code: ChainCode,
  bound: SessionBound,
  window: WindowBound,
  { keys, row }: { readonly keys: readonly FieldValue[]; readonly row: FlowRow },
  place: CodeBlock,
  add: (entry: EntryCode, place: CodeBlock) => void,
): void {
  const { unit } = code;
  const { columns, windows, sessions } = bound;
  const { gapMs } = windows;
  const run = unit.constant(windows, `windows${bound.index}`);
  const table = unit.constant(sessions, 'table');
  const given = timeCode(code, window, row, place);
  const time = unit.fresh('at');
  place.line(`const ${time} = ${run}.timeOf(${given});`);
  const lookup = { index: bound.index, table: bound.keys, values: keys, isLocal: false };
  const key = findEntry(code, lookup, place);
  place.line(`if (${key.isNew()}) ${key.column(columns.newest)} = ${NO_ENTRY};`);
  const target = unit.fresh('session');
  place.line(`let ${target} = ${key.column(columns.newest)};`);
  // Mostly a row belongs to the last session of its key, and makes it longer at its end if at all.
  const last = place.open(`if (${target} !== ${NO_ENTRY})`);
  const newest = pageCode(code, sessions, target, last);
  const [start, end] = [newest.column(columns.start), newest.column(columns.end)];
  const fits = last.open(`if (${time} >= ${start} && ${time} <= ${end})`);
  fits.line(`${table}.touch(${target});`);
  fits.line(`if (${time} + ${gapMs} > ${end}) ${end} = ${time} + ${gapMs};`);
  last.line(`else ${target} = ${ASK};`);
  const ask = place.open(`if (${target} < 0)`);
  ask.line(
    `${target} = ${target} === ${ASK} ? ${run}.locate(${key.entry}, ${time}) : ${NO_ENTRY};`,
  );
  const late = ask.open(`if (${target} === ${NO_ENTRY} && ${run}.isOver(${time}))`);
  late.line(
    `if (${key.column(columns.newest)} === ${NO_ENTRY}) ${key.table}.remove(${key.entry});`,
  );
  lateCode(code, window, { row, time }, late);
  const made = ask.open(`else if (${target} === ${NO_ENTRY})`);
  const pane = { pane: '', start: time };
  const full = paneKeyCode(
    code,
    { ...lookup, table: sessions, pane: hashedStart(code, pane, made) },
    made,
  );
  made.line(`${target} = ${table}.upsert(${[full.group, full.hash, ...full.args].join(', ')});`);
  const fresh = pageCode(code, sessions, target, made);
  for (const aggregate of bound.aggregates) {
    aggregate.accumulator.create(cellIn(code, bound, fresh, aggregate), made);
  }
  made.line(`${run}.insert(${key.entry}, ${target}, ${time});`);
  joinCode(code, bound, { key, target, time }, ask.open('else'));
  const inside = place.open(`if (${target} !== ${NO_ENTRY})`);
  const entry = pageCode(code, sessions, target, inside);
  add(entry, inside);
  if (bound.keyed.refires) againCode(code, bound, entry, inside);
}

/** Says that the row is not in the last session of its key, but may be in another one. */
const ASK = -2;

/** A pane of which the code asks the hash of the start only. */
function hashedStart(
  code: ChainCode,
  { start }: { readonly start: string },
  place: CodeBlock,
): PaneCode {
  const pane = code.unit.fresh('first');
  place.line(
    `const ${pane} = { hash: ${code.unit.constant(hashNumber, 'hashNumber')}(${start}) };`,
  );
  return { pane, start, isKept: false };
}

/** Makes an older session longer, and adds the one behind it when the row connects them. */
function joinCode(
  code: ChainCode,
  bound: SessionBound,
  {
    key,
    target,
    time,
  }: { readonly key: EntryCode; readonly target: string; readonly time: string },
  place: CodeBlock,
): void {
  const { unit } = code;
  const run = unit.constant(bound.windows, `windows${bound.index}`);
  const rest = unit.fresh('rest');
  const into = pageCode(code, bound.sessions, target, place);
  place.line(`${into.table}.touch(${target});`);
  place.line(`const ${rest} = ${run}.rest;`);
  const merge = place.open(`if (${rest} !== ${NO_ENTRY})`);
  const from = pageCode(code, bound.sessions, rest, merge);
  mergeInto(code, bound, into, from, merge);
  merge.line(`${run}.absorb(${key.entry}, ${target});`);
  place.line(`${run}.extend(${target}, ${time});`);
}

/** Where late records are taken: has a session give its result once more, now or when it is over again. */
function againCode(
  code: ChainCode,
  { index, windows, keyed, columns }: SessionBound,
  entry: EntryCode,
  place: CodeBlock,
): void {
  const { unit } = code;
  const run = unit.constant(windows, `windows${index}`);
  const over = unit.hoist(`${run}.overMs`, 'overMs');
  const isAgain = `${entry.column(columns.isDue)} !== ${SESSION_DUE}`;
  const isOver = `${entry.column(columns.end)} <= ${over}`;
  const again = place.open(`if ((${isAgain} || ${isOver}) && ${run}.reopen(${entry.entry}))`);
  again.line(`${unit.constant(keyed, `keyed${index}`)}.mustEmit = true;`);
  code.stop(again);
}
