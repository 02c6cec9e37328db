/**
 * What the api makes of an expression's type: whether the fields it reads exist, and what its value
 * is once the record type is known. Types and one test; expressions are made by
 * `operator/expression-builder.ts`. Callers: streams and aggregates. Runs on: the compiler.
 *
 * `col('delay')` says which field it reads but not of what type; nor does arithmetic on it. Such a
 * value has the type of one of the fields it reads. Where a field may be null or missing, every
 * value made from it may be null: the types do not follow `coalesce`, which errs on the safe side.
 */
import type { Expression } from '../operator/expression.js';
import { Col } from '../operator/expression-builder.js';
import type { CheckField, FieldsOf, FieldType, Mistake, Nullish } from './record-types.js';

/**
 * Anything with an expression, whatever is known of it; what constraints of type parameters ask
 * for.
 */
export interface HasExpression {
  readonly expression: Expression;
}

/**
 * A column of values `V` that reads the fields `N`, as far as the api needs to know it. It has no
 * methods, so that a column of booleans is a column of unknown values too, which `Col` itself is
 * not.
 */
export interface ColumnLike<V = unknown, N extends string = string> {
  readonly expression: Expression;
  /** Never set; carries the types for inference. */
  readonly __types?: { readonly value: V; readonly names: N };
}

/** The type of a value `V` that is made from the fields `N` of records `T`. */
export type ValueOf<T, V, N extends string> = unknown extends V
  ? [N] extends [never]
    ? unknown
    : string extends N
      ? unknown
      : Nullish<FieldType<T, N>>
  : V | NullIn<T, N>;

/** Null when one of the fields `N` may be null or missing. */
type NullIn<T, N extends string> = [N] extends [never]
  ? never
  : string extends N
    ? never
    : unknown extends FieldType<T, N>
      ? never
      : null extends Nullish<FieldType<T, N>>
        ? null
        : never;

/** `unknown` (no objection) when all fields an expression reads exist, else the mistake. */
export type CheckReads<T, N extends string> = [N] extends [FieldsOf<T>]
  ? unknown
  : string extends N
    ? unknown
    : CheckField<T, N>;

/** `unknown` when an expression may decide what a filter keeps, else the mistake. */
export type CheckCondition<T, V, N extends string> =
  CheckReads<T, N> extends Mistake<string>
    ? CheckReads<T, N>
    : unknown extends ValueOf<T, V, N>
      ? unknown
      : [ValueOf<T, V, N>] extends [boolean | null]
        ? unknown
        : Mistake<"A condition is true, false or null; compare the value, as in col('x').gt(0)">;

/** Whether a value is an expression rather than a function, a name or a literal. */
export function isColumn(value: unknown): value is ColumnLike {
  // Another copy of the package has another class, but makes expressions of the same shape.
  if (value instanceof Col) return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    !('name' in value) &&
    'expression' in value &&
    typeof value.expression === 'object' &&
    value.expression !== null &&
    'node' in value.expression
  );
}
