/**
 * Finds what the filters behind a source have in common: a column that must have one of a few values, so that readers
 * need not take apart the rows that have another. Callers: `plan.ts`. Runs on: any thread; pure. Invariant: a row that
 * the filter found here does not want is wanted by no filter behind the source, and none fails on it.
 */
import type { Expression, LiteralValue } from '../operator/expression.js';
import type { ValueFilter } from '../record/value-filter.js';
import type { LogicalNode } from './logical-graph.js';
import type { PlacedGraph } from './placement.js';

/** Readers compare with one value after the other. */
const VALUES_MAX = 16;

/** What all that read a source want of its rows; null when that is nothing that a reader could judge by. */
export function sourceFilter(graph: PlacedGraph, source: LogicalNode): ValueFilter | null {
  const filters = graph.nodes.flatMap((node) =>
    node.inputs
      .filter((input) => input.node === source.id)
      // A function that says where records go may be one that counts them.
      .map(({ partitioner }) => (partitioner?.kind === 'custom' ? null : filterOf(node))),
  );
  const common = eitherOf(filters);
  return common !== null && common.values.length <= VALUES_MAX ? common : null;
}

function filterOf(node: LogicalNode): ValueFilter | null {
  const isFilter = node.kind === 'operator' && node.spec.kind === 'where';
  return isFilter ? wantedBy(node.spec.predicate) : null;
}

/** What rows must have for a condition to be true. */
function wantedBy(condition: Expression): ValueFilter | null {
  if (condition.node === 'column') return { column: condition.name, values: [true] };
  if (condition.node !== 'call') return null;
  const { fn, args } = condition;
  // What follows is not looked at where the first is false, and so may fail on no row that it leaves out.
  if (fn === 'and') return args[0] === undefined ? null : wantedBy(args[0]);
  if (fn === 'or') return eitherOf(args.map(wantedBy));
  if (fn === 'in') return comparison(args[0], args.slice(1));
  if (fn !== 'eq') return null;
  return comparison(args[0], args.slice(1)) ?? comparison(args[1], args.slice(0, 1));
}

function comparison(
  column: Expression | undefined,
  others: readonly Expression[],
): ValueFilter | null {
  if (column?.node !== 'column' || others.length === 0) return null;
  const values = others.map((other) => (other.node === 'literal' ? valueOf(other) : null));
  return values.every((value) => value !== null) ? { column: column.name, values } : null;
}

/** The value of a literal that readers can compare with; null for others. */
function valueOf(literal: {
  readonly value: LiteralValue;
  readonly timestamp?: boolean;
}): string | number | boolean | null {
  const { value, timestamp } = literal;
  if (typeof value === 'bigint' || timestamp === true) return null;
  return value;
}

/** What rows have of which one of several is wanted; null when they have nothing in common. */
function eitherOf(filters: readonly (ValueFilter | null)[]): ValueFilter | null {
  const [first, ...others] = filters;
  if (first === null || first === undefined) return null;
  const values = new Set(first.values);
  for (const other of others) {
    if (other === null || other.column !== first.column) return null;
    for (const value of other.values) values.add(value);
  }
  return { column: first.column, values: [...values] };
}
