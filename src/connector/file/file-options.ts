/**
 * Options that all file sources share, and their checking. Callers: the CSV, NDJSON and text
 * sources. Runs on: any thread; pure.
 */
import { checkOptionsObject, given, PARAMETER_ADVICE } from '../check-arguments.js';
import type { SinkConnector } from '../contract.js';
import type { DeadLetterPolicy } from '../dead-letters.js';
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import { type ByteSize, parseBytes } from '../../base/units.js';
import type { ValidateMode } from '../../format/bytes/row-parser.js';
import type { Codec, Encoding } from './open-feed.js';

/** Options of every file source. */
export interface FileSourceOptions {
  /** `'auto'` (default) looks at the first bytes of each file. */
  readonly compression?: Codec | 'auto';
  /** Encoding of the text; default `'utf8'`. A byte order mark of UTF-8 is always passed over. */
  readonly encoding?: Encoding;
  /**
   * What happens to a record that cannot be parsed: `'fail'` (default) ends the job and names it,
   * `'skip'` counts it and goes on, `deadLetter(sink)` also writes it to a sink of its own.
   */
  readonly onError?: 'fail' | 'skip' | DeadLetterPolicy;
  /**
   * Size of the pieces that subtasks take in turn; default by the size of the input, 1 to 4 MiB.
   */
  readonly splitBytes?: ByteSize;
  /** Longest row; default 64 MiB. */
  readonly maxRowBytes?: ByteSize;
}

/** The shared options with everything filled in. */
export interface FileSettings {
  readonly compression: Codec | 'auto';
  readonly encoding: Encoding;
  readonly onError: 'fail' | 'skip';
  readonly deadLetters: SinkConnector | null;
  readonly splitBytes: number | null;
  readonly rowBytesMax: number;
}

/** Names of the shared options. */
export const FILE_OPTIONS: readonly string[] = [
  'compression',
  'encoding',
  'onError',
  'splitBytes',
  'maxRowBytes',
];

const CODECS: readonly string[] = ['auto', 'none', 'gzip', 'lz4', 'zstd'];
const ROW_BYTES_MAX = 64 * 1024 * 1024;
/** The buffer's indices are small integers and it doubles. */
const ROW_BYTES_LIMIT = 512 * 1024 * 1024;

/** Checks the shared options. Throws `OPTION_INVALID`. */
export function fileSettings(
  type: string,
  options: FileSourceOptions,
  encodings: readonly Encoding[],
): FileSettings {
  const { compression = 'auto', encoding = 'utf8', onError = 'fail' } = options;
  checkChoice(type, 'compression', compression, CODECS);
  checkChoice(type, 'encoding', encoding, encodings);
  const policy = policyOf(type, onError);
  const splitBytes =
    options.splitBytes === undefined ? null : parseBytes(options.splitBytes, `${type}: splitBytes`);
  const rowBytesMax = parseBytes(options.maxRowBytes ?? ROW_BYTES_MAX, `${type}: maxRowBytes`);
  checkRange(type, 'splitBytes', splitBytes ?? 1, 1, Number.MAX_SAFE_INTEGER);
  checkRange(type, 'maxRowBytes', rowBytesMax, 1, ROW_BYTES_LIMIT);
  return {
    compression,
    encoding,
    onError: onError === 'fail' ? 'fail' : 'skip',
    deadLetters: policy?.sink ?? null,
    splitBytes,
    rowBytesMax,
  };
}

/** The dead letters of a source, null when it has none. */
function policyOf(
  type: string,
  onError: NonNullable<FileSourceOptions['onError']>,
): DeadLetterPolicy | null {
  if (onError === 'fail' || onError === 'skip') return null;
  if (onError?.kind === 'deadLetter') return onError;
  throw new MillraceError('OPTION_INVALID', `${type}: onError cannot be ${shown(onError)}.`, {
    advice: 'It is "fail", "skip" or deadLetter(sink).',
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** Checks how much of a row is validated. */
export function validateMode(type: string, mode: ValidateMode | undefined): ValidateMode {
  checkChoice(type, 'validate', mode ?? 'projected', ['projected', 'full']);
  return mode ?? 'projected';
}

/** Checks the number of rows from which a schema is inferred. */
export function sampleRowsOf(type: string, rows: number | undefined): number {
  checkRange(type, 'sampleRows', rows ?? 10_000, 1, 10_000_000);
  return rows ?? 10_000;
}

/** Throws `OPTION_UNKNOWN` for an option that does not exist. */
export function checkOptionNames(type: string, options: object, known: readonly string[]): void {
  checkOptionsObject(type, options);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `${type}: there is no option "${name}".`, {
      advice: didYouMean(name, known),
    });
  }
}

/** The paths as a list. Throws `OPTION_INVALID` for what is no path. */
export function patternsOf(type: string, paths: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  const wrong = list.findIndex((path) => typeof path !== 'string' || path === '');
  if (list.length > 0 && wrong < 0) return list as readonly string[];
  const which =
    Array.isArray(paths) && list.length > 0 ? `path ${wrong + 1} of the list` : 'the path';
  const what =
    list.length === 0 ? 'the list of paths is empty' : `${which} is ${given(list[wrong])}`;
  throw new MillraceError('OPTION_INVALID', `${type}: ${what}.`, {
    advice: `Name a file, a directory or a glob, or a list of them. ${PARAMETER_ADVICE}`,
  });
}

function checkChoice(type: string, name: string, value: unknown, known: readonly string[]): void {
  if (typeof value === 'string' && known.includes(value)) return;
  throw new MillraceError(
    'OPTION_INVALID',
    `${type}: ${name} cannot be ${JSON.stringify(value)}.`,
    { advice: `It is one of ${known.map((choice) => JSON.stringify(choice)).join(', ')}.` },
  );
}

function checkRange(type: string, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new MillraceError('OPTION_INVALID', `${type}: ${name} cannot be ${String(value)}.`, {
    advice: `It is a whole number from ${min} to ${max}.`,
  });
}
