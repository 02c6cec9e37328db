/**
 * Takes nested columns apart into columns of values with levels: the inverse of `nested-cursor.ts`.
 * Callers: `parquet-encoder.ts`. Runs on: the slot's thread. Invariant: every column below a node
 * gets at least one level for every row of the node.
 */
import { bitAt } from '../../record/bitmap.js';
import type { Column } from '../../record/column.js';
import { NestedColumn, StructColumn } from '../../record/column.js';
import type { ColumnWriter } from './column-writer.js';
import type { WriteGroup, WriteLeaf, WriteNode } from './write-tree.js';

/** The writer of each column of values. */
export type LeafWriters = ReadonlyMap<WriteLeaf, ColumnWriter>;

/** Adds rows of a column, nested or not, to the columns of values below its node. */
export function shredRows(
  node: WriteNode,
  column: Column,
  from: number,
  to: number,
  writers: LeafWriters,
): void {
  if (node.kind === 'leaf') {
    writers.get(node)?.addRows(column, from, to);
    return;
  }
  for (let row = from; row < to; row++) shredValue(node, column, row, 0, 0, writers);
}

/** Adds one value; the levels are those of the place where it stands. */
function shredValue(
  node: WriteNode,
  column: Column,
  row: number,
  repetition: number,
  definition: number,
  writers: LeafWriters,
): void {
  const isThere = bitAt(column.validity, row);
  if (node.kind === 'leaf') {
    const writer = writers.get(node);
    if (isThere) writer?.addValue(column, row, repetition);
    else writer?.addEmpty(repetition, definition);
    return;
  }
  if (!isThere) {
    addEmpty(node, repetition, definition, writers);
    return;
  }
  const inside = definition + (node.nullable ? 1 : 0);
  if (column instanceof StructColumn) {
    for (let child = 0; child < node.children.length; child++) {
      shredValue(node.children[child], column.children[child], row, repetition, inside, writers);
    }
  } else if (column instanceof NestedColumn) {
    shredItems(node, column, row, repetition, inside, writers);
  }
}

function shredItems(
  node: WriteGroup,
  column: NestedColumn,
  row: number,
  repetition: number,
  definition: number,
  writers: LeafWriters,
): void {
  const start = column.offsets[row];
  const end = column.offsets[row + 1];
  if (start === end) {
    addEmpty(node, repetition, definition, writers);
    return;
  }
  for (let item = start; item < end; item++) {
    const level = item === start ? repetition : node.itemRepetition;
    for (let child = 0; child < node.children.length; child++) {
      const values = column.children[child];
      shredValue(node.children[child], values, item, level, definition + 1, writers);
    }
  }
}

/** Says to every column below a node that there is nothing. */
function addEmpty(
  node: WriteNode,
  repetition: number,
  definition: number,
  writers: LeafWriters,
): void {
  if (node.kind === 'leaf') {
    writers.get(node)?.addEmpty(repetition, definition);
    return;
  }
  for (const child of node.children) addEmpty(child, repetition, definition, writers);
}
