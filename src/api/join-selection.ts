/**
 * Joins that give chosen fields of both sides: which ones, what they are called, and what of a record need not cross
 * the exchange before the join. Callers: the three joins. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { isPlainObject } from '../record/any-value.js';
import type { JoinColumn } from '../operator/operator-spec.js';
import { setOwn } from '../record/column-value.js';
import { fieldOf } from '../record/field-of.js';
import type {
  CheckFields,
  FieldsOf,
  FieldType,
  Flat,
  ListOf,
  Mistake,
  NoField,
} from './record-types.js';

/** Fields of one side: names, or the names that results have for them. */
export type SideSelection = readonly string[] | Readonly<Record<string, string>>;

/** Checks of the fields of one side: each must exist. */
export type CheckSide<T, S> = S extends readonly string[]
  ? CheckFields<T, S>
  : {
      readonly [As in keyof S]: S[As] extends FieldsOf<T>
        ? S[As]
        : NoField<S[As] & string, FieldsOf<T>>;
    };

/** `unknown` when no two fields of a result have one name, else the mistake. */
export type CheckClash<A, B> = [NamesOf<A> & NamesOf<B>] extends [never]
  ? unknown
  : string extends NamesOf<A> & NamesOf<B>
    ? unknown
    : Clash<ListOf<NamesOf<A> & NamesOf<B> & string>>;

type Clash<Names extends string> =
  Mistake<`Both sides give ${Names}; rename one, as in { theirId: 'id' }`>;

type NamesOf<S> = S extends readonly string[] ? S[number] : Extract<keyof S, string>;

/** The record that a selection of both sides makes; a side that may be null gives fields that may be. */
export type JoinSelected<Left, Right, A, B> = Flat<PickedSide<Left, A> & PickedSide<Right, B>>;

type PickedSide<T, S> = {
  readonly [As in NamesOf<S>]:
    | FieldType<NonNullable<T>, SourceOf<S, As>>
    | (null extends T ? null : never);
};

type SourceOf<S, As> = S extends readonly string[]
  ? As & string
  : As extends keyof S
    ? S[As] & string
    : never;

/** What a join makes of its pairs. */
export interface JoinSelection {
  readonly apply: (left: unknown, right: unknown) => Readonly<Record<string, unknown>>;
  readonly columns: readonly JoinColumn[];
  /** Fields of each side that it reads. */
  readonly reads: readonly [readonly string[], readonly string[]];
  /** Such as `id, paid = amount`, by side. */
  readonly texts: readonly [string, string];
}

/** A field of a side, and what results call it. */
type Column = readonly [as: string, name: string];

/** Chooses fields of both sides. Throws OPTION_INVALID for what names no fields, and for names that clash. */
export function joinSelection(first: unknown, second: unknown): JoinSelection {
  const [lefts, rights] = [columnsOf(first), columnsOf(second)];
  const taken = new Set(lefts.map(([as]) => as));
  const clash = rights.find(([as]) => taken.has(as));
  if (clash !== undefined) throw clashing(clash);
  return {
    apply(left, right) {
      const record: Record<string, unknown> = {};
      pick(record, left, lefts);
      pick(record, right, rights);
      return record;
    },
    columns: [lefts, rights].flatMap((columns, side) =>
      columns.map(([as, name]) => ({ as, side: side === 0 ? (0 as const) : (1 as const), name })),
    ),
    reads: [lefts.map(([, name]) => name), rights.map(([, name]) => name)],
    texts: [textOf(lefts), textOf(rights)],
  };
}

function pick(result: Record<string, unknown>, record: unknown, columns: readonly Column[]): void {
  for (const [as, name] of columns)
    setOwn(result, as, record === null ? null : fieldOf(record, name));
}

function textOf(columns: readonly Column[]): string {
  return columns.map(([as, name]) => (as === name ? as : `${as} = ${name}`)).join(', ');
}

function columnsOf(selection: unknown): readonly Column[] {
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(selection)
    ? selection.map((name: unknown) => [name, name] as const)
    : isPlainObject(selection)
      ? Object.entries(selection)
      : [[null, null]];
  return entries.map(([as, name]) => {
    if (typeof as === 'string' && typeof name === 'string' && name !== '') return [as, name];
    throw new MillraceError('OPTION_INVALID', 'select(...) of a join takes fields of each side.', {
      where: { operator: 'select' },
      advice: "Write select(['id', 'total'], { paid: 'amount' }): the first side, then the second.",
    });
  });
}

function clashing([as, name]: Column): MillraceError {
  return new MillraceError('OPTION_INVALID', `select(...): both sides give a field "${as}".`, {
    where: { operator: 'select', field: as },
    advice: `Rename one, as in { their${as[0]?.toUpperCase() ?? ''}${as.slice(1)}: '${name}' }.`,
  });
}
