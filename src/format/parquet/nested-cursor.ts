/**
 * Assembles lists, maps and structs out of the levels of their columns, for a whole row group at
 * once, and gives slices of the result. Callers: `row-group-reader.ts`. Runs on: the slot's thread.
 * Invariant: the rows of a column below a list are the items of all lists, in order; below a struct
 * they are the rows of the struct.
 *
 * A "slot" of a place in the schema is a level entry that begins a value there: its repetition
 * level is at most that of the lists around the place, and its definition level says that the item
 * of the innermost list is there.
 */
import { childFields } from '../../record/appenders.js';
import { bitmapBytes } from '../../record/bitmap.js';
import type { Column, FixedArray } from '../../record/column.js';
import {
  BinaryColumn,
  FixedColumn,
  Int64Column,
  NestedColumn,
  StructColumn,
} from '../../record/column.js';
import type { Field } from '../../record/schema.js';
import { corrupt } from './corrupt.js';
import type { ColumnCursor } from './flat-cursor.js';
import { allocateValues } from './leaf-decoder.js';
import { type NestedLeaf, readNestedLeaf } from './nested-leaf.js';
import type { PageSource } from './page-source.js';
import {
  leavesOf,
  type LeafNode,
  type ListNode,
  type SchemaNode,
  type StructNode,
} from './schema-tree.js';
import { sliceColumn } from './slice-column.js';
import { spreadFor } from './spread.js';

/** Levels of the lists around a place. */
interface Place {
  readonly repetition: number;
  readonly definition: number;
}

/** Opens the pages of a column. */
export type OpenPages = (node: LeafNode) => { readonly pages: PageSource; readonly values: number };

/** The cursor of a column that is a list, a map or a struct. */
export class NestedCursor implements ColumnCursor {
  bytesPassed = 0;
  readonly #node: SchemaNode;
  readonly #field: Field;
  readonly #rows: number;
  readonly #open: OpenPages;
  #column: Column | null = null;
  #used = 0;

  constructor(node: SchemaNode, field: Field, rows: number, open: OpenPages) {
    this.#node = node;
    this.#field = field;
    this.#rows = rows;
    this.#open = open;
  }

  available(): number {
    return this.#rows - this.#used;
  }

  skip(rows: number): void {
    this.#used += rows;
  }

  column(rows: number): Column {
    this.#column ??= this.#assemble();
    const start = this.#used;
    this.#used += rows;
    return sliceColumn(this.#column, start, rows);
  }

  #assemble(): Column {
    const leaves = new Map<LeafNode, NestedLeaf>();
    for (const node of leavesOf(this.#node)) {
      const { pages, values } = this.#open(node);
      leaves.set(node, readNestedLeaf(node, pages, values));
      this.bytesPassed += pages.bytesPassed;
    }
    return new Assembler(leaves).column(
      this.#node,
      this.#field,
      { repetition: 0, definition: 0 },
      this.#rows,
    );
  }
}

class Assembler {
  readonly #leaves: ReadonlyMap<LeafNode, NestedLeaf>;

  constructor(leaves: ReadonlyMap<LeafNode, NestedLeaf>) {
    this.#leaves = leaves;
  }

  /** The column of a node with `rows` slots in its place. */
  column(node: SchemaNode, field: Field, place: Place, rows: number): Column {
    if (node.kind === 'leaf') return this.#leaf(node, field, place, rows);
    if (node.kind === 'struct') return this.#struct(node, field, place, rows);
    return this.#list(node, field, place, rows);
  }

