/**
 * Options of CSV files that are written, their checking, and the dialect they make. Apart from the encoder, so that a
 * job that names a CSV sink is checked without loading it. Callers: the CSV sink, the encoder. Runs on: any thread;
 * pure.
 */
import { MillraceError } from '../../base/errors.js';

/** Options of CSV files. */
export interface CsvEncoderOptions {
  /** Whether each file begins with the names of the fields; default true. */
  readonly header?: boolean;
  /** One ASCII character; default `','`. */
  readonly separator?: string;
  /** Text of null; default empty. An equal text that is no null is quoted. */
  readonly nullText?: string;
  /** Line ending; default `'\n'`. */
  readonly newline?: '\n' | '\r\n';
}

/** The dialect as bytes. */
export interface CsvOutput {
  readonly separator: number;
  readonly nullBytes: Uint8Array;
  readonly newline: Uint8Array;
  /** 1 for each byte that makes a text need quotes. */
  readonly special: Uint8Array;
}

export const QUOTE = 0x22;

/** The dialect that options make. Throws `OPTION_INVALID`. */
export function csvOutput(options: CsvEncoderOptions): CsvOutput {
  const separator = options.separator ?? ',';
  const nullText = options.nullText ?? '';
  // Characters that numbers, dates and base64 are made of would need quotes around those too.
  if (separator.length !== 1 || !/^[\t !#$%&'()*,;<>?@[\\\]^_`{|}~]$/.test(separator)) {
    throw invalid('separator', separator, 'Give one character such as "," ";" "|" or "\\t".');
  }
  if (/^[-+.\d]|^(true|false|NaN|Infinity)$|["\r\n]/.test(nullText) || nullText === separator) {
    throw invalid('nullText', nullText, 'Give a text that is no number, such as "" or "NULL".');
  }
  const special = new Uint8Array(256);
  for (const byte of [QUOTE, 0x0a, 0x0d, separator.charCodeAt(0)]) special[byte] = 1;
  return {
    separator: separator.charCodeAt(0),
    nullBytes: Uint8Array.from(Buffer.from(nullText)),
    newline: Uint8Array.from(Buffer.from(options.newline ?? '\n')),
    special,
  };
}

function invalid(option: string, value: string, advice: string): MillraceError {
  const shown = JSON.stringify(value);
  return new MillraceError('OPTION_INVALID', `csv: ${option} cannot be ${shown}.`, { advice });
}
