/**
 * Tests of a column's bytes against one literal, compiled for it: no loop, and the bytes of the literal are part of
 * the code. Callers: the expression compiler, for short literals. Runs on: any thread, when an expression is compiled.
 */
import { compileFunction } from 'node:vm';
import type { BinaryColumn } from '../record/column.js';

/** Whether the bytes of a row match. */
export type LiteralMatcher = (column: BinaryColumn, row: number) => boolean;

/** Longer literals are compared by a loop, whose code does not grow with them. */
export const MATCHER_BYTES_MAX = 16;

/** Whether a row's bytes are exactly `literal`. */
export function equalsMatcher(literal: Uint8Array): LiteralMatcher {
  return matcher(`end - start === ${literal.length}`, literal);
}

/** Whether a row's bytes start with `literal`. */
export function startsWithMatcher(literal: Uint8Array): LiteralMatcher {
  return matcher(`end - start >= ${literal.length}`, literal);
}

function matcher(length: string, literal: Uint8Array): LiteralMatcher {
  const tests = [length];
  for (let index = 0; index < literal.length; index++) {
    tests.push(`bytes[start + ${index}] === ${literal[index]}`);
  }
  const code = `'use strict';
return function matches(column, row) {
  const entry = column.codes[row];
  const { offsets, bytes } = column;
  const start = offsets[entry], end = offsets[entry + 1];
  return ${tests.join(' && ')};
};`;
  const make = compileFunction(code, [], { filename: 'millrace:literal-matcher.js' });
  return make() as LiteralMatcher;
}
