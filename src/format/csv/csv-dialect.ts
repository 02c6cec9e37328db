/**
 * What kind of CSV a file is, as bytes ready for scanning. Callers: the CSV source, every part of
 * this folder. Runs on: any thread; pure.
 */
import { MillraceError } from '../../base/errors.js';

/** Stands for a byte that the dialect does not have. */
export const NO_BYTE = -1;

/** Separators, quoting and blanks of a file. */
export interface CsvDialect {
  readonly separator: number;
  readonly quote: number;
  /** What makes a quote inside quotes a character; usually the quote itself. */
  readonly escape: number;
  /** First byte of lines that are comments. */
  readonly comment: number;
  /** Whether blanks around fields are dropped. */
  readonly trim: boolean;
  /** Whether quoted fields may hold newlines. */
  readonly multiline: boolean;
  /** Texts that stand for null. */
  readonly nulls: readonly Buffer[];
  /** Whether the bytes are Latin-1 rather than UTF-8. */
  readonly latin1: boolean;
}

/** The dialect as the user writes it. */
export interface CsvDialectOptions {
  /** One ASCII character; default `','`. */
  readonly separator?: string;
  /** One ASCII character, or null when nothing is quoted; default `'"'`. */
  readonly quote?: string | null;
  /** One ASCII character; default the quote, doubled. */
  readonly escape?: string;
  /** Lines that begin with it are skipped; default none. */
  readonly comment?: string | null;
  /** Drops spaces and tabs around fields; default false. */
  readonly trim?: boolean;
  /**
   * Whether quoted fields may hold newlines; default true. False lets huge files be split without a
   * look at them.
   */
  readonly multiline?: boolean;
  /** Fields that stand for null; default `['']`. A quoted text is never null. */
  readonly nulls?: readonly string[];
}

/** The dialect of the options. Throws `OPTION_INVALID`. */
export function csvDialect(options: CsvDialectOptions, latin1: boolean): CsvDialect {
  const nulls = options.nulls ?? [''];
  if (!Array.isArray(nulls) || nulls.some((text) => typeof text !== 'string')) {
    throw invalid(`nulls must be a list of texts, not ${JSON.stringify(nulls)}`);
  }
  const separator = byteOf(options.separator ?? ',', 'separator');
  const quote = options.quote === null ? NO_BYTE : byteOf(options.quote ?? '"', 'quote');
  const escape = options.escape === undefined ? quote : byteOf(options.escape, 'escape');
  const comment = byteOrNone(options.comment ?? null, 'comment');
  const taken = [separator, quote, comment].filter((byte) => byte !== NO_BYTE);
  if (new Set(taken).size !== taken.length) {
    throw invalid('separator, quote and comment must differ from each other');
  }
  for (const name of ['trim', 'multiline'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'boolean') continue;
    throw invalid(`${name} must be true or false, not ${JSON.stringify(value)}`);
  }
  if (escape === separator) throw invalid('separator and escape must differ from each other');
  if (options.trim === true && (separator === 0x20 || separator === 0x09)) {
    throw invalid('trim cannot be used with a blank as separator');
  }
  const encoding = latin1 ? 'latin1' : 'utf8';
  return {
    separator,
    quote,
    escape,
    comment,
    trim: options.trim ?? false,
    multiline: (options.multiline ?? true) && quote !== NO_BYTE,
    nulls: nulls.map((text: string) => Buffer.from(text, encoding)),
    latin1,
  };
}

function byteOrNone(text: string | null, name: string): number {
  return text === null ? NO_BYTE : byteOf(text, name);
}

function byteOf(text: string, name: string): number {
  const code = typeof text === 'string' ? text.charCodeAt(0) : 0;
  if (
    typeof text !== 'string' ||
    text.length !== 1 ||
    code > 0x7f ||
    code === 0x0a ||
    code === 0x0d
  ) {
    throw invalid(`${name} must be one ASCII character, not ${JSON.stringify(text)}`);
  }
  return code;
}

function invalid(what: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `csv: ${what}.`, {
    advice: 'See the CSV options in the documentation.',
  });
}
