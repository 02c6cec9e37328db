/**
 * Draws the table of `print` as rows arrive. Callers: `print.ts`. Runs on: the caller's thread.
 * Invariant: memory is bounded by the rows that are drawn: with an order, by twice as many.
 */
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import { formatCount } from '../../base/units.js';
import type { Batch } from '../../record/batch.js';
import type { Column } from '../../record/column.js';
import { valueAt } from '../../record/row-codec.js';
import type { Field, Schema } from '../../record/schema.js';
import { fieldIndex } from '../../record/schema.js';
import type { Committable, SinkWriter } from '../contract.js';
import { type Cell, cellOf, isNumeric } from './cell-text.js';
import type { PrintSettings } from './print.js';
import { columnWidths, type TableColumn, tableFoot, tableHead, tableRow } from './table.js';

/** Rows wait this long for others before they are drawn. */
const HOLD_MS = 200;

/** A row that is held: its cells, and its value of the order. */
interface HeldRow {
  readonly cells: readonly Cell[];
  readonly order: unknown;
}

/** The drawn part of a table: its columns are settled. */
interface Drawn {
  readonly columns: readonly TableColumn[];
  readonly widths: readonly number[];
}

/** A sink writer over a line writer. */
export class PrintWriter implements SinkWriter {
  bytesWritten = 0;
  readonly #settings: PrintSettings;
  readonly #shownMax: number;
  #schema: Schema | null = null;
  #held: HeldRow[] = [];
  #drawn: Drawn | null = null;
  #rows = 0;
  #shown = 0;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(settings: PrintSettings) {
    this.#settings = settings;
    this.#shownMax = Math.min(settings.rowsMax, settings.limit);
  }

  write(batch: Batch, fromRow: number): number {
    if (batch.schema !== this.#schema) this.#changeSchema(batch.schema);
    const order = this.#orderColumn(batch);
    for (let row = fromRow; row < batch.rows; row++) {
      this.#rows++;
      const full = this.#shown + this.#held.length >= this.#shownMax;
      if (full && order === null) continue;
      this.#held.push({
        cells: batch.columns.map((column) => cellOf(valueAt(column, row), column.field.type)),
        order: order === null ? null : orderOf(batch.columns[order], row),
      });
      if (order !== null && this.#held.length >= this.#shownMax * 2 + 1024) this.#keepFirst();
    }
    if (order === null && this.#held.length > 0) this.#drawSoon();
    return batch.rows - fromRow;
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(endOfInput: boolean): readonly Committable[] {
    if (!endOfInput || this.#ended) return [];
    this.#ended = true;
    this.#cancelTimer();
    if (this.#settings.orderBy !== null) this.#keepFirst();
    this.#draw();
    this.#close();
    return [];
  }

  close(): void {
    this.#cancelTimer();
    // What was held when the job failed is shown all the same: it may tell why.
    if (!this.#ended && this.#settings.orderBy === null) this.#draw();
    this.#ended = true;
  }

  /** A table has one set of columns; records of another type begin a new one. */
  #changeSchema(schema: Schema): void {
    if (this.#schema !== null && !sameColumns(this.#schema, schema)) {
      if (this.#settings.orderBy === null) this.#draw();
      else this.#held = this.#held.map((row) => padded(row, this.#schema, schema));
      if (this.#drawn !== null) this.#line(tableFoot(this.#drawn.widths));
      this.#drawn = null;
    }
    this.#schema = schema;
  }

  #orderColumn(batch: Batch): number | null {
    const { orderBy } = this.#settings;
    if (orderBy === null) return null;
    const index = fieldIndex(batch.schema, orderBy);
    if (index >= 0) return index;
    throw new MillraceError('FIELD_UNKNOWN', `print: there is no field "${orderBy}" to order by.`, {
      where: { field: orderBy },
      advice: didYouMean(
        orderBy,
        batch.schema.fields.map((field) => field.name),
      ),
    });
  }

  #keepFirst(): void {
    const sign = this.#settings.ascending ? 1 : -1;
    this.#held.sort((a, b) => compare(a.order, b.order, sign));
    this.#held.length = Math.min(this.#held.length, this.#shownMax);
  }

  #drawSoon(): void {
    if (this.#timer !== null || this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#draw();
    }, HOLD_MS);
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #draw(): void {
    if (this.#held.length === 0 || this.#schema === null) return;
    const held = this.#held;
    this.#held = [];
    this.#drawn ??= this.#begin(this.#schema, held);
    const { columns, widths } = this.#drawn;
    for (const row of held) this.#line(tableRow(columns, widths, row.cells, this.#settings));
    this.#shown += held.length;
  }

  #begin(schema: Schema, held: readonly HeldRow[]): Drawn {
    const columns = schema.fields.map(({ name, type }) => ({ name, alignRight: isNumeric(type) }));
    const rows = held.map((row) => row.cells);
    const widths = columnWidths(columns, rows, this.#settings);
    if (this.#settings.title !== null && this.#shown === 0) this.#line(this.#settings.title);
    for (const line of tableHead(columns, widths)) this.#line(line);
    return { columns, widths };
  }

  #close(): void {
    if (this.#drawn !== null) this.#line(tableFoot(this.#drawn.widths));
    else if (this.#rows === 0) {
      const { title } = this.#settings;
      this.#line(title === null ? 'No rows.' : `${title}: no rows.`);
    }
    const more = Math.min(this.#rows, this.#settings.limit) - this.#shown;
    if (more > 0) this.#line(`… ${formatCount(more)} more ${more === 1 ? 'row' : 'rows'}`);
  }

  #line(line: string): void {
    this.bytesWritten += line.length + 1;
    this.#settings.writeLine(line);
  }
}

function sameColumns(a: Schema, b: Schema): boolean {
  const text = ({ name, type }: Field): string => `${name}:${isNumeric(type)}`;
  return a.fields.map(text).join() === b.fields.map(text).join();
}

/** A held row in the columns of a wider schema. */
function padded(row: HeldRow, from: Schema | null, to: Schema): HeldRow {
  const missing: Cell = { text: '', dimmed: true };
  const cells = to.fields.map(({ name }) => {
    const index = from === null ? -1 : fieldIndex(from, name);
    return index < 0 ? missing : row.cells[index];
  });
  return { cells, order: row.order };
}

/** Decimals are texts, which would be ordered by their first digits. */
function orderOf(column: Column, row: number): unknown {
  const value = valueAt(column, row);
  return column.field.type.kind === 'decimal' && typeof value === 'string' ? Number(value) : value;
}

/** Values without an order (null, missing, NaN) come last either way. */
function compare(a: unknown, b: unknown, sign: number): number {
  const aRank = isOrdered(a) ? 0 : 1;
  const bRank = isOrdered(b) ? 0 : 1;
  if (aRank !== bRank || aRank === 1) return aRank - bRank;
  const x = orderable(a);
  const y = orderable(b);
  if (x < y) return -sign;
  return x > y ? sign : 0;
}

function isOrdered(value: unknown): boolean {
  return value !== null && value !== undefined && !Number.isNaN(value);
}

function orderable(value: unknown): number | bigint | string {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return typeof value === 'boolean' ? Number(value) : String(value);
}
