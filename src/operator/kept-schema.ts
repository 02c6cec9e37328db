/**
 * The schema that describes what a keyed operator keeps. Of an aggregation that may run in two phases it is that of the
 * fields that carry its accumulators, in one phase too, so that another parallelism, which adds a phase or takes one
 * away, finds what it expects. Callers: chain-keyed.ts, chain-snapshot.ts. Runs on: worker, when a chain is compiled or
 * restored; pure.
 */
import { assert } from '../base/assert.js';
import { fieldIndex, type Schema } from '../record/schema.js';
import { type AggregateOperator, carriedName } from './aggregate-fields.js';
import { planResults } from './aggregate-plan.js';
import { type AggregatePlan, planAggregate } from './aggregate-tables.js';
import type { KeyedOperator } from './operator-spec.js';
import { isCarried } from './pre-aggregate.js';

/** What an operator keeps of records of a schema. */
export function keptSchema(spec: KeyedOperator, records: Schema): Schema {
  const isSingle = spec.kind === 'aggregate' && spec.phase === 'single';
  return isSingle && isCarried(spec) ? carriedSchema(spec, records) : records;
}

/** Plans an aggregation over what it keeps. */
export function planKept(spec: AggregateOperator, kept: Schema): AggregatePlan {
  const isSingle = spec.phase === 'single' && isCarried(spec);
  return planAggregate(isSingle ? { ...spec, phase: 'merge' } : spec, kept);
}

/**
 * What an operator keeps, out of the header of its state: one that does not say `isCarried` was written when only what
 * was behind a partial phase was carried.
 */
export function keptOf(
  spec: KeyedOperator,
  header: { readonly input: Schema; readonly isCarried?: boolean },
): Schema {
  if (spec.kind !== 'aggregate' || !isCarried(spec)) return header.input;
  const { isCarried: is = hasCarried(spec, header.input) } = header;
  return is ? header.input : carriedSchema(spec, header.input);
}

function carriedSchema(spec: AggregateOperator, records: Schema): Schema {
  const { output } = planResults({ ...spec, phase: 'partial' }, records);
  assert(output !== null, 'What is carried has a schema.');
  return output;
}

function hasCarried({ aggregates }: AggregateOperator, schema: Schema): boolean {
  return aggregates.every((_, index) => fieldIndex(schema, carriedName(index, '')) >= 0);
}
