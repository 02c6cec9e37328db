/**
 * The top of a CSV file: lines to skip, the header, and the place where rows begin. Callers: the
 * CSV source at plan time. Runs on: the caller's thread; pure.
 */
import { MillraceError } from '../../base/errors.js';
import type { CsvCellReader } from './csv-cell.js';
import type { CsvDialect } from './csv-dialect.js';
import {
  CELL_PLAIN,
  CsvCells,
  isBlankLine,
  isComment,
  ROW_INCOMPLETE,
  splitRow,
} from './csv-split.js';

/** What stands at the top of a file. */
export interface CsvHeader {
  /** Names of the columns: unique and not empty. */
  readonly names: readonly string[];
  /** Index of the first byte of the first row. */
  readonly dataStart: number;
}

/** How the names of the columns are found: in the first row, made up, or given. */
export type HeaderOption = boolean | readonly string[];

/**
 * Reads the top of a file from its first bytes, which end with a newline at `end - 1`. Null when
 * they hold neither a header nor, where names are made up, a row to count.
 */
export function readCsvHeader(
  bytes: Buffer,
  end: number,
  dialect: CsvDialect,
  cells: CsvCellReader,
  options: { readonly header: HeaderOption; readonly skipRows: number; readonly path: string },
): CsvHeader | null {
  let at = 0;
  for (let skipped = 0; skipped < options.skipRows; skipped++) {
    if (at >= end) return null;
    at = bytes.indexOf(0x0a, at) + 1;
  }
  if (Array.isArray(options.header)) return { names: uniqueNames(options.header), dataStart: at };
  const dataStart = at;
  while (at < end && (isComment(bytes, at, dialect) || isBlankLine(bytes, at, dialect))) {
    at = bytes.indexOf(0x0a, at) + 1;
  }
  if (at >= end) return null;
  const row = new CsvCells();
  const next = splitRow(bytes, at, end, dialect, row);
  if (next === ROW_INCOMPLETE) return null;
  const texts: string[] = [];
  for (let index = 0; index < row.count; index++) {
    if (row.kinds[index] === CELL_PLAIN) {
      refuseReturns(bytes, row.starts[index], row.ends[index], options.path);
    }
    texts.push(cells.text(bytes, row.starts[index], row.ends[index], row.kinds[index]));
  }
  if (options.header === false) return { names: uniqueNames(texts.map(() => '')), dataStart };
  return { names: uniqueNames(texts), dataStart: next };
}

/** Rows that end with a carriage return alone would all be part of the header, and none be read. */
function refuseReturns(bytes: Buffer, start: number, end: number, file: string): void {
  const at = bytes.indexOf(0x0d, start);
  if (at < 0 || at >= end) return;
  throw new MillraceError('FORMAT_INVALID', 'A carriage return stands within the first row.', {
    where: { file, byteOffset: at },
    advice: 'Rows end with a newline, or both. Convert the file, as by: tr "\\r" "\\n".',
  });
}

/**
 * Names columns without a name by their place, and numbers the second and further ones of a name.
 */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name, index) => {
    const wanted = name === '' ? `column${index + 1}` : name;
    let unique = wanted;
    for (let count = 2; taken.has(unique); count++) unique = `${wanted}_${count}`;
    taken.add(unique);
    return unique;
  });
}
