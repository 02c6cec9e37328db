/**
 * The results of a keyed aggregation over records of a schema: its key, its accumulators and what it gives. Callers:
 * operator-schema.ts, and aggregate-tables.ts for what it keeps. Runs on: any thread; pure.
 */
import { unreachable } from '../base/assert.js';
import type { Field, Schema, Slot } from '../record/schema.js';
import type { Accumulator } from './aggregate-accumulator.js';
import { countAccumulator } from './aggregate-count.js';
import { extremeAccumulator, positionAccumulator } from './aggregate-extreme.js';
import {
  type AggregateOperator,
  BOOL,
  inputSlot,
  keyFields,
  LATE_FIRING,
  NUMBER,
  PANE_FIELD,
  requiredField,
  resultKeyName,
  resultSlot,
  ROWS_FIELD,
  WINDOW_END,
  WINDOW_START,
} from './aggregate-fields.js';
import { collectAccumulator, userAccumulator } from './aggregate-object.js';
import { nothingAccumulator } from './aggregate-nothing.js';
import { averageAccumulator, sumAccumulator } from './aggregate-sum.js';
import type { AggregatePhase, AggregateSpec, WindowSpec } from './operator-spec.js';

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
export function planResults(spec: AggregateOperator, input: Schema): AggregateResults {
  const keys = keyFields(spec.name, spec.keys, input);
  const aggregates = spec.aggregates.map((aggregate, index): ResultAggregate => {
    const slot = inputSlot(aggregate, index, input, spec.phase);
    return { spec: aggregate, accumulator: accumulatorOf(aggregate, index, slot), slot };
  });
  return { keys, aggregates, output: outputOf(spec, keys, aggregates) };
}

function outputOf(
  spec: AggregateOperator,
  keys: readonly Field[],
  aggregates: readonly ResultAggregate[],
): Schema | null {
  const fields = keys.map((key) => requiredField(resultKeyName(key.name, spec.phase), key.type));
  if (spec.window !== null) fields.push(...windowFields(spec.window, spec.phase));
  for (const { spec: aggregate, accumulator } of aggregates) {
    if (spec.phase === 'partial') fields.push(...accumulator.carried);
    else if (accumulator.result === null) return null;
    else fields.push({ name: aggregate.as, ...accumulator.result, optional: false });
  }
  return { shape: 'object', fields };
}

/** The fields by which results tell of their window. */
function windowFields(window: WindowSpec, phase: AggregatePhase): readonly Field[] {
  if (phase === 'partial') {
    return [requiredField(PANE_FIELD, NUMBER), requiredField(ROWS_FIELD, NUMBER)];
  }
  return [
    requiredField(WINDOW_START, NUMBER),
    requiredField(WINDOW_END, NUMBER),
    ...(window.allowedLatenessMs === null ? [] : [requiredField(LATE_FIRING, BOOL)]),
  ];
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
