/**
 * The accumulators of a table entry in generated code, and making what two entries hold one. Callers: the fragments
 * of aggregations, panes and sessions. Runs on: worker, when a chain is compiled.
 */
import type { Cell } from '../aggregate-accumulator.js';
import type { PlannedAggregate } from '../aggregate-tables.js';
import type { ChainCode } from '../chain-code.js';
import type { CodeBlock } from '../code-block.js';
import { type EntryCode, TableCell } from '../key-entry-code.js';

/** The aggregates of an operator. */
interface Aggregates {
  readonly index: number;
  readonly aggregates: readonly PlannedAggregate[];
}

/** The accumulator of an aggregate in an entry. */
export function cellIn(
  code: ChainCode,
  { index }: Pick<Aggregates, 'index'>,
  entry: EntryCode,
  { firstColumn, spec }: PlannedAggregate,
): TableCell {
  return new TableCell(code, index, entry, firstColumn, spec.as);
}

/** Adds what an entry holds to another one. */
export function mergeInto(
  code: ChainCode,
  bound: Aggregates,
  into: EntryCode,
  from: EntryCode,
  place: CodeBlock,
): void {
  mergeCells(
    bound.aggregates,
    (aggregate) => cellIn(code, bound, into, aggregate),
    (aggregate) => cellIn(code, bound, from, aggregate),
    place,
  );
}

/** Adds accumulators to others, aggregate by aggregate. */
export function mergeCells(
  aggregates: readonly PlannedAggregate[],
  into: (aggregate: PlannedAggregate) => Cell,
  from: (aggregate: PlannedAggregate) => Cell,
  place: CodeBlock,
): void {
  for (const aggregate of aggregates) {
    const { accumulator } = aggregate;
    accumulator.merge(into(aggregate), accumulator.carriedOf(from(aggregate), place), place);
  }
}
