/**
 * `text(...)` as a source: the lines of files. Callers: user jobs, through the `text` connector.
 * Runs on: any thread; the work is done in `file-source.ts`.
 */
import {
  checkOptionNames,
  FILE_OPTIONS,
  type FileSourceOptions,
  fileSettings,
  patternsOf,
} from './file-options.js';
import { createFileSource, type FileSource } from './file-source.js';
import type { RowFormat } from './row-format.js';

/** Options of the text source. */
export interface TextSourceOptions extends FileSourceOptions {
  /** Takes a carriage return before the newline as part of the line's end; default true. */
  readonly stripCarriageReturn?: boolean;
}

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
  const loadFormat = async (): Promise<RowFormat> => {
    const { TextFormat } = await import('./text-format.js');
    return new TextFormat({
      stripCarriageReturn: options.stripCarriageReturn ?? true,
      latin1: settings.encoding === 'latin1',
    });
  };
  return createFileSource('text', loadFormat, patternsOf('text', paths), settings, null);
}
