/**
 * The schema that describes what a keyed operator keeps. Of an aggregation that may run in two phases it is that of the
 * fields that carry its accumulators, in one phase too, so that another parallelism, which adds a phase or takes one
 * away, finds what it expects. Callers: chain-keyed.ts, chain-snapshot.ts. Runs on: worker, when a chain is compiled or
 * restored; pure.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { type DataType, fieldIndex, type Schema, typeName } from '../record/schema.js';
import { mergeTypes } from '../record/schema-merge.js';
import {
  type AggregateOperator,
  carriedName,
  inputSlot,
  resultKeyName,
} from './aggregate-fields.js';
import { planResults } from './aggregate-plan.js';
import { type AggregatePlan, planAggregate } from './aggregate-tables.js';
import type { KeyedOperator } from './operator-spec.js';
import { isCarried } from './pre-aggregate.js';

/** What an operator keeps of records of a schema. */
export function keptSchema(spec: KeyedOperator, records: Schema): Schema {
  const isSingle = spec.kind === 'aggregate' && spec.phase === 'single';
  return isSingle && isCarried(spec) ? carriedSchema(spec, records) : records;
}

/** Plans an aggregation over what it keeps. */
export function planKept(spec: AggregateOperator, kept: Schema): AggregatePlan {
  const isSingle = spec.phase === 'single' && isCarried(spec);
  return planAggregate(isSingle ? { ...spec, phase: 'merge' } : spec, kept);
}

/**
 * What an operator keeps, out of the header of its state: one that does not say `isCarried` was written when only what
 * was behind a partial phase was carried.
 */
export function keptOf(
  spec: KeyedOperator,
  header: { readonly input: Schema; readonly isCarried?: boolean },
): Schema {
  if (spec.kind !== 'aggregate' || !isCarried(spec)) return header.input;
  const { isCarried: is = hasCarried(spec, header.input) } = header;
  return is ? header.input : carriedSchema(spec, header.input);
}

/** What an operator keeps of two types that nothing kept is of both of, with its name; null when there is none. */
export function keptConflict(
  spec: KeyedOperator,
  known: Schema,
  kept: Schema,
): { readonly was: string; readonly is: string } | null {
  const now = new Map(typesOf(spec, kept));
  for (const [name, was] of typesOf(spec, known)) {
    const is = now.get(name);
    if (is === undefined || [was, is].some(({ kind }) => kind === 'any' || kind === 'null'))
      continue;
    // A date is kept as days, which nobody could tell from milliseconds.
    const isAlike = (was.kind === 'date') === (is.kind === 'date');
    if (isAlike && mergeTypes(was, is).kind !== 'any') continue;
    return { was: `${name}: ${typeName(was)}`, is: `${name}: ${typeName(is)}` };
  }
  return null;
}

/** The types that state depends on: of keys, and of what is aggregated, as far as a schema has it. */
function typesOf(spec: KeyedOperator, schema: Schema): readonly (readonly [string, DataType])[] {
  const typeOf = (name: string): DataType | null =>
    schema.fields.find((field) => field.name === name)?.type ?? null;
  const keys = spec.keys.map((key) => [resultKeyName(key, 'single'), typeOf(key)] as const);
  const aggregates = spec.kind === 'aggregate' ? spec.aggregates : [];
  const phase = spec.kind === 'aggregate' && isCarried(spec) ? 'merge' : 'single';
  const inputs = aggregates.map((aggregate, index) => {
    return [aggregate.as, inputType(aggregate, index, schema, phase)] as const;
  });
  return [...keys, ...inputs].flatMap(([name, type]) => (type === null ? [] : [[name, type]]));
}

/** Null over whole rows, and for fields that were not there. */
function inputType(...input: Parameters<typeof inputSlot>): DataType | null {
  try {
    return inputSlot(...input)?.type ?? null;
  } catch (error) {
    if (MillraceError.is(error)) return null;
    throw error;
  }
}

function carriedSchema(spec: AggregateOperator, records: Schema): Schema {
  const { output } = planResults({ ...spec, phase: 'partial' }, records);
  assert(output !== null, 'What is carried has a schema.');
  return output;
}

function hasCarried({ aggregates }: AggregateOperator, schema: Schema): boolean {
  return aggregates.every((_, index) => fieldIndex(schema, carriedName(index, '')) >= 0);
}
