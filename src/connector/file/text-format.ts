/**
 * Text as a format of the file source: every line is a record. Callers: the text source. Runs on: the caller's thread
 * (plan) and the slots (parsers).
 */
import { lineStartFrom, type RandomAccess } from '../../format/bytes/line-start.js';
import type { RowParser, RowParserOptions } from '../../format/bytes/row-parser.js';
import { TextParser } from '../../format/text/text-parser.js';
import { type Schema, VALUE_FIELD } from '../../record/schema.js';
import type { FilePrefix } from './file-prefix.js';
import type { FormatPlan, PlannedFile, RowFormat, RowStartFinder } from './row-format.js';

/** Bytes enough to see a byte order mark. */
const MARK_BYTES = 4;

const SCHEMA: Schema = {
  shape: 'value',
  fields: [{ name: VALUE_FIELD, type: { kind: 'utf8' }, nullable: false, optional: false }],
};

/** Rows of one text each. */
export class TextFormat implements RowFormat {
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
