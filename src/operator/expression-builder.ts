/**
 * The fluent way to write expressions: `col('distance').gt(100).and(col('origin').in('ATL', 'ORD'))`. Nothing is
 * computed here; every method gives a new column whose `expression` is frozen data. Callers: jobs, through the
 * public api. Runs on: any thread; pure.
 *
 * Types: `Col<T, Names>` is a column of values T that reads the fields Names. Both are for the compiler of the
 * job only: the api asks for `ColumnLike<boolean, keyof Record>` and a misspelt field is an error in the editor, and
 * `columns<Record>()` gives columns whose T is known, so that a number cannot be compared with a text; the third
 * parameter, the literals that fit T, is only there to be computed once.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import type { Expression, LiteralValue } from './expression.js';
import { requireFunction } from './expression-functions.js';
import { expressionText } from './expression-text.js';

/**
 * Anything that stands for a column: an expression with its types. What takes columns asks for this, `filter`
 * for a `ColumnLike<boolean, keyof Record>`; what gives columns gives a `Col`, which has the methods.
 */
export interface ColumnLike<T = unknown, Names extends string = string> {
  readonly expression: Expression;
  /** Never set; carries the types for inference. */
  readonly __types?: { readonly value: T; readonly names: Names };
}

/** A value that may be written in place of a column. */
export type Literal = number | bigint | string | boolean | Date | null;

/** Literals that a column of T may be compared and combined with. */
export type LiteralFor<T> = unknown extends T ? Literal : LiteralOf<NonNullable<T>>;
type LiteralOf<T> = T extends number | bigint
  ? number | bigint
  : T extends Date
    ? Date | string
    : T extends boolean
      ? boolean
      : T extends string
        ? string
        : Literal;

/** A literal of the type `Written`, or any column. */
export type Operand<Written, Names extends string> = Written | null | ColumnLike<unknown, Names>;

/** A condition: a column of booleans, or a plain boolean. */
export type Condition<Names extends string> = ColumnLike<unknown, Names> | boolean;

/** A column under a new name, for `select`. */
export interface NamedColumn<
  T = unknown,
  As extends string = string,
  Names extends string = string,
> {
  readonly name: As;
  readonly expression: Expression;
  /** Never set; carries the types for inference. */
  readonly __types?: { readonly value: T; readonly names: Names };
}

type Text<Names extends string> = Operand<string, Names>;
type Numeric<Names extends string> = Operand<number | bigint, Names>;

/** Names of the fields of a nested object, and the type of one. */
type MemberName<T> = unknown extends T ? string : keyof NonNullable<T> & string;
type Member<T, Name> = unknown extends T
  ? unknown
  : Name extends keyof NonNullable<T>
    ? NonNullable<T>[Name] | Extract<T, null | undefined>
    : never;

/** Simple types by name, or `decimal(p,s)`, or a type as data. */
export type CastTarget = CastTypes[keyof CastTypes] | `decimal(${string})` | DataType;
interface CastTypes {
  readonly numbers: 'number' | 'float32' | 'float64' | 'int64';
  readonly wholes: 'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32';
  readonly others: 'utf8' | 'bytes' | 'bool' | 'date' | 'timestamp';
}
type CastResult<To> = To extends 'int64'
  ? bigint
  : To extends 'utf8' | `decimal(${string})`
    ? string
    : To extends 'bool'
      ? boolean
      : To extends 'date' | 'timestamp'
        ? Date
        : To extends 'bytes'
          ? Uint8Array
          : To extends string
            ? number
            : unknown;

