/**
 * The metrics that user functions register: counter, gauge, meter and histogram with names and groups, over a
 * small directory in shared memory, one per subtask. Callers: what opens user functions, and connectors; they
 * register and update. `read-user-metrics.ts` reads. Runs on: the slot's thread. Invariant: a metric is found
 * under one name and one type as long as the attempt lives; a full directory is an error, never a silent loss.
 */
import { MillraceError } from '../base/errors.js';
import { bucketOf, HISTOGRAM_LENGTH, HISTOGRAM_VALUES } from './histogram-layout.js';
import {
  DIRECTORY_HEADER_BYTES,
  DIRECTORY_WORDS,
  type DirectorySize,
  directoryValuesOffset,
  ENTRY_NAME_BYTES_MAX,
  ENTRY_NAME_OFFSET,
  ENTRY_WORDS,
  entryOffset,
  METRIC_TYPES,
  type MetricType,
  PART_END,
  VALUE_START,
  valuesMaxOf,
} from './metric-directory-layout.js';

/**
 * Counts up and down. It is zero again when the job has been restarted.
 *
 * @example
 * const rejected = context.metrics.counter('rejected');
 * rejected.increment();
 */
export class Counter {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  /** Adds, 1 unless another number is given. */
  increment(by = 1): void {
    this.#values[0] = (this.#values[0] ?? 0) + by;
  }

  /** Takes away, 1 unless another number is given. */
  decrement(by = 1): void {
    this.increment(-by);
  }

  get count(): number {
    return this.#values[0] ?? 0;
  }
}

/** Holds the newest value that it was given; 0 before the first. Unlike in Flink, nothing is called to read it. */
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

/** Counts events, shown as events per second: whoever reads makes a rate of two counts, so marking costs no clock. */
export class Meter {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  /** So many events have happened, 1 unless another number is given. */
  mark(events = 1): void {
    this.#values[0] = (this.#values[0] ?? 0) + events;
  }

  get count(): number {
    return this.#values[0] ?? 0;
  }
}

/**
 * Counts values by size: count, sum, least and greatest are exact, quantiles to within a sixteenth, over the whole
 * attempt.
 */
export class Histogram {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  /** Counts a value. NaN is none. */
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

/** Where the metrics of a subtask's functions are. `registry` is made when the first of them asks for one. */
export interface MetricsPlace {
  readonly memory: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly size: DirectorySize;
  registry: MetricRegistry | null;
}

/** Whose metrics: an operator by its index, or a source or sink by its number in `metric-owners.ts`. */
export interface OwnedMetrics {
  readonly place: MetricsPlace;
  readonly owner: number;
}

/** The metrics of an operator, a source or a sink. */
export function metricGroup({ place, owner }: OwnedMetrics): MetricGroup {
  place.registry ??= new MetricRegistry(place);
  return new MetricGroup(place.registry, owner, []);
}

/** Registers metrics; one per directory, on the thread that updates them. */
export class MetricRegistry {
  readonly #place: MetricsPlace;
  readonly #words: Int32Array;
  readonly #known = new Map<string, Registered>();
  #usedValues = 0;

  /** The memory is zero and `userMetricsBytes(size)` long. It is not touched before there is a metric. */
  constructor(place: MetricsPlace) {
    this.#place = place;
    const { memory, byteOffset } = place;
    this.#words = new Int32Array(memory, byteOffset, DIRECTORY_HEADER_BYTES / 4);
  }

