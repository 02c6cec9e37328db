/**
 * The fragment of `explode`: a loop inside the loop over rows, one turn per item. Parts of a text are ranges of its
 * bytes and items of a list column rows of its child, so no list is built. When the loop has to stop in the middle
 * of a row, the rest of it is put aside, and a function of its own goes on there. Callers: the chain compiler. Runs
 * on: worker, when a chain is compiled. Invariant: what stands before an explode runs once per row, however often
 * its items are interrupted.
 */
import { assert } from '../../base/assert.js';
import { ByteMarks } from '../../record/byte-marks.js';
import { TEXT_WTF8, type BinaryColumn } from '../../record/column.js';
import { valueAt } from '../../record/column-value.js';
import type { DataType, Field, Schema } from '../../record/schema.js';
import { fieldIndex } from '../../record/schema.js';
import { wordView } from '../../record/words.js';
import { textAt } from '../../record/text.js';
import { columnValue } from '../batch-row.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { ComputedRow } from '../chain-row.js';
import type { CodeBlock } from '../code-block.js';
import { compileExpression } from '../expression-compiler.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import { binaryParts, KeyText } from '../key-code.js';
import { recordValueCode } from '../object-code.js';
import { ObjectRow } from '../object-row.js';
import { outputSchemaOf } from '../operator-schema.js';
import { marksCode } from '../record-code.js';
import { itemsCode, turnCode } from './turns.js';
import {
  byteFrom,
  ITEM_FIELD,
  PART_END,
  PART_ROW,
  PART_START,
  partColumn,
  partEnd,
  type TextParts,
  textPartsOf,
  wordEnd,
  wordStart,
} from '../text-parts.js';

/** Puts the rest of the row aside; `record` is what results take over of it. */
type HoldRest = (record: string, place: CodeBlock) => void;

/** A row that is being exploded. */
interface Exploding extends Placed<'explode'> {
  readonly row: FlowRow;
  /** Schema of the results. */
  readonly schema: Schema;
  readonly pending: string;
  /** Fields of the row that somebody behind it uses. */
  readonly used: Set<string>;
}

/** The bytes whose parts are wanted, in generated code: locals, but for what is constant. */
interface TextRange {
  readonly bytes: string;
  readonly start: string;
  readonly end: string;
  readonly steady: boolean;
  /** A DataView of the bytes, where there is one. */
  readonly view?: string;
  /** Where texts of the column end that lie one behind the other, for texts of a batch. */
  readonly last?: string;
  /** A column like them, for what works on columns. */
  readonly column: string;
  readonly textKind: string;
  /** True for a row that has no list or none in it, and is to give null all the same. */
  readonly none: string;
}

/** Hands on a row for each item. */
export function explodeFragment(
  code: ChainCode,
  placed: Placed<'explode'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const exploding = bind(code, placed, row);
  const { spec, schema } = exploding;
  assert(row.schema !== null, 'An explode looks into its records.');
  const parts = textPartsOf(spec.list, row.schema);
  if (parts === null) listFragment(code, exploding, place);
  else textFragment(code, exploding, parts, place);
  // A field that nobody knows would be lost.
  if (schema.fields.length >= row.schema.fields.length) row.useAllFields();
}

function bind(code: ChainCode, placed: Placed<'explode'>, row: FlowRow): Exploding {
  const schema = outputSchemaOf(placed.spec, row.schema);
  assert(schema !== null, 'The schema of an explode is known before its code is generated.');
  const pending = code.unit.constant(code.run.pending[placed.index], `rest${placed.index}`);
  return { ...placed, row, schema, pending, used: new Set() };
}

/** Goes on with the row that waits. */
export function explodeRestFragment(
  code: ChainCode,
  placed: Placed<'explode'>,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const input = run.heldInputs[placed.index];
  assert(input !== null, 'The schema of a row that waits is known.');
  const pending = unit.constant(run.pending[placed.index], `rest${placed.index}`);
  for (const name of ['time', 'kind', 'record']) place.line(`const ${name} = ${pending}.${name};`);
  place.line(`row = ${pending}.row;`);
  const marks = { time: 'time', kind: 'kind' };
  // The record was made from columns of the schema, so it needs no check.
  const row = new ObjectRow(unit, input, 'record', marks, place.place());
  const exploding = bind(code, placed, row);
  const parts = textPartsOf(placed.spec.list, input);
  if (parts === null) {
    const list = unit.hoist(`${pending}.list`, 'list');
    const at = unit.register(`${pending}.index`, 'at');
    arrayLoop(code, exploding, list, at, place);
  } else {
    const at = unit.register(`${pending}.at`, 'at');
    partLoop(code, exploding, parts.separator, heldText(code, pending), at, place);
  }
  unit.atEnd(`${pending}.settle();`);
}

