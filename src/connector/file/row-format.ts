/**
 * What the file source needs from a format to plan and to read: CSV, NDJSON and text each implement
 * it. Callers: the file planner and reader. Runs on: see each method.
 */
import type { RandomAccess } from '../../format/bytes/line-start.js';
import type { RowParser, RowParserOptions } from '../../format/bytes/row-parser.js';
import type { Schema } from '../../record/schema.js';
import type { SourcePlan } from '../contract.js';
import type { FilePrefix } from './file-prefix.js';
import type { Codec } from './open-feed.js';
import type { InputFile } from './resolve-files.js';

/** A file as far as the plan knows it. */
export interface PlannedFile {
  readonly file: InputFile;
  readonly codec: Codec;
  /** Offset of the first row. */
  readonly dataStart: number;
  /** Which of the plan's headers the file has; 0 for formats without. */
  readonly header: number;
}

/** What a format makes of the files. */
export interface FormatPlan {
  readonly schema: Schema | null;
  readonly files: readonly PlannedFile[];
  /** Plain data for `createParser`. */
  readonly data: unknown;
}

/** Bytes `start` to `end` of a file, rows whole. What `Split.data` is. */
export interface FileSplit {
  readonly path: string;
  readonly name: string;
  readonly codec: Codec;
  readonly start: number;
  /** Offset after the last row; null for streams, which end when they end. */
  readonly end: number | null;
  readonly header: number;
}

/** Finds a row start at or soon after a place; places are asked for in ascending order. */
export type RowStartFinder = (place: number) => number;

/** A format of rows in files. */
export interface RowFormat {
  readonly type: string;
  /** Whether every newline ends a row, so that a row too long can be passed over. */
  readonly newlineFramed: boolean;
  /** Runs on the caller's thread, over a prefix of every file. */
  plan(files: readonly FilePrefix[]): Promise<FormatPlan>;
  /** Runs on the caller's thread. */
  rowStarts(file: RandomAccess, planned: PlannedFile): RowStartFinder;
  /** Runs on the slot's thread. */
  createParser(options: RowParserOptions, plan: SourcePlan, split: FileSplit): RowParser;
}
