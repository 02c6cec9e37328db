/**
 * The plan of a keyed aggregation with what it keeps: the layout of its state tables. Callers: what only chains
 * with state load. Runs on: the slot's thread; pure. Invariant: the tables depend on the kinds of types only, so a
 * schema may gain fields, nulls and wider numbers over existing state.
 */
import type { Field, Schema } from '../record/schema.js';
import type { TableSpec } from '../state/contract.js';
import {
  type AggregateOperator,
  NUMBER,
  PANE_FIELD,
  requiredField,
  ROWS_FIELD,
} from './aggregate-fields.js';
import { type AggregateResults, planResults, type ResultAggregate } from './aggregate-plan.js';
import { tableKeyType } from './key-code.js';
import type { AggregatePhase } from './operator-spec.js';
import { hasPanes } from './pre-aggregate.js';

/** The start of the window or pane, as the last key of a table. */
const PANE_KEY: Field = Object.freeze(requiredField(PANE_FIELD, NUMBER));
/** The next entry of the same window; at restore it is made anew. */
const NEXT_COLUMN: TableSpec['columns'][number] = Object.freeze({ name: '$next', form: 'i32' });

/** One aggregate of an operator, and where it is kept. */
export interface PlannedAggregate extends ResultAggregate {
  /** Index of its first column in the table. */
  readonly firstColumn: number;
  /** The table of distinct values, for countDistinct. */
  readonly distinct: TableSpec | null;
}

/** Columns of the table that windows need beside the accumulators: their indices. */
export interface WindowColumns {
  /** The next entry of the same window. */
  readonly next: number;
  /** Whether a result is due: 0 once it was given. */
  readonly isDue: number;
  /** Rows in a partial aggregation, which has nothing of the others. */
  readonly rows: number;
}

/** Columns behind the accumulators of the two tables of sliding windows: their indices. */
export interface PaneColumns {
  /** Of a pane: the one before and the one behind it of the same key. */
  readonly older: number;
  readonly newer: number;
  /** Of a key: its first and last pane, and the first that no window has reached yet. */
  readonly newest: number;
  readonly oldest: number;
  readonly next: number;
  /** Of a key: the end of the last window that it took part in. */
  readonly passed: number;
  /** Of a key: the start of the last pane of the front. */
  readonly front: number;
  /** Of a key: whether its accumulators mean nothing, because nothing is behind the front. */
  readonly isVoid: number;
}

/** How sliding windows are made of panes. */
export interface PanePlan {
  /** The table of keys; its accumulators are of what lies behind the front. */
  readonly keys: TableSpec;
  readonly columns: PaneColumns;
}

/** Columns behind the accumulators of the two tables of sessions: their indices. */
export interface SessionColumns {
  /** Of a session: the time it covers. */
  readonly start: number;
  readonly end: number;
  /** Of a session: in which list of those to be looked at it is. */
  readonly listed: number;
  /** Of a session: the one before of the same key, and the entry of that key. */
  readonly older: number;
  readonly key: number;
  /** Of a session: whether it has a result to give. */
  readonly isDue: number;
  /** Of a key: its last session. */
  readonly newest: number;
}

/** How sessions are kept. */
export interface SessionPlan {
  /** The table of keys. */
  readonly keys: TableSpec;
  readonly columns: SessionColumns;
}

/** A planned aggregation. */
export interface AggregatePlan extends AggregateResults {
  /** Null without windows; with them the start of the window is one more key of the tables. */
  readonly window: WindowColumns | null;
  /** Of sliding windows that are made of panes; the table then is of panes. */
  readonly panes: PanePlan | null;
  /** Of sessions; the table then has one entry for each. */
  readonly sessions: SessionPlan | null;
  readonly table: TableSpec;
  readonly aggregates: readonly PlannedAggregate[];
}

/** The table of entries that hold nothing but their key, or the columns given. */
export function keyTable(
  name: string,
  keys: readonly Field[],
  columns: TableSpec['columns'] = [],
): TableSpec {
  return { name, keys: keys.map((field) => tableKeyType(field.type)), columns, ttlMs: null };
}