/** The rest of a text that waits. */
function heldText({ unit }: ChainCode, pending: string): TextRange {
  const column = unit.hoist(`${pending}.text`, 'text');
  return {
    bytes: unit.hoist(`${column}.bytes`, 'bytes'),
    start: '0',
    end: unit.hoist(`${column}.bytes.length`, 'end'),
    steady: true,
    column,
    textKind: `${column}.textKind`,
    none: unit.hoist(`${pending}.isNone`, 'none'),
  };
}

/** A row for each part of a text. */
function textFragment(
  code: ChainCode,
  exploding: Exploding,
  parts: TextParts,
  outside: CodeBlock,
): void {
  const { unit } = code;
  const { row, spec, pending } = exploding;
  const text = compileExpression(parts.text, row, unit.at(outside));
  const isNull = unit.fresh('none');
  const isGuarded = text.isNull !== 'false' && !spec.outer;
  const place = isGuarded ? outside.open(`if (!(${text.isNull}))`) : outside;
  if (spec.outer) place.line(`let ${isNull} = ${text.isNull};`);
  const range = rangeOf(code, text, spec.outer ? isNull : 'false', place);
  const at = unit.fresh('at');
  const { bytes, start, end } = range;
  if (parts.separator === null) {
    const first = `${unit.constant(wordStart, 'wordStart')}(${bytes}, ${start}, ${end})`;
    place.line(`let ${at} = ${spec.outer ? `${isNull} ? -1 : ` : ''}${first};`);
    if (spec.outer) place.line(`if (${at} < 0) ${isNull} = true;`);
  } else {
    place.line(`let ${at} = ${start};`);
  }
  if (spec.outer) place.line(`if (${isNull}) ${at} = ${end};`);
  const hold: HoldRest = (record, held) => {
    const marks = marksCode(row.marks);
    const rest = `${range.none}, ${bytes}, ${at}, ${end}, ${range.textKind}`;
    held.line(`${pending}.holdText(${record}, ${marks}, ${rest});`);
  };
  partLoop(code, exploding, parts.separator, range, at, place);
  restCode(code, exploding, `${at} >= 0`, hold, place);
}

/** The bytes of a text: where they are, or written for the purpose. */
function rangeOf(code: ChainCode, text: FieldValue, none: string, place: CodeBlock): TextRange {
  const { unit } = code;
  const end = unit.fresh('end');
  if (text.binary !== null) {
    const parts = binaryParts(unit, text.binary);
    const { column, range } = text.binary;
    const start = unit.fresh('start');
    place.line(`const ${start} = ${parts.start};`);
    place.line(`const ${end} = ${parts.end};`);
    const textKind = unit.hoist(`${column}.textKind`, 'textKind');
    const steady = range?.steady ?? true;
    const view = range?.view === undefined ? {} : { view: range.view };
    const last = range === undefined ? { last: lastCode(code, column) } : {};
    return { bytes: parts.bytes, start, end, steady, ...view, ...last, column, textKind, none };
  }
  const scratch = unit.constant(new KeyText(), 'text');
  const bytes = unit.fresh('bytes');
  const guard = none === 'false' ? '' : `${none} ? 0 : `;
  place.line(`const ${end} = ${guard}${scratch}.encode(${text.value});`);
  const view = unit.fresh('view');
  place.line(`const ${bytes} = ${scratch}.bytes;`);
  place.line(`const ${view} = ${scratch}.view;`);
  const column = unit.constant(looseText(), 'looseText');
  const textKind = String(TEXT_WTF8);
  return { bytes, start: '0', end, steady: false, view, column, textKind, none };
}

/** Where the texts of a column end; -1 where rows share them, so that a row's neighbours are not next to it. */
function lastCode({ unit }: ChainCode, column: string): string {
  const end = `${column}.offsets[${column}.entries]`;
  return unit.hoist(`${column}.isDictionary ? -1 : ${end}`, 'lastByte');
}

/** A column like texts of which nothing is known. */
function looseText(): Pick<BinaryColumn, 'bytes' | 'offsets' | 'entries' | 'textKind'> {
  return {
    bytes: new Uint8Array(0),
    offsets: new Int32Array(2),
    entries: 1,
    textKind: TEXT_WTF8,
  };
}

