/**
 * Tables of text: columns as wide as their widest cell, numbers to the right. Callers: commands. Runs on: the main
 * thread; pure.
 */
import { textWidth } from '../connector/print/text-width.js';
import type { Style } from './style.js';

const GAP = '  ';

/** A column of a table. */
export interface TextColumn {
  readonly head: string;
  /** Whether its cells end at the same place, as numbers do. */
  readonly isNumber?: boolean;
}

/** The lines of a table with a head. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  style: Style,
): readonly string[] {
  const widths = columns.map(({ head }, at) =>
    Math.max(head.length, ...rows.map((row) => textWidth(row[at] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ isNumber = false }, at) => {
        const cell = cells[at] ?? '';
        const padding = ' '.repeat((widths[at] ?? 0) - textWidth(cell));
        return isNumber ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd();
  return [style.dim(line(columns.map(({ head }) => head))), ...rows.map(line)];
}
