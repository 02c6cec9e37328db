/**
 * The accumulator of `sum`, `avg`, `min`, `max`, `first` and `last` while nothing but null was seen in their input:
 * it has the columns of the real one, without a form for the value, so that the table can be widened to those of
 * the real one as soon as a value comes along. Callers: aggregate-plan.ts. Runs on: worker, when a chain is
 * compiled; pure. Invariant: columns and carried fields have the names they have in the real accumulator.
 */
import type { Field, Slot } from '../record/schema.js';
import { NOTHING } from '../record/schema-merge.js';
import { type Accumulator, nullableValue, presentValue } from './aggregate-accumulator.js';
import { carriedName, flagField, NUMBER, requiredField } from './aggregate-fields.js';
import type { FieldValue } from './flow-row.js';
import type { BuiltInAggregate } from './operator-spec.js';

const SLOT: Slot = { type: NOTHING, nullable: true };
const NULL: FieldValue = nullableValue(SLOT, 'null', 'true');

/** The column beside the value, and the field that carries it, if any. */
function markOf(
  aggregate: BuiltInAggregate,
  index: number,
): { readonly column: Accumulator['columns'][number]; readonly carried: readonly Field[] } {
  const { as, fn } = aggregate;
  if (fn === 'sum') {
    const carried = [flagField(carriedName(index, 'state'))];
    return { column: { name: `${as}.state`, form: 'u8' }, carried };
  }
  if (fn === 'avg') {
    const carried = [requiredField(carriedName(index, 'count'), NUMBER)];
    return { column: { name: `${as}.count`, form: 'f64' }, carried };
  }
  return { column: { name: `${as}.set`, form: 'u8' }, carried: [] };
}

/** The accumulator over nothing. */
export function nothingAccumulator(aggregate: BuiltInAggregate, index: number): Accumulator {
  const mark = markOf(aggregate, index);
  const result = aggregate.fn === 'avg' ? { type: NUMBER, nullable: true } : SLOT;
  const carried = [NULL, ...mark.carried.map((field) => presentValue(field, '0'))];
  return {
    columns: [{ name: aggregate.as, form: 'none' }, mark.column],
    carried: [requiredField(carriedName(index, ''), NOTHING, true), ...mark.carried],
    result,
    create: () => {},
    add: () => {},
    merge: () => {},
    resultOf: () => ({ ...NULL, type: result.type }),
    carriedOf: () => carried,
    carriedOfRow: () => carried,
  };
}
