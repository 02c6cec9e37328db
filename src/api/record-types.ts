/**
 * The arithmetic of record types: which fields records of a type have, what they hold, and the
 * sentences the compiler shows when a program names one that does not exist. Types only; nothing
 * here exists at run time. Callers: the streams and aggregates of this folder. Runs on: the
 * compiler.
 */

/**
 * Record types that are one value and not an object with fields; their only field is named 'value'.
 */
export type Scalar =
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | ReadonlyMap<unknown, unknown>
  | null
  | undefined;

/** Names of the fields of a record; of a union of record types, of any of them. */
export type FieldsOf<T> = unknown extends T
  ? string
  : T extends Scalar
    ? 'value'
    : T extends readonly unknown[]
      ? Extract<keyof T, `${number}`>
      : Extract<keyof T, string>;

/** What a record holds in a field; `undefined` where some record type of a union lacks it. */
export type FieldType<T, N extends string> = unknown extends T
  ? T
  : T extends Scalar
    ? T
    : N extends keyof T
      ? T[N]
      : string extends keyof T
        ? T[string & keyof T]
        : undefined;

/** A value as expressions give it: what is missing counts as null. */
export type Nullish<V> = undefined extends V ? Exclude<V, undefined> | null : V;

/** An object type with its members written out, which is how the compiler prints it. */
export type Flat<T> = { [K in keyof T]: T[K] } & {};

/** Members of a union as a text such as `'a' | 'b'`; used in messages only. */
export type ListOf<U extends string> = [U] extends [never]
  ? '(none)'
  : string extends U
    ? 'any text'
    : Join<U>;

type Join<U extends string, Text extends string = ''> = [U] extends [never]
  ? Text
  : LastOf<U> extends infer Last extends string
    ? Join<Exclude<U, Last>, Text extends '' ? `'${Last}'` : `'${Last}' | ${Text}`>
    : never;

/** One member of a union, by the overload that inference sees last. */
type LastOf<U> = (U extends unknown ? (member: () => U) => void : never) extends (
  last: infer I,
) => void
  ? I extends () => infer Last
    ? Last
    : never
  : never;

/** A type no argument has, whose only property is the sentence for the user. */
export interface Mistake<Sentence extends string> {
  readonly error: Sentence;
}

/**
 * The mistake of naming a field that records do not have. A conditional type, so that messages
 * spell it out.
 */
export type NoField<Name extends string, Valid extends string> =
  ListOf<Valid> extends infer List extends string
    ? Mistake<`No field '${Name}'; fields: ${List}`>
    : never;

/**
 * `Name` when records have such a field, else the mistake. A name that is still any text (while it
 * is being typed, or computed) gives the union of the fields, from which editors complete.
 */
export type CheckField<T, Name extends string> = [Name] extends [FieldsOf<T>]
  ? Name
  : string extends Name
    ? FieldsOf<T>
    : NoField<Exclude<Name, FieldsOf<T>>, FieldsOf<T>>;

/** The same for a list of names. */
export type CheckFields<T, Names extends readonly string[]> = {
  readonly [I in keyof Names]: CheckField<T, Names[I]>;
};

/** Types a key may have: what is hashed and compared by value. */
export type KeyValue = string | number | bigint | boolean | Date | Uint8Array | null | undefined;

/** `Name` when its field may be a key, else the mistake. */
export type CheckKey<T, Name extends string> = [Name] extends [FieldsOf<T>]
  ? unknown extends FieldType<T, Name>
    ? Name
    : [FieldType<T, Name>] extends [KeyValue]
      ? Name
      : Mistake<`Field '${Name}' cannot be a key: keys are text, numbers, booleans, dates or bytes`>
  : CheckField<T, Name>;

/** The same for a list of names. */
export type CheckKeys<T, Names extends readonly string[]> = {
  readonly [I in keyof Names]: CheckKey<T, Names[I]>;
};

/** A value without null; one of unknown type stays unknown. */
export type Solid<V> = unknown extends V ? V : NonNullable<V>;

/** The key fields of a record by name; null keys never get that far. */
export type KeyFields<T, Names extends string> = {
  readonly [N in Names]: Solid<FieldType<T, N>>;
};
