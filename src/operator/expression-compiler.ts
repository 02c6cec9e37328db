/**
 * Compiles expressions to JavaScript: a typed expression over a symbolic row becomes a `JsValue`, and a
 * condition becomes code that is true exactly when the condition is. Callers: the chain compiler. Runs on: any
 * thread, when code is generated; pure.
 *
 * Three rules keep the code small and lazy. Null checks exist only for what can be null. A condition is compiled
 * in two ways, "is it true" and "is it false", each of which treats null as no, so that `and`, `or` and `not`
 * need no third value and stop early. What needs statements and may not be needed goes into an `if`.
 */
import type { DataType, Field } from '../record/schema.js';
import { castPlan } from './expression-cast.js';
import { textToDecimal } from './expression-cast-runtime.js';
import {
  allOf,
  anyOf,
  fillTemplate,
  literalCode,
  negated,
  paren,
  parenLogic,
  placeholderCode,
} from './expression-code.js';
import { type CodeContext, type JsValue, type SymbolicRow, withoutMissing } from './code-value.js';
import {
  comparisonCode,
  extremeCode,
  memberCode,
  searchCode,
  type Side,
} from './expression-compare.js';
import { EntryMemo } from './expression-bytes.js';
import { isSteadyText, replacedLengthOf, textRangeCode, textRangeOf } from './expression-parts.js';
import { DAY_MS } from './expression-date.js';
import {
  convertedDigits,
  digitsOf,
  hasExactDigits,
  literalDigits,
  valueOfDigits,
} from './expression-digits.js';
import { decimalOfType } from './expression-decimal.js';
import type { Expression, LiteralValue } from './expression.js';
import { nullableValue, plainValue, Scope } from './expression-scope.js';
import { expressionText } from './expression-text.js';
import { typeExpression } from './expression-type.js';
import type { CallUse, TypedExpression } from './expression-typed.js';
import { assert } from '../base/assert.js';
import { typeName } from '../record/schema.js';

type Call = TypedExpression & { readonly node: 'call' };
type Case = TypedExpression & { readonly node: 'case' };

const BOOL: DataType = { kind: 'bool' };

/**
 * Generates code for an expression over a row: statements go to `context`, the result is returned. A plain
 * column comes back as the row gave it.
 */
export function compileExpression(
  expression: Expression,
  row: SymbolicRow,
  context: CodeContext,
): JsValue {
  const typed = typeExpression(expression, fieldScope(row));
  if (typed.node === 'column') return fieldOf(row, typed.name);
  const scope = new Scope(row, context);
  const value = compile(typed, scope);
  if (!isWideDecimal(value.type)) return value;
  const { scale } = decimalOfType(value.type);
  return { ...value, value: `${scope.helper('decimalText')}(${value.value}, ${scale})` };
}

/**
 * Generates code of a condition: a JavaScript expression that is true exactly when the expression is true,
 * false when it is false or null. Shorter and lazier than `compileExpression` for filters.
 */
export function compileCondition(
  expression: Expression,
  row: SymbolicRow,
  context: CodeContext,
): string {
  const typed = typeExpression(condition(expression), fieldScope(row));
  return truth(typed, true, new Scope(row, context));
}

/** Makes typing insist on a boolean. */
function condition(expression: Expression): Expression {
  return { node: 'call', fn: 'and', args: [expression] };
}

function fieldScope(row: SymbolicRow): Parameters<typeof typeExpression>[1] {
  return { names: () => row.names(), slot: (name) => row.field(name) };
}

function fieldOf(row: SymbolicRow, name: string): JsValue {
  const value = row.field(name);
  assert(value !== null, `Field ${name} was there when the expression was typed.`);
  return value;
}

function isWideDecimal(type: DataType): boolean {
  return type.kind === 'decimal' && type.precision > 18;
}

/** The code of an expression. Decimals of any width are unscaled bigints in here. */
function compile(node: TypedExpression, scope: Scope): JsValue {
  const known = scope.recall(node);
  if (known !== undefined) return known;
  const value = compileNew(node, scope);
  scope.remember(node, value);
  return value;
}

function compileNew(node: TypedExpression, scope: Scope): JsValue {
  switch (node.node) {
    case 'column':
      return compileColumn(node.name, scope);
    case 'literal':
      if (node.value !== null) return literalValue(node.slot.type, node.value);
      return nullableValue(node.slot.type, placeholderCode(node.slot.type), 'true');
    case 'convert':
      return compileConversion(compile(node.arg, scope), node.slot.type, scope);
    case 'case':
      return compileCase(node, scope);
    case 'call':
      return compileCall(node, scope);
  }
}

