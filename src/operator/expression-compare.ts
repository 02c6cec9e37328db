/**
 * Code of comparisons, membership and text search. Where text still is in a column and the other side is a
 * literal or another column, the code compares bytes and decodes nothing. Callers: the expression compiler.
 * Runs on: any thread; pure.
 */
import type { DataType } from '../record/schema.js';
import { encodeText } from '../record/text.js';
import type { JsValue } from './code-value.js';
import { anyOf, paren } from './expression-code.js';
import { digitsOf } from './expression-digits.js';
import { isNumberKind } from './expression-coerce.js';
import { sortedLiterals } from './expression-bytes.js';
import type { LiteralValue } from './expression.js';
import { equalsMatcher, MATCHER_BYTES_MAX, startsWithMatcher } from './literal-matcher.js';
import type { Scope } from './expression-scope.js';

/** One side of a comparison: its code, and its value when it is a literal. */
export interface Side {
  readonly code: JsValue;
  readonly literal: LiteralValue | undefined;
}

interface Operator {
  readonly sign: string;
  /** The operator with the sides exchanged. */
  readonly mirrored: string;
}

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['eq', { sign: '===', mirrored: 'eq' }],
  ['ne', { sign: '!==', mirrored: 'ne' }],
  ['lt', { sign: '<', mirrored: 'gt' }],
  ['lte', { sign: '<=', mirrored: 'gte' }],
  ['gt', { sign: '>', mirrored: 'lt' }],
  ['gte', { sign: '>=', mirrored: 'lte' }],
]);
const SEARCHES: ReadonlySet<string> = new Set(['startsWith', 'endsWith', 'includes']);
/** Members up to which `in` is a chain of comparisons rather than a set. */
const CHAIN_MAX = 4;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Code of a comparison of two values that are not null. */
export function comparisonCode(scope: Scope, name: string, left: Side, right: Side): string {
  const operator = OPERATORS.get(name) ?? { sign: '===', mirrored: 'eq' };
  if (left.literal !== undefined && right.literal === undefined && right.code.binary !== null) {
    return comparisonCode(scope, operator.mirrored, right, left);
  }
  const { type } = left.code;
  if (type.kind === 'utf8' || type.kind === 'bytes') {
    const code = bytesComparison(scope, name, operator.sign, left, right);
    if (code !== null) return code;
  }
  const digits = digitsOf([left.code, right.code]);
  if (digits !== null) return `${paren(digits[0])} ${operator.sign} ${paren(digits[1])}`;
  const isMixed = (type.kind === 'int64') !== (right.code.type.kind === 'int64');
  const sign = isMixed ? operator.sign.replace('===', '==').replace('!==', '!=') : operator.sign;
  return `${paren(left.code.value)} ${sign} ${paren(right.code.value)}`;
}

function bytesComparison(
  scope: Scope,
  name: string,
  sign: string,
  left: Side,
  right: Side,
): string | null {
  const a = left.code.binary;
  const b = right.code.binary;
  const isEquality = name === 'eq' || name === 'ne';
  const not = name === 'ne' ? '!' : '';
  const isText = left.code.type.kind === 'utf8';
  if (a !== null && b !== null && (isText || isEquality)) {
    const helper = scope.helper(isEquality ? 'equalBinary' : 'compareBinary');
    const call = `${helper}(${a.column}, ${a.row}, ${b.column}, ${b.row})`;
    return isEquality ? `${not}${call}` : `${call} ${sign} 0`;
  }
  if (!isText) {
    const call = `${scope.helper('compareBytes')}(${left.code.value}, ${right.code.value})`;
    return `${call} ${sign} 0`;
  }
  if (a === null || typeof right.literal !== 'string') return null;
  const bytes = encodeText(right.literal);
  if (isEquality && bytes.length <= MATCHER_BYTES_MAX) {
    return `${not}${scope.constant(equalsMatcher(bytes), 'equalsLiteral')}(${a.column}, ${a.row})`;
  }
  const literal = scope.constant(bytes, 'literalBytes');
  if (isEquality) return `${not}${scope.helper('equalsBytes')}(${a.column}, ${a.row}, ${literal})`;
  if (LONE_SURROGATE.test(right.literal)) return null;
  const text = right.code.value;
  return `${scope.helper('compareToText')}(${a.column}, ${a.row}, ${literal}, ${text}) ${sign} 0`;
}

/** Code of startsWith, endsWith and includes on bytes; null when it takes the string. */
export function searchCode(scope: Scope, name: string, text: JsValue, part: Side): string | null {
  if (!SEARCHES.has(name) || text.binary === null || typeof part.literal !== 'string') return null;
  if (LONE_SURROGATE.test(part.literal)) return null;
  const bytes = encodeText(part.literal);
  const { column, row } = text.binary;
  if (name === 'startsWith' && bytes.length <= MATCHER_BYTES_MAX) {
    return `${scope.constant(startsWithMatcher(bytes), 'startsWithLiteral')}(${column}, ${row})`;
  }
  const literal = scope.constant(bytes, 'literalBytes');
  return `${scope.helper(`${name}Bytes`)}(${column}, ${row}, ${literal})`;
}

/** Code that is true when a value, which is not null, is one of the members. */
export function memberCode(
  scope: Scope,
  value: JsValue,
  members: readonly Exclude<LiteralValue, null>[],
): string {
  // NaN equals nothing, but a Set would find it.
  const list = members.filter((member) => !Number.isNaN(member));
  if (list.length === 0) return 'false';
  if (value.type.kind === 'utf8' && value.binary !== null) {
    const literals = sortedLiterals(list.map((member) => encodeText(String(member))));
    const { column, row } = value.binary;
    const constant = scope.constant(literals, 'members');
    return `${scope.helper('isOneOfBytes')}(${column}, ${row}, ${constant})`;
  }
  if (list.length <= CHAIN_MAX && !isNestedCall(value.value)) {
    return anyOf(list.map((member) => `${paren(value.value)} === ${memberLiteral(member)}`));
  }
  return `${scope.constant(new Set(list), 'members')}.has(${value.value})`;
}

function memberLiteral(member: Exclude<LiteralValue, null>): string {
  if (typeof member === 'string') return JSON.stringify(member);
  return typeof member === 'bigint' ? `${member}n` : String(member);
}

/** Whether code computes something, so that it is better evaluated once. */
function isNestedCall(code: string): boolean {
  return /[(+*/%-]/.test(code);
}

/** Code of the least or greatest of values of one type. */
export function extremeCode(
  scope: Scope,
  name: string,
  type: DataType,
  codes: readonly string[],
): string {
  const list = codes.join(', ');
  const isNumber = isNumberKind(type) || type.kind === 'date' || type.kind === 'timestamp';
  if (isNumber) return `Math.${name === 'least' ? 'min' : 'max'}(${list})`;
  return `${scope.helper(name)}(${list})`;
}
