/**
 * `sum` and `avg`. Sums of numbers stay exact as long as all summands are whole: one that leaves the range in
 * which whole numbers are exact fails with NUMBER_INEXACT instead of rounding silently; sums with a fraction, and
 * of declared floats, round as floats do, or once at the end with `exact`. Sums of int64 and decimals are exact
 * whole numbers of 64 bits. An average divides the sum in floating point. Callers: aggregate-plan.ts. Runs on:
 * worker, when a chain is compiled; pure.
 */
import type { DataType, Field, Slot } from '../record/schema.js';
import { formOf } from '../record/schema.js';
import {
  type Accumulator,
  type Cell,
  localOf,
  nullableValue,
  presentValue,
} from './aggregate-accumulator.js';
import {
  ANY,
  carriedName,
  flagField,
  FLOAT,
  isExactFloat,
  requiredField,
  sumType,
} from './aggregate-fields.js';
import type { FieldValue } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import { addExact, createExactSum, exactSumValue, mergeExact } from './exact-sum.js';
import { isNumberType } from './key-code.js';
import type { BuiltInAggregate } from './operator-spec.js';

/** States of a sum: nothing yet; only whole numbers; fractions, or whole numbers too large to be exact. */
export const SUM_EMPTY = 0;
export const SUM_WHOLE = 1;
export const SUM_FLOAT = 2;

const SAFE_MAX = Number.MAX_SAFE_INTEGER;

/** How a running sum is kept. */
interface SumKind {
  readonly form: 'f64' | 'i64' | 'js';
  /** Type of the sum where it is carried. */
  readonly carried: DataType;
  /** Whether whole sums are watched. */
  readonly isWatched: boolean;
}

function sumKind(aggregate: BuiltInAggregate, input: DataType): SumKind {
  const type = sumType(aggregate, input);
  if (isExactFloat(aggregate, input)) {
    const isFloat = input.kind === 'float32' || input.kind === 'float64';
    return { form: 'js', carried: ANY, isWatched: !isFloat && aggregate.fn === 'sum' };
  }
  if (formOf(type) === 'i64') return { form: 'i64', carried: type, isWatched: false };
  // An average is rounded in any case, so nothing is gained by watching its sum.
  const isWatched = aggregate.fn === 'sum' && type.kind === 'number';
  return { form: 'f64', carried: isWatched ? type : FLOAT, isWatched };
}

/** The state of a sum after `value` made it `sum`; -1 when a whole sum is no longer exact. */
export function sumState(sum: number, value: number, before: number): number {
  if (before === SUM_FLOAT || value !== Math.trunc(value)) return SUM_FLOAT;
  if (sum <= SAFE_MAX && sum >= -SAFE_MAX) return SUM_WHOLE;
  return value > SAFE_MAX || value < -SAFE_MAX ? SUM_FLOAT : -1;
}

/** Code that adds a summand, and whose result is the new sum in column 0. */
function addCode(
  cell: Cell,
  kind: SumKind,
  value: string,
  place: CodeBlock,
  sumTypeOf: DataType,
): void {
  const { unit } = cell;
  if (kind.form === 'js') {
    const sum = unit.fresh('sum');
    place.line(`const ${sum} = ${cell.read(0)};`);
    place.line(`${unit.constant(addExact, 'addExact')}(${sum}, ${value});`);
    return;
  }
  if (kind.form === 'f64') {
    place.line(`${cell.column(0)} += ${value};`);
    return;
  }
  const sum = unit.fresh('sum');
  place.line(`const ${sum} = ${cell.column(0)} + ${value};`);
  place.line(`if (${beyondCode(sum, sumTypeOf)}) ${cell.fail('leaves the range of its type')};`);
  place.line(`${cell.column(0)} = ${sum};`);
}

/** True when an exact sum does not fit its type. */
function beyondCode(sum: string, type: DataType): string {
  if (type.kind !== 'decimal') return `BigInt.asIntN(64, ${sum}) !== ${sum}`;
  const limit = `${10n ** BigInt(type.precision)}n`;
  return `${sum} >= ${limit} || ${sum} <= -${limit}`;
}