/** Plans an aggregation over records of `input`. */
export function planAggregate(spec: AggregateOperator, input: Schema): AggregatePlan {
  const { keys, output, ...results } = planResults(spec, input);
  let firstColumn = 0;
  const aggregates = results.aggregates.map((aggregate): PlannedAggregate => {
    const distinct = distinctTable(aggregate, spec, keys);
    const planned = { ...aggregate, firstColumn, distinct };
    firstColumn += aggregate.accumulator.columns.length;
    return planned;
  });
  const columns = aggregates.flatMap((aggregate) => aggregate.accumulator.columns);
  const isWindowed = spec.window !== null;
  const isPaned = hasPanes(spec);
  const isSession = spec.window?.gapMs !== undefined;
  const window = { next: columns.length, isDue: columns.length + 1, rows: columns.length };
  const more = isSession ? SESSION_COLUMNS : isPaned ? PANE_COLUMNS : windowColumns(spec.phase);
  return {
    keys,
    window: isWindowed ? window : null,
    panes: isPaned ? panePlan(keys, columns) : null,
    sessions: isSession ? sessionPlan(keys, columns.length) : null,
    table: {
      ...(isWindowed
        ? keyTable('accumulators', [...keys, PANE_KEY], [...columns, ...more])
        : keyTable('accumulators', keys, columns)),
      // Panes and sessions are linked by plain columns, and reached by their links mostly.
      ...(isSession || isPaned ? {} : { isPacked: true, isDivided: isWindowed }),
    },
    aggregates,
    output,
  };
}

/** Links of a pane; at restore they are made anew. */
const PANE_COLUMNS: TableSpec['columns'] = [
  { name: '$older', form: 'i32' },
  { name: '$newer', form: 'i32' },
];

const SESSION_COLUMNS: TableSpec['columns'] = [
  { name: '$start', form: 'f64' },
  { name: '$end', form: 'f64' },
  { name: '$listed', form: 'f64' },
  { name: '$older', form: 'i32' },
  { name: '$key', form: 'i32' },
  { name: '$isDue', form: 'u8' },
];

function sessionPlan(keys: readonly Field[], first: number): SessionPlan {
  return {
    keys: keyTable('windows', keys, [{ name: '$newest', form: 'i32' }]),
    columns: {
      start: first,
      end: first + 1,
      listed: first + 2,
      older: first + 3,
      key: first + 4,
      isDue: first + 5,
      newest: 0,
    },
  };
}

function panePlan(keys: readonly Field[], accumulators: TableSpec['columns']): PanePlan {
  const first = accumulators.length;
  const columns: TableSpec['columns'] = [
    ...accumulators,
    { name: '$newest', form: 'i32' },
    { name: '$oldest', form: 'i32' },
    { name: '$next', form: 'i32' },
    { name: '$passed', form: 'f64' },
    { name: '$front', form: 'f64' },
    { name: '$isVoid', form: 'u8' },
  ];
  return {
    keys: keyTable('windows', keys, columns),
    columns: {
      older: first,
      newer: first + 1,
      newest: first,
      oldest: first + 1,
      next: first + 2,
      passed: first + 3,
      front: first + 4,
      isVoid: first + 5,
    },
  };
}

/** Entries of a partial aggregation are in no list, and give no result: the less of them, the more stay in a cache. */
function windowColumns(phase: AggregatePhase): TableSpec['columns'] {
  if (phase === 'partial') return [{ name: ROWS_FIELD, form: 'i32' }];
  return [NEXT_COLUMN, { name: '$isDue', form: 'u8' }];
}

function distinctTable(
  { spec: aggregate, slot }: ResultAggregate,
  { window }: AggregateOperator,
  keys: readonly Field[],
): TableSpec | null {
  if (aggregate.fn !== 'countDistinct' || slot === null || slot.type.kind === 'null') return null;
  const name = `distinct.${aggregate.as}`;
  const value = requiredField('value', slot.type);
  // The values of a window are linked as its entries are, to be removed with it.
  return window === null
    ? keyTable(name, [...keys, value])
    : keyTable(name, [...keys, PANE_KEY, value], [NEXT_COLUMN]);
}
