/**
 * Batches of some rows of another batch: what a partitioner hands on of rows that travel unchanged. Nothing is copied;
 * the rows are named by number, and whoever reads the batch looks them up. Callers: outputs that deal rows to channels,
 * `frame-writer.ts`. Runs on: worker. Invariant: such a batch is valid as long as the one it is made of.
 */
import { childFields } from './appenders.js';
import type { Batch, SpentBatch } from './batch.js';
import type { Column, FixedColumn } from './column.js';
import { BinaryColumn, fixedColumn, Int64Column, StructColumn } from './column.js';
import type { Field, Schema } from './schema.js';
import { formOf } from './schema.js';

/** Whether rows of a field can be named by number: those of lists and maps would have to be copied item by item. */
export function isSelectable(field: Field): boolean {
  const form = formOf(field.type);
  if (form === 'struct') return childFields(field).every(isSelectable);
  return form !== 'list' && form !== 'map';
}

/**
 * The same rows under another schema: field i is column `columns[i]` of the batch, whose type is the same. `spent`,
 * which an earlier call returned, is used again.
 */
export function batchAs(
  schema: Schema,
  schemaVersion: number,
  batch: Batch,
  columns: readonly number[],
  spent: SpentBatch | null = null,
): SpentBatch {
  const { rows, times, kinds, selection = null } = batch;
  const { fields } = schema;
  const isReused = spent?.schema === schema;
  const made = isReused ? (spent.columns as Column[]) : new Array<Column>(fields.length);
  for (let index = 0; index < fields.length; index++) {
    const own = isReused ? made[index] : null;
    made[index] = columnAs(fields[index], batch.columns[columns[index]], rows, own);
  }
  if (!isReused) return { schema, schemaVersion, rows, columns: made, times, kinds, selection };
  spent.schemaVersion = schemaVersion;
  spent.rows = rows;
  spent.times = times;
  spent.kinds = kinds;
  spent.selection = selection;
  return spent;
}

function columnAs(field: Field, column: Column, rows: number, spent: Column | null): Column {
  const { validity, presence } = column;
  switch (formOf(field.type)) {
    case 'utf8':
    case 'bytes':
      return binaryAs(field, column as BinaryColumn, rows);
    case 'struct': {
      const fields = childFields(field);
      const children = (column as StructColumn).children.map((child, index) =>
        columnAs(fields[index], child, rows, null),
      );
      return new StructColumn(field, children, validity, presence);
    }
    case 'i64':
      return new Int64Column(field, (column as Int64Column).values, validity, presence);
    default:
      return fixedColumn(field, (column as FixedColumn).values, validity, presence, spent);
  }
}

/** A slice of a plain column names some of its entries by its codes, as a selection of them does. */
function binaryAs(field: Field, column: BinaryColumn, rows: number): BinaryColumn {
  const { codes, entries, isDictionary } = column;
  const isSlice = column.isSelected || entries !== rows || codes[0] !== 0;
  return new BinaryColumn({
    field,
    codes,
    offsets: column.offsets,
    bytes: column.bytes,
    entries,
    textKind: column.textKind,
    validity: column.validity,
    presence: column.presence,
    isDictionary,
    isSelected: !isDictionary && isSlice,
  });
}

/**
 * The first `rows` rows numbered in `selection`, which are of the columns even if the batch has a selection. `spent`,
 * which an earlier call returned, is used again.
 */
export function batchOfRows(
  batch: Batch,
  selection: Int32Array,
  rows: number,
  spent: SpentBatch | null = null,
): SpentBatch {
  const { schema, schemaVersion, columns, times, kinds } = batch;
  if (spent === null) return { schema, schemaVersion, rows, columns, times, kinds, selection };
  spent.schema = schema;
  spent.schemaVersion = schemaVersion;
  spent.rows = rows;
  spent.columns = columns;
  spent.times = times;
  spent.kinds = kinds;
  spent.selection = selection;
  return spent;
}

/** Bytes of texts that columns bring along when rows of them are sent, needed or not. */
export function entryBytes(columns: readonly Column[]): number {
  let bytes = 0;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index];
    if ('codes' in column) bytes += column.offsets[column.entries] - column.offsets[0];
    else if ('children' in column) bytes += entryBytes(column.children);
  }
  return bytes;
}
