/**
 * What the file source and the row formats (text, CSV, NDJSON) agree on: the source keeps bytes,
 * places and policies, the format turns complete rows of a buffer into rows of a builder. Callers:
 * connector/file, format/*. Runs on: worker.
 *
 * The source promises: the last byte before `end` is a newline (one is put there when the input
 * ends without), and `SLACK_BYTES` further bytes of the buffer may be read and ignored, so that
 * scanners need no bounds checks.
 */
import type { BatchBuilder } from '../../record/batch-builder.js';
import type { Schema } from '../../record/schema.js';
import type { ValueFilter } from '../../record/value-filter.js';
import type { ScanMemory } from '../structural/scan-memory.js';

/** Readable bytes after the end of every region that is parsed. */
export const SLACK_BYTES = 16;

/** All complete rows of the region are read; what is left needs more bytes. */
export const PARSE_MORE = 0;
/** The builder is full. */
export const PARSE_FULL = 1;
/**
 * The row from `cursor.position` to `cursor.rowEnd` cannot be parsed; `cursor.problem` says why.
 */
export const PARSE_BAD = 2;
/**
 * The row from `cursor.position` does not fit the schema; `cursor.proposal` is what it would take.
 */
export const PARSE_MISFIT = 3;
export type ParseResult =
  | typeof PARSE_MORE
  | typeof PARSE_FULL
  | typeof PARSE_BAD
  | typeof PARSE_MISFIT;

/** Where parsing stands, and what the last call had to say. One object per reader, of one shape. */
export class ParseCursor {
  /** Index in the buffer of the first row not yet read. */
  position = 0;
  /** Index after the last byte that may be parsed. */
  end = 0;
  /** Offset in the input of the buffer's first byte. */
  base = 0;
  /** Whether nothing follows the region, so that a row that does not end in it never will. */
  final = false;
  /** Whether all bytes of the region are known to be UTF-8, so that no field needs a look. */
  validUtf8 = true;
  /** The memory that the buffer is part of, when the row scanner can read it there. */
  memory: ScanMemory | null = null;
  /** Index after a bad row. */
  rowEnd = 0;
  /** What is wrong with a bad row, as a sentence. */
  problem = '';
  /** Advice for a bad row, as a sentence. */
  advice = '';
  /** The field that is at fault, when one is. */
  field: string | null = null;
  /** Rows that were passed over, so far, as the filter does not want them. */
  passed = 0;
  /** Fields that a misfitting row would need; merged into the stream's schema. */
  proposal: Schema | null = null;
}

/** Reads rows into the builder it was made for. */
export interface RowParser {
  /**
   * Reads rows from `cursor.position` on, counts `builder.rows` up, and puts the input offset of
   * row i into `rowStarts[i]`. `view` and `buffer` show the same memory.
   */
  parse(buffer: Buffer, view: DataView, cursor: ParseCursor): ParseResult;
}

/** What a parser is made with. */
export interface RowParserOptions {
  readonly builder: BatchBuilder;
  /** Input offset of each row of the builder. */
  readonly rowStarts: Float64Array;
  /**
   * Wanted names that the schema does not hold yet; a row that has one is a misfit. Null: any new
   * name.
   */
  readonly wanted: readonly string[] | null;
  /** Rows that it does not want may be passed over. Absent or null: all are wanted. */
  readonly filter?: ValueFilter | null;
}

/** How much of a row is checked: framing and wanted fields, or everything. */
export type ValidateMode = 'projected' | 'full';
