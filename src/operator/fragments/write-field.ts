/**
 * Code that writes one value of a row into a column of a builder. The builder's field may be wider than the
 * value, because another producer of the edge needed more. Callers: the output fragment. Runs on: worker, when a
 * chain is compiled.
 */
import { assert } from '../../base/assert.js';
import type { Appender } from '../../record/batch-builder.js';
import type { DataType, Field } from '../../record/schema.js';
import { formOf } from '../../record/schema.js';
import { LITTLE_ENDIAN } from '../../record/short-text.js';
import { sameType } from '../../record/schema-merge.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import type { CodeUnit } from '../code-unit.js';
import { binaryParts, isNumberType } from '../key-code.js';
import { presentValueCode, recordValueCode } from '../object-code.js';

/** A column of a builder: code of its appender, and of its array where it has one. */
export interface ColumnTarget {
  appender(): string;
  values(): string;
  /** Code of the same memory as pairs of 32-bit words; only of columns of the form i64. */
  words(): string;
}

/** Appends a value that must fit. */
function appendChecked(appender: Appender, row: number, value: unknown): void {
  const fits = appender.appendValue(row, value);
  assert(fits, `A value that was checked fits its column (${appender.field.name}).`);
}

/** Writes the value of a field, null when the row does not have it. */
export function writeFieldCode(
  unit: CodeUnit,
  field: Field,
  value: FieldValue | null,
  row: string,
  target: ColumnTarget,
  place: CodeBlock,
): void {
  if (value === null) {
    place.line(`${target.appender()}.${field.optional ? 'setMissing' : 'setNull'}(${row});`);
    return;
  }
  const isDirect = isFixed(field.type) && isStoredAlike(value.type, field.type);
  if (value.source !== undefined && !isDirect && sameType(value.type, field.type)) {
    place.line(copyCode(unit, value, value.source, row, target));
    return;
  }
  const write = presentCode(unit, field, value, row, target);
  const marks: string[] = [];
  if (value.isMissing !== undefined) {
    marks.push(`if (${value.isMissing}) ${target.appender()}.setMissing(${row});`);
  }
  if (value.isNull !== 'false' && (value.isMissing === undefined || field.nullable)) {
    marks.push(`if (${value.isNull}) ${target.appender()}.setNull(${row});`);
  }
  // Behind a value that is always null there is nothing to write.
  const [first, ...others] = value.isNull === 'true' ? marks : [...marks, write];
  place.line(first);
  for (const other of others) place.line(`else ${other}`);
}

/** Code that copies a value from a column of the same type, null and missing marks included. */
function copyCode(
  unit: CodeUnit,
  value: FieldValue,
  source: { readonly column: string; readonly row: string },
  row: string,
  target: ColumnTarget,
): string {
  const { column } = source;
  const copy = `${target.appender()}.appendFrom(${row}, ${column}, ${source.row});`;
  if (value.binary === null) return copy;
  // Bytes without repetition take the short way; entries of a dictionary are copied once and shared.
  const { bytes, start, end } = binaryParts(unit, value.binary);
  const isPlain = unit.hoist(
    `!${column}.isDictionary && ${column}.validity === null`,
    `${column}_plain`,
  );
  const direct = `${target.appender()}.appendBytes(${row}, ${bytes}, ${start}, ${end});`;
  return `if (${isPlain}) ${direct}\nelse ${copy}`;
}

/** Writes the whole record into the only column of a builder. */
export function writeRecordCode(
  unit: CodeUnit,
  field: Field,
  record: FlowRow,
  row: string,
  target: ColumnTarget,
  place: CodeBlock,
): void {
  assert(field.type.kind === 'any', 'Records of several shapes travel as any.');
  const object = record.object(null, place);
  const append = unit.constant(appendChecked, 'appendChecked');
  place.line(`${append}(${target.appender()}, ${row}, ${object});`);
}

/** Code that writes a value which is not null. */
function presentCode(
  unit: CodeUnit,
  field: Field,
  value: FieldValue,
  row: string,
  target: ColumnTarget,
): string {
  if (isFixed(field.type) && isStoredAlike(value.type, field.type)) {
    if (value.digits !== undefined) return wordsCode(unit, target.words(), row, value.digits);
    const stored = field.type.kind === 'bool' ? `${value.value} ? 1 : 0` : value.value;
    return `${target.values()}[${row}] = ${stored};`;
  }
  const range = value.binary?.range;
  if (range !== undefined && sameType(value.type, field.type)) {
    const { bytes, view, start, end, steady } = range;
    if (view !== undefined) {
      return `${target.appender()}.appendViewed(${row}, ${bytes}, ${view}, ${start}, ${end});`;
    }
    if (steady) return `${target.appender()}.appendBytes(${row}, ${bytes}, ${start}, ${end});`;
  }
  if (value.binary !== null && range === undefined && sameType(value.type, field.type)) {
    return `{ ${copyCode(unit, value, value.binary, row, target)} }`;
  }
  if (field.type.kind === 'utf8' && value.type.kind === 'utf8') {
    return `${target.appender()}.appendText(${row}, ${value.value});`;
  }
  const append = unit.constant(appendChecked, 'appendChecked');
  const given =
    value.object === undefined ? presentValueCode(unit, value) : recordValueCode(unit, value);
  return `${append}(${target.appender()}, ${row}, ${given});`;
}

/** Stores a whole number below 2^53 as the int64 that it is, without making a bigint of it. */
function wordsCode(unit: CodeUnit, words: string, row: string, digits: string): string {
  const local = unit.fresh('digits');
  const low = LITTLE_ENDIAN ? '' : ' + 1';
  const high = LITTLE_ENDIAN ? ' + 1' : '';
  return `{
  const ${local} = ${digits};
  ${words}[2 * ${row}${low}] = ${local};
  ${words}[2 * ${row}${high}] = Math.floor(${local} / 4294967296);
}`;
}

function isFixed(type: DataType): boolean {
  const form = formOf(type);
  return (
    form === 'f64' ||
    form === 'f32' ||
    form === 'i32' ||
    form === 'u32' ||
    form === 'u8' ||
    form === 'i64'
  );
}

/** Whether the array of `to` takes the calculated value of `from` as it is. */
function isStoredAlike(from: DataType, to: DataType): boolean {
  if (isNumberType(from)) return isNumberType(to);
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    return from.scale === to.scale && formOf(from) === formOf(to);
  }
  return from.kind === to.kind;
}