/** The loop over the parts of a text from `at` on, a local that is -1 when all are done. */
function partLoop(
  code: ChainCode,
  exploding: Exploding,
  separator: Uint8Array | null,
  range: TextRange,
  at: string,
  place: CodeBlock,
): void {
  const { unit } = code;
  const { bytes, end, steady, view } = range;
  const part = unit.hoist(`${unit.constant(partColumn, 'partColumn')}(${range.column})`, 'part');
  const offsets = unit.hoist(`${part}.offsets`, 'partRange');
  if (!steady) place.line(`${part}.bytes = ${bytes};`);
  const before = place.place();
  const loop = place.open(`while (${at} >= 0 && ${turnCode(code)})`);
  const behind = place.place();
  const from = unit.fresh('from');
  const to = unit.fresh('to');
  loop.line(`${itemsCode(code)}++;`);
  loop.line(`const ${from} = ${at};`);
  if (separator === null) {
    loop.line(`const ${to} = ${unit.constant(wordEnd, 'wordEnd')}(${bytes}, ${from}, ${end});`);
    loop.line(`${at} = ${unit.constant(wordStart, 'wordStart')}(${bytes}, ${to}, ${end});`);
  } else {
    if (separator.length === 1) {
      byteCode(code, range, separator[0], { from, to }, { before, loop, behind });
    } else {
      const find = unit.constant(partEnd, 'partEnd');
      const literal = unit.constant(separator, 'separator');
      loop.line(`const ${to} = ${find}(${bytes}, ${from}, ${end}, ${literal});`);
    }
    loop.line(`${at} = ${to} < ${end} ? ${to} + ${separator.length} : -1;`);
  }
  loop.line(`${offsets}[${PART_START}] = ${from};`);
  loop.line(`${offsets}[${PART_END}] = ${to};`);
  const { outer } = exploding.spec;
  const place0 = {
    column: part,
    row: PART_ROW,
    index: null,
    range: { bytes, start: from, end: to, steady, ...(view === undefined ? {} : { view }) },
  };
  itemCode(
    code,
    exploding,
    {
      type: ITEM_FIELD.type,
      nullable: outer,
      value: `${unit.constant(textAt, 'textAt')}(${part}, ${PART_ROW})`,
      isNull: outer ? range.none : 'false',
      binary: place0,
      ...(outer ? {} : { source: place0 }),
    },
    loop,
  );
}

/** Code that sets the local `to` to where the part at `from` ends, for separators of one byte. */
function byteCode(
  { unit }: ChainCode,
  { bytes, start, end, view, last }: TextRange,
  byte: number,
  { from, to }: { readonly from: string; readonly to: string },
  { before, loop, behind }: Readonly<Record<'before' | 'loop' | 'behind', CodeBlock>>,
): void {
  const words = view ?? unit.hoist(`${unit.constant(wordView, 'wordView')}(${bytes})`, 'view');
  const find = unit.constant(byteFrom, 'byteFrom');
  const found = `${find}(${bytes}, ${words}, ${from}, ${end}, ${byte})`;
  if (last === undefined) {
    loop.line(`const ${to} = ${found};`);
    return;
  }
  // Rows of a batch lie one behind the other, so the separators of many are found at once.
  const marks = unit.hoist(`${unit.constant(new ByteMarks(byte), 'byteMarks')}.forget()`, 'marks');
  const places = unit.hoist(`${marks}.positions`, 'places');
  const mark = unit.fresh('mark');
  before.line(`let ${mark} = ${marks}.of(${bytes}, ${start}, ${end}, ${last});`);
  loop.line(`let ${to};`);
  const known = loop.open(`if (${mark} >= 0)`);
  known.line(`${to} = ${places}[${mark}];`);
  known.line(`if (${to} < ${end}) ${mark}++;`);
  known.line(`else ${to} = ${end};`);
  loop.line(`else ${to} = ${found};`);
  behind.line(`if (${mark} >= 0) ${marks}.next = ${mark};`);
}

/** A row for each item of a list. */
function listFragment(code: ChainCode, exploding: Exploding, outside: CodeBlock): void {
  const { unit } = code;
  const { row, spec, pending } = exploding;
  const value: FieldValue = compileExpression(spec.list, row, unit.at(outside));
  if (value.source !== undefined) {
    columnFragment(code, exploding, value, value.source, outside);
    return;
  }
  const isGuarded = value.isNull !== 'false' && !spec.outer;
  const place = isGuarded ? outside.open(`if (!(${value.isNull}))`) : outside;
  const list = unit.fresh('list');
  if (spec.outer) {
    place.line(`let ${list} = ${recordValueCode(unit, value)};`);
    const isNone = `${list} === null || ${list} === undefined || ${list}.length === 0`;
    place.line(`if (${isNone}) ${list} = [null];`);
  } else {
    place.line(`const ${list} = ${value.value};`);
  }
  const at = unit.fresh('at');
  place.line(`let ${at} = 0;`);
  arrayLoop(code, exploding, list, at, place);
  const hold: HoldRest = (record, held) => {
    const marks = marksCode(row.marks);
    held.line(`${pending}.holdList(${record}, ${marks}, ${list}.slice(${at}));`);
  };
  restCode(code, exploding, `${at} < ${list}.length`, hold, place);
}

