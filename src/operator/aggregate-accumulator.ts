/**
 * What every aggregate is to the code generator: the columns of the state table it keeps its accumulator in, the
 * fields that carry it from a partial to a merging phase, and the code that adds, merges and reads it. Callers:
 * the aggregate fragment; one `aggregate-*.ts` per kind implements it. Runs on: worker, when a chain is
 * compiled; pure. Invariant: columns depend on the type of the input only, never on whether it may be null, so
 * that a schema may widen over existing state.
 */
import type { Field, Slot } from '../record/schema.js';
import type { ValueForm } from '../state/contract.js';
import type { FieldValue, FlowRow } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';

/** The accumulator of one entry in generated code. */
export interface Cell {
  readonly unit: CodeUnit;
  /** Index of the operator, for user functions and errors. */
  readonly operator: number;
  /** Code of a fixed column of this aggregate, readable and assignable. */
  column(index: number): string;
  /** Code that reads a `js` column. */
  read(index: number): string;
  /** Code that reads a `utf8` column. */
  readText(index: number): string;
  /** Code that sets a `js` column. */
  write(index: number, value: string): string;
  /** Code that sets a `utf8` column to a text that is not null; statements go to `place`. */
  writeText(index: number, value: FieldValue, place: CodeBlock): void;
  /** Code of a user function's call, marked so that errors name the operator; statements go to `place`. */
  call(code: string, place: CodeBlock): string;
  /** Code of a call that fails the job with NUMBER_INEXACT. */
  fail(reason: string): string;
}

/** One aggregate, compiled for a type of input. */
export interface Accumulator {
  readonly columns: readonly { readonly name: string; readonly form: ValueForm }[];
  /** The fields that carry it between phases. */
  readonly carried: readonly Field[];
  /** Type of the result; null when only running will tell. */
  readonly result: Slot | null;
  /** Code for an entry that was just created. */
  create(cell: Cell, place: CodeBlock): void;
  /** Code that adds a row; `value` is the input, not null there, null for aggregates over whole rows. */
  add(cell: Cell, value: FieldValue | null, row: FlowRow, place: CodeBlock): void;
  /** Code that adds the carried fields of another accumulator. */
  merge(cell: Cell, carried: readonly FieldValue[], place: CodeBlock): void;
  /** The result, read from the entry. */
  resultOf(cell: Cell, place: CodeBlock): FieldValue;
  /** The carried fields, read from the entry. */
  carriedOf(cell: Cell, place: CodeBlock): readonly FieldValue[];
  /**
   * The carried fields of one row alone; `counts` is code of a boolean that tells whether the row counts, and
   * `value` is not null when it does.
   */
  carriedOfRow(
    cell: Cell,
    value: FieldValue | null,
    row: FlowRow,
    counts: string,
    place: CodeBlock,
  ): readonly FieldValue[];
}

/** A value that is never null. */
export function presentValue(slot: Slot, value: string): FieldValue {
  return { type: slot.type, nullable: false, value, isNull: 'false', binary: null };
}

/** A value that is null under a condition. */
export function nullableValue(slot: Slot, value: string, isNull: string): FieldValue {
  return { type: slot.type, nullable: true, value, isNull, binary: null };
}

/** A value as a local, so that code may mention it several times. */
export function localOf(unit: CodeUnit, value: FieldValue, place: CodeBlock): string {
  if (/^[\w$]+$/.test(value.value)) return value.value;
  const local = unit.fresh('value');
  place.line(`const ${local} = ${value.value};`);
  return local;
}
