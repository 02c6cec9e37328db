/**
 * The types of the verbs of a stream that take several forms: what `select`, `filter`, `keyBy` and
 * `to` accept and give. Where it can, a verb has one signature over its forms, because the compiler
 * shows the objection to the last overload only, and it is the objection that helps. Types only.
 * Callers: `stream.ts`. Runs on: the compiler.
 */
import type { NamedColumn } from '../operator/expression-builder.js';
import type {
  CheckCondition,
  CheckReads,
  ColumnLike,
  HasExpression,
  ValueOf,
} from './column-types.js';
import type { SinkConnector } from '../connector/contract.js';
import type { FileConnector } from './files.js';
import type { KeyedStream } from './keyed-stream.js';
import type { OperatorOptions } from './operator-options.js';
import type { CheckField, FieldsOf, FieldType, Flat, KeyValue, Mistake } from './record-types.js';

/**
 * What `select({ ... })` takes: fields of the record by name, or expressions over them. It says
 * nothing of the fields they read, since inference would take that for what an expression in the
 * place reads.
 */
export type Selection = Readonly<Record<string, string | HasExpression>>;

/** Checks of a selection: each field must exist. */
export type CheckSelection<T, S> = {
  readonly [Name in keyof S]: S[Name] extends string
    ? CheckField<T, S[Name]>
    : S[Name] extends ColumnLike<unknown, infer N>
      ? CheckReads<T, N>
      : Mistake<'Select a field by name or an expression'>;
};

/** The record type that a selection makes. */
export type Selected<T, S> = Flat<{
  readonly [Name in keyof S]: S[Name] extends string
    ? FieldType<T, S[Name]>
    : S[Name] extends ColumnLike<infer V, infer N>
      ? ValueOf<T, V, N>
      : never;
}>;

/**
 * `unknown` when the value of a new column is a field or an expression over fields there are, else
 * the mistake.
 */
export type CheckColumn<T, C> = C extends string
  ? CheckField<T, C>
  : C extends ColumnLike<unknown, infer N>
    ? CheckReads<T, N>
    : unknown;

/** Records `T` with a column `N` of the value `C`. */
export type WithColumn<T, N extends string, C> = Flat<
  { readonly [Name in Exclude<FieldsOf<T>, N>]: FieldType<T, Name> } & Selected<
    T,
    { readonly [Name in N]: C }
  >
>;

/** A list to explode under a name: a field of the record or an expression. */
export type Explosion = Readonly<Record<string, string | HasExpression>>;

/** `unknown` when a list is exploded: a field by name, or one entry of a name and a list. */
export type CheckExplode<T, E> = E extends string
  ? CheckField<T, E> extends E
    ? CheckList<Selected<T, { readonly [N in E]: N }>>
    : CheckField<T, E>
  : CheckSelection<T, E> extends infer Checked
    ? { readonly [N in keyof E]: Mistakes<Checked> } extends { readonly [N in keyof E]: never }
      ? CheckList<Selected<T, E>>
      : Checked
    : never;

type Mistakes<Checked> = Extract<Checked[keyof Checked], Mistake<string>>;

type CheckList<S> = unknown extends S[keyof S]
  ? unknown
  : [NonNullable<S[keyof S]>] extends [readonly unknown[]]
    ? unknown
    : Mistake<"Explode a list, such as { word: col('line').split(' ') }">;

/** Records `T` with the items of a list; with null among them when `O` says so. */
export type Exploded<T, E, O> = Flat<
  { readonly [N in Exclude<FieldsOf<T>, ExplodedName<E>>]: FieldType<T, N> } & {
    readonly [N in ExplodedName<E>]: ExplodedItem<T, E, N> | OuterNull<O>;
  }
>;

type ExplodedName<E> = E extends string ? E : Extract<keyof E, string>;

type ExplodedItem<T, E, N extends string> = ItemOf<
  E extends string
    ? FieldType<T, N>
    : Selected<T, E> extends infer S
      ? N extends keyof S
        ? S[N]
        : never
      : never
>;

type ItemOf<L> = unknown extends L
  ? unknown
  : NonNullable<L> extends readonly (infer Item)[]
    ? Item
    : never;

type OuterNull<O> = O extends { readonly outer: true } ? null : never;

/** Arguments of `select`: a selection and options, or fields by name and columns named by `as`. */
export type SelectArguments =
  | readonly [Selection, OperatorOptions?]
  | readonly (string | NamedColumn)[];

/** Checks of the arguments of `select`. */
export type CheckSelectArguments<T, A> = A extends readonly (string | NamedColumn)[]
  ? { readonly [I in keyof A]: CheckSelected<T, A[I]> }
  : A extends readonly [infer S, ...infer Rest]
    ? readonly [CheckSelection<T, S>, ...Rest]
    : never;

type CheckSelected<T, Item> = Item extends string
  ? CheckField<T, Item>
  : Item extends NamedColumn<unknown, string, infer N>
    ? CheckReads<T, N>
    : never;

/** Arguments of `select` as a selection. */
export type SelectionOf<A> = A extends readonly (string | NamedColumn)[]
  ? { readonly [Item in A[number] as SelectedName<Item>]: SelectedValue<Item> }
  : A extends readonly [infer S, ...unknown[]]
    ? S
    : never;

type SelectedName<Item> = Item extends string
  ? Item
  : Item extends NamedColumn<unknown, infer As, string>
    ? As
    : never;

type SelectedValue<Item> = Item extends string
  ? Item
  : Item extends NamedColumn<infer V, string, infer N>
    ? ColumnLike<V, N>
    : never;

/** `unknown` when a function or an expression may decide what a filter keeps, else the mistake. */
export type CheckFilter<T, C> =
  C extends ColumnLike<infer V, infer N> ? CheckCondition<T, V, N> : unknown;

/**
 * What `keyBy(fn)` gives: a keyed stream, or the mistake when the function's results cannot be
 * keys.
 */
export type KeyedBy<T, K> = [K] extends [KeyValue]
  ? KeyedStream<T, { readonly key: NonNullable<K> }>
  : Mistake<'A key function returns text, a number, a boolean, a date or bytes'>;

/** The records that a sink, or a file as a sink, takes. */
export type SinkRecord<C> =
  C extends FileConnector<infer S> ? S : C extends SinkConnector<infer S> ? S : unknown;

/**
 * `unknown` when a sink of records `S` takes records `T`, else the mistake. A file whose records nobody described takes
 * all, also those of an interface, which TypeScript does not count among `Record<string, unknown>`.
 */
export type CheckSink<T, S> =
  Record<string, unknown> extends S
    ? unknown
    : [T] extends [S]
      ? unknown
      : Mistake<'The sink takes records of another type than the stream has'>;