/** A column: an expression with methods that build larger ones. */
export class Col<T = unknown, Names extends string = string, Written = LiteralFor<T>>
  implements ColumnLike<T, Names>
{
  readonly expression: Expression;
  /** Never set; carries the types for inference. */
  declare readonly __types?: { readonly value: T; readonly names: Names };

  constructor(expression: Expression) {
    this.expression = expression;
  }

  /** Equal. */
  eq<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('eq', other);
  }
  /** Not equal. */
  ne<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('ne', other);
  }
  /** Greater than. */
  gt<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('gt', other);
  }
  /** At least. */
  gte<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('gte', other);
  }
  /** Less than. */
  lt<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('lt', other);
  }
  /** At most. */
  lte<N extends string = never>(other: Operand<Written, N>): Col<boolean, Names | N> {
    return this.with('lte', other);
  }
  /** At least `low` and at most `high`. */
  between<N extends string = never>(
    low: Operand<Written, N>,
    high: Operand<Written, N>,
  ): Col<boolean, Names | N> {
    return this.gte(low).and(this.lte(high));
  }
  /** Equal to one of the values; they may be given as one array. */
  in<N extends string = never>(
    ...values: readonly (Operand<Written, N> | readonly Operand<Written, N>[])[]
  ): Col<boolean, Names | N> {
    return this.with('in', ...values.flat());
  }

  /** Whether the value is null or missing. */
  isNull(): Col<boolean, Names> {
    return this.with('isNull');
  }
  /** Whether there is a value. */
  isNotNull(): Col<boolean, Names> {
    return this.with('isNotNull');
  }
  /** The value, or the first of the others that is not null. */
  coalesce<N extends string = never>(
    ...others: readonly Operand<Written, N>[]
  ): Col<T, Names | N, Written> {
    return this.with('coalesce', ...others);
  }
  /** Null where the value is equal to `other`, else the value. */
  nullIf<N extends string = never>(other: Operand<Written, N>): Col<T, Names | N, Written> {
    const otherwise = this.expression;
    const branch = Object.freeze({ when: this.eq(other).expression, then: literal(null) });
    const branches = Object.freeze([branch]);
    return new Col(Object.freeze({ node: 'case', branches, otherwise }));
  }

  /** True when both are. */
  and<N extends string = never>(...others: readonly Condition<N>[]): Col<boolean, Names | N> {
    return this.with('and', ...others);
  }
  /** True when one is. */
  or<N extends string = never>(...others: readonly Condition<N>[]): Col<boolean, Names | N> {
    return this.with('or', ...others);
  }
  /** The opposite. */
  not(): Col<boolean, Names> {
    return this.with('not');
  }

  /** Sum. */
  add<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('add', other);
  }
  /** Difference. */
  sub<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('sub', other);
  }
  /** Product. */
  mul<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('mul', other);
  }
  /** Quotient; numbers keep their fraction, int64 cuts it off. */
  div<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('div', other);
  }
  /** Remainder, with the sign of this column. */
  mod<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('mod', other);
  }
  /** The value with the opposite sign. */
  neg(): Col<T, Names, Written> {
    return this.with('neg');
  }
  /** The value without its sign. */
  abs(): Col<T, Names, Written> {
    return this.with('abs');
  }
  /** -1, 0 or 1. */
  sign(): Col<number, Names> {
    return this.with('sign');
  }
  /** Rounded to whole numbers, or to digits after the point. */
  round(digits?: number): Col<T, Names, Written> {
    return digits === undefined ? this.with('round') : this.with('round', digits);
  }
  /** The greatest whole number that is not greater. */
  floor(): Col<T, Names, Written> {
    return this.with('floor');
  }
  /** The least whole number that is not less. */
  ceil(): Col<T, Names, Written> {
    return this.with('ceil');
  }
  /** The whole part. */
  trunc(): Col<T, Names, Written> {
    return this.with('trunc');
  }
  /** Square root. */
  sqrt(): Col<number, Names> {
    return this.with('sqrt');
  }
  /** Power. */
  pow<N extends string = never>(exponent: Numeric<N>): Col<number, Names | N> {
    return this.with('pow', exponent);
  }
  /** The power of e. */
  exp(): Col<number, Names> {
    return this.with('exp');
  }
  /** Natural logarithm. */
  ln(): Col<number, Names> {
    return this.with('ln');
  }
  /** Logarithm to base 10. */
  log10(): Col<number, Names> {
    return this.with('log10');
  }
  /** Logarithm to base 2. */
  log2(): Col<number, Names> {
    return this.with('log2');
  }
  /** Whether the number is NaN. */
  isNaN(): Col<boolean, Names> {
    return this.with('isNaN');
  }
  /** The least of this and the others. */
  least<N extends string = never>(
    ...others: readonly Operand<Written, N>[]
  ): Col<T, Names | N, Written> {
    return this.with('least', ...others);
  }
  /** The greatest of this and the others. */
  greatest<N extends string = never>(
    ...others: readonly Operand<Written, N>[]
  ): Col<T, Names | N, Written> {
    return this.with('greatest', ...others);
  }
  /** Bits set in both. */
  bitAnd<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('bitAnd', other);
  }
  /** Bits set in one of both. */
  bitOr<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('bitOr', other);
  }
  /** Bits set in exactly one. */
  bitXor<N extends string = never>(other: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('bitXor', other);
  }
  /** All bits turned. */
  bitNot(): Col<T, Names, Written> {
    return this.with('bitNot');
  }
  /** Bits moved left. */
  shiftLeft<N extends string = never>(count: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('shiftLeft', count);
  }
  /** Bits moved right, keeping the sign. */
  shiftRight<N extends string = never>(count: Numeric<N>): Col<T, Names | N, Written> {
    return this.with('shiftRight', count);
  }

  /** UTF-16 length of a text, bytes of a bytes value. */
  length(): Col<number, Names> {
    return this.with('length');
  }
  /** In upper case. */
  upper(): Col<string, Names> {
    return this.with('upper');
  }
  /** In lower case. */
  lower(): Col<string, Names> {
    return this.with('lower');
  }
  /** Without white space at both ends. */
  trim(): Col<string, Names> {
    return this.with('trim');
  }
  /** Without white space at the start. */
  trimStart(): Col<string, Names> {
    return this.with('trimStart');
  }
  /** Without white space at the end. */
  trimEnd(): Col<string, Names> {
    return this.with('trimEnd');
  }
  /** The texts one after the other. */
  concat<N extends string = never>(...others: readonly Text<N>[]): Col<string, Names | N> {
    return this.with('concat', ...others);
  }
  /** From `start` to before `end`. */
  substring<N extends string = never>(start: Numeric<N>, end?: Numeric<N>): Col<string, Names | N> {
    return this.with('substring', ...given(start, end));
  }
  /** Whether the text starts with another. */
  startsWith<N extends string = never>(part: Text<N>): Col<boolean, Names | N> {
    return this.with('startsWith', part);
  }
  /** Whether the text ends with another. */
  endsWith<N extends string = never>(part: Text<N>): Col<boolean, Names | N> {
    return this.with('endsWith', part);
  }
  /** Whether the text has another within. */
  includes<N extends string = never>(part: Text<N>): Col<boolean, Names | N> {
    return this.with('includes', part);
  }
  /** Position of another text, -1 when it is not there. */
  indexOf<N extends string = never>(part: Text<N>): Col<number, Names | N> {
    return this.with('indexOf', part);
  }
  /** Every occurrence of a text replaced by another. */
  replace<N extends string = never>(search: Text<N>, replacement: Text<N>): Col<string, Names | N> {
    return this.with('replace', search, replacement);
  }
  /** The parts between separators, empty ones included; `explode` gives each a record. */
  split<N extends string = never>(separator: Text<N>): Col<string[], Names | N> {
    return this.with('split', separator);
  }
  /** The parts between runs of white space, without empty ones. */
  words(): Col<string[], Names> {
    return this.with('words');
  }
  /** Part `index` between separators, from the end when negative; null when there is none. */
  splitPart<N extends string = never>(
    separator: Text<N>,
    index: Numeric<N>,
  ): Col<string | null, Names | N> {
    return this.with('splitPart', separator, index);
  }
  /** Whether the whole text matches an SQL pattern of % and _. */
  like(pattern: string): Col<boolean, Names> {
    return this.with('like', pattern);
  }
  /** As `like`, ignoring case. */
  ilike(pattern: string): Col<boolean, Names> {
    return this.with('ilike', pattern);
  }
  /** Whether a regular expression matches somewhere. */
  matches(pattern: RegExp | string): Col<boolean, Names> {
    return this.with('matches', patternText(pattern));
  }
  /** What a regular expression, or one of its groups, matches first; null when it does not. */
  regexpExtract(pattern: RegExp | string, group?: number): Col<string | null, Names> {
    return this.with('regexpExtract', ...given(patternText(pattern), group));
  }
  /** Every match of a regular expression replaced; $1 and $& stand for groups and match. */
  regexpReplace<N extends string = never>(
    pattern: RegExp | string,
    replacement: Text<N>,
  ): Col<string, Names | N> {
    return this.with('regexpReplace', patternText(pattern), replacement);
  }
  /** Filled up at the start to a length. */
  padStart<N extends string = never>(length: Numeric<N>, fill?: Text<N>): Col<string, Names | N> {
    return this.with('padStart', ...given(length, fill));
  }
  /** Filled up at the end to a length. */
  padEnd<N extends string = never>(length: Numeric<N>, fill?: Text<N>): Col<string, Names | N> {
    return this.with('padEnd', ...given(length, fill));
  }
  /** The text a number of times. */
  repeat<N extends string = never>(times: Numeric<N>): Col<string, Names | N> {
    return this.with('repeat', times);
  }
  /** The characters in opposite order. */
  reverse(): Col<string, Names> {
    return this.with('reverse');
  }

  /** Year. */
  year(): Col<number, Names> {
    return this.with('year');
  }
  /** Quarter, 1 to 4. */
  quarter(): Col<number, Names> {
    return this.with('quarter');
  }
  /** Month, 1 to 12. */
  month(): Col<number, Names> {
    return this.with('month');
  }
  /** Day of the month, 1 to 31. */
  day(): Col<number, Names> {
    return this.with('day');
  }
  /** Day of the week, 0 (Sunday) to 6. */
  dayOfWeek(): Col<number, Names> {
    return this.with('dayOfWeek');
  }
  /** Day of the year, 1 to 366. */
  dayOfYear(): Col<number, Names> {
    return this.with('dayOfYear');
  }
  /** Hour, 0 to 23. */
  hour(): Col<number, Names> {
    return this.with('hour');
  }
  /** Minute, 0 to 59. */
  minute(): Col<number, Names> {
    return this.with('minute');
  }
  /** Second, 0 to 59. */
  second(): Col<number, Names> {
    return this.with('second');
  }
  /** Millisecond, 0 to 999. */
  millisecond(): Col<number, Names> {
    return this.with('millisecond');
  }
  /** The start of the duration (`'15m'`) or unit (`'month'`) the moment lies in. */
  truncate(unit: string): Col<Date, Names> {
    return this.with('truncate', unit);
  }
  /** Later by a duration such as `'2h'`, earlier by `'-2h'`. */
  addDuration(duration: string): Col<Date, Names> {
    return this.with('addDuration', duration);
  }
  /** Later by months. */
  addMonths<N extends string = never>(months: Numeric<N>): Col<Date, Names | N> {
    return this.with('addMonths', months);
  }
  /** Milliseconds since 1970-01-01. */
  epochMs(): Col<number, Names> {
    return this.with('epochMs');
  }
  /** As `YYYY-MM-DD`, or by a format of YYYY MM DD HH mm ss SSS. */
  formatDate(format?: string): Col<string, Names> {
    return format === undefined ? this.with('formatDate') : this.with('formatDate', format);
  }

  /** A field of a nested object; null where the object or the field is. */
  get<const Name extends MemberName<T>>(name: Name): Col<Member<T, Name>, Names> {
    return this.with('get', name);
  }

  /** The value as another type; fails the job where that is impossible. */
  cast<const To extends CastTarget>(type: To): Col<CastResult<To>, Names> {
    return this.with('cast', targetName(type));
  }
  /** The value as another type, null where that is impossible. */
  tryCast<const To extends CastTarget>(type: To): Col<CastResult<To> | null, Names> {
    return this.with('tryCast', targetName(type));
  }
  /** The value as a number, null where it is none: short for `tryCast('number')`. */
  toNumber(): Col<number | null, Names> {
    return this.with('tryCast', 'number');
  }

  /** This column under a name, for `select`. */
  as<const As extends string>(name: As): NamedColumn<T, As, Names> {
    return Object.freeze({ name, expression: this.expression });
  }

  /** The expression as explain prints it. */
  toString(): string {
    return expressionText(this.expression);
  }

  private with<R, N extends string, W>(fn: string, ...args: readonly unknown[]): Col<R, N, W> {
    return new Col<R, N, W>(callOf(fn, [this.expression, ...args.map(operandExpression)]));
  }
}

