/**
 * Reads lines of text, one record per line, empty lines included. Callers: the file reader.
 * Runs on: worker; newlines are found for many lines at once, and the bytes of a line are copied once, from the read
 * buffer into the column.
 */
import { isUtf8 } from 'node:buffer';
import { BinaryAppender } from '../../record/appenders.js';
import type { BatchBuilder } from '../../record/batch-builder.js';
import { ByteMarks } from '../../record/byte-marks.js';
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
const NEWLINE = 0x0a;

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
  readonly #newlines = new ByteMarks(NEWLINE);

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
    const { positions } = this.#newlines;
    let row = this.#builder.rows;
    let at = cursor.position;
    // The bytes may be others than those of the last call.
    let mark = this.#look(buffer, at, cursor.end);
    let result: ParseResult = PARSE_MORE;
    while (at < cursor.end) {
      if (row === capacity) {
        result = PARSE_FULL;
        break;
      }
      let newline = mark < 0 ? cursor.end : positions[mark];
      if (newline >= cursor.end) {
        mark = this.#look(buffer, at, cursor.end);
        newline = mark < 0 ? cursor.end : positions[mark];
      }
      if (newline < cursor.end) mark++;
      else newline = newlineFrom(buffer, view, at);
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

  /** Index of the first of the newlines that are found from `at` on, or -1. */
  #look(buffer: Buffer, at: number, end: number): number {
    return at < end ? this.#newlines.forget().of(buffer, at, at + 1, end) : -1;
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