/** Digits of a literal are written as the number that they are. */
function literalValue(type: DataType, literal: Exclude<LiteralValue, null>): JsValue {
  const value = plainValue(type, literalCode(literal));
  const digits = literalDigits(type, literal);
  return digits === undefined ? value : { ...value, digits };
}

function compileColumn(name: string, scope: Scope): JsValue {
  return narrowed(withoutMissing(fieldOf(scope.row, name)), scope);
}

/** A value as a record has it, with decimals of any width as bigints. */
function narrowed(value: JsValue, scope: Scope): JsValue {
  if (!isWideDecimal(value.type)) return value;
  const { scale } = decimalOfType(value.type);
  const digits = `${scope.helper('decimalDigits')}(${value.value}, ${scale})`;
  return { ...value, value: digits, binary: null };
}

/** A field of a struct: from its column, or from the object that the struct is. */
function compileMember(node: Call, scope: Scope): JsValue {
  const [arg, named] = node.args;
  const struct = compile(arg, scope);
  const { type } = struct;
  assert(type.kind === 'struct' && named.node === 'literal', 'Typing has seen to it.');
  const field = type.fields.find((each) => each.name === named.value);
  assert(field !== undefined, 'Typing has found the field.');
  const member = struct.member?.(field) ?? memberOfObject(struct, field, scope);
  const isNull = anyOf([struct.isNull, member.isNull]);
  return narrowed({ ...member, nullable: isNull !== 'false', isNull }, scope);
}

function memberOfObject(struct: JsValue, field: Field, scope: Scope): JsValue {
  const name = scope.fresh(field.name);
  const property = `(${struct.value})[${JSON.stringify(field.name)}]`;
  const read = struct.isNull === 'false' ? property : `${struct.isNull} ? null : ${property}`;
  scope.statement(`const ${name} = ${read};`);
  const isNull = field.nullable || field.optional ? `${name} == null` : 'false';
  return nullableValue(field.type, storedCode(field.type, name, scope), isNull);
}

/** The value of a record as generated code calculates with it. */
function storedCode(type: DataType, value: string, scope: Scope): string {
  if (type.kind === 'timestamp') return `${value}.getTime()`;
  if (type.kind === 'date') return `(${value}.getTime() / ${DAY_MS})`;
  if (type.kind !== 'decimal' || isWideDecimal(type)) return value;
  return `${scope.helper('decimalDigits')}(${value}, ${type.scale})`;
}

/** The conversions that typing makes by itself; none of them loses anything but decimal to number. */
function compileConversion(arg: JsValue, to: DataType, scope: Scope): JsValue {
  const digits = convertedDigits(arg, to);
  const { nullable, isNull } = arg;
  const value = conversionCode(arg, to, scope);
  const converted = { type: to, nullable, value, isNull, binary: null };
  return digits === undefined ? converted : valueOfDigits(converted, digits);
}

function conversionCode(arg: JsValue, to: DataType, scope: Scope): string {
  const from = arg.type;
  if (to.kind === 'timestamp' && from.kind === 'date') return `${paren(arg.value)} * ${DAY_MS}`;
  if (to.kind === 'number' && from.kind === 'decimal') {
    return `${scope.helper('decimalNumber')}(${arg.value}, ${from.scale})`;
  }
  if (to.kind !== 'decimal' && to.kind !== 'int64') return arg.value;
  const isBigint = from.kind === 'int64' || from.kind === 'decimal';
  const whole = isBigint ? arg.value : `BigInt(${arg.value})`;
  const more = decimalOfType(to).scale - (from.kind === 'decimal' ? from.scale : 0);
  return more === 0 ? whole : `${paren(whole)} * ${10n ** BigInt(more)}n`;
}

function compileCall(node: Call, scope: Scope): JsValue {
  const { typing, name } = node.fn;
  if (typing === 'logic') return compileLogic(node, scope);
  if (name === 'coalesce') return compileCoalesce(node.args, node.slot.type, scope);
  if (name === 'isNull') return plainValue(BOOL, compile(node.args[0], scope).isNull);
  if (name === 'isNotNull') return plainValue(BOOL, negated(compile(node.args[0], scope).isNull));
  if (name === 'cast' || name === 'tryCast') return compileCast(node, scope);
  if (typing === 'membership') return compileMembership(node, scope);
  if (typing === 'field') return compileMember(node, scope);
  const range = textRangeOf(node);
  const text = range === null ? null : compile(node.args[0], scope);
  if (range !== null && text !== null && isSteadyText(text)) {
    return textRangeCode(text, range, scope);
  }
  const length = replacedLengthOf(node, (text) => compile(text, scope), scope);
  if (length !== null) return nullableValue(node.slot.type, length.value, length.isNull);
  const memo = memoColumn(node, scope);
  const values = compileArguments(node, scope, memo !== null);
  const code = callCode(node, values, scope);
  const value = finishCall(node, values, memo === null ? code : memoCode(memo, code, scope), scope);
  const digits = callDigits(node, values);
  return digits === null ? value : valueOfDigits(value, digits);
}

