/**
 * The physical layout of a table as its specification implies it: forms of the key columns, names and offsets of
 * the arrays of a page. Callers: hot-table.ts, table-code.ts, table-snapshot.ts, generated
 * code of aggregations. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType } from '../record/schema.js';
import { formOf, typeName } from '../record/schema.js';
import type { TableSpec, ValueForm } from './contract.js';
import { KEY_TEXT_BYTES } from './key-texts.js';

/** Form of a key column. Text and bytes keys are laid out by key-texts.ts. */
export type KeyForm = 'f64' | 'f32' | 'i32' | 'u32' | 'u8' | 'i64' | 'text';

/** One key column. */
export interface KeyShape {
  readonly type: DataType;
  readonly form: KeyForm;
}

/** One array of a page. */
export interface PageArray {
  /** `c0`, `c1`, … for values, `k0`, `k1`, … for keys; forms for packed values. */
  readonly name: string;
  readonly constructor: string;
  readonly offset: number;
  /** Elements of the array per entry. */
  readonly width: number;
}

/** Where the fixed columns of a packed table are within an entry. */
interface Packing {
  /** Bytes of an entry's columns together. */
  readonly entryBytes: number;
  /** Byte of each column in there; -1 for columns with an array of their own. */
  readonly offsets: readonly number[];
}

/** The layout of a table. */
export interface TableShape {
  readonly spec: TableSpec;
  readonly keys: readonly KeyShape[];
  /** Typed arrays of a page, in one buffer. */
  readonly arrays: readonly PageArray[];
  readonly pageBytes: number;
  /** Entries per page, as shift. */
  readonly pageShift: number;
}

/** Bytes per entry, constructor and elements per entry by form; texts and rows are positions in the byte arena. */
const ELEMENTS: Readonly<Record<KeyForm | ValueForm, readonly [number, string, number] | null>> = {
  f64: [8, 'Float64Array', 1],
  f32: [4, 'Float32Array', 1],
  i32: [4, 'Int32Array', 1],
  u32: [4, 'Uint32Array', 1],
  u8: [1, 'Uint8Array', 1],
  i64: [8, 'BigInt64Array', 1],
  text: [KEY_TEXT_BYTES, 'Int32Array', KEY_TEXT_BYTES / 4],
  utf8: [4, 'Int32Array', 1],
  rows: [4, 'Int32Array', 1],
  js: null,
  none: null,
};

/** The layout of a table with pages of 2^pageShift entries. */
export function tableShape(spec: TableSpec, pageShift: number): TableShape {
  const keys = spec.keys.map((type) => ({ type, form: keyForm(type, spec.name) }));
  const packing = packingOf(spec);
  const own = spec.columns.flatMap((column, index) =>
    packing.offsets[index] < 0 ? [{ name: `c${index}`, form: column.form }] : [],
  );
  const wanted = [...own, ...keys.map((key, index) => ({ name: `k${index}`, form: key.form }))];
  const typed = wanted.flatMap(({ name, form }) => {
    const element = ELEMENTS[form];
    if (element === null) return [];
    return [{ name, bytes: element[0], constructor: element[1], width: element[2] }];
  });
  // Widest elements first, so that every array is aligned.
  typed.sort((left, right) => right.bytes - left.bytes);
  const packed = packedArrays(spec, packing);
  let offset = packing.entryBytes << pageShift;
  const alone = typed.map(({ name, bytes, constructor, width }) => {
    const array = { name, constructor, offset, width };
    offset += bytes << pageShift;
    return array;
  });
  return { spec, keys, arrays: [...packed, ...alone], pageBytes: offset, pageShift };
}

/** Forms that are packed, widest first, so that every value is aligned. */
const PACKED_FORMS = ['f64', 'i64', 'i32', 'rows', 'u8'] as const;

function packingOf({ columns, isPacked = false }: TableSpec): Packing {
  const offsets = columns.map(() => -1);
  let end = 0;
  for (const form of isPacked ? PACKED_FORMS : []) {
    const own = columns.filter((column) => column.form === form);
    // Single bytes lie apart where packing would make entries longer: an array of them is small enough for a cache.
    if (form === 'u8' && end + own.length > Math.ceil(end / 8) * 8) continue;
    columns.forEach((column, index) => {
      if (column.form !== form) return;
      offsets[index] = end;
      end += bytesOf(form);
    });
  }
  return { entryBytes: Math.ceil(end / 8) * 8, offsets };
}

/** One array per form over the packed columns, which are at the start of a page. */
function packedArrays({ columns }: TableSpec, { entryBytes, offsets }: Packing): PageArray[] {
  return PACKED_FORMS.flatMap((form) => {
    const isUsed = columns.some((column, index) => column.form === form && offsets[index] >= 0);
    const element = ELEMENTS[form];
    if (!isUsed || element === null) return [];
    const [bytes, constructor] = element;
    return [{ name: form, constructor, offset: 0, width: entryBytes / bytes }];
  });
}

function bytesOf(form: ValueForm): number {
  return ELEMENTS[form]?.[0] ?? 0;
}

/** Where a page has the values of a fixed column: element `o * width + at` of an array is that of the entry at o. */
export interface ColumnPlace {
  readonly array: string;
  readonly width: number;
  readonly at: number;
}

/** The place of a column with fixed values. */
export function columnPlace(spec: TableSpec, index: number): ColumnPlace {
  const { entryBytes, offsets } = packingOf(spec);
  if (offsets[index] < 0) return { array: `c${index}`, width: 1, at: 0 };
  const { form } = spec.columns[index];
  const bytes = bytesOf(form);
  return { array: form, width: entryBytes / bytes, at: offsets[index] / bytes };
}

/** Code of a column of the entry at `o` of a page. */
export function columnCode(spec: TableSpec, index: number, page: string, o: string): string {
  const { array, width, at } = columnPlace(spec, index);
  const first = width === 1 ? o : `${o} * ${width}`;
  return `${page}.${array}[${first}${at === 0 ? '' : ` + ${at}`}]`;
}

/** The form of a key column; refuses types whose values are not compared by value. */
export function keyForm(type: DataType, table: string): KeyForm {
  const form = type.kind === 'any' ? 'list' : formOf(type);
  switch (form) {
    case 'utf8':
    case 'bytes':
      return 'text';
    case 'list':
    case 'struct':
    case 'map':
      throw new MillraceError(
        'KEY_UNSUPPORTED',
        `State table ${JSON.stringify(table)} cannot have a key of type ${typeName(type)}.`,
        { advice: 'Key by numbers, text, bytes, booleans, dates, or several such fields.' },
      );
    default:
      return form;
  }
}
