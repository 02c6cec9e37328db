/**
 * The metrics that user functions register: counter, gauge, meter and histogram with names and scopes, over a
 * small directory in shared memory, one per subtask. Callers: the context of user functions registers and
 * updates; reporters read. Runs on: the slot's thread writes, any thread reads. Invariant: a metric is found
 * under one name and one type as long as the run lives; a full directory is an error, never a silent loss.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { bucketOf, HISTOGRAM_LENGTH, HISTOGRAM_VALUES } from './histogram-layout.js';
import {
  DIRECTORY_HEADER_BYTES,
  DIRECTORY_WORDS,
  directoryBytes,
  directoryValuesOffset,
  ENTRY_NAME_BYTES_MAX,
  ENTRY_NAME_OFFSET,
  ENTRY_WORDS,
  entryOffset,
  METRIC_TYPES,
  type MetricType,
} from './metric-directory-layout.js';

/** Counts up and down. */
export class Counter {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  increment(by = 1): void {
    this.#values[0] = (this.#values[0] ?? 0) + by;
  }

  decrement(by = 1): void {
    this.increment(-by);
  }

  get count(): number {
    return this.#values[0] ?? 0;
  }
}

/** Holds the newest value. */
export class Gauge {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  set(value: number): void {
    this.#values[0] = value;
  }

  get value(): number {
    return this.#values[0] ?? 0;
  }
}

/** Counts events; the reader makes a rate of two snapshots, so marking one costs no clock. */
export class Meter {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  mark(events = 1): void {
    this.#values[0] = (this.#values[0] ?? 0) + events;
  }

  get count(): number {
    return this.#values[0] ?? 0;
  }
}

/** Counts values by size, to within a sixteenth. */
export class Histogram {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  /** NaN is no value and is not counted. */
  update(value: number): void {
    const values = this.#values;
    const bucket = bucketOf(value);
    if (bucket < 0) return;
    const count = values[HISTOGRAM_VALUES.count] ?? 0;
    const { sum, min, max, buckets } = HISTOGRAM_VALUES;
    values[sum] = (values[sum] ?? 0) + value;
    if (count === 0 || value < (values[min] ?? 0)) values[min] = value;
    if (count === 0 || value > (values[max] ?? 0)) values[max] = value;
    values[buckets + bucket] = (values[buckets + bucket] ?? 0) + 1;
    values[HISTOGRAM_VALUES.count] = count + 1;
  }

  get count(): number {
    return this.#values[HISTOGRAM_VALUES.count] ?? 0;
  }
}

const VALUES_OF: Readonly<Record<MetricType, number>> = {
  counter: 1,
  gauge: 1,
  meter: 1,
  histogram: HISTOGRAM_LENGTH,
};

/** How much a directory holds. */
export interface DirectorySize {
  readonly metricsMax: number;
  /** How many of them may be histograms, which are large. */
  readonly histogramsMax: number;
}

export const DEFAULT_DIRECTORY_SIZE: DirectorySize = { metricsMax: 64, histogramsMax: 8 };

/** Bytes of a directory. */
export function userMetricsBytes(size: DirectorySize = DEFAULT_DIRECTORY_SIZE): number {
  return directoryBytes(size.metricsMax, valuesMaxOf(size));
}

/** Registers metrics; one per directory, on the thread that updates them. */
export class MetricRegistry {
  readonly #memory: SharedArrayBuffer;
  readonly #byteOffset: number;
  readonly #size: DirectorySize;
  readonly #words: Int32Array;
  readonly #known = new Map<string, Registered>();
  #usedValues = 0;

  /** Takes zeroed memory of `userMetricsBytes(size)`. */
  constructor(
    memory: SharedArrayBuffer,
    byteOffset = 0,
    size: DirectorySize = DEFAULT_DIRECTORY_SIZE,
  ) {
    assert(
      byteOffset % 8 === 0 && byteOffset + userMetricsBytes(size) <= memory.byteLength,
      'A directory of metrics lies aligned within its memory.',
    );
    this.#memory = memory;
    this.#byteOffset = byteOffset;
    this.#size = size;
    this.#words = new Int32Array(memory, byteOffset, DIRECTORY_HEADER_BYTES / 4);
    this.#words[DIRECTORY_WORDS.entriesMax] = size.metricsMax;
    this.#words[DIRECTORY_WORDS.valuesMax] = valuesMaxOf(size);
  }