/**
 * A field of the record.
 *
 * @example
 * flow.from(flights).filter(col('distance').gt(100));
 */
export function col<const Name extends string>(name: Name): Col<unknown, Name> {
  return new Col(Object.freeze({ node: 'column', name }));
}

/** All columns of a record type by name, typed. */
export type ColumnsOf<R> = { readonly [Name in keyof R & string]-?: Col<R[Name], Name> };

/**
 * The columns of a record type, so that their types are checked.
 *
 * @example
 * const { price, origin } = columns<Flight>();
 * price.gt(100); // price.gt('a') is a compile error
 */
export function columns<R>(): ColumnsOf<R> {
  const target: Record<string, Col> = Object.create(null);
  const proxy: unknown = new Proxy(target, {
    get: (_target, name) => (typeof name === 'string' ? col(name) : undefined),
  });
  return proxy as ColumnsOf<R>;
}

/** A constant as a column. */
export function lit<const V extends Literal>(value: V): Col<V, never> {
  return new Col(operandExpression(value));
}

/** Calls a function of the table by name, for those who build expressions from data. */
export function call<Names extends string = never>(
  fn: string,
  ...args: readonly Operand<Literal, Names>[]
): Col<unknown, Names> {
  return new Col(callOf(requireFunction(fn).name, args.map(operandExpression)));
}

