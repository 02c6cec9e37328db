/**
 * The results of a keyed aggregation over records of a schema: its key, its accumulators and what it gives. Callers:
 * chain-schemas.ts, and aggregate-tables.ts for what it keeps. Runs on: worker, when a chain is compiled; pure.
 */
import { unreachable } from '../base/assert.js';
import type { Field, Schema, Slot } from '../record/schema.js';
import type { Accumulator } from './aggregate-accumulator.js';
import { countAccumulator } from './aggregate-count.js';
import { extremeAccumulator, positionAccumulator } from './aggregate-extreme.js';
import { groupFields, inputSlot, keyFields, resultSchema, resultSlot } from './aggregate-fields.js';
import { collectAccumulator, userAccumulator } from './aggregate-object.js';
import { nothingAccumulator } from './aggregate-nothing.js';
import { averageAccumulator, sumAccumulator } from './aggregate-sum.js';
import type { AggregateSpec, Aggregation } from './operator-spec.js';

/** One aggregate of an operator. */
export interface ResultAggregate {
  readonly spec: AggregateSpec;
  readonly accumulator: Accumulator;
  /** What it is applied to; null for whole rows. */
  readonly slot: Slot | null;
}

/** What an aggregation gives. */
export interface AggregateResults {
  readonly keys: readonly Field[];
  readonly aggregates: readonly ResultAggregate[];
  /** Schema of the rows it gives; null when a user's aggregator makes part of them. */
  readonly output: Schema | null;
}

/** Plans what an aggregation over records of `input` gives. */
export function planResults(spec: Aggregation, input: Schema): AggregateResults {
  const keys = keyFields(spec.name, spec.keys, input);
  const aggregates = spec.aggregates.map((aggregate, index): ResultAggregate => {
    const slot = inputSlot(aggregate, index, input, spec.phase);
    return { spec: aggregate, accumulator: accumulatorOf(aggregate, index, slot), slot };
  });
  const output =
    spec.phase === 'partial' ? carriedSchema(spec, keys, aggregates) : resultSchema(spec, input);
  return { keys, aggregates, output };
}

/** What a partial phase hands on: what its accumulators are carried as. */
function carriedSchema(
  spec: Aggregation,
  keys: readonly Field[],
  aggregates: readonly ResultAggregate[],
): Schema {
  const carried = aggregates.flatMap(({ accumulator }) => accumulator.carried);
  return { shape: 'object', fields: [...groupFields(spec, keys), ...carried] };
}

function accumulatorOf(aggregate: AggregateSpec, index: number, slot: Slot | null): Accumulator {
  if (aggregate.fn === 'user') return userAccumulator(aggregate, index);
  // Refuses inputs that the aggregate cannot take.
  resultSlot(aggregate, slot);
  if (aggregate.fn === 'count' || aggregate.fn === 'countDistinct' || slot === null) {
    return countAccumulator(aggregate, index);
  }
  if (slot.type.kind === 'null' && aggregate.fn !== 'collect') {
    return nothingAccumulator(aggregate, index);
  }
  switch (aggregate.fn) {
    case 'sum':
      return sumAccumulator(aggregate, index, slot);
    case 'avg':
      return averageAccumulator(aggregate, index, slot);
    case 'min':
    case 'max':
      return extremeAccumulator(aggregate, index, slot);
    case 'first':
    case 'last':
      return positionAccumulator(aggregate, index, slot);
    case 'collect':
      return collectAccumulator(aggregate, index, slot);
    default:
      return unreachable(aggregate.fn, 'aggregate');
  }
}