  /** The group of metrics of an operator; names are joined by dots. */
  group(...scope: readonly string[]): MetricGroup {
    return new MetricGroup(this, scope);
  }

  /** The values of the metric of that full name; new ones are zero. */
  register(name: string, type: MetricType): Float64Array {
    const known = this.#known.get(name);
    if (known !== undefined) {
      if (known.type === type) return known.values;
      throw new MillraceError(
        'METRIC_INVALID',
        `"${name}" is a ${known.type} and cannot be a ${type} too.`,
        { advice: 'Give one of the two another name.' },
      );
    }
    const values = this.#append(name, type);
    this.#known.set(name, { type, values });
    return values;
  }

  #append(name: string, type: MetricType): Float64Array {
    const bytes = encodeName(name);
    const entry = this.#known.size;
    const length = VALUES_OF[type];
    if (entry === this.#size.metricsMax || this.#usedValues + length > valuesMaxOf(this.#size)) {
      throw this.#full(name, type);
    }
    const at = this.#byteOffset + entryOffset(entry);
    const words = new Int32Array(this.#memory, at, ENTRY_NAME_OFFSET / 4);
    words[ENTRY_WORDS.type] = METRIC_TYPES.indexOf(type);
    words[ENTRY_WORDS.firstValue] = this.#usedValues;
    words[ENTRY_WORDS.nameBytes] = bytes.byteLength;
    new Uint8Array(this.#memory, at + ENTRY_NAME_OFFSET, bytes.byteLength).set(bytes);
    const valuesOffset = this.#byteOffset + directoryValuesOffset(this.#size.metricsMax);
    const values = new Float64Array(this.#memory, valuesOffset + this.#usedValues * 8, length);
    this.#usedValues += length;
    Atomics.store(this.#words, DIRECTORY_WORDS.count, entry + 1);
    return values;
  }

  #full(name: string, type: MetricType): MillraceError {
    const { metricsMax, histogramsMax } = this.#size;
    return new MillraceError(
      'METRICS_FULL',
      `There is no room for the ${type} "${name}": a subtask has at most ${metricsMax} metrics, ` +
        `${histogramsMax} of them histograms.`,
      { advice: 'Register fewer metrics; names must not be made from data.' },
    );
  }
}

interface Registered {
  readonly type: MetricType;
  readonly values: Float64Array;
}

/** A scope under which metrics are registered. Asking again for a name gives the same metric. */
export class MetricGroup {
  readonly #registry: MetricRegistry;
  readonly #scope: readonly string[];

  constructor(registry: MetricRegistry, scope: readonly string[]) {
    this.#registry = registry;
    this.#scope = scope;
  }

  group(name: string): MetricGroup {
    return new MetricGroup(this.#registry, [...this.#scope, name]);
  }

  counter(name: string): Counter {
    return new Counter(this.#values(name, 'counter'));
  }

  gauge(name: string): Gauge {
    return new Gauge(this.#values(name, 'gauge'));
  }

  meter(name: string): Meter {
    return new Meter(this.#values(name, 'meter'));
  }

  histogram(name: string): Histogram {
    return new Histogram(this.#values(name, 'histogram'));
  }

  #values(name: string, type: MetricType): Float64Array {
    return this.#registry.register([...this.#scope, name].join('.'), type);
  }
}

function valuesMaxOf(size: DirectorySize): number {
  return size.metricsMax - size.histogramsMax + size.histogramsMax * HISTOGRAM_LENGTH;
}

function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.byteLength > 0 && bytes.byteLength <= ENTRY_NAME_BYTES_MAX) return bytes;
  throw new MillraceError(
    'METRIC_INVALID',
    `A metric's name with its scope has ${bytes.byteLength} bytes: "${name.slice(0, 80)}".`,
    { advice: `It has between 1 and ${ENTRY_NAME_BYTES_MAX} bytes.` },
  );
}
