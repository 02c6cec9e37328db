/**
 * Reads rows of one row group as columns. Callers: the Parquet source. Runs on: the slot's thread;
 * every call reads and decodes what it gives and no more. Invariant: all columns of a piece are of
 * the same rows; they are valid until the next piece is asked for.
 */
import type { FileHandle } from '../../base/disk.js';
import { type BaseAppender } from '../../record/appender-base.js';
import { createAppender } from '../../record/appenders.js';
import type { Column } from '../../record/column.js';
import type { Field } from '../../record/schema.js';
import { sameType } from '../../record/schema-merge.js';
import { corrupt, unsupported } from './corrupt.js';
import type { Decompressor } from './decompress.js';
import { type ColumnCursor, FlatCursor } from './flat-cursor.js';
import { NestedCursor } from './nested-cursor.js';
import { PageSource } from './page-source.js';
import type { ColumnChunk, RowGroup } from './parquet-types.js';
import { fieldOfNode, type LeafNode, type SchemaNode } from './schema-tree.js';
import { WidenedCursor } from './widened-cursor.js';

/** A column that is wanted. */
export interface WantedColumn {
  /** The column in this file; null when the file does not have it. */
  readonly node: SchemaNode | null;
  /** The column as the records of the whole source have it. */
  readonly field: Field;
}

/** Which rows of which columns to read, and from where. */
export interface RowGroupParts {
  readonly file: FileHandle;
  readonly rowGroup: RowGroup;
  readonly columns: readonly WantedColumn[];
  /** The decompressor of a column, by its index; kept from row group to row group. */
  decompressorOf(column: number): Decompressor;
  /** First row of the row group to read, and the one after the last. */
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** Some rows as columns. */
export interface RowPiece {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** Gives the rows of a row group piece by piece. */
export class RowGroupReader {
  readonly #parts: RowGroupParts;
  readonly #cursors: readonly ColumnCursor[];
  #row: number;

  constructor(parts: RowGroupParts) {
    this.#parts = parts;
    this.#row = parts.rowStart;
    this.#cursors = parts.columns.map((column) => this.#cursor(column));
    if (parts.rowStart > 0) for (const cursor of this.#cursors) cursor.skip(parts.rowStart);
  }

  /** Bytes of the file passed so far. */
  get bytesPassed(): number {
    return this.#cursors.reduce((sum, cursor) => sum + cursor.bytesPassed, 0);
  }

  /** At most `rowsMax` rows, fewer where a page of a column ends; null at the end. */
  next(rowsMax: number): RowPiece | null {
    let rows = Math.min(rowsMax, this.#parts.rowEnd - this.#row);
    if (rows === 0) return null;
    for (const [index, cursor] of this.#cursors.entries()) {
      const available = cursor.available();
      if (available === 0) throw this.#tooFew(index);
      if (available < rows) rows = available;
    }
    this.#row += rows;
    return { rows, columns: this.#cursors.map((cursor) => cursor.column(rows)) };
  }

  #cursor({ node, field }: WantedColumn): ColumnCursor {
    if (node === null) return new MissingCursor(field);
    const own = fieldOfNode(node);
    if (!sameType(own.type, field.type)) {
      return new WidenedCursor(this.#cursor({ node, field: own }), field);
    }
    if (node.kind === 'leaf') return new FlatCursor(this.#pages(node).pages, node, field);
    const { rows } = this.#parts.rowGroup;
    return new NestedCursor(node, field, rows, (leaf) => this.#pages(leaf));
  }

  #pages(node: LeafNode): { readonly pages: PageSource; readonly values: number } {
    const { rowGroup, file } = this.#parts;
    const chunk = rowGroup.columns[node.column];
    checkChunk(chunk, node);
    const decompressor = this.#parts.decompressorOf(node.column);
    return { pages: new PageSource(file, chunk, decompressor), values: chunk.values };
  }

  #tooFew(index: number): Error {
    const { name } = this.#parts.columns[index].field;
    return corrupt(`Column "${name}" ends at row ${this.#row} of its row group.`);
  }
}

function checkChunk(chunk: ColumnChunk | undefined, node: LeafNode): asserts chunk is ColumnChunk {
  const { name } = node.leaf;
  if (chunk === undefined) throw corrupt(`A row group lacks column "${name}".`);
  if (chunk.type !== node.leaf.physical) {
    throw corrupt(`Column "${name}" has another type in a row group than in the schema.`);
  }
  if (chunk.elsewhere) {
    throw unsupported(`Column "${name}" is in another file.`, 'Write whole files.');
  }
  if (chunk.encrypted) {
    throw unsupported(`Column "${name}" is encrypted.`, 'Leave it out, or write it in the clear.');
  }
}

/** A column that a file lacks and other files of the source have. */
class MissingCursor implements ColumnCursor {
  readonly bytesPassed = 0;
  readonly #field: Field;
  #appender: BaseAppender | null = null;
  #written = 0;

  constructor(field: Field) {
    this.#field = field;
  }

  available(): number {
    return Number.POSITIVE_INFINITY;
  }

  skip(): void {}

  column(rows: number): Column {
    if (this.#appender === null || this.#written < rows) {
      this.#appender = createAppender(this.#field, rows);
      for (let row = 0; row < rows; row++) this.#appender.setMissing(row);
      this.#written = rows;
    }
    return this.#appender.column(rows);
  }
}
