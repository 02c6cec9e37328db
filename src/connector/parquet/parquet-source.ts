/**
 * `parquet(...)` as a source: reads the wanted columns of Parquet files straight into batches.
 * Callers: user jobs, through the api. Runs on: planning on the caller's thread, reading in the
 * slots.
 */
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import type { TypeOptions } from '../../format/parquet/leaf-type.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { SourceConnector } from '../contract.js';
import { patternsOf } from '../file/file-options.js';

/** Options of `parquetSource`. */
export interface ParquetSourceOptions {
  /**
   * Columns of 64-bit integers to read as bigints; true for all of them. The others become numbers,
   * and one that a number does not hold exactly (beyond 2^53) fails the job by name rather than
   * being rounded. Inner columns of structs and lists are named by their dotted path.
   */
  readonly bigint?: boolean | readonly string[];
  /**
   * Whether byte arrays that are not marked as text are text all the same, as some old writers have
   * it.
   */
  readonly binaryAsText?: boolean;
}

/** How columns are read. */
export interface ParquetTypes extends TypeOptions {
  /** Columns that are named to be read as bigints. */
  readonly bigints: readonly string[];
}

const KNOWN = ['bigint', 'binaryAsText'];

/**
 * A source over Parquet files: paths, globs and directories. Instants finer than a millisecond are
 * cut to it.
 *
 * @example
 * flow.from(parquetSource<{ origin: string; delay: number }>('flights/*.parquet'))
 */
export function parquetSource<T = Record<string, unknown>>(
  paths: string | readonly string[],
  options: ParquetSourceOptions = {},
): SourceConnector<T> {
  const types = parquetTypes(options);
  const patterns = patternsOf('parquet', paths);
  return {
    kind: 'source',
    type: 'parquet',
    name: `parquet ${patterns.join(' ')}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    plan: async (context) => {
      const { planParquet } = await import('./parquet-plan.js');
      return planParquet(patterns, types, context);
    },
    open: async (context) => {
      const { openParquetReader } = await import('./parquet-reader.js');
      return openParquetReader(context, types);
    },
  };
}

function parquetTypes(options: ParquetSourceOptions): ParquetTypes {
  checkOptionsObject('parquet', options);
  for (const name of Object.keys(options)) {
    if (KNOWN.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `parquet has no option "${name}" for reading.`, {
      advice: didYouMean(name, KNOWN),
    });
  }
  const { bigint = false, binaryAsText = false } = options;
  const isRight =
    typeof bigint === 'boolean' ||
    (Array.isArray(bigint) && bigint.every((name) => typeof name === 'string'));
  checkArgument(
    'parquet',
    'binaryAsText',
    binaryAsText,
    typeof binaryAsText === 'boolean',
    'Give true or false.',
  );
  checkArgument('parquet', 'bigint', bigint, isRight, 'Give true, or a list of column names.');
  return {
    binaryAsText,
    bigints: typeof bigint === 'boolean' ? [] : bigint,
    isBigint: (name) => (typeof bigint === 'boolean' ? bigint : bigint.includes(name)),
  };
}