  /** The values of the metric of that owner and name; new ones are zero. */
  register(owner: number, groups: readonly string[], name: string, type: MetricType): Float64Array {
    const path = [...groups, checkedWord(name)].join(PART_END);
    const key = `${owner} ${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (known.type === type) return known.values;
      throw new MillraceError(
        'METRIC_INVALID',
        `"${name}" is a ${known.type} and cannot be a ${type} too.`,
        { advice: 'Give one of the two another name, or a group of its own.' },
      );
    }
    const values = this.#append(owner, path, type);
    this.#known.set(key, { type, values });
    return values;
  }

  #append(owner: number, path: string, type: MetricType): Float64Array {
    const { memory, byteOffset, size } = this.#place;
    const bytes = encodePath(path);
    const entry = this.#known.size;
    const length = VALUES_OF[type];
    if (entry === size.metricsMax || this.#usedValues + length > valuesMaxOf(size)) {
      throw this.#full(path, type);
    }
    this.#words[DIRECTORY_WORDS.entriesMax] = size.metricsMax;
    this.#words[DIRECTORY_WORDS.valuesMax] = valuesMaxOf(size);
    const at = byteOffset + entryOffset(entry);
    const words = new Int32Array(memory, at, ENTRY_NAME_OFFSET / 4);
    words[ENTRY_WORDS.type] = METRIC_TYPES.indexOf(type);
    words[ENTRY_WORDS.firstValue] = this.#usedValues;
    words[ENTRY_WORDS.nameBytes] = bytes.byteLength;
    words[ENTRY_WORDS.owner] = owner;
    new Uint8Array(memory, at + ENTRY_NAME_OFFSET, bytes.byteLength).set(bytes);
    const valuesOffset = byteOffset + directoryValuesOffset(size.metricsMax);
    const values = new Float64Array(memory, valuesOffset + this.#usedValues * 8, length);
    this.#usedValues += length;
    Atomics.store(this.#words, DIRECTORY_WORDS.count, entry + 1);
    return values;
  }

  #full(path: string, type: MetricType): MillraceError {
    const { metricsMax, histogramsMax } = this.#place.size;
    return new MillraceError(
      'METRICS_FULL',
      `There is no room for the ${type} "${shownPath(path)}": a subtask has at most ` +
        `${metricsMax} metrics, ${histogramsMax} of them histograms.`,
      {
        advice:
          'Names must not be made from data; for more metrics, raise metrics.perSubtask or ' +
          'metrics.histogramsPerSubtask.',
      },
    );
  }
}

interface Registered {
  readonly type: MetricType;
  readonly values: Float64Array;
}

/**
 * The metrics of an operator in one subtask, in groups. Asking again for a name gives the same metric. Names are given
 * once, when the function opens; a name made of data fills the directory. Throws METRIC_INVALID for a name that is
 * empty, too long, or that of a metric of another type, and METRICS_FULL.
 *
 * @example
 * const open = ({ metrics }) => {
 *   const seconds = metrics.group('payments').histogram('seconds');
 *   const declined = metrics.group('country', 'CH').counter('declined');
 *   ...
 * };
 */
export class MetricGroup {
  readonly #registry: MetricRegistry;
  readonly #owner: number;
  readonly #groups: readonly string[];

  constructor(registry: MetricRegistry, owner: number, groups: readonly string[]) {
    this.#registry = registry;
    this.#owner = owner;
    this.#groups = groups;
  }

  /**
   * A group within this one. With a value it is a variable, as in Flink: reporters with labels, such as Prometheus,
   * show it as a label, so that the metrics of all values have one name.
   */
  group(name: string, value?: string): MetricGroup {
    const end = value === undefined ? '' : `${VALUE_START}${checkedWord(value)}`;
    return new MetricGroup(this.#registry, this.#owner, [
      ...this.#groups,
      `${checkedWord(name)}${end}`,
    ]);
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
    return this.#registry.register(this.#owner, this.#groups, name, type);
  }
}

/** What separates the words of a path is in none of them. */
function checkedWord(word: unknown): string {
  if (typeof word === 'string' && word !== '' && !/\p{Cc}/u.test(word)) return word;
  throw new MillraceError('METRIC_INVALID', `${JSON.stringify(word)} is no name of a metric.`, {
    advice: 'Give a text that is not empty and has no control characters.',
  });
}

function shownPath(path: string): string {
  return path.replaceAll(PART_END, '.').replaceAll(VALUE_START, '=');
}

function encodePath(path: string): Uint8Array {
  const bytes = new TextEncoder().encode(path);
  if (bytes.byteLength <= ENTRY_NAME_BYTES_MAX) return bytes;
  throw new MillraceError(
    'METRIC_INVALID',
    `A metric's name with its groups has ${bytes.byteLength} bytes: ` +
      `"${shownPath(path).slice(0, 80)}".`,
    { advice: `It has at most ${ENTRY_NAME_BYTES_MAX} bytes.` },
  );
}
