/**
 * Typed expressions: what typing makes of an expression and the compiler turns into code, with the small
 * constructors both use. Callers: expression typing and the expression compiler. Runs on: any thread; pure.
 */
import type { DataType, Slot } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import type { Expression, LiteralValue } from './expression.js';
import type { ExpressionFunction, Signature, SignatureUse } from './expression-signature.js';

/** How typing decided to call a function. */
export interface CallUse extends SignatureUse {
  readonly signature: Signature;
  /** What literal arguments were prepared to, by position. */
  readonly prepared: readonly unknown[];
}

/** An expression with its type. Literals hold the value as generated code has it (decimals unscaled). */
export type TypedExpression = { readonly slot: Slot; readonly source: Expression } & (
  | { readonly node: 'column'; readonly name: string }
  | { readonly node: 'literal'; readonly value: LiteralValue }
  | {
      readonly node: 'call';
      readonly fn: ExpressionFunction;
      readonly args: readonly TypedExpression[];
      /** Null for functions that follow a rule instead of signatures. */
      readonly use: CallUse | null;
    }
  /** The argument converted to the type of this node, without loss. */
  | { readonly node: 'convert'; readonly arg: TypedExpression }
  | {
      readonly node: 'case';
      readonly branches: readonly {
        readonly when: TypedExpression;
        readonly then: TypedExpression;
      }[];
      readonly otherwise: TypedExpression;
    }
);

/** A typed literal; `value` is in the form that generated code has for `type`. */
export function literalOf(
  source: Expression,
  value: LiteralValue,
  type: DataType,
): TypedExpression {
  return { node: 'literal', value, source, slot: { type, nullable: value === null } };
}

/**
 * A null that was not written but is meant: at the end of a case without otherwise, and in place of a field in
 * which nothing but null was seen, so that it takes whatever type its surroundings ask for.
 */
export function impliedNull(source: Expression): TypedExpression {
  return literalOf(source, null, { kind: 'null' });
}

/** Whether an expression is the literal null, which has no type of its own. */
export function isNullLiteral(expression: TypedExpression): boolean {
  return expression.node === 'literal' && expression.value === null;
}

/** The expression as another type that holds all its values; the expression itself when the type is equal. */
export function converted(arg: TypedExpression, type: DataType): TypedExpression {
  if (typeName(arg.slot.type) === typeName(type)) return arg;
  if (isNullLiteral(arg)) return literalOf(arg.source, null, type);
  const slot = { type, nullable: arg.slot.nullable };
  return { node: 'convert', arg, slot, source: arg.source };
}

/** A call of a function that follows a rule; null when one of its arguments can be null. */
export function ruledCall(
  source: Expression,
  fn: ExpressionFunction,
  args: readonly TypedExpression[],
  type: DataType,
): TypedExpression {
  const nullable = args.some((arg) => arg.slot.nullable);
  return { node: 'call', fn, args, use: null, slot: { type, nullable }, source };
}