  #leaf(node: LeafNode, field: Field, place: Place, rows: number): Column {
    const leaf = this.#levels(node);
    const bits = slotBits(leaf, place, node.definition, rows);
    const validity = node.nullable ? bits.bitmap : null;
    if (leaf.fixed === null) {
      const codes = new Int32Array(rows);
      codes.set(leaf.codes.subarray(0, bits.count));
      const { entries, textKind } = leaf;
      const count = entries.offsets.length - 1;
      spreadFor(codes)(codes, bits.count, bits.bitmap, rows, count - 1);
      const { offsets, bytes } = entries;
      const parts = { field, codes, offsets, bytes, entries: count, textKind, validity };
      return new BinaryColumn({ ...parts, presence: null, isDictionary: true });
    }
    const values = allocateValues(node.leaf, rows);
    if (values instanceof BigInt64Array && leaf.fixed instanceof BigInt64Array) {
      values.set(leaf.fixed.subarray(0, bits.count));
      spreadFor(values)(values, bits.count, bits.bitmap, rows, 0n);
      return new Int64Column(field, values, validity, null);
    }
    if (values === null || values instanceof BigInt64Array || leaf.fixed instanceof BigInt64Array) {
      throw corrupt(`Column "${node.leaf.name}" changes its type.`);
    }
    const fixed: FixedArray = values;
    fixed.set(leaf.fixed.subarray(0, bits.count));
    spreadFor(fixed)(fixed, bits.count, bits.bitmap, rows, 0);
    return new FixedColumn(field, fixed, validity, null);
  }

  #struct(node: StructNode, field: Field, place: Place, rows: number): Column {
    const fields = childFields(field);
    const children = node.children.map((child, index) =>
      this.column(child, fields[index], place, rows),
    );
    const [first] = leavesOf(node);
    const validity = node.nullable
      ? slotBits(this.#levels(first), place, node.definition, rows).bitmap
      : null;
    return new StructColumn(field, children, validity, null);
  }

  #list(node: ListNode, field: Field, place: Place, rows: number): Column {
    const [first] = leavesOf(node);
    const leaf = this.#levels(first);
    const offsets = listOffsets(leaf, node, place, rows);
    const validity = node.nullable ? slotBits(leaf, place, node.definition, rows).bitmap : null;
    const fields = childFields(field);
    const inside = { repetition: node.itemRepetition, definition: node.itemDefinition };
    const children = node.children.map((child, index) =>
      this.column(child, fields[index], inside, offsets[rows]),
    );
    return new NestedColumn(field, offsets, children, validity, null);
  }

  #levels(node: LeafNode): NestedLeaf {
    const leaf = this.#leaves.get(node);
    if (leaf === undefined) throw corrupt(`Column "${node.leaf.name}" was not read.`);
    return leaf;
  }
}

/** One bit a slot: whether the value at `definition` is there; and how many are. */
function slotBits(
  leaf: NestedLeaf,
  place: Place,
  definition: number,
  rows: number,
): { readonly bitmap: Uint8Array; readonly count: number } {
  const { definitions, repetitions } = leaf;
  const bitmap = new Uint8Array(bitmapBytes(rows));
  let slot = 0;
  let count = 0;
  for (let index = 0; index < leaf.count; index++) {
    if (repetitions[index] > place.repetition || definitions[index] < place.definition) continue;
    if (definitions[index] >= definition) {
      bitmap[slot >> 3] |= 1 << (slot & 7);
      count++;
    }
    slot++;
  }
  if (slot !== rows) throw unevenRows(slot, rows);
  return { bitmap, count };
}

/** Where the items of each slot's list begin and end. */
function listOffsets(leaf: NestedLeaf, node: ListNode, place: Place, rows: number): Int32Array {
  const { definitions, repetitions } = leaf;
  const offsets = new Int32Array(rows + 1);
  let slot = 0;
  let items = 0;
  for (let index = 0; index < leaf.count; index++) {
    const isSlot = repetitions[index] <= place.repetition && definitions[index] >= place.definition;
    if (isSlot) {
      if (slot >= rows) throw unevenRows(slot + 1, rows);
      offsets[slot++] = items;
    }
    if (repetitions[index] <= node.itemRepetition && definitions[index] >= node.itemDefinition) {
      items++;
    }
  }
  if (slot !== rows) throw unevenRows(slot, rows);
  offsets[rows] = items;
  return offsets;
}

function unevenRows(found: number, expected: number): Error {
  return corrupt(`The levels of a nested column are of ${found} values instead of ${expected}.`);
}
