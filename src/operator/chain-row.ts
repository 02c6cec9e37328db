/**
 * Rows in generated code as the operators of a chain hand them to each other: computed values, values of another
 * row under another schema, rows whose object has been built. Callers: the chain compiler and its fragments.
 * Runs on: worker, when a chain is compiled; pure.
 */
import type { Schema } from '../record/schema.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import type { FieldValue, FlowRow, RowMarks } from './flow-row.js';
import { objectCode } from './object-code.js';

/** What rows that are not objects share: they build one where a user function wants it. */
abstract class BuiltRow implements FlowRow {
  readonly schema: Schema;
  readonly marks: RowMarks;
  protected readonly unit: CodeUnit;

  constructor(unit: CodeUnit, schema: Schema, marks: RowMarks) {
    this.unit = unit;
    this.schema = schema;
    this.marks = marks;
  }

  names(): readonly string[] {
    return this.schema.fields.map((field) => field.name);
  }

  abstract field(name: string): FieldValue | null;

  object(names: readonly string[] | null, place: CodeBlock): string {
    return objectCode(this.unit, this.schema, (name) => this.field(name), names, place);
  }

  useAllFields(): void {}
}

/** A row whose values are computed on first use: results of `select` and of aggregations. */
export class ComputedRow extends BuiltRow {
  readonly #compute: (name: string) => FieldValue | null;
  readonly #known = new Map<string, FieldValue | null>();

  constructor(
    unit: CodeUnit,
    schema: Schema,
    marks: RowMarks,
    compute: (name: string) => FieldValue | null,
  ) {
    super(unit, schema, marks);
    this.#compute = compute;
  }

  field(name: string): FieldValue | null {
    let value = this.#known.get(name);
    if (value === undefined) {
      value = this.#compute(name);
      this.#known.set(name, value);
    }
    return value;
  }
}

/** Another row but for what a subclass says. */
abstract class WrappedRow implements FlowRow {
  readonly schema: Schema | null;
  readonly marks: RowMarks;
  protected readonly row: FlowRow;

  constructor(row: FlowRow, schema = row.schema, marks = row.marks) {
    this.row = row;
    this.schema = schema;
    this.marks = marks;
  }

  names(): readonly string[] {
    return this.row.names();
  }

  field(name: string): FieldValue | null {
    return this.row.field(name);
  }

  object(names: readonly string[] | null, place: CodeBlock): string {
    return this.row.object(names, place);
  }

  useAllFields(): void {
    this.row.useAllFields();
  }
}

/** A row for which an object has been built already; used again when it has the fields that are wanted. */
export class RowWithObject extends WrappedRow {
  readonly #object: string;
  readonly #names: ReadonlySet<string> | null;

  constructor(row: FlowRow, object: string, names: readonly string[] | null) {
    super(row);
    this.#object = object;
    this.#names = names === null ? null : new Set(names);
  }

  override object(names: readonly string[] | null, place: CodeBlock): string {
    const known = this.#names;
    if (known === null || names?.every((name) => known.has(name))) return this.#object;
    return super.object(names, place);
  }
}

/** A row that was given another event time. */
export class StampedRow extends WrappedRow {
  constructor(row: FlowRow, time: string) {
    super(row, row.schema, { time, kind: row.marks.kind });
  }
}

/** A row under another schema: with a field more, such as a computed key, or less. */
export class AdjustedRow extends WrappedRow {
  declare readonly schema: Schema;
  readonly #field: (name: string) => FieldValue | null;

  constructor(row: FlowRow, schema: Schema, field: (name: string) => FieldValue | null) {
    super(row, schema);
    this.#field = field;
  }

  override names(): readonly string[] {
    return this.schema.fields.map((field) => field.name);
  }

  override field(name: string): FieldValue | null {
    return this.#field(name);
  }
}