/** Code that keeps the state of a watched sum in column 1. */
function watchCode(
  cell: Cell,
  kind: SumKind,
  value: string,
  isInteger: boolean,
  place: CodeBlock,
): void {
  const state = cell.column(1);
  if (!kind.isWatched) {
    place.line(`${state} = ${SUM_FLOAT};`);
    return;
  }
  const sum =
    kind.form === 'js'
      ? `${cell.unit.constant(exactSumValue, 'exactSumValue')}(${cell.read(0)})`
      : cell.column(0);
  const inside = place.open(`if (${state} !== ${SUM_FLOAT})`);
  const wholeSum = cell.unit.fresh('wholeSum');
  inside.line(`const ${wholeSum} = ${sum};`);
  const isWhole = isInteger ? '' : `${value} === Math.trunc(${value}) && `;
  const within = `${wholeSum} <= ${SAFE_MAX} && ${wholeSum} >= -${SAFE_MAX}`;
  inside.line(`if (${isWhole}${within}) ${state} = ${SUM_WHOLE};`);
  const slow = inside.open('else');
  const next = cell.unit.fresh('state');
  const judge = cell.unit.constant(sumState, 'sumState');
  slow.line(`const ${next} = ${judge}(${wholeSum}, ${value}, ${state});`);
  slow.line(`if (${next} < 0) ${cell.fail('of whole numbers is no longer exact')};`);
  slow.line(`${state} = ${next};`);
}

/** The sum in column 0 as a number or bigint. */
function sumCode(cell: Cell, kind: SumKind): string {
  if (kind.form !== 'js') return cell.column(0);
  return `${cell.unit.constant(exactSumValue, 'exactSumValue')}(${cell.read(0)})`;
}

/** The accumulator of `sum`. */
export function sumAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
): Accumulator {
  const kind = sumKind(aggregate, input.type);
  const type = sumType(aggregate, input.type);
  const nullable = input.nullable || aggregate.filter !== null;
  const isInteger = isNumberType(input.type) && /int/.test(input.type.kind);
  const carried: readonly Field[] = [
    requiredField(carriedName(index, ''), kind.carried, kind.form === 'js' ? false : nullable),
    flagField(carriedName(index, 'state')),
  ];
  const sumSlot: Slot = { type: kind.carried, nullable: true };
  const stateSlot: Slot = carried[1];
  const carriedAs = (sum: string, isNull: string, state: string): FieldValue[] => [
    kind.form === 'js'
      ? { ...presentValue(carried[0], sum), object: sum }
      : nullableValue(sumSlot, sum, isNull),
    presentValue(stateSlot, state),
  ];
  return {
    columns: [
      { name: aggregate.as, form: kind.form },
      { name: `${aggregate.as}.state`, form: 'u8' },
    ],
    carried,
    result: { type, nullable },
    create: (cell, place) => createSum(cell, kind, place),
    add: (cell, value, _row, place) => {
      if (value === null) return;
      const local = localOf(cell.unit, value, place);
      addCode(cell, kind, local, place, type);
      watchCode(cell, kind, local, isInteger, place);
    },
    merge: (cell, [sum, state], place) => {
      const inside = place.open(`if (${state.value} !== ${SUM_EMPTY})`);
      mergeSum(cell, kind, sum, type, inside);
      const isFloat = inside.open(`if (${state.value} === ${SUM_FLOAT})`);
      isFloat.line(`${cell.column(1)} = ${SUM_FLOAT};`);
      const whole = inside.open('else');
      const part = kind.form === 'js' ? '0' : localOf(cell.unit, sum, whole);
      if (kind.form === 'i64') whole.line(`${cell.column(1)} = ${SUM_FLOAT};`);
      else watchCode(cell, { ...kind, isWatched: true }, part, true, whole);
    },
    resultOf: (cell) => {
      const isNull = `(${cell.column(1)} === ${SUM_EMPTY})`;
      const sum = sumCode(cell, kind);
      return nullable
        ? nullableValue({ type, nullable }, sum, isNull)
        : presentValue({ type, nullable }, sum);
    },
    carriedOf: (cell) =>
      carriedAs(
        kind.form === 'js' ? cell.read(0) : cell.column(0),
        `(${cell.column(1)} === ${SUM_EMPTY})`,
        cell.column(1),
      ),
    carriedOfRow: (cell, value, _row, counts, place) => {
      if (value === null) return [];
      const local = cell.unit.fresh('value');
      const zero = kind.form === 'i64' ? '0n' : '0';
      place.line(`const ${local} = ${counts} ? ${value.value} : ${zero};`);
      const judge = cell.unit.constant(sumState, 'sumState');
      const watched = kind.isWatched ? `${judge}(${local}, ${local}, ${SUM_EMPTY})` : SUM_FLOAT;
      const state = `(${counts} ? ${watched} : ${SUM_EMPTY})`;
      return carriedAs(loneSum(cell, kind, local, counts), `(!(${counts}))`, state);
    },
  };
}

