/**
 * Lays out a table drawn with box characters that fits a terminal. Callers: `print.ts`. Runs on:
 * the caller's thread; pure. Invariant: no line is wider than the width given, unless not even one
 * character a column fits.
 */
import type { Cell } from './cell-text.js';
import { fitText, textWidth } from './text-width.js';

/** A column of a table. */
export interface TableColumn {
  readonly name: string;
  readonly alignRight: boolean;
}

/** How a table looks. */
export interface TableStyle {
  /** Cells of the terminal; infinite when lines may have any length. */
  readonly width: number;
  /** Whether escape sequences for dimmed text may be used. */
  readonly color: boolean;
}

/** Two borders or separators and two spaces of padding: `│ a │ b │`. */
const COLUMN_OVERHEAD = 3;
const COLUMN_WIDTH_MIN = 3;
const DIM = '\u001b[2m';
const DIM_OFF = '\u001b[22m';

/** Widths of the columns: their widest cell, the widest ones narrowed until the table fits. */
export function columnWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  style: TableStyle,
): readonly number[] {
  const widths = columns.map((column, index) =>
    rows.reduce(
      (widest, row) => Math.max(widest, textWidth(row[index].text)),
      Math.max(1, textWidth(column.name)),
    ),
  );
  const room = style.width - 1 - columns.length * COLUMN_OVERHEAD;
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest] <= COLUMN_WIDTH_MIN) break;
    widths[widest]--;
    excess--;
  }
  return widths;
}

/** The lines above the first row. */
export function tableHead(
  columns: readonly TableColumn[],
  widths: readonly number[],
): readonly string[] {
  const names = columns.map((column, index) =>
    aligned(column.name, widths[index], column.alignRight),
  );
  return [border(widths, '┌┬┐'), `│ ${names.join(' │ ')} │`, border(widths, '├┼┤')];
}

/** One row. */
export function tableRow(
  columns: readonly TableColumn[],
  widths: readonly number[],
  row: readonly Cell[],
  style: TableStyle,
): string {
  const cells = row.map((cell, index) => {
    const text = aligned(cell.text, widths[index], columns[index].alignRight);
    return cell.dimmed && style.color ? DIM + text + DIM_OFF : text;
  });
  return `│ ${cells.join(' │ ')} │`;
}

/** The line below the last row. */
export function tableFoot(widths: readonly number[]): string {
  return border(widths, '└┴┘');
}

function border(widths: readonly number[], [left, middle, right]: string): string {
  return left + widths.map((width) => '─'.repeat(width + 2)).join(middle) + right;
}

function aligned(text: string, width: number, right: boolean): string {
  const fitted = fitText(text, width);
  const space = ' '.repeat(Math.max(0, width - textWidth(fitted)));
  return right ? space + fitted : fitted + space;
}