/** Code of a decimal calculation on numbers, where they hold the digits of all that takes part in it. */
function callDigits({ use, slot }: Call, values: readonly JsValue[]): string | null {
  const template = hasExactDigits(slot.type) ? (use?.signature.digits ?? null) : null;
  const args = digitsOf(values);
  const code = use === null || template === null || args === null ? null : template(use);
  if (code === null || args === null) return null;
  return fillTemplate(code, { args, prepared: String, helper: String, binary: null });
}

function compileArguments(node: Call, scope: Scope, isMemo: boolean): readonly JsValue[] {
  const outer = scope.isInsideMemo;
  scope.isInsideMemo = outer || isMemo;
  const values = node.args.map((arg) => compile(arg, scope));
  scope.isInsideMemo = outer;
  return values;
}

/** Code of a call whose arguments are not null. */
function callCode(node: Call, values: readonly JsValue[], scope: Scope): string {
  const sides = node.args.map((arg, index) => sideOf(arg, values[index]));
  if (node.fn.typing === 'comparison') {
    return comparisonCode(scope, node.fn.name, sides[0], sides[1]);
  }
  if (node.fn.typing === 'unified') {
    const codes = values.map((value) => value.value);
    return extremeCode(scope, node.fn.name, node.slot.type, codes);
  }
  const { use } = node;
  assert(use !== null, `The call of ${node.fn.name} was typed without a signature.`);
  const search = values.length === 2 ? searchCode(scope, node.fn.name, values[0], sides[1]) : null;
  return search ?? signatureCode(use, values, scope);
}

function sideOf(arg: TypedExpression, code: JsValue): Side {
  return { code, literal: arg.node === 'literal' ? arg.value : undefined };
}

function signatureCode(use: CallUse, values: readonly JsValue[], scope: Scope): string {
  const { signature, prepared } = use;
  const binary = values[0]?.binary ?? null;
  const own = typeof signature.code === 'function' ? signature.code(use) : signature.code;
  const template = binary === null ? own : (signature.binaryCode ?? own);
  return fillTemplate(template, {
    args: values.map((value) => value.value),
    prepared: (index) => preparedCode(prepared[index], scope),
    helper: (name) => scope.helper(name),
    binary,
  });
}

function preparedCode(value: unknown, scope: Scope): string {
  if (typeof value === 'number') return value < 0 ? `(${value})` : String(value);
  // A pattern has no state.
  return value instanceof RegExp
    ? scope.once(String(value), () => value, 'pattern')
    : scope.constant(value, 'prepared');
}

/** The result of a call that is null when an argument is, and perhaps otherwise too. */
function finishCall(node: Call, values: readonly JsValue[], code: string, scope: Scope): JsValue {
  const isNull = anyOf(values.map((value) => value.isNull));
  const { type } = node.slot;
  if (node.use?.signature.mayBeNull !== true) return nullableValue(type, code, isNull);
  return nullResult(type, code, isNull, node.fn.name, scope);
}

/** A value that is null where its code says so. */
function nullResult(
  type: DataType,
  code: string,
  isNull: string,
  hint: string,
  scope: Scope,
): JsValue {
  const whole = isNull === 'false' ? code : `${isNull} ? null : ${code}`;
  const name = scope.local(whole, whole, hint);
  return nullableValue(type, name, `${name} === null`);
}

/**
 * The text column whose dictionary entries decide the result of a costly call: the only column it reads. Null
 * when there is none, or when an enclosing call remembers already.
 */
function memoColumn(node: Call, scope: Scope): JsValue['binary'] {
  if (scope.isInsideMemo || node.fn.costly !== true) return null;
  if (node.fn.name === 'startsWith' || node.fn.name === 'endsWith') {
    // On bytes these are as cheap as looking the result up.
    if (node.args[0].node === 'column' && node.args[1].node === 'literal') return null;
  }
  const names = new Set<string>();
  if (!node.args.every((arg) => isPure(arg, names)) || names.size !== 1) return null;
  const [name] = names;
  return fieldOf(scope.row, name).binary;
}

