/**
 * Runs compiled expressions in tests: over rows that are plain objects, and over rows whose texts are in binary
 * columns, plain or as dictionaries. Values are in the form that generated code has: dates as days, timestamps
 * as milliseconds, decimals up to 18 digits unscaled.
 */
import { compileFunction } from 'node:vm';
import type { CodeContext, JsValue, SymbolicRow } from '../../../src/operator/code-value.js';
import type { Expression } from '../../../src/operator/expression.js';
import type { ColumnLike } from '../../../src/operator/expression-builder.js';
import { compileCondition, compileExpression } from '../../../src/operator/expression-compiler.js';
import {
  BinaryColumn,
  TEXT_ASCII,
  TEXT_UTF8,
  TEXT_WTF8,
  type TextKind,
} from '../../../src/record/column.js';
import { identityCodes } from '../../../src/record/identity-codes.js';
import type { DataType, Field, Schema } from '../../../src/record/schema.js';
import { encodeText, textAt, textKindOf } from '../../../src/record/text.js';

/** Where the texts of the rows are. */
export type Backing = 'object' | 'plain' | 'dictionary';
export const BACKINGS: readonly Backing[] = ['object', 'plain', 'dictionary'];

export type Row = Readonly<Record<string, unknown>>;

/** A field; `'?'` after the kind makes it nullable, `'??'` optional too. */
export function field(name: string, type: DataType | string): Field {
  if (typeof type !== 'string') return { name, type, nullable: true, optional: false };
  const kind = type.replaceAll('?', '') as 'number';
  return { name, type: { kind }, nullable: type.includes('?'), optional: type.endsWith('??') };
}

/** A schema of objects from names and kinds. */
export function schemaOf(fields: Readonly<Record<string, DataType | string>>): Schema {
  return {
    shape: 'object',
    fields: Object.entries(fields).map(([name, type]) => field(name, type)),
  };
}

const RARE_KINDS: readonly TextKind[] = [TEXT_WTF8, TEXT_UTF8];

/** A text column of the rows' values of a field. */
export function textColumn(each: Field, rows: readonly Row[], dictionary: boolean): BinaryColumn {
  const texts = rows.map((row) => String(row[each.name] ?? ''));
  const entries = dictionary ? [...new Set(texts)] : texts;
  const parts = entries.map(encodeText);
  const offsets = new Int32Array(entries.length + 1);
  for (const [index, part] of parts.entries()) offsets[index + 1] = offsets[index] + part.length;
  const bytes = new Uint8Array(offsets[entries.length]);
  for (const [index, part] of parts.entries()) bytes.set(part, offsets[index]);
  const codes = dictionary
    ? Int32Array.from(texts, (text) => entries.indexOf(text))
    : identityCodes(texts.length);
  const kinds = parts.map((part) => textKindOf(part, 0, part.length));
  const textKind = RARE_KINDS.find((kind) => kinds.includes(kind)) ?? TEXT_ASCII;
  return new BinaryColumn({
    ...{ field: each, codes, offsets, bytes, entries: entries.length, textKind },
    ...{ validity: null, presence: null, isDictionary: dictionary },
  });
}

class TestContext implements CodeContext {
  readonly names = new Map<unknown, string>();
  readonly lines: string[] = [];
  readonly hoists = new Map<string, string>();
  readonly made = new Map<string, string>();
  readonly locals = new Map<string, string>();
  private count = 0;

  constant(value: unknown, hint: string): string {
    const name = this.names.get(value) ?? this.fresh(hint);
    this.names.set(value, name);
    return name;
  }
  fresh(hint: string): string {
    this.count++;
    return `${hint}${this.count}`;
  }
  hoist(expression: string, hint: string): string {
    const name = this.hoists.get(expression) ?? this.fresh(hint);
    this.hoists.set(expression, name);
    return name;
  }
  once(key: string, make: () => unknown, hint: string): string {
    const name = this.made.get(key) ?? this.constant(make(), hint);
    this.made.set(key, name);
    return name;
  }
  statement(code: string): void {
    this.lines.push(code);
  }
  local(key: string, name: string, code: string): void {
    this.locals.set(key, name);
    this.statement(`const ${name} = ${code};`);
  }
  localOf(key: string): string | null {
    return this.locals.get(key) ?? null;
  }
}

function symbolicRow(
  schema: Schema,
  rows: readonly Row[],
  backing: Backing,
  context: TestContext,
): SymbolicRow {
  const known = new Map<string, JsValue>();
  const make = (each: Field): JsValue => {
    const path = `rows[row][${JSON.stringify(each.name)}]`;
    const nullable = each.nullable || each.optional;
    const common = { type: each.type, nullable, isNull: nullable ? `${path} == null` : 'false' };
    if (each.type.kind !== 'utf8' || backing === 'object') {
      return { ...common, value: path, binary: null };
    }
    const column = context.constant(
      textColumn(each, rows, backing === 'dictionary'),
      `${each.name}Column`,
    );
    const value = `${context.constant(textAt, 'textAt')}(${column}, row)`;
    return { ...common, value, binary: { column, row: 'row' } };
  };
  return {
    names: () => schema.fields.map((each) => each.name),
    field: (name) => {
      const each = schema.fields.find((one) => one.name === name);
      if (each === undefined) return null;
      const value = known.get(name) ?? make(each);
      known.set(name, value);
      return value;
    },
  };
}

/** Generated code and what it gives. */
export interface Compiled {
  readonly code: string;
  readonly value: JsValue | null;
  run(): unknown[];
}

function compiled(
  rows: readonly Row[],
  context: TestContext,
  result: string,
  value: JsValue | null,
): Compiled {
  const hoists = [...context.hoists].map(([code, name]) => `const ${name} = ${code};`);
  const code = [...hoists, ...context.lines, `return ${result};`].join('\n');
  const names = [...context.names.values()];
  const constants = [...context.names.keys()];
  const fn = compileFunction(code, ['rows', 'row', ...names], { filename: 'millrace:test' });
  return { code, value, run: () => rows.map((_row, index) => fn(rows, index, ...constants)) };
}

/** Compiles an expression to its value, null where it is null. */
export function compileValue(
  column: ColumnLike | Expression,
  schema: Schema,
  rows: readonly Row[] = [],
  backing: Backing = 'object',
): Compiled {
  const context = new TestContext();
  const expression = 'node' in column ? column : column.expression;
  const row = symbolicRow(schema, rows, backing, context);
  const value = compileExpression(expression, row, context);
  const result = value.isNull === 'false' ? value.value : `${value.isNull} ? null : ${value.value}`;
  return compiled(rows, context, result, value);
}

/** Compiles a condition to whether it is true. */
export function compileTruth(
  column: ColumnLike | Expression,
  schema: Schema,
  rows: readonly Row[] = [],
  backing: Backing = 'object',
): Compiled {
  const context = new TestContext();
  const expression = 'node' in column ? column : column.expression;
  const row = symbolicRow(schema, rows, backing, context);
  return compiled(rows, context, compileCondition(expression, row, context), null);
}

/** What an expression gives for one row, the same in all backings or an error. */
export function evaluate(column: ColumnLike, fields: Row, record: Row): unknown {
  const schema = schemaOf(fields as Readonly<Record<string, DataType | string>>);
  const results = BACKINGS.map((backing) => {
    return compileValue(column, schema, [record], backing).run()[0];
  });
  if (!results.every((result) => Object.is(result, results[0]))) {
    throw new Error(`backings differ: ${results.map(String).join(', ')}`);
  }
  return results[0];
}
