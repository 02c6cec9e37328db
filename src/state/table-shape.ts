/**
 * The physical layout of a table as its specification implies it: forms of the key columns, names and offsets of
 * the arrays of a page. Callers: hot-table.ts, table-code.ts, table-snapshot.ts. Runs on: any thread; pure.
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
  /** `c0`, `c1`, … for values, `k0`, `k1`, … for keys. */
  readonly name: string;
  readonly constructor: string;
  readonly offset: number;
  /** Elements of the array per entry. */
  readonly width: number;
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

/** Bytes per entry, constructor and elements per entry by form; text values are positions in the byte arena. */
const ELEMENTS: Readonly<Record<KeyForm | ValueForm, readonly [number, string, number] | null>> = {
  f64: [8, 'Float64Array', 1],
  f32: [4, 'Float32Array', 1],
  i32: [4, 'Int32Array', 1],
  u32: [4, 'Uint32Array', 1],
  u8: [1, 'Uint8Array', 1],
  i64: [8, 'BigInt64Array', 1],
  text: [KEY_TEXT_BYTES, 'Int32Array', KEY_TEXT_BYTES / 4],
  utf8: [4, 'Int32Array', 1],
  js: null,
  none: null,
};

/** The layout of a table with pages of 2^pageShift entries. */
export function tableShape(spec: TableSpec, pageShift: number): TableShape {
  const keys = spec.keys.map((type) => ({ type, form: keyForm(type, spec.name) }));
  const wanted = [
    ...spec.columns.map((column, index) => ({ name: `c${index}`, form: column.form })),
    ...keys.map((key, index) => ({ name: `k${index}`, form: key.form })),
  ];
  const typed = wanted.flatMap(({ name, form }) => {
    const element = ELEMENTS[form];
    if (element === null) return [];
    return [{ name, bytes: element[0], constructor: element[1], width: element[2] }];
  });
  // Widest elements first, so that every array is aligned.
  typed.sort((left, right) => right.bytes - left.bytes);
  let offset = 0;
  const arrays = typed.map(({ name, bytes, constructor, width }) => {
    const array = { name, constructor, offset, width };
    offset += bytes << pageShift;
    return array;
  });
  return { spec, keys, arrays, pageBytes: offset, pageShift };
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
