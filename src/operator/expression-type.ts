/**
 * Types expressions: finds the fields, picks the signature of every call, makes implicit conversions explicit,
 * and says what is wrong where nothing fits. The result is a typed tree that the compiler turns into code
 * without deciding anything again. Callers: the expression compiler, the api and the graph (result schemas,
 * early errors). Runs on: any thread; pure. Invariant: a typed tree has no type error left in it.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType, Schema, Slot } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import { described, fieldAdvice, signatureList, typesAdvice } from './expression-advice.js';
import { castPlan, parseCastTarget } from './expression-cast.js';
import {
  coerceLiteral,
  commonType,
  fitSignature,
  isComparable,
  isNumberKind,
  isOrdered,
  literalType,
  meetLiterals,
  memberOf,
} from './expression-coerce.js';
import { commonDecimal, exactDecimal } from './expression-decimal.js';
import type { Expression } from './expression.js';
import { requireFunction } from './expression-functions.js';
import { arityOf, type ExpressionFunction, type Signature } from './expression-signature.js';
import { expressionText } from './expression-text.js';
import {
  converted,
  impliedNull,
  isNullLiteral,
  literalOf,
  ruledCall,
  type TypedExpression,
} from './expression-typed.js';

const BOOL: DataType = { kind: 'bool' };
const TIMESTAMP: DataType = { kind: 'timestamp' };
const NUMBER: DataType = { kind: 'number' };
const NOTHING: DataType = { kind: 'null' };

/** The fields an expression may read. */
export interface FieldScope {
  names(): readonly string[];
  slot(name: string): Slot | null;
}

/**
 * The type of an expression over records of a schema.
 *
 * @example
 * typeOfExpression(col('distance').gt(100).expression, schema); // { type: { kind: 'bool' }, nullable: false }
 */
export function typeOfExpression(expression: Expression, schema: Schema): Slot {
  return typeExpression(expression, schemaScope(schema)).slot;
}

function schemaScope(schema: Schema): FieldScope {
  return {
    names: () => schema.fields.map((field) => field.name),
    slot: (name) => {
      const field = schema.fields.find((each) => each.name === name);
      if (field === undefined) return null;
      return { type: field.type, nullable: field.nullable || field.optional };
    },
  };
}

function arityAdvice(fn: ExpressionFunction): string {
  const where = 'docs/expressions.md has an example.';
  return fn.typing === 'signatures' ? `It takes ${signatureList(fn.signatures)}; ${where}` : where;
}

/** Types an expression. Throws `FIELD_UNKNOWN`, `FUNCTION_UNKNOWN` or `TYPE_MISMATCH`. */
export function typeExpression(expression: Expression, fields: FieldScope): TypedExpression {
  return new Typing(expression, fields).type(expression);
}

class Typing {
  private readonly whole: Expression;
  private readonly fields: FieldScope;

  constructor(whole: Expression, fields: FieldScope) {
    this.whole = whole;
    this.fields = fields;
  }

  type(source: Expression): TypedExpression {
    switch (source.node) {
      case 'column':
        return this.column(source, source.name);
      case 'literal':
        return this.literal(source);
      case 'case':
        return this.case(source);
      case 'call':
        return this.call(source);
    }
  }

  private column(source: Expression, name: string): TypedExpression {
    const slot = this.fields.slot(name);
    if (slot?.type.kind === 'null') return impliedNull(source);
    if (slot !== null) return { node: 'column', name, slot, source };
    const names = this.fields.names();
    throw new MillraceError(
      'FIELD_UNKNOWN',
      `There is no field ${JSON.stringify(name)}, in ${expressionText(this.whole)}.`,
      { where: { field: name }, advice: fieldAdvice(name, names) },
    );
  }

  private literal(source: Expression & { node: 'literal' }): TypedExpression {
    const type = literalType(source);
    if (type !== null) return literalOf(source, source.value, type);
    return this.fail(source, 'a whole number has more than 38 digits', 'Write a smaller one.');
  }