/** A case that still lacks the value of its last condition. */
export interface CaseCondition<T, Names extends string> {
  /** The result when the condition is true. */
  // biome-ignore lint/suspicious/noThenProperty: the word of SQL; nobody awaits half a case.
  then<V, N extends string = never>(value: CaseValue<V, N>): CaseResult<T | CaseType<V>, Names | N>;
}

/** A case that may be ended or continued. */
export interface CaseResult<T, Names extends string> {
  /** The next condition, looked at when none before is true. */
  when<N extends string = never>(condition: Condition<N>): CaseCondition<T, Names | N>;
  /** The result when no condition is true. */
  otherwise<V, N extends string = never>(value: CaseValue<V, N>): Col<T | CaseType<V>, Names | N>;
  /** The case without further results: null when no condition is true. */
  end(): Col<T | null, Names>;
}

type CaseValue<V, N extends string> = (V & Literal) | ColumnLike<V, N>;
type CaseType<V> = V extends number
  ? number
  : V extends string
    ? string
    : V extends boolean
      ? boolean
      : V;

/**
 * Starts a case.
 *
 * @example
 * when(col('delay').gt(60)).then('late').when(col('delay').gt(15)).then('delayed').otherwise('on time');
 */
export function when<Names extends string = never>(
  condition: Condition<Names>,
): CaseCondition<never, Names> {
  return caseCondition([], operandExpression(condition));
}