/** Whether an argument is plain calls of columns, which are collected, and literals. */
function isPure(node: TypedExpression, names: Set<string>): boolean {
  if (node.node === 'literal') return true;
  if (node.node === 'column') {
    names.add(node.name);
    return true;
  }
  if (node.node !== 'call' || node.use === null || node.use.signature.mayBeNull) return false;
  return node.fn.group !== 'null' && node.args.every((arg) => isPure(arg, names));
}

function memoCode(
  { column, row }: Exclude<JsValue['binary'], null>,
  code: string,
  scope: Scope,
): string {
  const memo = scope.once(`memo of ${code}`, () => new EntryMemo(), 'memo');
  return `(${memo}.has(${column}, ${row}) ? ${memo}.value : ${memo}.keep(${code}))`;
}

function compileMembership(node: Call, scope: Scope): JsValue {
  const [first, ...list] = node.args;
  const memo = first.node === 'column' && list.length > 4 ? first : null;
  const value = compile(first, scope);
  const members: Exclude<LiteralValue, null>[] = [];
  for (const arg of list) {
    if (arg.node === 'literal' && arg.value !== null) members.push(arg.value);
  }
  const plain = memberCode(scope, value, members);
  const isMemo = memo !== null && value.binary !== null && !scope.isInsideMemo;
  const code = isMemo && value.binary !== null ? memoCode(value.binary, plain, scope) : plain;
  if (members.length === list.length) return nullableValue(BOOL, code, value.isNull);
  // Not found in a list with a null is unknown.
  const isFound = scope.bind(nullableValue(BOOL, code, value.isNull), 'isMember');
  return nullableValue(BOOL, isFound.value, anyOf([value.isNull, negated(isFound.value)]));
}

/** The digits of a text literal as decimal, so that they are not read for every row; else null. */
function constantDecimal(arg: TypedExpression, type: DataType): bigint | null {
  if (arg.node !== 'literal' || typeof arg.value !== 'string' || type.kind !== 'decimal')
    return null;
  return textToDecimal(arg.value, type.precision, type.scale);
}

function compileCast(node: Call, scope: Scope): JsValue {
  const [arg] = node.args;
  const { type } = node.slot;
  const plan = castPlan(arg.slot.type, type);
  assert(plan !== null, 'A cast that typing allowed has no plan.');
  const constant = constantDecimal(arg, type);
  if (constant !== null) return literalValue(type, constant);
  const memo = memoColumn(node, scope);
  const [compiled] = compileArguments(node, scope, memo !== null);
  const isFailing = node.fn.name === 'cast' && plan.mayBeNull;
  const value = isFailing && memo === null ? scope.bind(compiled, 'uncast') : compiled;
  const bare = fillTemplate(plan.code, {
    args: [value.value],
    prepared: String,
    helper: (name) => scope.helper(name),
    binary: null,
  });
  if (plan.code === '$0') return { ...value, type };
  const code = memo === null ? bare : memoCode(memo, bare, scope);
  if (!plan.mayBeNull) return nullableValue(type, code, value.isNull);
  if (!isFailing) return nullResult(type, code, value.isNull, 'cast', scope);
  const scale = arg.slot.type.kind === 'decimal' ? arg.slot.type.scale : -1;
  const said = `${JSON.stringify(typeName(type))}, ${JSON.stringify(expressionText(node.source))}`;
  const failure = `${scope.helper('castFailed')}(${value.value}, ${scale}, ${said})`;
  return nullableValue(type, `(${code} ?? ${failure})`, value.isNull);
}

function compileLogic(node: Call, scope: Scope): JsValue {
  if (!node.slot.nullable) return plainValue(BOOL, truth(node, true, scope));
  const isTrue = scope.fresh('isTrue');
  scope.statement(`const ${isTrue} = ${truth(node, true, scope)};`);
  const isFalse = scope.fresh('isFalse');
  scope.statement(
    `const ${isFalse} = ${negated(isTrue)} && ${parenLogic(truth(node, false, scope))};`,
  );
  return nullableValue(BOOL, isTrue, `!${isTrue} && !${isFalse}`);
}

/** Code that is true when the boolean expression is `wanted`, false when it is the opposite or null. */
function truth(node: TypedExpression, wanted: boolean, scope: Scope): string {
  if (node.node === 'call' && node.fn.typing === 'logic') {
    if (node.fn.name === 'not') return truth(node.args[0], !wanted, scope);
    // A conjunction is false when one of its parts is, so "false" exchanges all and any.
    const isAll = (node.fn.name === 'and') === wanted;
    return sequence(node.args, wanted, isAll, scope);
  }
  const value = compile(node, scope);
  const isWanted = wanted ? value.value : negated(value.value);
  return allOf([negated(value.isNull), isWanted]);
}