  private case(source: Expression & { node: 'case' }): TypedExpression {
    const conditions = source.branches.map(({ when }) => this.condition(source, this.type(when)));
    const results = source.branches.map(({ then }) => this.type(then));
    const otherwise = source.otherwise === null ? impliedNull(source) : this.type(source.otherwise);
    if ([...results, otherwise].every(isNullLiteral)) return impliedNull(source);
    const unified = this.unify(source, [...results, otherwise]);
    const last = unified[unified.length - 1];
    return {
      node: 'case',
      branches: conditions.map((when, index) => ({ when, then: unified[index] })),
      otherwise: last,
      slot: { type: last.slot.type, nullable: unified.some((each) => each.slot.nullable) },
      source,
    };
  }

  private call(source: Expression & { node: 'call' }): TypedExpression {
    const fn = requireFunction(source.fn);
    this.checkArity(source, fn);
    const args = source.args.map((arg) => this.type(arg));
    switch (fn.typing) {
      case 'signatures':
        return this.signed(source, fn, fn.signatures, args);
      case 'comparison': {
        const [left, right] = this.comparable(source, args[0], args[1]);
        return ruledCall(source, fn, [left, right], BOOL);
      }
      case 'membership':
        return this.membership(source, fn, args);
      case 'logic':
        return ruledCall(
          source,
          fn,
          args.map((arg) => this.condition(source, arg)),
          BOOL,
        );
      case 'unified':
        return this.unified(source, fn, args);
      case 'cast':
        return this.cast(source, fn, args);
      case 'field':
        return this.member(source, fn, args);
    }
  }

  private checkArity(source: Expression & { node: 'call' }, fn: ExpressionFunction): void {
    const [least, greatest] = arityOf(fn);
    const count = source.args.length;
    if (count >= least && count <= greatest) return;
    const wanted = least === greatest ? `${least}` : `${least} to ${greatest}`;
    this.fail(
      source,
      `${fn.name} takes ${wanted} arguments and was given ${count}`,
      arityAdvice(fn),
    );
  }

  private condition(source: Expression, arg: TypedExpression): TypedExpression {
    if (isNullLiteral(arg)) return converted(arg, BOOL);
    if (arg.slot.type.kind === 'bool') return arg;
    return this.fail(
      source,
      `${described(arg)} is used as a condition`,
      'Compare it with something, for example with ne(0) or isNotNull().',
    );
  }

  private unified(
    source: Expression,
    fn: ExpressionFunction,
    args: readonly TypedExpression[],
  ): TypedExpression {
    if (args.every(isNullLiteral)) return impliedNull(source);
    const unified = this.unify(source, args);
    const { type } = unified[0].slot;
    const isCoalesce = fn.name === 'coalesce';
    if (!isCoalesce && !isOrdered(type)) {
      this.fail(source, `${typeName(type)} values have no order`, 'Cast them first.');
    }
    const nullable = isCoalesce
      ? unified.every((each) => each.slot.nullable)
      : unified.some((each) => each.slot.nullable);
    return { node: 'call', fn, args: unified, use: null, slot: { type, nullable }, source };
  }

  private member(
    source: Expression,
    fn: ExpressionFunction,
    args: readonly TypedExpression[],
  ): TypedExpression {
    const [struct, named] = args;
    const name = named.node === 'literal' ? named.value : null;
    if (typeof name !== 'string') {
      return this.fail(source, 'the name of a field is no text', "Write get('price').");
    }
    if (isNullLiteral(struct)) return impliedNull(source);
    const { type, nullable } = struct.slot;
    if (type.kind !== 'struct') {
      const advice = 'Only nested objects have fields.';
      return this.fail(source, `${described(struct)} has no fields`, typesAdvice([type]) ?? advice);
    }
    const field = type.fields.find((each) => each.name === name);
    if (field === undefined) {
      const names = type.fields.map((each) => each.name);
      const of = expressionText(struct.source);
      throw new MillraceError(
        'FIELD_UNKNOWN',
        `There is no field ${JSON.stringify(name)} in ${of}, in ${expressionText(this.whole)}.`,
        { where: { field: name }, advice: fieldAdvice(name, names) },
      );
    }
    if (field.type.kind === 'null') return impliedNull(source);
    const slot = { type: field.type, nullable: nullable || field.nullable || field.optional };
    return { node: 'call', fn, args, use: null, slot, source };
  }

