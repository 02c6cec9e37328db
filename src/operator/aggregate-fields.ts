/**
 * Names, types and inputs of aggregates, without their code: what graph checks, schemas and accumulators share.
 * Callers: operator-schema.ts, aggregate-plan.ts. Runs on: any thread; pure.
 */
import { unreachable } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { DataType, Field, Schema, Slot } from '../record/schema.js';
import { fieldIndex, formOf, typeName } from '../record/schema.js';
import { KEY_FIELD } from './flow-row.js';
import { typeOfExpression } from './expression-type.js';
import { checkKeyType, isNumberType } from './key-code.js';
import type {
  AggregatePhase,
  AggregateSpec,
  Aggregation,
  BuiltInAggregate,
  OperatorSpec,
} from './operator-spec.js';

/** The keyed operators of a chain. */
export type AggregateOperator = Extract<OperatorSpec, { kind: 'aggregate' }>;

export const NUMBER: DataType = Object.freeze({ kind: 'number' });
export const FLOAT: DataType = Object.freeze({ kind: 'float64' });
export const ANY: DataType = Object.freeze({ kind: 'any' });
export const BOOL: DataType = Object.freeze({ kind: 'bool' });
const FLAG: DataType = Object.freeze({ kind: 'uint8' });

/** Fields of the results of windows. */
export const WINDOW_START = 'windowStart';
export const WINDOW_END = 'windowEnd';
export const LATE_FIRING = 'lateFiring';
/** Fields that a partial aggregation of windows sends beside the carried ones: its pane, and of how many rows it is. */
export const PANE_FIELD = '$pane';
export const ROWS_FIELD = '$rows';

/** Digits of a decimal that fits the 64 bits of an accumulator. */
const DECIMAL_DIGITS = 18;

/** The name of the carried field `part` of aggregate `index`. */
export function carriedName(index: number, part: '' | 'count' | 'state'): string {
  return part === '' ? `$${index}` : `$${index}.${part}`;
}

/** A required field. */
export function requiredField(name: string, type: DataType, nullable = false): Field {
  return { name, type, nullable, optional: false };
}

/** The field of integrality of a sum. */
export function flagField(name: string): Field {
  return requiredField(name, FLAG);
}

/** The key fields of an operator's input, checked. */
export function keyFields(
  operator: string,
  keys: readonly string[],
  input: Schema,
): readonly Field[] {
  return keys.map((name) => {
    const field = input.fields[fieldIndex(input, name)];
    if (field === undefined) throw unknownField(operator, name, input);
    checkKeyType(operator, name, field.type);
    return requiredField(name, field.type);
  });
}

/** The error for a field that the records do not have. */
export function unknownField(operator: string, name: string, input: Schema): MillraceError {
  const names = input.fields.map((field) => field.name);
  return new MillraceError(
    'FIELD_UNKNOWN',
    `${JSON.stringify(operator)} needs the field "${name}", which its records do not have.`,
    { where: { operator, field: name }, advice: didYouMean(name, names) },
  );
}

/** The name under which a key field appears in results. */
export function resultKeyName(name: string, phase: AggregatePhase): string {
  return name === KEY_FIELD && phase !== 'partial' ? 'key' : name;
}

/** The slot of an aggregate's input; null for aggregates over whole rows. */
export function inputSlot(
  aggregate: AggregateSpec,
  index: number,
  input: Schema,
  phase: AggregatePhase,
): Slot | null {
  if (phase === 'merge') {
    const name = carriedName(index, '');
    const field = input.fields[fieldIndex(input, name)];
    if (field === undefined) throw unknownField(aggregate.as, name, input);
    return field;
  }
  if (aggregate.fn === 'user' || aggregate.input === null) return null;
  return typeOfExpression(aggregate.input, input);
}

/**
 * Whether a sum is kept as an expansion: `exact` sums of numbers are, and travel between phases as `any`; those
 * of int64 and decimals are exact whole numbers anyway.
 */
export function isExactFloat(aggregate: BuiltInAggregate, type: DataType): boolean {
  return aggregate.exact && (isNumberType(type) || type.kind === 'any');
}