interface Branch {
  readonly when: Expression;
  readonly then: Expression;
}

function caseCondition<T, Names extends string>(
  before: readonly Branch[],
  condition: Expression,
): CaseCondition<T, Names> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: see CaseCondition.
    then: (value) =>
      caseResult([...before, Object.freeze({ when: condition, then: operandExpression(value) })]),
  };
}

function caseResult<T, Names extends string>(branches: readonly Branch[]): CaseResult<T, Names> {
  const ended = (otherwise: Expression | null): Expression =>
    Object.freeze({ node: 'case', branches: Object.freeze([...branches]), otherwise });
  return {
    when: (condition) => caseCondition(branches, operandExpression(condition)),
    otherwise: (value) => new Col(ended(operandExpression(value))),
    end: () => new Col(ended(null)),
  };
}

function callOf(fn: string, args: readonly Expression[]): Expression {
  return Object.freeze({ node: 'call', fn, args: Object.freeze([...args]) });
}

function literal(value: LiteralValue): Expression {
  return Object.freeze({ node: 'literal', value });
}

/** A literal or column as an expression. */
function operandExpression(value: unknown): Expression {
  if (value instanceof Col) return value.expression;
  if (value instanceof Date) {
    return Object.freeze({ node: 'literal', value: value.getTime(), timestamp: true });
  }
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'string':
    case 'boolean':
      return literal(value);
    default:
      if (value === null) return literal(null);
      throw new MillraceError('OPTION_INVALID', `An expression cannot hold this ${typeof value}.`, {
        advice: 'Use a number, bigint, text, boolean, Date, null, or a column such as col("x").',
      });
  }
}

function given(...args: readonly unknown[]): readonly unknown[] {
  return args.filter((arg) => arg !== undefined);
}

function patternText(pattern: RegExp | string): string {
  try {
    return String(typeof pattern === 'string' ? new RegExp(pattern) : pattern);
  } catch (cause) {
    throw new MillraceError('OPTION_INVALID', `"${pattern}" is no regular expression.`, {
      cause,
      advice: `${(cause as Error).message}. Escape what stands for itself: \\( \\[ \\* \\+ \\?`,
    });
  }
}

function targetName(type: CastTarget): string {
  return typeof type === 'string' ? type : typeName(type);
}
