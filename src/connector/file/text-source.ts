/**
 * `text(...)` as a source: the lines of files. Callers: user jobs, through the `text` connector.
 * Runs on: any thread; the work is done in `file-source.ts`.
 */
import type { RowParser, RowParserOptions } from '../../format/bytes/row-parser.js';
import { lineStartFrom, type RandomAccess } from '../../format/bytes/line-start.js';
import { TextParser } from '../../format/text/text-parser.js';
import { type Schema, VALUE_FIELD } from '../../record/schema.js';
import {
  checkOptionNames,
  FILE_OPTIONS,
  type FileSourceOptions,
  fileSettings,
  patternsOf,
} from './file-options.js';
import type { FilePrefix } from './file-prefix.js';
import { createFileSource, type FileSource } from './file-source.js';
import type { FormatPlan, PlannedFile, RowFormat, RowStartFinder } from './row-format.js';

/** Options of the text source. */
export interface TextSourceOptions extends FileSourceOptions {
  /** Takes a carriage return before the newline as part of the line's end; default true. */
  readonly stripCarriageReturn?: boolean;
}

/** Bytes enough to see a byte order mark. */
const MARK_BYTES = 4;

const SCHEMA: Schema = {
  shape: 'value',
  fields: [{ name: VALUE_FIELD, type: { kind: 'utf8' }, nullable: false, optional: false }],
};

/**
 * Reads files line by line; a record is a string. Empty lines are records too.
 *
 * @example
 * flow.from(textSource('logs/*.log.gz')).filter((line) => line.includes('ERROR'));
 */
export function textSource(
  paths: string | readonly string[],
  options: TextSourceOptions = {},
): FileSource<string> {
  checkOptionNames('text', options, [...FILE_OPTIONS, 'stripCarriageReturn']);
  const settings = fileSettings('text', options, ['utf8', 'latin1', 'utf16le']);
  const format = new TextFormat({
    stripCarriageReturn: options.stripCarriageReturn ?? true,
    latin1: settings.encoding === 'latin1',
  });
  return createFileSource(format, patternsOf('text', paths), settings, 'full');
}

class TextFormat implements RowFormat {
  readonly type = 'text';
  readonly newlineFramed = true;
  readonly #options: { readonly stripCarriageReturn: boolean; readonly latin1: boolean };

  constructor(options: { readonly stripCarriageReturn: boolean; readonly latin1: boolean }) {
    this.#options = options;
  }

  async plan(prefixes: readonly FilePrefix[]): Promise<FormatPlan> {
    const files: PlannedFile[] = [];
    for (const prefix of prefixes) {
      await prefix.grow(MARK_BYTES);
      const { file, codec, markBytes } = prefix;
      files.push({ file, codec, dataStart: markBytes, header: 0 });
      prefix.close();
    }
    return { schema: SCHEMA, files, data: null };
  }

  rowStarts(file: RandomAccess): RowStartFinder {
    return (place) => lineStartFrom(file, place);
  }

  createParser(options: RowParserOptions): RowParser {
    return new TextParser(options, this.#options);
  }
}
