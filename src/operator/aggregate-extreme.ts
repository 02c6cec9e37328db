/**
 * `min`, `max`, `first` and `last`: one value of the input's type and a mark whether there is one. NaN counts as
 * greater than every number, so that the result does not depend on the order of arrival; text compares by UTF-16
 * code unit. Callers: aggregate-plan.ts. Runs on: worker, when a chain is compiled; pure.
 */
import type { DataType, Slot } from '../record/schema.js';
import { formOf } from '../record/schema.js';
import type { ValueForm } from '../state/contract.js';
import {
  type Accumulator,
  type Cell,
  localOf,
  nullableValue,
  presentValue,
} from './aggregate-accumulator.js';
import { carriedName, requiredField } from './aggregate-fields.js';
import type { FieldValue } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import { isNumberType } from './key-code.js';
import { presentValueCode } from './object-code.js';
import type { BuiltInAggregate } from './operator-spec.js';

/** The form in which a table column holds a value of a type. */
function valueForm(type: DataType): ValueForm {
  switch (formOf(type)) {
    case 'f64':
    case 'f32':
    case 'i32':
    case 'u32':
      return 'f64';
    case 'u8':
      return 'u8';
    case 'i64':
      return 'i64';
    case 'utf8':
      return 'utf8';
    default:
      return 'js';
  }
}

/** Code that keeps a value in column `index`; the value is not null. */
function keepCode(
  cell: Cell,
  form: ValueForm,
  index: number,
  value: FieldValue,
  place: CodeBlock,
): void {
  switch (form) {
    case 'utf8':
      cell.writeText(index, value, place);
      break;
    case 'js':
      place.line(`${cell.write(index, presentValueCode(cell.unit, value))};`);
      break;
    case 'u8':
      place.line(`${cell.column(index)} = ${value.value} ? 1 : 0;`);
      break;
    default:
      place.line(`${cell.column(index)} = ${value.value};`);
  }
}

/** Code of the kept value. */
function keptCode(cell: Cell, form: ValueForm, index: number): string {
  if (form === 'utf8') return cell.readText(index);
  if (form === 'js') return cell.read(index);
  return form === 'u8' ? `(${cell.column(index)} === 1)` : cell.column(index);
}

/** When a value replaces the kept one. */
type Rule = (cell: Cell, value: FieldValue) => string;

/** Whether a group may come to have rows but no value. */
function isNullable(aggregate: BuiltInAggregate, input: Slot): boolean {
  return input.nullable || aggregate.filter !== null;
}

/**
 * An accumulator of one value in column 0 and a mark in column 1, replaced by a rule. With `start`, the code of a value
 * that every other replaces, the mark is neither asked nor set by rows where none can be null.
 */
function keptAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
  form: ValueForm,
  comparesAll: boolean,
  rule: Rule,
  start: string | null = null,
): Accumulator {
  const { type } = input;
  const nullable = isNullable(aggregate, input);
  const isMarked = nullable || start === null;
  const slot: Slot = { type, nullable };
  const add = (cell: Cell, given: FieldValue, place: CodeBlock): void => {
    // A value that is compared first is fetched once; one that may be ignored or copied as bytes is not.
    const value = comparesAll ? presentValue(given, localOf(cell.unit, given, place)) : given;
    const inside = place.open(`if (${rule(cell, value)})`);
    keepCode(cell, form, 0, value, inside);
    if (isMarked) inside.line(`${cell.column(1)} = 1;`);
  };
  const read = (cell: Cell): FieldValue => {
    const value = keptCode(cell, form, 0);
    const kept = nullable
      ? nullableValue(slot, value, `(${cell.column(1)} === 0)`)
      : presentValue(slot, value);
    if (form !== 'js') return kept;
    return { ...kept, object: nullable ? `(${cell.column(1)} === 0 ? null : ${value})` : value };
  };
  return {
    columns: [
      { name: aggregate.as, form },
      { name: `${aggregate.as}.set`, form: 'u8' },
    ],
    carried: [requiredField(carriedName(index, ''), type, nullable)],
    result: slot,
    create: (cell, place) => {
      if (start !== null) place.line(`${cell.column(0)} = ${start};`);
      // The row that follows has a value; the mark is for when the schema comes to allow null.
      if (!isMarked) place.line(`${cell.column(1)} = 1;`);
    },
    add: (cell, value, _row, place) => {
      if (value !== null) add(cell, value, place);
    },
    merge: (cell, [value], place) => {
      const isThere = value.isNull === 'false' ? 'true' : `!${value.isNull}`;
      add(cell, value, place.open(`if (${isThere})`));
    },
    resultOf: read,
    carriedOf: (cell) => [read(cell)],
    carriedOfRow: (_cell, value, _row, counts) =>
      value === null ? [] : [{ ...value, nullable: true, isNull: `(!(${counts}))` }],
  };
}

/** The accumulator of `min` and `max`. Text is kept as a string, since every row compares with it. */
export function extremeAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
): Accumulator {
  const isMin = aggregate.fn === 'min';
  const sign = isMin ? '<' : '>';
  const form = input.type.kind === 'utf8' ? 'js' : valueForm(input.type);
  const isNumber = isNumberType(input.type);
  const least = isMin ? (isNumber ? 'NaN' : 'Infinity') : '-Infinity';
  const start = form === 'f64' ? least : null;
  const isMarked = isNullable(aggregate, input) || start === null;
  const rule: Rule = (cell, { value: local }) => {
    const kept = keptCode(cell, form, 0);
    const nan = isMin ? `${kept} !== ${kept}` : `${local} !== ${local}`;
    const better = `${local} ${sign} ${kept}${isNumber ? ` || ${nan}` : ''}`;
    return isMarked ? `${cell.column(1)} === 0 || ${better}` : better;
  };
  return keptAccumulator(aggregate, index, input, form, true, rule, start);
}

/** The accumulator of `first` and `last`. */
export function positionAccumulator(
  aggregate: BuiltInAggregate,
  index: number,
  input: Slot,
): Accumulator {
  const isFirst = aggregate.fn === 'first';
  return keptAccumulator(aggregate, index, input, valueForm(input.type), false, (cell) =>
    isFirst ? `${cell.column(1)} === 0` : 'true',
  );
}