/** The loop over a JavaScript list from index `at` on. */
function arrayLoop(
  code: ChainCode,
  exploding: Exploding,
  list: string,
  at: string,
  place: CodeBlock,
): void {
  const { unit } = code;
  const item = unit.fresh('item');
  const loop = place.open(`while (${at} < ${list}.length && ${turnCode(code)})`);
  loop.line(`${itemsCode(code)}++;`);
  loop.line(`const ${item} = ${list}[${at}++];`);
  const field: Field = { ...resultField(exploding), name: 'value' };
  const schema: Schema = { shape: 'value', fields: [field] };
  // Items were checked with the record they come from, so they need no check.
  const row = new ObjectRow(unit, schema, item, exploding.row.marks, loop.place());
  const value = row.field(field.name);
  assert(value !== null, 'A value has its field.');
  itemCode(code, exploding, value, loop);
}

/** A row for each item of a list that still is in a column. */
function columnFragment(
  code: ChainCode,
  exploding: Exploding,
  value: FieldValue,
  source: { readonly column: string; readonly row: string },
  outside: CodeBlock,
): void {
  const { unit } = code;
  const { row, spec, pending } = exploding;
  const isGuarded = value.isNull !== 'false' && !spec.outer;
  const place = isGuarded ? outside.open(`if (!(${value.isNull}))`) : outside;
  const offsets = unit.hoist(`${source.column}.offsets`, 'listOffsets');
  const child = unit.hoist(`${source.column}.children[0]`, 'items');
  const [at, end] = [unit.fresh('at'), unit.fresh('end')];
  place.line(`let ${at} = ${offsets}[${source.row}];`);
  place.line(`${spec.outer ? 'let' : 'const'} ${end} = ${offsets}[${source.row} + 1];`);
  const none = unit.fresh('none');
  if (spec.outer) {
    place.line(`const ${none} = ${value.isNull} || ${at} === ${end};`);
    place.line(`if (${none}) ${end} = ${at} + 1;`);
  }
  const loop = place.open(`while (${at} < ${end} && ${turnCode(code)})`);
  const item = unit.fresh('item');
  loop.line(`${itemsCode(code)}++;`);
  loop.line(`const ${item} = ${at}++;`);
  const found = columnValue(unit, itemField(value.type), {
    column: child,
    row: item,
    index: null,
  });
  itemCode(code, exploding, spec.outer ? orNone(found, none) : found, loop);
  const hold: HoldRest = (record, held) => {
    const whole = `${unit.constant(valueAt, 'valueAt')}(${source.column}, ${source.row})`;
    const rest = `${whole}.slice(${at} - ${offsets}[${source.row}])`;
    const list = spec.outer ? `${none} ? [null] : ${rest}` : rest;
    held.line(`${pending}.holdList(${record}, ${marksCode(row.marks)}, ${list});`);
  };
  restCode(code, exploding, `${at} < ${end}`, hold, place);
}

/** The value, null where there is no item; what copies columns does not know of that. */
function orNone(value: FieldValue, none: string): FieldValue {
  const { type, binary } = value;
  const isNull = value.isNull === 'false' ? none : `(${none} || ${value.isNull})`;
  return { type, nullable: true, value: value.value, isNull, binary };
}

function itemField(type: DataType): Field {
  assert(type.kind === 'list', 'What is exploded is a list.');
  return { name: ITEM_FIELD.name, ...type.item, optional: false };
}

function resultField({ schema, spec }: Exploding): Field {
  return schema.fields[fieldIndex(schema, spec.as)];
}

/** Hands on the row with one item. */
function itemCode(code: ChainCode, exploding: Exploding, item: FieldValue, place: CodeBlock): void {
  const { row, spec, schema, index, used } = exploding;
  const result = new ComputedRow(code.unit, schema, row.marks, (name) => {
    if (name === spec.as) return item;
    used.add(name);
    const value = row.field(name);
    // The row is there once for each item, so it does not travel as the row of its batch.
    return value?.source === undefined
      ? value
      : { ...value, source: { ...value.source, index: null } };
  });
  code.severalPerRow(() => code.next(index, result, place));
}

/** Stops and puts the rest of the row aside when the loop did not come to its end. */
function restCode(
  code: ChainCode,
  exploding: Exploding,
  condition: string,
  hold: HoldRest,
  place: CodeBlock,
): void {
  const { row, used } = exploding;
  const rest = place.open(`if (${condition})`);
  code.stop(rest);
  hold(used.size === 0 ? 'undefined' : row.object([...used], rest), rest);
}
