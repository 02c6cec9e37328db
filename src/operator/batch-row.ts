/**
 * The row of an input batch in generated code: values are read from the columns' arrays, which are fetched once
 * at the start of the function. Text stays bytes until something needs the string. Callers: the chain compiler.
 * Runs on: worker, when a chain is compiled; pure.
 */
import { binaryAt, valueAt } from '../record/column-value.js';
import type { DataType, Field, Schema } from '../record/schema.js';
import { fieldIndex, formOf } from '../record/schema.js';
import { textAt } from '../record/text.js';
import { ComputedRow } from './chain-row.js';
import { type JsValue, withoutMissing } from './code-value.js';
import type { FieldSource, FieldValue, RowMarks } from './flow-row.js';
import type { CodeUnit } from './code-unit.js';

/** The row `row` of `batch`, in a function that has both as locals. */
export function batchRow(unit: CodeUnit, schema: Schema, marks: RowMarks): ComputedRow {
  return new ComputedRow(unit, schema, marks, (name) => {
    const index = fieldIndex(schema, name);
    return index < 0
      ? null
      : columnValue(unit, schema.fields[index], {
          column: unit.hoist(`batch.columns[${index}]`, `${name}_column`),
          row: 'row',
          index,
        });
  });
}

/** The value at a place; its column is a local of the whole function. */
export function columnValue(
  unit: CodeUnit,
  field: Field,
  { column, row, index }: FieldSource,
): FieldValue {
  const form = formOf(field.type);
  const source = { column, row, index };
  const isBinary = form === 'utf8' || form === 'bytes';
  const missing = field.optional
    ? bitCode(unit.hoist(`${column}.presence`, `${field.name}_presence`), row)
    : null;
  const isNullable = field.nullable || field.optional;
  if (field.type.kind === 'null') {
    const nothing = {
      type: field.type,
      nullable: true,
      value: 'null',
      isNull: 'true',
      binary: null,
    };
    return missing === null ? nothing : { ...nothing, isMissing: missing };
  }
  return {
    type: field.type,
    nullable: isNullable,
    value: valueCode(unit, field, column, row),
    isNull: isNullable
      ? bitCode(unit.hoist(`${column}.validity`, `${field.name}_valid`), row)
      : 'false',
    binary: isBinary && field.type.kind !== 'any' ? source : null,
    source,
    ...(field.type.kind === 'struct' ? { member: memberOf(unit, field.type, column, row) } : {}),
    ...(missing === null ? {} : { isMissing: missing }),
  };
}

/** Gives the fields of a struct, which lie in columns beside each other. */
function memberOf(
  unit: CodeUnit,
  { fields }: DataType & { readonly kind: 'struct' },
  column: string,
  row: string,
): (field: Field) => JsValue {
  return (field) => {
    const index = fields.indexOf(field);
    const child = unit.hoist(`${column}.children[${index}]`, `${field.name}_column`);
    return withoutMissing(columnValue(unit, field, { column: child, row, index: null }));
  };
}

/** Code that is true when the bit of the row is cleared. */
function bitCode(bitmap: string, row: string): string {
  return `(${bitmap} !== null && ((${bitmap}[${row} >> 3] >> (${row} & 7)) & 1) === 0)`;
}

function valueCode(unit: CodeUnit, field: Field, column: string, row: string): string {
  switch (formOf(field.type)) {
    case 'f64':
    case 'f32':
    case 'i32':
    case 'u32':
    case 'i64':
      return `${unit.hoist(`${column}.values`, field.name)}[${row}]`;
    case 'u8':
      return `(${unit.hoist(`${column}.values`, field.name)}[${row}] === 1)`;
    case 'utf8':
      return `${unit.constant(textAt, 'textAt')}(${column}, ${row})`;
    case 'bytes':
      return `${unit.constant(binaryAt, 'binaryAt')}(${column}, ${row})`;
    default:
      return `${unit.constant(valueAt, 'valueAt')}(${column}, ${row})`;
  }
}
