/**
 * The schema of records as the tree of columns that a Parquet file has: the inverse of
 * `schema-tree.ts`. Callers: the Parquet encoder. Runs on: any thread; pure.
 */
import { childFields } from '../../record/appenders.js';
import type { Field, Schema } from '../../record/schema.js';
import { formOf } from '../../record/schema.js';
import { unsupported } from './corrupt.js';
import * as types from './parquet-types.js';

/** An element of the file's schema, and what else its footer says of it. */
export interface WriteElement {
  readonly name: string;
  readonly type: number | null;
  readonly typeLength: number;
  /** Null for the root. */
  readonly repetition: number | null;
  readonly children: number;
  readonly converted: number | null;
  readonly logical: WriteLogical | null;
}

/** A logical type and its parameters. */
export interface WriteLogical {
  readonly id: number;
  readonly precision: number;
  readonly scale: number;
  readonly bits: number;
  readonly signed: boolean;
}

/** A column of values. */
export interface WriteLeaf {
  readonly kind: 'leaf';
  readonly field: Field;
  readonly path: readonly string[];
  readonly physical: number;
  readonly typeLength: number;
  readonly nullable: boolean;
  /** Highest levels of the column. */
  readonly definition: number;
  readonly repetition: number;
}

/** Columns side by side, or the items of lists and maps. */
export interface WriteGroup {
  readonly kind: 'struct' | 'list' | 'map';
  readonly field: Field;
  readonly nullable: boolean;
  readonly children: readonly WriteNode[];
  /** Repetition level of a list's further items. */
  readonly itemRepetition: number;
}

export type WriteNode = WriteLeaf | WriteGroup;

/** A file's columns, as they are written and as its footer lists them. */
export interface WriteTree {
  readonly nodes: readonly WriteNode[];
  readonly leaves: readonly WriteLeaf[];
  readonly elements: readonly WriteElement[];
}

/** The tree of a schema. Throws `FEATURE_UNSUPPORTED` naming the field. */
export function writeTree(schema: Schema): WriteTree {
  const builder = new WriteTreeBuilder();
  if (schema.fields.length === 0) throw noColumns('The records');
  builder.elements.push(group('schema', null, schema.fields.length));
  const place = { path: [], definition: 0, repetition: 0 };
  const nodes = schema.fields.map((field) => builder.node(field, place));
  return { nodes, leaves: builder.leaves, elements: builder.elements };
}

/** Where a node stands: levels of what is around it. */
interface Place {
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

class WriteTreeBuilder {
  readonly elements: WriteElement[] = [];
  readonly leaves: WriteLeaf[] = [];

  node(field: Field, place: Place): WriteNode {
    const nullable = field.nullable || field.optional;
    const repetition = nullable ? types.OPTIONAL : types.REQUIRED;
    const definition = place.definition + (nullable ? 1 : 0);
    const path = [...place.path, field.name];
    const inside = { path, definition, repetition: place.repetition };
    const { kind } = field.type;
    if (kind === 'struct' || kind === 'list' || kind === 'map') {
      return this.#group(kind, field, nullable, inside);
    }
    const element = leafElement(field, repetition);
    this.elements.push(element);
    const leaf: WriteLeaf = {
      kind: 'leaf',
      field,
      path,
      physical: element.type ?? types.BYTE_ARRAY,
      typeLength: element.typeLength,
      nullable,
      definition,
      repetition: place.repetition,
    };
    this.leaves.push(leaf);
    return leaf;
  }

