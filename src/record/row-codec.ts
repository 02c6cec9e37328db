/**
 * Records as JavaScript values and back: per schema one generated function that builds the record
 * of a row, and one that writes a record as the next row. Missing properties stay missing, and
 * records own their values. Callers: chains with lambdas, sinks and sources of records. Runs on:
 * worker. Invariant: a record that does not fit leaves no trace in the builder.
 */
import { compileFunction } from 'node:vm';
import { assert } from '../base/assert.js';
import { isPlainObject } from './any-value.js';
import type { Batch } from './batch.js';
import type { BatchBuilder } from './batch-builder.js';
import { binaryAt, setOwn, valueAt } from './column-value.js';
import { decimalText } from './decimal.js';
import type { Field, Schema } from './schema.js';
import { formOf } from './schema.js';
import { textAt } from './text.js';

export { valueAt };

/** Builds the record of a row. */
export type RowReader = (batch: Batch, row: number) => unknown;
/**
 * Writes a record as the next row and counts it: null, or the name of the field that it does not
 * fit.
 */
export type RowWriter = (builder: BatchBuilder, record: unknown) => string | null;

/** What a record that has not even the shape of the schema is said to misfit in. */
export const WHOLE_RECORD = '(record)';

const MS_PER_DAY = 86_400_000;

/** The reader of a schema's records, with only the fields `names` when given. */
export function compileRowReader(schema: Schema, names: readonly string[] | null): RowReader {
  const helpers = { textAt, binaryAt, valueAt, decimalText, setOwn };
  const make = compileFunction(readerCode(schema, names), Object.keys(helpers), {
    filename: 'millrace:row-reader.js',
  }) as (...values: readonly unknown[]) => RowReader;
  return make(...Object.values(helpers));
}

/** The writer of records into builders of a schema. */
export function compileRowWriter(schema: Schema): RowWriter {
  const names = schema.fields.map((field) => field.name);
  const helpers = {
    ObjectPrototype: Object.prototype,
    isPlainObject,
    undo,
    unknownField: (record: Readonly<Record<string, unknown>>) => unknownField(record, names),
    refuseFull,
  };
  const make = compileFunction(writerCode(schema), Object.keys(helpers), {
    filename: 'millrace:row-writer.js',
  }) as (...values: readonly unknown[]) => RowWriter;
  return make(...Object.values(helpers));
}

function undo(builder: BatchBuilder): void {
  for (const column of builder.columns) column.truncate(builder.rows);
}

function refuseFull(builder: BatchBuilder): void {
  assert(false, `A builder of ${builder.capacity} rows is flushed before the next row is written.`);
}

