/**
 * Which fields of its input an operator needs, given the fields of its output that somebody wants: column
 * pruning, one operator at a time, from the sinks backward. Callers: graph, the chain compiler. Runs on: any
 * thread; pure. Invariant: null means all fields; a superset of what is needed is right, a subset never.
 */
import { KEY_FIELD } from './flow-row.js';
import { carriedName, PANE_FIELD, ROWS_FIELD } from './aggregate-fields.js';
import { expressionColumns } from './expression-columns.js';
import { usedFields } from './lambda-fields.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec } from './operator-spec.js';

/** Fields of a side of its input that `spec` needs for the fields `wanted` of its output (null: all). */
export function fieldsNeeded(
  spec: OperatorSpec,
  wanted: Iterable<string> | null,
  side: InputSide = 0,
): Set<string> | null {
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
      return setOf(usedFields(spec.fn));
    case 'filter':
      return union(wanted, usedFields(spec.fn));
    case 'where':
      return union(wanted, expressionColumns(spec.predicate));
    case 'select':
      return selectFields(spec, wanted);
    case 'explode': {
      const kept = setOf(wanted);
      kept?.delete(spec.as);
      return union(kept, expressionColumns(spec.list));
    }
    case 'computeKey': {
      const needed = union(wanted, usedFields(spec.fn));
      needed?.delete(KEY_FIELD);
      return needed;
    }
    case 'aggregate':
      // Late records leave as they came.
      if (spec.window !== null && spec.window.lateTag !== null) return null;
      return spec.phase === 'merge' ? mergeFields(spec) : aggregateFields(spec);
    case 'assignTimestamps':
      return union(wanted, timestampFields(spec));
    case 'asyncWait':
      return readFields(spec);
    case 'process':
      // What functions of users read is not known.
      return union(spec.reads?.[side] ?? null, spec.keys[side] ?? []);
    case 'join':
      return union(joinFields(spec, side, wanted), spec.keys[side]);
    case 'loop':
    case 'feedback':
    case 'sideOutput':
      // What goes round a loop may be needed the next time.
      return null;
    case 'reduce':
      // The first record of a key is a result as it is.
      return null;
    case 'top': {
      const needed = setOf(wanted);
      if (spec.rank !== null) needed?.delete(spec.rank);
      return union(needed, [...spec.keys, ...spec.order.map(({ name }) => name)]);
    }
    case 'sort': {
      const read = spec.order.flatMap(({ by }) => [...expressionColumns(by)]);
      return union(wanted, [...spec.keys, ...read]);
    }
    case 'distinct':
      return union(wanted, spec.keys);
  }
}

/** The fields of a side that results are made of; null for all. */
export function joinFields(
  { columns, apply }: Extract<OperatorSpec, { kind: 'join' }>,
  side: InputSide,
  wanted: Iterable<string> | null = null,
): readonly string[] | null {
  if (columns === null) return usedFields(apply, side);
  const names = setOf(wanted);
  return columns
    .filter((column) => column.side === side && (names === null || names.has(column.as)))
    .map(({ name }) => name);
}

/** The fields that an asynchronous function reads; null for all. */
export function readFields(spec: Extract<OperatorSpec, { kind: 'asyncWait' }>): Set<string> | null {
  return spec.readers
    .map((fn) => usedFields(fn))
    .reduce<Set<string> | null>(union, new Set(spec.fields));
}

function setOf(names: Iterable<string> | null): Set<string> | null {
  return names === null ? null : new Set(names);
}

function union(a: Iterable<string> | null, b: Iterable<string> | null): Set<string> | null {
  return a === null || b === null ? null : new Set([...a, ...b]);
}

function selectFields(
  { columns, keepsOthers }: Extract<OperatorSpec, { kind: 'select' }>,
  wanted: Iterable<string> | null,
): Set<string> | null {
  const names = setOf(wanted);
  if (names === null && keepsOthers) return null;
  const needed = new Set(keepsOthers ? names : []);
  for (const { name } of columns) needed.delete(name);
  for (const { name, value } of columns) {
    if (names !== null && !names.has(name)) continue;
    for (const column of expressionColumns(value)) needed.add(column);
  }
  return needed;
}

/** Fields that the event time and the watermark of a record are made from. */
function timestampFields({
  timestamp,
  watermarks,
}: Extract<OperatorSpec, { kind: 'assignTimestamps' }>): Set<string> | null {
  const { generation } = watermarks;
  // A generator of the user is given the whole record.
  if (generation.kind === 'custom') return null;
  const fields = new Set<string>();
  if (timestamp.from === 'expression') {
    for (const name of expressionColumns(timestamp.expression)) fields.add(name);
  }
  const functions = [
    ...(timestamp.from === 'function' ? [timestamp.fn] : []),
    ...(generation.kind === 'punctuated' ? [generation.fn] : []),
  ];
  return functions.map((fn) => usedFields(fn)).reduce<Set<string> | null>(union, fields);
}

type Aggregate = Extract<OperatorSpec, { kind: 'aggregate' }>;

function aggregateFields(spec: Aggregate): Set<string> | null {
  const needed = new Set(spec.keys);
  for (const aggregate of spec.aggregates) {
    // An aggregator of the user is given the whole record.
    if (aggregate.fn === 'user') return null;
    for (const expression of [aggregate.input, aggregate.filter]) {
      if (expression === null) continue;
      for (const column of expressionColumns(expression)) needed.add(column);
    }
  }
  return needed;
}

/** The fields that the partial phase carries over. */
function mergeFields(spec: Aggregate): Set<string> {
  const needed = new Set(spec.keys);
  if (spec.window !== null) needed.add(PANE_FIELD).add(ROWS_FIELD);
  spec.aggregates.forEach((aggregate, index) => {
    needed.add(carriedName(index, ''));
    if (aggregate.fn === 'sum') needed.add(carriedName(index, 'state'));
    if (aggregate.fn === 'avg') needed.add(carriedName(index, 'count'));
  });
  return needed;
}