/** Type of a sum over values of a type. */
export function sumType(aggregate: BuiltInAggregate, type: DataType): DataType {
  if (type.kind === 'null') return type;
  if (isExactFloat(aggregate, type)) return NUMBER;
  if (type.kind === 'float32' || type.kind === 'float64') return FLOAT;
  if (isNumberType(type)) return NUMBER;
  if (type.kind === 'int64') return type;
  if (type.kind === 'decimal' && formOf(type) === 'i64') {
    return { kind: 'decimal', precision: DECIMAL_DIGITS, scale: type.scale };
  }
  throw mismatch(aggregate, type, 'numbers, int64 and decimals of at most 18 digits');
}

/** Refuses types without an order. */
function checkOrdered(aggregate: BuiltInAggregate, type: DataType): void {
  const isOrdered =
    isNumberType(type) ||
    type.kind === 'utf8' ||
    type.kind === 'bool' ||
    type.kind === 'date' ||
    type.kind === 'timestamp' ||
    type.kind === 'null' ||
    formOf(type) === 'i64';
  if (!isOrdered) {
    throw mismatch(
      aggregate,
      type,
      'numbers, text, dates, timestamps, booleans, int64 and decimals of at most 18 digits',
    );
  }
}

/** The error for an aggregate over a type it does not take. */
function mismatch(aggregate: BuiltInAggregate, type: DataType, accepted: string): MillraceError {
  return new MillraceError(
    'TYPE_MISMATCH',
    `${aggregate.fn}() of "${aggregate.as}" is applied to ${typeName(type)}; it takes ${accepted}.`,
    { where: { field: aggregate.as }, advice: 'Cast the value, or aggregate another field.' },
  );
}

/** The slot of an aggregate's result; null when only running will tell. */
export function resultSlot(aggregate: AggregateSpec, input: Slot | null): Slot | null {
  if (aggregate.fn === 'user') return null;
  if (aggregate.fn === 'count' || aggregate.fn === 'countDistinct') {
    if (aggregate.fn === 'countDistinct' && input !== null) {
      checkKeyType(aggregate.as, 'value', input.type);
    }
    return { type: NUMBER, nullable: false };
  }
  if (input === null) {
    throw new MillraceError(
      'TYPE_MISMATCH',
      `${aggregate.fn}() of "${aggregate.as}" needs an expression.`,
      { where: { field: aggregate.as }, advice: `Write ${aggregate.fn}('field').` },
    );
  }
  const nullable = input.nullable || aggregate.filter !== null;
  switch (aggregate.fn) {
    case 'sum':
      return { type: sumType(aggregate, input.type), nullable };
    case 'avg':
      // What is refused for sums is refused for averages.
      sumType(aggregate, input.type);
      return { type: NUMBER, nullable };
    case 'min':
    case 'max':
      checkOrdered(aggregate, input.type);
      return { type: input.type, nullable };
    case 'first':
    case 'last':
      return { type: input.type, nullable };
    case 'collect':
      return {
        type: { kind: 'list', item: { type: input.type, nullable: false } },
        nullable: false,
      };
    default:
      return unreachable(aggregate.fn, 'aggregate');
  }
}

/** The fields that say which key, and which window, a row is of. */
export function groupFields(
  { phase, window }: Pick<Aggregation, 'phase' | 'window'>,
  keys: readonly Field[],
): readonly Field[] {
  const fields = keys.map((key) => requiredField(resultKeyName(key.name, phase), key.type));
  return window === null ? fields : [...fields, ...windowFields(window, phase)];
}

/** The fields by which results tell of their window. */
function windowFields(
  window: NonNullable<Aggregation['window']>,
  phase: AggregatePhase,
): readonly Field[] {
  if (phase === 'partial') {
    return [requiredField(PANE_FIELD, NUMBER), requiredField(ROWS_FIELD, NUMBER)];
  }
  return [
    requiredField(WINDOW_START, NUMBER),
    requiredField(WINDOW_END, NUMBER),
    ...(window.allowedLatenessMs === null ? [] : [requiredField(LATE_FIRING, BOOL)]),
  ];
}

/**
 * Schema of the results over records of `input`; null when a user's aggregator makes part of them. What partial phases
 * hand on only `planResults` knows.
 */
export function resultSchema(spec: Aggregation, input: Schema): Schema | null {
  const fields = [...groupFields(spec, keyFields(spec.name, spec.keys, input))];
  let isKnown = true;
  for (const [index, aggregate] of spec.aggregates.entries()) {
    const result = resultSlot(aggregate, inputSlot(aggregate, index, input, spec.phase));
    if (result === null) isKnown = false;
    else fields.push({ name: aggregate.as, ...result, optional: false });
  }
  return isKnown ? { shape: 'object', fields } : null;
}
