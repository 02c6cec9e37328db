/**
 * Rows that an operator keeps as bytes in its state: how the fields of a schema lie in them, code that writes a row
 * of a chain there, and a row of generated code that reads fields from there when somebody asks for them. Callers:
 * fragments of operators that keep rows, `row-layouts.ts`. Runs on: worker, when a chain is compiled; pure. Invariant:
 * what is read is what was written, null and missing marks included; a row is read by the layout of its id.
 *
 * A row is the id of its layout, its marks (a bit per field that may be null, one more per field that may be missing),
 * its fixed values in their own width, for each other value where it ends, and then the bytes of those, one behind the
 * other. Numbers are written lowest byte first and lie where they come, so that they are reached by a DataView.
 */
import { serializeAny } from '../record/any-value.js';
import { type DataType, formOf } from '../record/schema.js';
import { copyBytes, wordView } from '../record/words.js';
import { ComputedRow } from './chain-row.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import type { FieldValue, FlowRow, RowMarks } from './flow-row.js';
import { binaryParts } from './key-code.js';
import { presentValueCode, recordValueCode } from './object-code.js';
import { ID_BYTES, type RowLayout, type StoredField } from './stored-row-fields.js';
import {
  showText,
  storedAny,
  storedBytes,
  storedText,
  TextScratch,
  textSlot,
} from './stored-row-runtime.js';

/** Memory of a row in generated code: locals, or what is as good. */
export interface RowPlace {
  readonly bytes: string;
  readonly view: string;
  /** Offset of the row. */
  readonly at: string;
}

/** The row at a place. */
export function storedRow(
  unit: CodeUnit,
  layout: RowLayout,
  marks: RowMarks,
  place: RowPlace,
): ComputedRow {
  const { schema } = layout;
  return new ComputedRow(unit, schema, marks, (name) => {
    const stored = layout.fields.find(({ field }) => field.name === name);
    return stored === undefined ? null : storedValue(unit, layout, stored, place);
  });
}

function storedValue(
  unit: CodeUnit,
  layout: RowLayout,
  stored: StoredField,
  { bytes, view, at }: RowPlace,
): FieldValue {
  const { field, accessor, nullBit, missingBit, offset } = stored;
  const { type } = field;
  const bit = (number: number): string =>
    `((${bytes}[${at} + ${ID_BYTES + (number >> 3)}] & ${1 << (number & 7)}) !== 0)`;
  const common = {
    type,
    nullable: nullBit >= 0,
    isNull: nullBit < 0 ? 'false' : bit(nullBit),
    ...(missingBit < 0 ? {} : { isMissing: bit(missingBit) }),
  };
  if (type.kind === 'null') return { ...common, isNull: 'true', value: 'null', binary: null };
  if (accessor !== null) {
    const read = readCode(accessor, view, `${at} + ${offset}`);
    return { ...common, value: type.kind === 'bool' ? `(${read} === 1)` : read, binary: null };
  }
  const word = (from: number): string => readCode('Uint32', view, `${at} + ${from}`);
  const start =
    stored.startsAt < 0 ? `${at} + ${layout.fixedBytes}` : `${at} + ${word(stored.startsAt)}`;
  const end = `${at} + ${word(offset)}`;
  const range = `${bytes}, ${start}, ${end}`;
  const form = formOf(type);
  if (form !== 'utf8' && (form !== 'bytes' || type.kind === 'any')) {
    return { ...common, value: `${unit.constant(storedAny, 'storedAny')}(${range})`, binary: null };
  }
  const slot = unit.constant(textSlot(field), `${field.name}_slot`);
  const read = form === 'utf8' ? storedText : storedBytes;
  return {
    ...common,
    value: `${unit.constant(read, read.name)}(${range})`,
    binary: {
      column: `${unit.constant(showText, 'showText')}(${slot}, ${range})`,
      row: '0',
      range: { bytes, start, end, steady: false, view, textKind: `${slot}.textKind` },
    },
  };
}

function readCode(accessor: string, view: string, at: string): string {
  return accessor === 'Uint8' ? `${view}.getUint8(${at})` : `${view}.get${accessor}(${at}, true)`;
}

/** A value of no fixed width on its way into a row: locals of its memory and range. */
interface Piece {
  readonly stored: StoredField;
  readonly view: string;
  readonly start: string;
  readonly end: string;
}

/**
 * Writes the fields of a row that a layout has. `claim` gives code of the place of a row of so many bytes; it runs
 * once, when the size is known.
 */
export function storeRowCode(
  unit: CodeUnit,
  layout: RowLayout,
  row: FlowRow,
  claim: (bytes: string) => RowPlace,
  place: CodeBlock,
): void {
  const values = layout.fields.map((stored) => ({
    stored,
    value: fieldOf(stored, layout, row, place),
  }));
  const pieces = values.flatMap(({ stored, value }) =>
    stored.accessor !== null ? [] : [pieceCode(unit, stored, value, place)],
  );
  const lengths = pieces.map(({ start, end }) => (start === '0' ? end : `${end} - ${start}`));
  const target = claim([String(layout.fixedBytes), ...lengths].join(' + '));
  const { bytes, view, at } = target;
  place.line(`${view}.setInt32(${at}, ${layout.id}, true);`);
  for (let mark = 0; mark < layout.markBytes; mark++) {
    place.line(`${bytes}[${at} + ${ID_BYTES + mark}] = ${marksOfByte(layout, values, mark)};`);
  }
  for (const { stored, value } of values) {
    if (stored.accessor !== null) fixedCode(stored, value, target, place);
  }
  if (pieces.length === 0) return;
  const end = unit.fresh('end');
  place.line(`let ${end} = ${layout.fixedBytes};`);
  const copy = unit.constant(copyBytes, 'copyBytes');
  for (const piece of pieces) {
    const source = `${piece.view}, ${piece.start}, ${piece.end}`;
    place.line(`${copy}(${source}, ${view}, ${at} + ${end});`);
    place.line(`${end} += ${piece.end} - ${piece.start};`);
    place.line(`${view}.setUint32(${at} + ${piece.stored.offset}, ${end}, true);`);
  }
}