/** The accumulator of `avg`. */
export function averageAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
): Accumulator {
  const kind = sumKind(aggregate, input.type);
  const type = sumType(aggregate, input.type);
  const nullable = input.nullable || aggregate.filter !== null;
  const result: Slot = { type: { kind: 'number' }, nullable };
  const carried: readonly Field[] = [
    requiredField(carriedName(index, ''), kind.carried),
    requiredField(carriedName(index, 'count'), { kind: 'number' }),
  ];
  const carriedAs = (sum: string, count: string): FieldValue[] => [
    { ...presentValue(carried[0], sum), ...(kind.form === 'js' ? { object: sum } : {}) },
    presentValue(carried[1], count),
  ];
  const scale = type.kind === 'decimal' ? ` / ${10 ** type.scale}` : '';
  return {
    columns: [
      { name: aggregate.as, form: kind.form },
      { name: `${aggregate.as}.count`, form: 'f64' },
    ],
    carried,
    result,
    create: (cell, place) => createSum(cell, kind, place),
    add: (cell, value, _row, place) => {
      if (value === null) return;
      addCode(cell, kind, localOf(cell.unit, value, place), place, type);
      place.line(`${cell.column(1)}++;`);
    },
    merge: (cell, [sum, count], place) => {
      mergeSum(cell, kind, sum, type, place);
      place.line(`${cell.column(1)} += ${count.value};`);
    },
    resultOf: (cell) => {
      const sum = kind.form === 'i64' ? `Number(${sumCode(cell, kind)})` : sumCode(cell, kind);
      const average = `(${sum} / ${cell.column(1)}${scale})`;
      return nullable
        ? nullableValue(result, average, `(${cell.column(1)} === 0)`)
        : presentValue(result, average);
    },
    carriedOf: (cell) =>
      carriedAs(kind.form === 'js' ? cell.read(0) : cell.column(0), cell.column(1)),
    carriedOfRow: (cell, value, _row, counts, place) => {
      if (value === null) return [];
      const local = cell.unit.fresh('value');
      const zero = kind.form === 'i64' ? '0n' : '0';
      place.line(`const ${local} = ${counts} ? ${value.value} : ${zero};`);
      return carriedAs(loneSum(cell, kind, local, counts), `(${counts} ? 1 : 0)`);
    },
  };
}

function createSum(cell: Cell, kind: SumKind, place: CodeBlock): void {
  if (kind.form !== 'js') return;
  place.line(`${cell.write(0, `${cell.unit.constant(createExactSum, 'createExactSum')}()`)};`);
}

function mergeSum(
  cell: Cell,
  kind: SumKind,
  sum: FieldValue,
  type: DataType,
  place: CodeBlock,
): void {
  if (kind.form === 'js') {
    const merge = cell.unit.constant(mergeExact, 'mergeExact');
    place.line(`${merge}(${cell.read(0)}, ${sum.object ?? sum.value});`);
  } else {
    addCode(cell, kind, localOf(cell.unit, sum, place), place, type);
  }
}

/** An exact sum of one number, as plain data. */
export function exactSumOf(value: number, counts: boolean): unknown {
  const sum = createExactSum();
  if (counts) addExact(sum, value);
  return sum;
}

function loneSum(cell: Cell, kind: SumKind, local: string, counts: string): string {
  if (kind.form !== 'js') return local;
  return `${cell.unit.constant(exactSumOf, 'exactSumOf')}(${local}, ${counts})`;
}