  private cast(
    source: Expression,
    fn: ExpressionFunction,
    args: readonly TypedExpression[],
  ): TypedExpression {
    const [value, target] = args;
    const name = target.node === 'literal' ? target.value : null;
    const type = typeof name === 'string' ? parseCastTarget(name) : null;
    if (type === null) {
      return this.fail(
        source,
        `${expressionText(target.source)} is no type that values can be cast to`,
        'Types: number, int8 to int32, uint8 to uint32, int64, float32, float64, decimal(p,s), ' +
          'utf8, bytes, bool, date, timestamp.',
      );
    }
    if (isNullLiteral(value)) return converted(value, type);
    const plan = castPlan(value.slot.type, type);
    if (plan === null) {
      return this.fail(
        source,
        `${described(value)} cannot be cast to ${typeName(type)}`,
        'Cast over utf8 or number where that makes sense; epochMs() gives milliseconds of dates.',
      );
    }
    const nullable = value.slot.nullable || (fn.name === 'tryCast' && plan.mayBeNull);
    return { node: 'call', fn, args: [value], use: null, slot: { type, nullable }, source };
  }

  private membership(
    source: Expression,
    fn: ExpressionFunction,
    args: readonly TypedExpression[],
  ): TypedExpression {
    const [value, ...list] = args;
    const same = list.map((each) => memberOf(each, value.slot.type));
    if (
      !isNullLiteral(value) &&
      isComparable(value.slot.type) &&
      same.every((each) => each !== null)
    ) {
      const members = same.filter((each) => each !== null);
      return ruledCall(source, fn, [value, ...members], BOOL);
    }
    // Other lists are what they mean: equal to the first, or to the second, and so on.
    const eq = requireFunction('eq');
    const equals = list.map((each) =>
      ruledCall(source, eq, this.comparable(source, value, each), BOOL),
    );
    return ruledCall(source, requireFunction('or'), equals, BOOL);
  }

  /** Both sides of a comparison in forms that JavaScript compares by value. */
  private comparable(
    source: Expression,
    left: TypedExpression,
    right: TypedExpression,
  ): readonly [TypedExpression, TypedExpression] {
    if (isNullLiteral(left)) return [converted(left, right.slot.type), right];
    if (isNullLiteral(right)) return [left, converted(right, left.slot.type)];
    const [a, b] = meetLiterals(left, right);
    const [x, y] = [a.slot.type, b.slot.type];
    const wholes =
      (isNumberKind(x) || x.kind === 'int64') && (isNumberKind(y) || y.kind === 'int64');
    if (wholes) return [a, b];
    if (x.kind === 'decimal' || y.kind === 'decimal') {
      if (exactDecimal(x) !== null && exactDecimal(y) !== null) {
        const common = commonDecimal(x, y);
        return [converted(a, common), converted(b, common)];
      }
      if (isNumberKind(x)) return [a, converted(b, NUMBER)];
      if (isNumberKind(y)) return [converted(a, NUMBER), b];
    }
    if (x.kind === 'date' && y.kind === 'timestamp') return [converted(a, TIMESTAMP), b];
    if (x.kind === 'timestamp' && y.kind === 'date') return [a, converted(b, TIMESTAMP)];
    if (x.kind === y.kind && isComparable(x)) return [a, b];
    return this.fail(
      source,
      `${described(left)} cannot be compared with ${described(right)}`,
      typesAdvice([x, y]) ?? `Cast one of them, for example with .cast('utf8').`,
    );
  }

