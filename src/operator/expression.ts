/**
 * Expressions as plain frozen data: what `col('x').gt(5)` builds, what the chain compiler turns into
 * JavaScript, what `explain` prints and what SQL will produce. Nulls follow SQL: a comparison or calculation
 * with null is null, `and`/`or` are three-valued, a filter keeps only true. Runs on: any thread; pure.
 */

/** A literal that an expression may hold. Dates are epoch milliseconds in a `timestamp` literal. */
export type LiteralValue = number | bigint | string | boolean | null;

/** Node kinds of an expression. Function names are listed in `expression-functions.ts`. */
export type Expression =
  | { readonly node: 'column'; readonly name: string }
  | { readonly node: 'literal'; readonly value: LiteralValue; readonly timestamp?: boolean }
  | { readonly node: 'call'; readonly fn: string; readonly args: readonly Expression[] }
  | {
      readonly node: 'case';
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | null;
    };