/** The first property with a value that is no field. */
function unknownField(
  record: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | null {
  const unknown = Object.keys(record).find(
    (name) => record[name] !== undefined && !names.includes(name),
  );
  return unknown ?? null;
}

// Readers. The arrays of a batch are looked up once per batch, since every row needs them.

function readerCode(schema: Schema, names: readonly string[] | null): string {
  const columns = schema.fields
    .map((field, index) => ({ field, index }))
    .filter(({ field }) => names === null || names.includes(field.name));
  const variables = columns.flatMap(({ index }) => [`c${index}`, `v${index}`, `n${index}`]);
  const wholeTests = columns
    .filter(({ field }) => field.optional)
    .map(({ index }) => `c${index}.presence === null`);
  return [
    `let last = null, whole = true${variables.map((name) => `, ${name} = null`).join('')};`,
    'function bind(batch) {',
    ...columns.map(({ field, index }) => bindColumn(field, index)),
    `  whole = ${wholeTests.join(' && ') || 'true'};`,
    '  last = batch;',
    '}',
    'return function readRow(batch, row) {',
    '  if (batch !== last) bind(batch);',
    recordCode(schema, columns),
    '};',
  ].join('\n');
}

function bindColumn(field: Field, index: number): string {
  const column = `c${index}`;
  const values = hasValues(field) ? ` v${index} = ${column}.values;` : '';
  return `  ${column} = batch.columns[${index}]; n${index} = ${column}.validity;${values}`;
}

function hasValues(field: Field): boolean {
  return !['utf8', 'bytes', 'list', 'struct', 'map'].includes(formOf(field.type));
}

/** A field to read, and where its column is. */
interface IndexedField {
  readonly field: Field;
  readonly index: number;
}

function recordCode(schema: Schema, columns: readonly IndexedField[]): string {
  if (schema.shape === 'value') {
    const [column] = columns;
    return `  return ${column === undefined ? 'undefined' : valueOrMissing(column)};`;
  }
  if (schema.shape === 'tuple') return tupleCode(columns);
  const literal = columns.map(
    ({ field, index }) => `${key(field.name)}: ${slotCode(field, index)}`,
  );
  const firstOptional = columns.findIndex(({ field }) => field.optional);
  if (firstOptional < 0) return `  return { ${literal.join(', ')} };`;
  // Properties keep the order of the schema, so those behind the first optional one are added one
  // by one.
  return [
    `  if (whole) return { ${literal.join(', ')} };`,
    `  const record = { ${literal.slice(0, firstOptional).join(', ')} };`,
    ...columns.slice(firstOptional).map(addField),
    '  return record;',
  ].join('\n');
}

function addField({ field, index }: IndexedField): string {
  const value = slotCode(field, index);
  const name = JSON.stringify(field.name);
  const add =
    field.name === '__proto__'
      ? `setOwn(record, ${name}, ${value});`
      : `record[${name}] = ${value};`;
  return field.optional ? `  if (${presentCode(index)}) ${add}` : `  ${add}`;
}

/** Elements that are missing at the end shorten the array; elsewhere they are undefined. */
function tupleCode(columns: readonly IndexedField[]): string {
  const length = columns.reduce((most, { field }) => Math.max(most, Number(field.name) + 1), 0);
  const byPosition = new Map(columns.map((column) => [Number(column.field.name), column]));
  const elements = Array.from({ length }, (_, position) => {
    const column = byPosition.get(position);
    return column === undefined ? 'undefined' : valueOrMissing(column);
  });
  if (!columns.some(({ field }) => field.optional)) return `  return [${elements.join(', ')}];`;
  const trailing = columns
    .toSorted((a, b) => Number(b.field.name) - Number(a.field.name))
    .map(({ field, index }) => {
      const present = field.optional ? `if (${presentCode(index)}) ` : '';
      return `  ${present}return record.slice(0, ${Number(field.name) + 1});`;
    });
  return [
    `  const record = [${elements.join(', ')}];`,
    '  if (whole) return record;',
    ...trailing,
    '  return [];',
  ].join('\n');
}

function valueOrMissing({ field, index }: IndexedField): string {
  const value = slotCode(field, index);
  return field.optional ? `${presentCode(index)} ? ${value} : undefined` : value;
}

function presentCode(index: number): string {
  return `(c${index}.presence === null || (c${index}.presence[row >> 3] >> (row & 7) & 1) !== 0)`;
}

function slotCode(field: Field, index: number): string {
  const value = valueCode(field, index);
  if (!field.nullable) return value;
  const bitmap = `n${index}`;
  return `(${bitmap} === null || (${bitmap}[row >> 3] >> (row & 7) & 1) !== 0 ? ${value} : null)`;
}

function valueCode(field: Field, index: number): string {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return `v${index}[row] !== 0`;
    case 'null':
      return 'null';
    case 'date':
      return `new Date(v${index}[row] * ${MS_PER_DAY})`;
    case 'timestamp':
      return `new Date(v${index}[row])`;
    case 'decimal':
      return formOf(type) === 'i64'
        ? `decimalText(v${index}[row], ${type.scale})`
        : `textAt(c${index}, row)`;
    case 'utf8':
      return `textAt(c${index}, row)`;
    case 'bytes':
    case 'any':
      return `binaryAt(c${index}, row)`;
    case 'list':
    case 'struct':
    case 'map':
      return `valueAt(c${index}, row)`;
    default:
      return `v${index}[row]`;
  }
}

/** A property name in a literal; a plain "__proto__" would set the prototype. */
function key(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}

// Writers. A value of the usual type is written without a call; all others, and misfits, go through
// the appender.

