/**
 * Splits one CSV row into its fields. This defines what a row is, where it ends and when it is bad;
 * the generated reader and the search for split boundaries agree with it. Callers: the CSV parser,
 * header and sample reading, boundaries. Runs on: worker, and the caller's thread at plan time.
 *
 * A field is quoted when a quote is its first byte; a quote anywhere else in an unquoted field is a
 * character. Text after a closing quote makes the row bad; it then ends at the next newline, so
 * that where rows begin depends on nothing but the bytes since the row began.
 */
import type { CsvDialect } from './csv-dialect.js';

/** The field is as it stands. */
export const CELL_PLAIN = 0;
/** The field was quoted; its range is between the quotes. */
const CELL_QUOTED = 1;
/** The field was quoted and holds escapes. */
export const CELL_ESCAPED = 2;
export type CellKind = typeof CELL_PLAIN | typeof CELL_QUOTED | typeof CELL_ESCAPED;

/** The row does not end within the bytes given. */
export const ROW_INCOMPLETE = -1;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The fields of the row split last. */
export class CsvCells {
  count = 0;
  /** What is wrong with the row, or null. */
  problem: string | null = null;
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  kinds = new Uint8Array(64);

  clear(): void {
    this.count = 0;
    this.problem = null;
  }

  add(start: number, end: number, kind: CellKind): void {
    if (this.count === this.starts.length) this.#grow();
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.kinds[this.count] = kind;
    this.count++;
  }

  #grow(): void {
    const { starts, ends, kinds } = this;
    this.starts = new Int32Array(starts.length * 2);
    this.ends = new Int32Array(ends.length * 2);
    this.kinds = new Uint8Array(kinds.length * 2);
    this.starts.set(starts);
    this.ends.set(ends);
    this.kinds.set(kinds);
  }
}

/**
 * Splits the row at `start` and gives the index after its newline. The last byte before `end` must
 * be a newline; `ROW_INCOMPLETE` means that a quoted field goes on beyond `end`.
 */
export function splitRow(
  bytes: Buffer,
  start: number,
  end: number,
  dialect: CsvDialect,
  cells: CsvCells,
): number {
  cells.clear();
  let at = start;
  for (;;) {
    const first = dialect.trim ? afterBlanks(bytes, at) : at;
    const next =
      bytes[first] === dialect.quote
        ? quotedCell(bytes, first, end, dialect, cells)
        : plainCell(bytes, first, dialect, cells);
    if (next === ROW_INCOMPLETE) return ROW_INCOMPLETE;
    if (cells.problem !== null) return bytes.indexOf(NEWLINE, next) + 1;
    if (bytes[next] !== dialect.separator) return next + 1;
    at = next + 1;
  }
}

/** Whether the line at `start` is a comment. */
export function isComment(bytes: Buffer, start: number, dialect: CsvDialect): boolean {
  return bytes[start] === dialect.comment;
}

/** Whether the line at `start` holds nothing, or nothing but what is trimmed. */
export function isBlankLine(bytes: Buffer, start: number, dialect: CsvDialect): boolean {
  const at = dialect.trim ? afterBlanks(bytes, start) : start;
  return bytes[at] === NEWLINE || (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE);
}

/** The unquoted field at `start`; index of the separator or newline after it. */
function plainCell(bytes: Buffer, start: number, dialect: CsvDialect, cells: CsvCells): number {
  const { separator } = dialect;
  let at = start;
  let unit = bytes[at];
  while (unit !== separator && unit !== NEWLINE) unit = bytes[++at];
  let end = at;
  if (unit === NEWLINE && end > start && bytes[end - 1] === CARRIAGE_RETURN) end--;
  if (dialect.trim) {
    while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x09)) end--;
  }
  cells.add(start, end, CELL_PLAIN);
  return at;
}

/** The quoted field at `start`; index of the separator or newline after it. */
function quotedCell(
  bytes: Buffer,
  start: number,
  end: number,
  dialect: CsvDialect,
  cells: CsvCells,
): number {
  const { quote, escape, multiline } = dialect;
  let kind: CellKind = CELL_QUOTED;
  let at = start + 1;
  for (;;) {
    if (at >= end) return ROW_INCOMPLETE;
    const unit = bytes[at];
    if (unit === NEWLINE && !multiline) {
      cells.problem = 'A quoted field does not end in its line.';
      return at;
    }
    const escapes = unit === escape && (escape !== quote || bytes[at + 1] === quote);
    if (escapes) {
      // Without multiline an escaped newline still ends the line.
      if (bytes[at + 1] === NEWLINE && !multiline) at--;
      kind = CELL_ESCAPED;
      at += 2;
    } else if (unit === quote) {
      break;
    } else {
      at++;
    }
  }
  cells.add(start + 1, at, kind);
  const after = dialect.trim ? afterBlanks(bytes, at + 1) : at + 1;
  const unit = bytes[after];
  if (unit === dialect.separator || unit === NEWLINE) return after;
  if (unit === CARRIAGE_RETURN && bytes[after + 1] === NEWLINE) return after + 1;
  cells.problem = `Text follows the closing quote of field ${cells.count}.`;
  return after;
}

function afterBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}
