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
const SUM_EMPTY = 0;
const SUM_WHOLE = 1;
const SUM_FLOAT = 2;

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
    return { form: 'js', carried: ANY, isWatched: isWatched(aggregate, input) };
  }
  if (formOf(type) === 'i64') return { form: 'i64', carried: type, isWatched: false };
  const isNumber = isWatched(aggregate, type);
  return { form: 'f64', carried: isNumber ? type : FLOAT, isWatched: isNumber };
}

/** Whether whole sums of numbers are watched: an average is rounded in any case, so nothing is gained by it. */
function isWatched({ fn }: BuiltInAggregate, { kind }: DataType): boolean {
  return fn === 'sum' && kind !== 'float32' && kind !== 'float64';
}

/** The state of a sum after `value` made it `sum`; -1 when a whole sum is no longer exact. */
function sumState(sum: number, value: number, before: number): number {
  if (before === SUM_FLOAT || value !== Math.trunc(value)) return SUM_FLOAT;
  if (sum <= SAFE_MAX && sum >= -SAFE_MAX) return SUM_WHOLE;
  return value > SAFE_MAX || value < -SAFE_MAX ? SUM_FLOAT : -1;
}

/** Code that adds a summand; gives code of the new sum. */
function addCode(
  cell: Cell,
  kind: SumKind,
  value: string,
  place: CodeBlock,
  type: DataType,
): string {
  const { unit } = cell;
  if (kind.form === 'js') {
    const exact = exactSum(cell, place);
    place.line(`${unit.constant(addExact, 'addExact')}(${exact}, ${value});`);
    return `${unit.constant(exactSumValue, 'exactSumValue')}(${exact})`;
  }
  const sum = unit.fresh('sum');
  place.line(`const ${sum} = ${cell.column(0)} + ${value};`);
  if (kind.form === 'i64') {
    place.line(`if (${beyondCode(sum, type)}) ${cell.fail('leaves the range of its type')};`);
  }
  place.line(`${cell.column(0)} = ${sum};`);
  return sum;
}

/** True when an exact sum does not fit its type. */
function beyondCode(sum: string, type: DataType): string {
  if (type.kind !== 'decimal') return `BigInt.asIntN(64, ${sum}) !== ${sum}`;
  const limit = `${10n ** BigInt(type.precision)}n`;
  return `${sum} >= ${limit} || ${sum} <= -${limit}`;
}

