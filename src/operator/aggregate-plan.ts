/**
 * The plan of a keyed aggregation over records of a schema: its key, the layout of its state tables, and what it
 * gives. Callers: the aggregate fragment, operator-schema.ts. Runs on: any thread; pure. Invariant: the tables
 * depend on the kinds of types only, so a schema may gain fields, nulls and wider numbers over existing state.
 */
import { unreachable } from '../base/assert.js';
import type { Field, Schema, Slot } from '../record/schema.js';
import type { TableSpec } from '../state/contract.js';
import type { Accumulator } from './aggregate-accumulator.js';
import { countAccumulator } from './aggregate-count.js';
import { extremeAccumulator, positionAccumulator } from './aggregate-extreme.js';
import {
  type AggregateOperator,
  inputSlot,
  keyFields,
  requiredField,
  resultKeyName,
  resultSlot,
} from './aggregate-fields.js';
import { collectAccumulator, userAccumulator } from './aggregate-object.js';
import { nothingAccumulator } from './aggregate-nothing.js';
import { averageAccumulator, sumAccumulator } from './aggregate-sum.js';
import { tableKeyType } from './key-code.js';
import type { AggregateSpec } from './operator-spec.js';

/** One aggregate of an operator. */
export interface PlannedAggregate {
  readonly spec: AggregateSpec;
  readonly accumulator: Accumulator;
  /** Index of its first column in the table. */
  readonly firstColumn: number;
  /** The table of distinct values, for countDistinct. */
  readonly distinct: TableSpec | null;
}

/** A planned aggregation. */
export interface AggregatePlan {
  readonly keys: readonly Field[];
  readonly table: TableSpec;
  readonly aggregates: readonly PlannedAggregate[];
  /** Schema of the rows it gives; null when a user's aggregator makes part of them. */
  readonly output: Schema | null;
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
  const keys = keyFields(spec.name, spec.keys, input);
  let firstColumn = 0;
  const aggregates = spec.aggregates.map((aggregate, index): PlannedAggregate => {
    const slot = inputSlot(aggregate, index, input, spec.phase);
    const accumulator = accumulatorOf(aggregate, index, slot);
    const planned = {
      spec: aggregate,
      accumulator,
      firstColumn,
      distinct: distinctTable(aggregate, keys, slot),
    };
    firstColumn += accumulator.columns.length;
    return planned;
  });
  const columns = aggregates.flatMap((aggregate) => aggregate.accumulator.columns);
  return {
    keys,
    table: { ...keyTable('accumulators', keys, columns), isPacked: true },
    aggregates,
    output: outputOf(spec, keys, aggregates),
  };
}

function distinctTable(
  aggregate: AggregateSpec,
  keys: readonly Field[],
  slot: Slot | null,
): TableSpec | null {
  if (aggregate.fn !== 'countDistinct' || slot === null || slot.type.kind === 'null') return null;
  return keyTable(`distinct.${aggregate.as}`, [...keys, requiredField('value', slot.type)]);
}

function outputOf(
  spec: AggregateOperator,
  keys: readonly Field[],
  aggregates: readonly PlannedAggregate[],
): Schema | null {
  const fields = keys.map((key) => requiredField(resultKeyName(key.name, spec.phase), key.type));
  for (const { spec: aggregate, accumulator } of aggregates) {
    if (spec.phase === 'partial') fields.push(...accumulator.carried);
    else if (accumulator.result === null) return null;
    else fields.push({ name: aggregate.as, ...accumulator.result, optional: false });
  }
  return { shape: 'object', fields };
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
      return collectAccumulator(aggregate, slot);
    default:
      return unreachable(aggregate.fn, 'aggregate');
  }
}
