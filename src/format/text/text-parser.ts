/**
 * Reads lines of text, one record per line, empty lines included. Callers: the file reader.
 * Runs on: worker; the bytes of a line are copied once, from the read buffer into the column.
 */
import { isUtf8 } from 'node:buffer';
import { BinaryAppender } from '../../record/appenders.js';
import type { BatchBuilder } from '../../record/batch-builder.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MORE,
  type ParseCursor,
  type ParseResult,
  type RowParser,
  type RowParserOptions,
} from '../bytes/row-parser.js';

const CARRIAGE_RETURN = 0x0d;

/** How lines are read. */
export interface TextOptions {
  /** Whether a carriage return before the newline belongs to the line's end. */
  readonly stripCarriageReturn: boolean;
  readonly latin1: boolean;
}

/** Reads lines into a builder whose only column, if it has one, is text. */
export class TextParser implements RowParser {
  readonly #builder: BatchBuilder;
  readonly #rowStarts: Float64Array;
  readonly #column: BinaryAppender | null;
  readonly #options: TextOptions;

  constructor(options: RowParserOptions, text: TextOptions) {
    const [column] = options.builder.columns;
    this.#builder = options.builder;
    this.#rowStarts = options.rowStarts;
    this.#column = column instanceof BinaryAppender ? column : null;
    this.#options = text;
  }

  parse(buffer: Buffer, view: DataView, cursor: ParseCursor): ParseResult {
    const { capacity } = this.#builder;
    const { latin1, stripCarriageReturn } = this.#options;
    const checked = !latin1 && !cursor.validUtf8;
    const column = this.#column;
    let row = this.#builder.rows;
    let at = cursor.position;
    let result: ParseResult = PARSE_MORE;
    while (at < cursor.end) {
      if (row === capacity) {
        result = PARSE_FULL;
        break;
      }
      if (column !== null && !latin1 && !checked) {
        // The usual case: no byte is looked at twice.
        this.#rowStarts[row] = cursor.base + at;
        at = column.appendLine(row++, buffer, view, at, stripCarriageReturn) + 1;
        continue;
      }
      const newline = newlineFrom(buffer, view, at);
      const strip = stripCarriageReturn && newline > at && buffer[newline - 1] === CARRIAGE_RETURN;
      const end = strip ? newline - 1 : newline;
      if (checked && !isUtf8(buffer.subarray(at, end))) {
        cursor.rowEnd = newline + 1;
        cursor.problem = 'The line is not valid UTF-8.';
        cursor.advice = 'Set encoding: "latin1" if the file is in Latin-1.';
        cursor.field = null;
        result = PARSE_BAD;
        break;
      }
      if (latin1) column?.appendText(row, buffer.latin1Slice(at, end));
      else column?.appendBytes(row, buffer, at, end);
      this.#rowStarts[row++] = cursor.base + at;
      at = newline + 1;
    }
    this.#builder.rows = row;
    cursor.position = at;
    return result;
  }
}

/**
 * Index of the newline at or after `at`; four bytes at a time, since most lines are too short for a
 * native call.
 */
function newlineFrom(buffer: Buffer, view: DataView, at: number): number {
  let next = at;
  for (;;) {
    const word = view.getInt32(next, true) ^ 0x0a0a0a0a;
    if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break;
    next += 4;
  }
  while (buffer[next] !== 0x0a) next++;
  return next;
}