/** All or any of the parts, in order, each computed only when the ones before do not decide. */
function sequence(
  parts: readonly TypedExpression[],
  wanted: boolean,
  isAll: boolean,
  scope: Scope,
): string {
  const combine = isAll ? allOf : anyOf;
  let code = isAll ? 'true' : 'false';
  for (const [index, part] of parts.entries()) {
    if (index === 0) {
      code = truth(part, wanted, scope);
      continue;
    }
    const inner = scope.child();
    const next = truth(part, wanted, inner);
    if (inner.isEmpty) {
      code = combine([code, next]);
      continue;
    }
    const name = scope.fresh(isAll ? 'all' : 'any');
    scope.statement(`let ${name} = ${code};`);
    scope.statement(`if (${isAll ? name : `!${name}`}) ${inner.block(`${name} = ${next};`)}`);
    code = name;
  }
  return code;
}

function compileCoalesce(args: readonly TypedExpression[], type: DataType, scope: Scope): JsValue {
  const first = compile(args[0], scope);
  if (args.length === 1 || first.isNull === 'false') return first;
  const inner = scope.child();
  const rest = compileCoalesce(args.slice(1), type, inner);
  if (first.isNull === 'true' && inner.isEmpty) return rest;
  if (inner.isEmpty) {
    const value = `${parenLogic(first.isNull)} ? ${paren(rest.value)} : ${paren(first.value)}`;
    return nullableValue(type, value, allOf([first.isNull, rest.isNull]));
  }
  const name = scope.fresh('coalesced');
  const isNull = rest.isNull === 'false' ? null : scope.fresh('isNull');
  scope.statement(`let ${name} = ${placeholderCode(type)};`);
  if (isNull !== null) scope.statement(`let ${isNull} = false;`);
  const otherwise = inner.block(...assignments(rest, name, isNull));
  scope.statement(`if (${first.isNull}) ${otherwise} else { ${name} = ${first.value}; }`);
  return nullableValue(type, name, isNull ?? 'false');
}

/** Statements that put a value into variables; without the variable for null it is never null. */
function assignments(value: JsValue, name: string, isNull: string | null): readonly string[] {
  if (isNull === null || value.isNull === 'false') return [`${name} = ${value.value};`];
  if (value.isNull === 'true') return [`${isNull} = true;`];
  return [`${isNull} = ${value.isNull};`, `if (!${isNull}) ${name} = ${value.value};`];
}

function compileCase(node: Case, scope: Scope): JsValue {
  const { type, nullable } = node.slot;
  const inline = nullable ? null : inlineCase(node, scope);
  if (inline !== null) return plainValue(type, inline);
  const name = scope.fresh('result');
  const isNull = nullable ? scope.fresh('isNull') : null;
  scope.statement(`let ${name} = ${placeholderCode(type)};`);
  if (isNull !== null) scope.statement(`let ${isNull} = false;`);
  scope.statement(branchCode(node, 0, name, isNull, scope));
  return nullableValue(type, name, isNull ?? 'false');
}

/** A case without nulls and statements is a conditional expression; null when it is not one. */
function inlineCase(node: Case, scope: Scope): string | null {
  const trial = scope.child();
  const parts = node.branches.map(({ when, then }) => {
    const code = truth(when, true, trial);
    return `${parenLogic(code)} ? ${paren(compile(then, trial).value)} : `;
  });
  const otherwise = compile(node.otherwise, trial);
  return trial.isEmpty ? `${parts.join('')}${paren(otherwise.value)}` : null;
}

/** `if … else …` from branch `index` on; statements of a later condition stay behind the earlier ones. */
function branchCode(
  node: Case,
  index: number,
  name: string,
  isNull: string | null,
  scope: Scope,
): string {
  if (index === node.branches.length) {
    const last = scope.child();
    return last.block(...assignments(compile(node.otherwise, last), name, isNull));
  }
  const { when, then } = node.branches[index];
  const code = truth(when, true, scope);
  const inner = scope.child();
  const taken = inner.block(...assignments(compile(then, inner), name, isNull));
  const rest = scope.child();
  const following = branchCode(node, index + 1, name, isNull, rest);
  const otherwise = rest.isEmpty ? following : rest.block(following);
  return `if (${code}) ${taken} else ${otherwise}`;
}