  #group(
    kind: 'struct' | 'list' | 'map',
    field: Field,
    nullable: boolean,
    inside: Place,
  ): WriteGroup {
    const repetition = nullable ? types.OPTIONAL : types.REQUIRED;
    const fields = childFields(field);
    const parts = { kind, field, nullable, itemRepetition: inside.repetition + 1 };
    if (kind === 'struct') {
      if (fields.length === 0) throw noColumns(`The objects of field "${field.name}"`);
      this.elements.push(group(field.name, repetition, fields.length));
      return { ...parts, children: fields.map((child) => this.node(child, inside)) };
    }
    const isList = kind === 'list';
    this.elements.push({
      ...group(field.name, repetition, 1),
      converted: isList ? types.CONVERTED_LIST : types.CONVERTED_MAP,
      logical: logical(isList ? types.LOGICAL_LIST : types.LOGICAL_MAP),
    });
    const repeated = isList ? 'list' : 'key_value';
    this.elements.push(group(repeated, types.REPEATED, fields.length));
    const items = {
      path: [...inside.path, repeated],
      definition: inside.definition + 1,
      repetition: inside.repetition + 1,
    };
    // Readers look for the items of a list under this name.
    const named = isList ? fields.map((item) => ({ ...item, name: 'element' })) : fields;
    return { ...parts, children: named.map((child) => this.node(child, items)) };
  }
}

function group(name: string, repetition: number | null, children: number): WriteElement {
  const none = { type: null, typeLength: 0, converted: null, logical: null };
  return { name, repetition, children, ...none };
}

function logical(id: number, parts: Partial<WriteLogical> = {}): WriteLogical {
  return { id, precision: 0, scale: 0, bits: 0, signed: true, ...parts };
}

function leafElement(field: Field, repetition: number): WriteElement {
  const base = { name: field.name, repetition, children: 0, typeLength: 0 };
  const plain = (type: number): WriteElement => ({ ...base, type, converted: null, logical: null });
  switch (field.type.kind) {
    case 'bool':
      return plain(types.BOOLEAN);
    case 'null':
      return { ...plain(types.BOOLEAN), logical: logical(types.LOGICAL_UNKNOWN) };
    case 'float32':
      return plain(types.FLOAT);
    case 'int32':
      return plain(types.INT32);
    case 'int64':
      return plain(types.INT64);
    case 'bytes':
      return plain(types.BYTE_ARRAY);
    case 'int8':
      return narrow(plain(types.INT32), 8, true, types.CONVERTED_INT_8);
    case 'int16':
      return narrow(plain(types.INT32), 16, true, types.CONVERTED_INT_16);
    case 'uint8':
      return narrow(plain(types.INT32), 8, false, types.CONVERTED_UINT_8);
    case 'uint16':
      return narrow(plain(types.INT32), 16, false, types.CONVERTED_UINT_16);
    case 'uint32':
      return narrow(plain(types.INT32), 32, false, types.CONVERTED_UINT_32);
    case 'date':
      return marked(plain(types.INT32), types.CONVERTED_DATE, types.LOGICAL_DATE);
    case 'timestamp':
      return marked(plain(types.INT64), types.CONVERTED_TIMESTAMP_MILLIS, types.LOGICAL_TIMESTAMP);
    case 'utf8':
      return marked(plain(types.BYTE_ARRAY), types.CONVERTED_UTF8, types.LOGICAL_STRING);
    case 'any':
      return marked(plain(types.BYTE_ARRAY), types.CONVERTED_JSON, types.LOGICAL_JSON);
    case 'decimal':
      return decimalElement(plain(types.INT64), field);
    default:
      return plain(types.DOUBLE);
  }
}

function marked(element: WriteElement, converted: number, id: number): WriteElement {
  return { ...element, converted, logical: logical(id) };
}

function narrow(
  element: WriteElement,
  bits: number,
  signed: boolean,
  converted: number,
): WriteElement {
  return { ...element, converted, logical: logical(types.LOGICAL_INTEGER, { bits, signed }) };
}

function decimalElement(element: WriteElement, { type }: Field): WriteElement {
  const { precision, scale } = type.kind === 'decimal' ? type : { precision: 0, scale: 0 };
  const decimal = {
    ...element,
    converted: types.CONVERTED_DECIMAL,
    logical: logical(types.LOGICAL_DECIMAL, { precision, scale }),
  };
  if (formOf(type) === 'i64') return decimal;
  return { ...decimal, type: types.FIXED_LEN_BYTE_ARRAY, typeLength: decimalBytes(precision) };
}

/** Bytes that hold any integer of so many digits. */
function decimalBytes(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8);
}

function noColumns(what: string): Error {
  return unsupported(
    `${what} have no fields, which a Parquet file cannot express.`,
    'Give them a field, leave them out with select or map, or write NDJSON.',
  );
}
