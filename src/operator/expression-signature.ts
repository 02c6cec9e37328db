/**
 * How functions of expressions are described: what they accept, what they give, and the JavaScript they become.
 * Callers: the function tables, expression typing, the expression compiler. Runs on: any thread; pure.
 *
 * Code templates: `$0` is the code of argument 0, `$*` all arguments separated by commas, `#1` the prepared
 * form of literal argument 1 as a constant, and `@name` a function of `expression-runtime.ts`. Each argument
 * appears at most once in a template, so that no code is evaluated twice.
 */
import type { DataType } from '../record/schema.js';
import type { LiteralValue } from './expression.js';

/**
 * What an argument may be. `number` is any number kind; `int64` also takes int8 to uint32 and whole literals;
 * `decimal` also takes those, int64 and number literals; `value` is anything.
 */
export type ArgumentKind =
  | 'number'
  | 'int64'
  | 'decimal'
  | 'utf8'
  | 'bytes'
  | 'bool'
  | 'date'
  | 'timestamp'
  | 'value';

/** An argument that must be written as a literal, because it is worked on once, when code is generated. */
export interface LiteralArgument {
  readonly literal: 'text' | 'whole';
  /** What it stands for in error messages, such as `a unit like "1h" or "month"`. */
  readonly meaning: string;
  /** Gives the constant the code works with; throws a plain Error whose message says what is wrong. */
  prepare(value: string | number): unknown;
}

/** Arguments as typing leaves them, for rules of results and code. */
export interface SignatureUse {
  /** Types of the arguments after implicit conversion. */
  readonly types: readonly DataType[];
  /** Values of the arguments that are literals, undefined for the others. */
  readonly literals: readonly (LiteralValue | undefined)[];
}

/** One way to call a function. */
export interface Signature {
  readonly args: readonly (ArgumentKind | LiteralArgument)[];
  /** Kind of any number of further arguments. */
  readonly rest?: ArgumentKind;
  readonly result: DataType | ((use: SignatureUse) => DataType);
  readonly code: string | ((use: SignatureUse) => string);
  /** Template used when argument 0 still is in a binary column: `$c` is the column, `$r` the row. */
  readonly binaryCode?: string;
  /** The same calculation on digits that are numbers; null when it takes more than arithmetic. */
  readonly digits?: (use: SignatureUse) => string | null;
  /** Whether the code may give JavaScript's null for arguments that are not null. */
  readonly mayBeNull?: boolean;
}

/** How a function with an operator sign prints. */
export interface Infix {
  readonly symbol: string;
  /** Strength: or 1, and 2, comparisons 4, sums 5, products 6, prefixes 8. */
  readonly binds: number;
  readonly position: 'between' | 'prefix' | 'suffix' | 'list';
  /** Whether a op (b op c) may be printed without parentheses. */
  readonly associative?: boolean;
}

/** Where a function stands in the documentation. */
export type FunctionGroup =
  | 'comparison'
  | 'logic'
  | 'null'
  | 'arithmetic'
  | 'bits'
  | 'text'
  | 'date'
  | 'nested'
  | 'conversion';

/** What every function has. */
interface FunctionDescription {
  readonly name: string;
  readonly group: FunctionGroup;
  readonly infix?: Infix;
  /** Whether the result is worth remembering per dictionary entry when it depends on one text column. */
  readonly costly?: boolean;
}

/** A function: either a list of signatures, the first that fits wins, or a rule that typing knows by name. */
export type ExpressionFunction = FunctionDescription &
  (
    | { readonly typing: 'signatures'; readonly signatures: readonly Signature[] }
    | {
        /**
         * comparison: two values that can be compared; membership: the same for a list; logic: booleans;
         * unified: values of one common type, which is the result; cast: a value and the name of a type; field: a
         * struct and the name of one of its fields.
         */
        readonly typing: 'comparison' | 'membership' | 'logic' | 'unified' | 'cast' | 'field';
        /** Least and greatest number of arguments. */
        readonly arity: readonly [number, number];
      }
  );

/** Least and greatest number of arguments of a function. */
export function arityOf(fn: ExpressionFunction): readonly [number, number] {
  if (fn.typing !== 'signatures') return fn.arity;
  const counts = fn.signatures.map((signature) => signature.args.length);
  const open = fn.signatures.some((signature) => signature.rest !== undefined);
  return [Math.min(...counts), open ? Number.POSITIVE_INFINITY : Math.max(...counts)];
}
