/**
 * Reads a directory of user metrics as plain data, and what histograms say. Callers: reporters, console, tests.
 * Runs on: any thread. Invariant: only complete entries are read, while the owner goes on writing.
 */
import { bucketStart, HISTOGRAM_BUCKETS, HISTOGRAM_VALUES } from './histogram-layout.js';
import {
  DIRECTORY_HEADER_BYTES,
  DIRECTORY_WORDS,
  directoryValuesOffset,
  ENTRY_NAME_OFFSET,
  ENTRY_WORDS,
  entryOffset,
  METRIC_TYPES,
} from './metric-directory-layout.js';

/** A histogram at one moment. Quantiles are exact to a sixteenth. */
export interface HistogramSnapshot {
  readonly count: number;
  readonly sum: number;
  /** Exact; null while nothing has been counted, as are the quantiles. */
  readonly min: number | null;
  readonly max: number | null;
  readonly buckets: readonly number[];
}

/** A user metric at one moment. */
export type UserMetricSnapshot =
  | { readonly name: string; readonly type: 'counter' | 'gauge' | 'meter'; readonly value: number }
  | { readonly name: string; readonly type: 'histogram'; readonly value: HistogramSnapshot };

/** Every metric of a directory, in order of registration. */
export function readUserMetrics(
  memory: SharedArrayBuffer,
  byteOffset = 0,
): readonly UserMetricSnapshot[] {
  const header = new Int32Array(memory, byteOffset, DIRECTORY_HEADER_BYTES / 4);
  const count = Atomics.load(header, DIRECTORY_WORDS.count);
  const entriesMax = header[DIRECTORY_WORDS.entriesMax] ?? 0;
  const values = new Float64Array(
    memory,
    byteOffset + directoryValuesOffset(entriesMax),
    header[DIRECTORY_WORDS.valuesMax] ?? 0,
  );
  return Array.from({ length: count }, (_, entry) =>
    readEntry(memory, byteOffset + entryOffset(entry), values),
  );
}

function readEntry(
  memory: SharedArrayBuffer,
  offset: number,
  values: Float64Array,
): UserMetricSnapshot {
  const words = new Int32Array(memory, offset, ENTRY_NAME_OFFSET / 4);
  const nameBytes = new Uint8Array(
    memory,
    offset + ENTRY_NAME_OFFSET,
    words[ENTRY_WORDS.nameBytes] ?? 0,
  );
  // TextDecoder refuses shared memory, so the name is copied first.
  const name = new TextDecoder().decode(nameBytes.slice());
  const type = METRIC_TYPES[words[ENTRY_WORDS.type] ?? 0] ?? 'counter';
  const first = words[ENTRY_WORDS.firstValue] ?? 0;
  if (type === 'histogram') return { name, type, value: readHistogram(values, first) };
  return { name, type, value: values[first] ?? 0 };
}

function readHistogram(values: Float64Array, first: number): HistogramSnapshot {
  const at = (index: number): number => values[first + index] ?? 0;
  const count = at(HISTOGRAM_VALUES.count);
  const from = first + HISTOGRAM_VALUES.buckets;
  return {
    count,
    sum: at(HISTOGRAM_VALUES.sum),
    min: count === 0 ? null : at(HISTOGRAM_VALUES.min),
    max: count === 0 ? null : at(HISTOGRAM_VALUES.max),
    buckets: Array.from(values.subarray(from, from + HISTOGRAM_BUCKETS)),
  };
}

/**
 * The value below which `quantile` (0 to 1) of the counted values lie: the middle of its bucket, but never
 * outside of what was counted. Null while nothing has been counted.
 */
export function quantileOf(histogram: HistogramSnapshot, quantile: number): number | null {
  const { min, max, buckets } = histogram;
  if (min === null || max === null) return null;
  const total = buckets.reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(quantile * total));
  let seen = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    seen += buckets[bucket] ?? 0;
    if (seen >= rank) return clamp(middleOf(bucket, min, max), min, max);
  }
  return max;
}

/** The two open buckets have no middle; what was counted bounds them. */
function middleOf(bucket: number, min: number, max: number): number {
  if (bucket === 0) return min;
  if (bucket === HISTOGRAM_BUCKETS - 1) return max;
  return (bucketStart(bucket) + bucketStart(bucket + 1)) / 2;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
