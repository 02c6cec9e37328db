/**
 * `count`: rows, or values that are not null; and `countDistinct`, whose values live in a second table keyed by
 * (key, value). Callers: aggregate-plan.ts. Runs on: worker, when a chain is compiled; pure. Invariant: counts are
 * exact to 2^53.
 */
import type { Slot } from '../record/schema.js';
import { type Accumulator, presentValue } from './aggregate-accumulator.js';
import { carriedName, NUMBER, requiredField } from './aggregate-fields.js';
import type { BuiltInAggregate } from './operator-spec.js';

const SLOT: Slot = { type: NUMBER, nullable: false };

/** The accumulator of `count` and `countDistinct`; for the latter `add` runs once per new value. */
export function countAccumulator(aggregate: BuiltInAggregate, index: number): Accumulator {
  const carried = [requiredField(carriedName(index, ''), NUMBER)];
  return {
    columns: [{ name: aggregate.as, form: 'f64' }],
    carried,
    result: SLOT,
    create: () => {},
    add: (cell, _value, _row, place) => place.line(`${cell.column(0)}++;`),
    merge: (cell, [count], place) => place.line(`${cell.column(0)} += ${count.value};`),
    resultOf: (cell) => presentValue(SLOT, cell.column(0)),
    carriedOf: (cell) => [presentValue(SLOT, cell.column(0))],
    carriedOfRow: (_cell, _value, _row, counts) => [presentValue(SLOT, `(${counts} ? 1 : 0)`)],
  };
}