/** A field of a row; records of several shapes are kept whole. */
function fieldOf(
  { field }: StoredField,
  { schema }: RowLayout,
  row: FlowRow,
  place: CodeBlock,
): FieldValue | null {
  if (schema.shape !== 'value' || row.schema?.shape === 'value') return row.field(field.name);
  const value = row.object(null, place);
  const { type } = field;
  return { type, nullable: false, isNull: 'false', value, binary: null, object: value };
}

/** Code of one byte of the marks of a row. */
function marksOfByte(
  { markBytes }: RowLayout,
  values: readonly { readonly stored: StoredField; readonly value: FieldValue | null }[],
  byte: number,
): string {
  const marks = values.flatMap(({ stored: { nullBit, missingBit }, value }) => {
    // What the row does not have at all is missing, where it may be, or null.
    const isNull = value === null ? 'true' : value.isNull;
    const isMissing = value === null ? 'true' : (value.isMissing ?? 'false');
    return [
      ...(nullBit >> 3 === byte ? [[nullBit, isNull] as const] : []),
      ...(missingBit >> 3 === byte ? [[missingBit, isMissing] as const] : []),
    ];
  });
  const set = marks.filter(([bit, code]) => bit >= 0 && code !== 'false');
  if (markBytes === 0 || set.length === 0) return '0';
  return set.map(([bit, code]) => `(${code} ? ${1 << (bit & 7)} : 0)`).join(' | ');
}

function fixedCode(
  { field, accessor, offset }: StoredField,
  value: FieldValue | null,
  { view, at }: RowPlace,
  place: CodeBlock,
): void {
  if (value === null || value.isNull === 'true' || field.type.kind === 'null') return;
  const stored = fixedValueCode(field.type, value);
  const order = accessor === 'Uint8' ? '' : ', true';
  const write = `${view}.set${accessor}(${at} + ${offset}, ${stored}${order});`;
  place.line(value.isNull === 'false' ? write : `if (!(${value.isNull})) ${write}`);
}

function fixedValueCode(type: DataType, value: FieldValue): string {
  if (type.kind === 'bool') return `${value.value} ? 1 : 0`;
  if (type.kind === 'timestamp' && value.type.kind === 'date') return `${value.value} * 86400000`;
  return value.value;
}

/** Sets locals to where the bytes of a value are, which are none for null. */
function pieceCode(
  unit: CodeUnit,
  stored: StoredField,
  value: FieldValue | null,
  place: CodeBlock,
): Piece {
  const { field } = stored;
  const none = { stored, view: unit.constant(NO_VIEW, 'noView') };
  if (value === null || value.isNull === 'true') return { ...none, start: '0', end: '0' };
  const form = formOf(field.type);
  const isText = form === 'utf8' || (form === 'bytes' && field.type.kind !== 'any');
  const end = unit.fresh(`${field.name}_end`);
  const guard = (code: string, other: string): string =>
    value.isNull === 'false' ? code : `${value.isNull} ? ${other} : ${code}`;
  if (isText && value.binary !== null) {
    const parts = binaryParts(unit, value.binary);
    const { range } = value.binary;
    const start = unit.fresh(`${field.name}_start`);
    place.line(`const ${start} = ${guard(parts.start, '0')};`);
    place.line(`const ${end} = ${guard(parts.end, '0')};`);
    const view =
      range?.view ??
      (range?.steady === false
        ? `${unit.constant(wordView, 'wordView')}(${parts.bytes})`
        : unit.hoist(`${unit.constant(wordView, 'wordView')}(${parts.bytes})`, 'view'));
    return { stored, view, start, end };
  }
  if (form === 'utf8') {
    const scratch = unit.constant(new TextScratch(), `${field.name}_text`);
    // A decimal of a type that has become wider is its text, too.
    const text = formOf(value.type) === 'utf8' ? value.value : presentValueCode(unit, value);
    place.line(`const ${end} = ${guard(`${scratch}.encode(${text})`, '0')};`);
    return { stored, view: `${scratch}.view`, start: '0', end };
  }
  const bytes = unit.fresh(`${field.name}_bytes`);
  const serialize = unit.constant(serializeAny, 'serializeAny');
  const written = isText
    ? value.value
    : `${serialize}(${recordValueCode(unit, value)}, ${JSON.stringify(field.name)})`;
  place.line(`const ${bytes} = ${guard(written, unit.constant(NO_BYTES, 'noBytes'))};`);
  place.line(`const ${end} = ${bytes}.length;`);
  const view = `${unit.constant(wordView, 'wordView')}(${bytes})`;
  return { stored, view, start: '0', end };
}

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);