/** Code that keeps the state of a sum in column 1, after `value` made it `sum`. */
function watchCode(
  cell: Cell,
  isWatched: boolean,
  sum: string,
  value: string,
  isInteger: boolean,
  place: CodeBlock,
): void {
  const column = cell.column(1);
  if (!isWatched) {
    place.line(`${column} = ${SUM_FLOAT};`);
    return;
  }
  const { unit } = cell;
  const state = unit.fresh('state');
  place.line(`const ${state} = ${column};`);
  // Most rows add a whole number to a whole sum that stays small: then there is nothing to write.
  const watched = place.open(`if (${state} !== ${SUM_FLOAT})`);
  const whole = unit.fresh('wholeSum');
  watched.line(`const ${whole} = ${sum};`);
  const fraction = isInteger ? '' : ` || ${value} !== Math.trunc(${value})`;
  const beyond = `${whole} > ${SAFE_MAX} || ${whole} < -${SAFE_MAX}`;
  const slow = watched.open(`if (${state} !== ${SUM_WHOLE}${fraction} || ${beyond})`);
  const next = unit.fresh('nextState');
  slow.line(
    `const ${next} = ${unit.constant(sumState, 'sumState')}(${whole}, ${value}, ${state});`,
  );
  slow.line(`if (${next} < 0) ${cell.fail('of whole numbers is no longer exact')};`);
  slow.line(`${column} = ${next};`);
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
  const carried: readonly Field[] = [
    requiredField(carriedName(index, ''), kind.carried, nullable),
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
    create: () => {},
    add: (cell, value, _row, place) => {
      if (value === null) return;
      const local = localOf(cell.unit, value, place);
      const sum = addCode(cell, kind, local, place, type);
      // The plan may only know what carries sums, whose type is wider than that of what is added.
      const isNumber = kind.isWatched && isWatched(aggregate, value.type);
      const isInteger = isNumberType(value.type) && /int/.test(value.type.kind);
      watchCode(cell, isNumber, sum, local, isInteger, place);
    },
    merge: (cell, [sum, state], place) => {
      const inside = place.open(`if (${state.value} !== ${SUM_EMPTY})`);
      const merged = mergeSum(cell, kind, sum, type, inside);
      const isFloat = inside.open(`if (${state.value} === ${SUM_FLOAT})`);
      isFloat.line(`${cell.column(1)} = ${SUM_FLOAT};`);
      // A carried whole sum is exact itself; only what it is added to may leave the range.
      if (kind.form !== 'i64') watchCode(cell, true, merged, '0', true, inside.open('else'));
    },
    resultOf: (cell) => {
      const isNull = `(${cell.column(1)} === ${SUM_EMPTY})`;
      const sum = sumCode(cell, kind);
      return nullable
        ? nullableValue({ type, nullable }, sum, isNull)
        : presentValue({ type, nullable }, sum);
    },
    carriedOf: (cell) =>
      carriedAs(carriedSum(cell, kind), `(${cell.column(1)} === ${SUM_EMPTY})`, cell.column(1)),
    carriedOfRow: (cell, value, _row, counts, place) => {
      if (value === null) return [];
      const local = countedValue(cell, kind, value, counts, place);
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
    // The merged phase learns from this field whether there may be nothing to average.
    requiredField(carriedName(index, ''), kind.carried, nullable),
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
    create: () => {},
    add: (cell, value, _row, place) => {
      if (value === null) return;
      addCode(cell, kind, localOf(cell.unit, value, place), place, type);
      place.line(`${cell.column(1)}++;`);
    },
    merge: (cell, [sum, count], place) => {
      // A partial sum of nothing may come from before its type was known.
      const inside = place.open(`if (${count.value} !== 0)`);
      mergeSum(cell, kind, sum, type, inside);
      inside.line(`${cell.column(1)} += ${count.value};`);
    },
    resultOf: (cell) => {
      const sum = kind.form === 'i64' ? `Number(${sumCode(cell, kind)})` : sumCode(cell, kind);
      const average = `(${sum} / ${cell.column(1)}${scale})`;
      return nullable
        ? nullableValue(result, average, `(${cell.column(1)} === 0)`)
        : presentValue(result, average);
    },
    carriedOf: (cell) => carriedAs(carriedSum(cell, kind), cell.column(1)),
    carriedOfRow: (cell, value, _row, counts, place) => {
      if (value === null) return [];
      const local = countedValue(cell, kind, value, counts, place);
      return carriedAs(loneSum(cell, kind, local, counts), `(${counts} ? 1 : 0)`);
    },
  };
}

/** Code of the expansion in column 0 as a local; an entry has none before its first summand. */
function exactSum(cell: Cell, place: CodeBlock): string {
  const sum = cell.unit.fresh('sum');
  place.line(`let ${sum} = ${cell.read(0)};`);
  const first = place.open(`if (${sum} === undefined)`);
  first.line(`${sum} = ${cell.unit.constant(createExactSum, 'createExactSum')}();`);
  first.line(`${cell.write(0, sum)};`);
  return sum;
}

/** Code of the sum in column 0 as it is carried. */
function carriedSum(cell: Cell, kind: SumKind): string {
  if (kind.form !== 'js') return cell.column(0);
  return `(${cell.read(0)} ?? ${cell.unit.constant(createExactSum, 'createExactSum')}())`;
}

/** Code that adds a carried sum; gives code of the new one. */
function mergeSum(
  cell: Cell,
  kind: SumKind,
  sum: FieldValue,
  type: DataType,
  place: CodeBlock,
): string {
  if (kind.form !== 'js') return addCode(cell, kind, localOf(cell.unit, sum, place), place, type);
  const merge = cell.unit.constant(mergeExact, 'mergeExact');
  const exact = exactSum(cell, place);
  place.line(`${merge}(${exact}, ${sum.object ?? sum.value});`);
  return `${cell.unit.constant(exactSumValue, 'exactSumValue')}(${exact})`;
}

/** An exact sum of one number, as plain data. */
function exactSumOf(value: number, counts: boolean): unknown {
  const sum = createExactSum();
  if (counts) addExact(sum, value);
  return sum;
}

/** The value of a row that counts as a local, else zero. */
function countedValue(
  cell: Cell,
  kind: SumKind,
  value: FieldValue,
  counts: string,
  place: CodeBlock,
): string {
  const local = cell.unit.fresh('value');
  const zero = kind.form === 'i64' ? '0n' : '0';
  place.line(`const ${local} = ${counts} ? ${value.value} : ${zero};`);
  return local;
}

function loneSum(cell: Cell, kind: SumKind, local: string, counts: string): string {
  if (kind.form !== 'js') return local;
  return `${cell.unit.constant(exactSumOf, 'exactSumOf')}(${local}, ${counts})`;
}
