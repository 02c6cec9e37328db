/**
 * Which fields of its input an operator needs, given the fields of its output that somebody wants: column
 * pruning, one operator at a time, from the sinks backward. Callers: graph, the chain compiler. Runs on: any
 * thread; pure. Invariant: null means all fields; a superset of what is needed is right, a subset never.
 */
import { type FieldTree, treeAt, treeOf, unionOf } from '../record/field-tree.js';
import { KEY_FIELD } from './flow-row.js';
import { carriedName, PANE_FIELD, ROWS_FIELD } from './aggregate-fields.js';
import { expressionFields } from './expression-fields.js';
import { usedFields, usedTree } from './lambda-fields.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec, UserAggregate } from './operator-spec.js';

/** What of a side of its input `spec` needs for what is `wanted` of its output. */
export function fieldsNeeded(
  spec: OperatorSpec,
  wanted: FieldTree,
  side: InputSide = 0,
): FieldTree {
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
      return usedTree(spec.fn);
    case 'filter':
      return unionOf(wanted, usedTree(spec.fn));
    case 'where':
      return unionOf(wanted, expressionFields(spec.predicate));
    case 'select':
      return selectFields(spec, wanted);
    case 'explode':
      return unionOf(without(wanted, spec.as), expressionFields(spec.list));
    case 'computeKey':
      return without(unionOf(wanted, usedTree(spec.fn)), KEY_FIELD);
    case 'aggregate':
      // Late records leave as they came.
      if (spec.window !== null && spec.window.lateTag !== null) return null;
      return spec.phase === 'merge' ? treeOf(mergeFields(spec)) : aggregateFields(spec);
    case 'assignTimestamps':
      return unionOf(wanted, timestampFields(spec));
    case 'asyncWait':
      return spec.readers.map((fn) => usedTree(fn)).reduce(unionOf, treeOf(spec.fields));
    case 'process':
      // What functions of users read is not known.
      return unionOf(treeOf(spec.reads?.[side] ?? null), treeOf(spec.keys[side] ?? []));
    case 'join':
      return unionOf(joinTree(spec, side, wanted), treeOf(spec.keys[side]));
    case 'loop':
    case 'feedback':
    case 'sideOutput':
      // What goes round a loop may be needed the next time.
      return null;
    case 'reduce':
      // The first record of a key is a result as it is.
      return null;
    case 'top': {
      const needed = spec.rank === null ? wanted : without(wanted, spec.rank);
      return unionOf(needed, treeOf([...spec.keys, ...spec.order.map(({ name }) => name)]));
    }
    case 'sort': {
      const read = spec.order.map(({ by }) => expressionFields(by));
      return read.reduce(unionOf, unionOf(wanted, treeOf(spec.keys)));
    }
    case 'distinct':
      return unionOf(wanted, treeOf(spec.keys));
  }
}

type Join = Extract<OperatorSpec, { kind: 'join' }>;

/** The fields of a side that results are made of; null for all. */
export function joinFields({ columns, apply }: Join, side: InputSide): readonly string[] | null {
  if (columns === null) return usedFields(apply, side);
  return columns.filter((column) => column.side === side).map(({ name }) => name);
}

/** The same for what is wanted of the results. */
function joinTree(spec: Join, side: InputSide, wanted: FieldTree): FieldTree {
  if (spec.columns === null) return usedTree(spec.apply, side);
  if (wanted === null) return treeOf(joinFields(spec, side));
  return spec.columns
    .filter((column) => column.side === side && wanted.has(column.as))
    .map(({ as, name }) => treeAt([name], wanted.get(as)))
    .reduce(unionOf, new Map());
}

function without(tree: FieldTree, name: string): FieldTree {
  return tree === null ? null : new Map([...tree].filter(([other]) => other !== name));
}

function selectFields(
  { columns, keepsOthers }: Extract<OperatorSpec, { kind: 'select' }>,
  wanted: FieldTree,
): FieldTree {
  if (wanted === null && keepsOthers) return null;
  const others = columns.reduce((tree, { name }) => without(tree, name), wanted);
  return columns
    .filter(({ name }) => wanted?.has(name) ?? true)
    .map(({ name, value }) => expressionFields(value, wanted?.get(name)))
    .reduce(unionOf, keepsOthers ? others : new Map());
}

/** Fields that the event time and the watermark of a record are made from. */
function timestampFields({
  timestamp,
  watermarks,
}: Extract<OperatorSpec, { kind: 'assignTimestamps' }>): FieldTree {
  const { generation } = watermarks;
  // A generator of the user is given the whole record.
  if (generation.kind === 'custom') return null;
  const fields: FieldTree =
    timestamp.from === 'expression' ? expressionFields(timestamp.expression) : new Map();
  const functions = [
    ...(timestamp.from === 'function' ? [timestamp.fn] : []),
    ...(generation.kind === 'punctuated' ? [generation.fn] : []),
  ];
  return functions.map((fn) => usedTree(fn)).reduce(unionOf, fields);
}

/** Which parameter the record is of `add`. */
const RECORD = 1;

type Aggregate = Extract<OperatorSpec, { kind: 'aggregate' }>;

/** The fields that aggregates and keys are made of. */
export function aggregateFields(spec: Pick<Aggregate, 'keys' | 'aggregates'>): FieldTree {
  let needed = treeOf(spec.keys);
  for (const aggregate of spec.aggregates) {
    const isUser = aggregate.fn === 'user';
    if (isUser) needed = unionOf(needed, usedTree(aggregate.aggregator.add, RECORD));
    for (const expression of [isUser ? null : aggregate.input, aggregate.filter]) {
      if (expression !== null) needed = unionOf(needed, expressionFields(expression));
    }
  }
  return needed;
}

/** The fields of a record that an aggregator of the user reads; null for all. */
export function addedFields({ aggregator }: UserAggregate): readonly string[] | null {
  return usedFields(aggregator.add, RECORD);
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