  /** All arguments converted to their common type. */
  private unify(source: Expression, args: readonly TypedExpression[]): readonly TypedExpression[] {
    const known = args.filter((arg) => !isNullLiteral(arg));
    const anchors = known.filter((arg) => arg.node !== 'literal');
    let type: DataType | null = null;
    for (const arg of [...anchors, ...known.filter((each) => each.node === 'literal')]) {
      if (type === null) type = arg.slot.type;
      else if (arg.node === 'literal' && coerceLiteral(arg, type) !== null) continue;
      else type = commonType(type, arg.slot.type) ?? this.noCommon(source, known, arg);
    }
    const target = type ?? NOTHING;
    return args.map((arg) => coerceLiteral(arg, target) ?? converted(arg, target));
  }

  private noCommon(
    source: Expression,
    known: readonly TypedExpression[],
    arg: TypedExpression,
  ): never {
    const other = known.find((each) => commonType(each.slot.type, arg.slot.type) === null) ?? arg;
    return this.fail(
      source,
      `${described(other)} and ${described(arg)} have no common type`,
      typesAdvice([other.slot.type, arg.slot.type]) ?? 'Cast one of them.',
    );
  }

  private signed(
    source: Expression,
    fn: ExpressionFunction,
    signatures: readonly Signature[],
    args: readonly TypedExpression[],
  ): TypedExpression {
    const calls = signatures.flatMap((signature) => {
      const fitted = fitSignature(signature, args);
      return fitted === null ? [] : [{ signature, fitted }];
    });
    const [first] = calls;
    if (first === undefined) {
      const given = args.map(described).join(' and ');
      const types = args.map((arg) => arg.slot.type);
      return this.fail(
        source,
        `${fn.name} does not take ${given}`,
        typesAdvice(types) ?? `It takes ${signatureList(signatures)}.`,
      );
    }
    const typed = this.signedCall(source, fn, first.signature, first.fitted);
    if (fn.group === 'null' || !args.some(isNullLiteral)) return typed;
    // A null fits every signature. As long as the result depends on which it is, it is null and nothing else.
    const isSettled = calls.every(({ signature, fitted }) => {
      const { slot } = this.signedCall(source, fn, signature, fitted);
      return typeName(slot.type) === typeName(typed.slot.type);
    });
    return isSettled ? typed : impliedNull(source);
  }

  private signedCall(
    source: Expression,
    fn: ExpressionFunction,
    signature: Signature,
    args: readonly TypedExpression[],
  ): TypedExpression {
    const prepared = this.prepare(source, signature, args);
    const types = args.map((arg) => arg.slot.type);
    const literals = args.map((arg) => (arg.node === 'literal' ? arg.value : undefined));
    const use = { signature, prepared, types, literals };
    const type = typeof signature.result === 'function' ? signature.result(use) : signature.result;
    const nullable =
      fn.group !== 'null' &&
      (signature.mayBeNull === true || args.some((each) => each.slot.nullable));
    return { node: 'call', fn, args, use, slot: { type, nullable }, source };
  }

  private prepare(
    source: Expression,
    signature: Signature,
    args: readonly TypedExpression[],
  ): readonly unknown[] {
    return signature.args.map((wanted, index) => {
      const arg = args[index];
      if (typeof wanted === 'string' || arg.node !== 'literal') return undefined;
      try {
        const { value } = arg;
        return wanted.prepare(typeof value === 'number' ? value : String(value));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        return this.fail(
          source,
          `argument ${index + 1} is not what it should be: ${reason.replace(/\.$/, '')}`,
          `It must be ${wanted.meaning}.`,
        );
      }
    });
  }

  private fail(source: Expression, problem: string, advice: string): never {
    const part = expressionText(source);
    const whole = expressionText(this.whole);
    const place = part === whole ? `in ${whole}` : `in ${part} of ${whole}`;
    throw new MillraceError('TYPE_MISMATCH', `${problem}, ${place}.`, { advice });
  }
}