function writerCode(schema: Schema): string {
  const { fields } = schema;
  const variables = fields.flatMap((_, index) => [`a${index}`, `v${index}`]);
  return [
    `let last = null${variables.map((name) => `, ${name} = null`).join('')};`,
    'function bind(builder) {',
    ...fields.map(
      (_, index) => `  a${index} = builder.columns[${index}]; v${index} = a${index}.values;`,
    ),
    '  last = builder;',
    '}',
    'function misfit(builder, name) {',
    '  undo(builder);',
    '  return name;',
    '}',
    'function writeFields(builder, record) {',
    '  const row = builder.rows;',
    '  let present = 0;',
    ...fields.map((field, index) => writeField(schema, field, index)),
    extraCode(schema),
    '  builder.rows = row + 1;',
    '  return null;',
    '}',
    'return function writeRow(builder, record) {',
    '  if (builder !== last) bind(builder);',
    '  if (builder.rows >= builder.capacity) refuseFull(builder);',
    shapeCode(schema),
    '  try {',
    '    return writeFields(builder, record);',
    '  } catch (error) {',
    '    undo(builder);',
    '    throw error;',
    '  }',
    '};',
  ].join('\n');
}

function shapeCode(schema: Schema): string {
  const whole = JSON.stringify(WHOLE_RECORD);
  if (schema.shape === 'value') return '';
  if (schema.shape === 'tuple') return `  if (!Array.isArray(record)) return ${whole};`;
  return [
    `  if (typeof record !== 'object' || record === null) return ${whole};`,
    '  const prototype = Object.getPrototypeOf(record);',
    `  if (prototype !== ObjectPrototype && !isPlainObject(record)) return ${whole};`,
  ].join('\n');
}

function writeField(schema: Schema, field: Field, index: number): string {
  const name = JSON.stringify(field.name);
  const appender = `a${index}`;
  const value = `r${index}`;
  const fast = fastWrite(field, index);
  const missing = field.optional
    ? `if (${value} === undefined) ${appender}.setMissing(row);\n  else `
    : '';
  return [
    `  const ${value} = ${sourceCode(schema, field)};`,
    `  ${missing}${fast}if (!${appender}.appendValue(row, ${value})) {`,
    `    return misfit(builder, ${name});`,
    '  }',
    field.optional ? `  if (${value} !== undefined) present++;` : '  present++;',
  ].join('\n');
}

function sourceCode(schema: Schema, field: Field): string {
  if (schema.shape === 'value') return 'record';
  if (schema.shape === 'tuple') return `record[${Number(field.name)}]`;
  const name = JSON.stringify(field.name);
  // Such names are there on every object, as methods.
  return field.name in Object.prototype
    ? `(Object.hasOwn(record, ${name}) ? record[${name}] : undefined)`
    : `record[${name}]`;
}

function fastWrite(field: Field, index: number): string {
  const value = `r${index}`;
  const store = `v${index}[row] = ${value};\n  else `;
  switch (field.type.kind) {
    case 'number':
    case 'float64':
      return `if (typeof ${value} === 'number') ${store}`;
    case 'int32':
      return `if (typeof ${value} === 'number' && (${value} | 0) === ${value}) ${store}`;
    case 'bool':
      return `if (${value} === true) v${index}[row] = 1;\n  else `;
    case 'utf8':
      return `if (typeof ${value} === 'string') a${index}.appendText(row, ${value});\n  else `;
    default:
      return '';
  }
}

/**
 * Finds properties that are no fields by counting: names are compared only when the numbers differ.
 */
function extraCode(schema: Schema): string {
  if (schema.shape === 'value') return '';
  if (schema.shape === 'tuple') {
    const { length } = schema.fields;
    return [
      `  for (let extra = ${length}; extra < record.length; extra++) {`,
      '    if (record[extra] !== undefined) return misfit(builder, String(extra));',
      '  }',
    ].join('\n');
  }
  return [
    '  let keys = 0;',
    '  for (const _ in record) keys++;',
    '  if (keys !== present) {',
    '    const name = unknownField(record);',
    '    if (name !== null) return misfit(builder, name);',
    '  }',
  ].join('\n');
}
