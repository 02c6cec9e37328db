/**
 * Reads a directory of user metrics as plain data, and sums histograms up. Callers: the snapshot of a run's metrics,
 * tests. Runs on: any thread. Invariant: only complete entries are read, while the owner goes on writing.
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
  PART_END,
  VALUE_START,
} from './metric-directory-layout.js';

/** What a histogram has counted. All but count and sum are null while that is nothing. */
export interface HistogramStatistics {
  readonly count: number;
  readonly sum: number;
  /** Exact, as is the mean. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** These are exact to a sixteenth. */
  readonly stddev: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p95: number | null;
  readonly p98: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
}

/** A group of a metric; one with a value is a variable. */
export interface MetricScope {
  readonly name: string;
  readonly value: string | null;
}

/** The value of a metric with its type; that of a meter is how many events there have been. */
export type MetricValue =
  | { readonly type: 'counter' | 'gauge' | 'meter'; readonly value: number }
  | { readonly type: 'histogram'; readonly value: HistogramStatistics };

/** A metric of a directory at one moment. */
export type DirectoryMetric = MetricValue & {
  /** The index of an operator, or the number of a source or sink, as `metric-owners.ts` has them. */
  readonly owner: number;
  readonly groups: readonly MetricScope[];
  readonly name: string;
};

/** Every metric of a directory, in order of registration. */
export function readUserMetrics(
  memory: SharedArrayBuffer,
  byteOffset = 0,
): readonly DirectoryMetric[] {
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
): DirectoryMetric {
  const words = new Int32Array(memory, offset, ENTRY_NAME_OFFSET / 4);
  const nameBytes = new Uint8Array(
    memory,
    offset + ENTRY_NAME_OFFSET,
    words[ENTRY_WORDS.nameBytes] ?? 0,
  );
  // TextDecoder refuses shared memory, so the name is copied first.
  const path = new TextDecoder().decode(nameBytes.slice()).split(PART_END);
  const name = path.pop() ?? '';
  const groups = path.map((part): MetricScope => {
    const [group = '', value = null] = part.split(VALUE_START);
    return { name: group, value };
  });
  const type = METRIC_TYPES[words[ENTRY_WORDS.type] ?? 0] ?? 'counter';
  const first = words[ENTRY_WORDS.firstValue] ?? 0;
  const common = { owner: words[ENTRY_WORDS.owner] ?? 0, groups, name };
  if (type === 'histogram') return { ...common, type, value: readHistogram(values, first) };
  return { ...common, type, value: values[first] ?? 0 };
}

/** The statistics of the histogram that begins there. */
function readHistogram(values: Float64Array, first: number): HistogramStatistics {
  const at = (index: number): number => values[first + index] ?? 0;
  const from = first + HISTOGRAM_VALUES.buckets;
  const buckets = values.slice(from, from + HISTOGRAM_BUCKETS);
  const count = at(HISTOGRAM_VALUES.count);
  const sum = at(HISTOGRAM_VALUES.sum);
  if (count === 0) return { count: 0, sum: 0, ...NOTHING_COUNTED };
  const min = at(HISTOGRAM_VALUES.min);
  const max = at(HISTOGRAM_VALUES.max);
  const mean = sum / count;
  // The owner may have counted on since; what is in the buckets is what can be ranked.
  const total = buckets.reduce((all, bucket) => all + bucket, 0);
  const quantile = (share: number): number => quantileOf({ buckets, total, min, max }, share);
  let squares = 0;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    const times = buckets[bucket] ?? 0;
    if (times > 0) squares += times * (middleOf(bucket, min, max) - mean) ** 2;
  }
  return {
    count,
    sum,
    min,
    max,
    mean,
    stddev: Math.sqrt(squares / Math.max(1, total)),
    p50: quantile(0.5),
    p75: quantile(0.75),
    p95: quantile(0.95),
    p98: quantile(0.98),
    p99: quantile(0.99),
    p999: quantile(0.999),
  };
}

const NOTHING_COUNTED = {
  min: null,
  max: null,
  mean: null,
  stddev: null,
  p50: null,
  p75: null,
  p95: null,
  p98: null,
  p99: null,
  p999: null,
} as const;

/** What quantiles are found in. */
interface Ranked {
  readonly buckets: Float64Array;
  readonly total: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which a share of the counted values lies: the middle of its bucket, within what was counted. */
function quantileOf({ buckets, total, min, max }: Ranked, share: number): number {
  const rank = Math.max(1, Math.ceil(share * total));
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
