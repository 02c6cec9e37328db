/**
 * Which bucket a record is written to: a directory below that of the sink, named by fields or by a function. Here are
 * the option, its checking, and the names; `bucket-divider.ts` divides batches. Callers: this folder. Runs on: any
 * thread; pure.
 */
import { MillraceError } from '../../base/errors.js';
import { given } from '../check-arguments.js';

/** What a bucket function may go by beside the record. */
export interface BucketContext {
  /** Event time of the record in milliseconds since the epoch; null when the stream has none. */
  readonly timestamp: number | null;
  /** The wall clock in milliseconds since the epoch. */
  readonly currentProcessingTime: number;
}

/** Names the bucket of a record: a path below the directory of the sink, `''` for the directory itself. */
export type BucketFunction<T> = (record: T, context: BucketContext) => string;

/** A field of records of type `T`; any name when they are not known. */
export type BucketField<T> = NoInfer<unknown extends T ? string : keyof T & string>;

/** Options of sinks that divide their files among directories. */
export interface BucketOptions<T> {
  /**
   * The directory below that of the sink that a record is written to, as Flink's bucket assigner: by fields (`'day'`,
   * `['day', 'hour']`), which gives `day=2024-01-01/hour=7`, or by a function that names it. Without it all parts are
   * in one directory.
   */
  readonly bucketBy?: BucketField<T> | readonly BucketField<T>[] | BucketFunction<T>;
  /**
   * Most buckets a subtask has a part open for; the one that was not written to for longest is closed then, and a
   * later record of it begins another part. 32 when absent.
   */
  readonly maxOpenBuckets?: number;
}

/** Options as they are known to the parts of a sink. */
export interface Buckets {
  /** Null: there is a function. */
  readonly fields: readonly string[] | null;
  readonly fn: BucketFunction<never> | null;
  readonly openMax: number;
}

const OPEN_MAX = 32;
/** What Hive, Spark and DuckDB take for null in the name of a directory. */
const NULL_NAME = '__HIVE_DEFAULT_PARTITION__';
/** Bytes of a name that file systems have in common. */
const NAME_BYTES_MAX = 255;

/** The option of a sink, checked; null when it has none. Throws `OPTION_INVALID`. */
export function bucketsOf<T>(
  type: string,
  { bucketBy, maxOpenBuckets }: BucketOptions<T>,
): Buckets | null {
  const openMax = maxOpenBuckets ?? OPEN_MAX;
  if (!Number.isSafeInteger(openMax) || openMax < 1) {
    throw new MillraceError('OPTION_INVALID', `${type}: maxOpenBuckets cannot be ${openMax}.`, {
      advice: 'Give a whole number of buckets, at least 1.',
    });
  }
  if (bucketBy === undefined) {
    if (maxOpenBuckets === undefined) return null;
    throw new MillraceError('OPTION_INVALID', `${type}: maxOpenBuckets needs bucketBy.`, {
      advice: "Say what buckets go by, as in { bucketBy: 'day' }, or leave it out.",
    });
  }
  if (typeof bucketBy === 'function') return { fields: null, fn: bucketBy, openMax };
  const fields = typeof bucketBy === 'string' ? [bucketBy] : bucketBy;
  if (areNames(fields)) return { fields, fn: null, openMax };
  throw new MillraceError('OPTION_INVALID', `${type}: bucketBy names no fields.`, {
    advice: "Write bucketBy: 'day', ['day', 'hour'] or (record) => 'name', with each field once.",
  });
}

function areNames(fields: unknown): fields is readonly string[] {
  if (!Array.isArray(fields) || fields.length === 0 || new Set(fields).size < fields.length)
    return false;
  return fields.every((name) => typeof name === 'string' && name !== '');
}

/** The directory of a field's value, such as `day=2024-01-01`. Throws `VALUE_UNSUPPORTED`. */
export function fieldDirectory(field: string, value: unknown, isDate: boolean): string {
  const text = valueText(value, isDate);
  if (text === null) {
    throw new MillraceError('VALUE_UNSUPPORTED', `Field "${field}" cannot name a directory.`, {
      where: { field },
      advice: 'Bucket by a field of text, numbers, booleans or dates, or by a function.',
    });
  }
  return checkedName(`${escaped(field)}=${text === '' ? NULL_NAME : escaped(text)}`);
}

/** Null when there is none. */
function valueText(value: unknown, isDate: boolean): string | null {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) {
    const text = value.toISOString();
    return isDate ? text.slice(0, text.indexOf('T')) : text;
  }
  return typeof value === 'object' ? null : String(value);
}

/** As Hive does it: what has a meaning in paths, names of files or in Hive is written as the percentage of its code. */
export function escaped(text: string): string {
  return text.replaceAll(
    /[\p{Cc}"#%'*/:<=>?[\\\]^{|}]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** A path that a function has given, unless it leads elsewhere or to what readers pass over. */
export function checkedPath(path: unknown): string {
  if (path === '') return '';
  if (typeof path === 'string' && path.split('/').every(isName)) {
    for (const name of path.split('/')) checkedName(name);
    return path;
  }
  throw new MillraceError(
    'VALUE_UNSUPPORTED',
    `bucketBy gave ${given(path)}, which is no bucket.`,
    {
      advice:
        "Give the path of a directory below that of the sink, such as '2024-01-01/7', without " +
        'names that are empty or begin with a dot or an underscore, which readers pass over.',
    },
  );
}

function isName(name: string): boolean {
  return /^[^._\p{Cc}\\][^\p{Cc}\\]*$/u.test(name);
}

function checkedName(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  throw new MillraceError(
    'VALUE_UNSUPPORTED',
    `The name of a bucket is longer than ${NAME_BYTES_MAX} bytes: ${name.slice(0, 60)}…`,
    { advice: 'Bucket by something shorter, such as the beginning of the text.' },
  );
}
