/**
 * The vocabulary of code generation: what a value, a row and a place in generated code are. The expression
 * compiler produces and consumes these, the chain compiler supplies rows and contexts. Nothing here runs per
 * record; it describes the text of code that will. Runs on: any thread; pure.
 */
import type { DataType, Field } from '../record/schema.js';

/** Where the bytes of a text or bytes value are. */
export interface BinaryPlace {
  readonly column: string;
  readonly row: string;
  /**
   * The memory and range, where they are in locals already; the column then never is a dictionary. Memory that is not
   * `steady` may be another one in the next row.
   */
  readonly range?: {
    readonly bytes: string;
    readonly start: string;
    readonly end: string;
    readonly steady: boolean;
    /** A DataView of the memory, where there is one. */
    readonly view?: string;
    /** What the bytes are as text, where `column` is no local of the whole function. */
    readonly textKind?: string;
  };
}

/**
 * A value in generated code. How a type looks as a JavaScript value there: number kinds are numbers, `bool` is
 * a boolean, `timestamp` is milliseconds and `date` days since the epoch as numbers, `int64` is a bigint, a
 * decimal of at most 18 digits is its unscaled bigint and a wider one its canonical text, `utf8` is a string,
 * everything else is the JavaScript value that a record holds.
 */
export interface JsValue {
  readonly type: DataType;
  /** Whether `isNull` can ever be true. */
  readonly nullable: boolean;
  /**
   * A JavaScript expression without side effects. It may be garbage or throw while `isNull` is true, so it is
   * evaluated only where the value is known not to be null.
   */
  readonly value: string;
  /** A JavaScript expression, `'false'` when the value is never null; a missing value counts as null. */
  readonly isNull: string;
  /**
   * Where the bytes are, for text and bytes that still are in a `BinaryColumn`: JavaScript expressions of the
   * column and of the row in it. `value` decodes then, so work on bytes is the better choice where it will do.
   */
  readonly binary: BinaryPlace | null;
  /** The unscaled digits of a decimal as a number, where that holds them: an expression like `value`. */
  readonly digits?: string;
  /** A JavaScript expression that is true when the property is missing; only for optional fields. */
  readonly isMissing?: string;
  /** A field of a struct whose fields lie in columns of their own; it may be null where the struct is not. */
  readonly member?: (field: Field) => JsValue;
}

/** The same value without the difference between missing and null, which no calculation keeps. */
export function withoutMissing(value: JsValue): JsValue {
  const { type, nullable, isNull, binary, member } = value;
  const plain = { type, nullable, value: value.value, isNull, binary };
  return member === undefined ? plain : { ...plain, member };
}

/** A row in generated code: what the fields of the record are at this point of the loop. */
export interface SymbolicRow {
  /** Names of the fields in order. */
  names(): readonly string[];
  /** The value of a field, null when there is no such field. Reading twice gives the same code. */
  field(name: string): JsValue | null;
}

/** A place in generated code. */
export interface CodeContext {
  /** Binds a JavaScript value for the generated function; the same value gives the same identifier. */
  constant(value: unknown, hint: string): string;
  /** Binds what is made for a key; the same key gives the same identifier. */
  once(key: string, make: () => unknown, hint: string): string;
  /** An identifier that nothing else in the generated function has. */
  fresh(hint: string): string;
  /** A local of the whole function, for an expression that is the same for all rows of a batch. */
  hoist(expression: string, hint: string): string;
  /** Appends a statement before the current point, such as `const x = a + b;`. */
  statement(code: string): void;
  /** Appends the declaration of a local that holds what is the same wherever it has this key. */
  local(key: string, name: string, code: string): void;
  /** The local of a key that has been declared for this point; null when there is none. */
  localOf(key: string): string | null;
}
