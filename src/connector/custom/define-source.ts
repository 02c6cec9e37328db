/**
 * Sources written by users as generators of records: the planning, batching, waking and positions
 * that the source contract asks for, done for them. Callers: the api. Runs on: `plan` on the
 * caller's thread, `read` in the slots (on the caller's thread when `host`). Invariant: a split is
 * read from the position after the last record given.
 */
import type { FunctionLogger } from '../../base/function-log.js';
import type { MetricGroup } from '../../metrics/user-metrics.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject, checkSchema } from '../check-arguments.js';
import type { PlainData, PlanContext, SourceConnector } from '../contract.js';
import type { RecordInput } from '../iterable/record-pull.js';

/** A piece of a custom source's input, read by one subtask. */
export interface CustomSplit<D = PlainData> {
  /** Unique within the source, stable across runs over the same input. */
  readonly id: string;
  /** Whatever `read` needs to find its piece; plain data. */
  readonly data: D;
  /** Sizes, when known, for progress. */
  readonly rows?: number;
  readonly bytes?: number;
}

/** Given to `read`. */
export interface ReadContext {
  readonly subtask: number;
  readonly parallelism: number;
  readonly baseDirectory: string;
  /** Metrics of the source in this subtask. */
  readonly metrics: MetricGroup;
  /** The log of the job, for the source in this subtask. */
  readonly log: FunctionLogger;
  /** Aborted when the job ends before the split does. */
  readonly signal: AbortSignal;
}

/** What makes a custom source. */
export interface CustomSource<T, D = PlainData> {
  readonly name: string;
  /** Type of the records; inferred from them when absent. */
  readonly schema?: Schema;
  /** Whether the records end; default true. */
  readonly bounded?: boolean;
  /** True when `read` uses things that exist only on the caller's thread; default false. */
  readonly host?: boolean;
  /**
   * Whether a subtask reads all of its splits side by side, as from the partitions of a queue, rather than one to its
   * end and then the next. Default: only when the records do not end, since the next would never come otherwise.
   */
  readonly interleave?: boolean;
  /** Most subtasks that can read at once; default as many as there are splits. */
  readonly maxParallelism?: number;
  /**
   * What `read` can promise after a failure; default 'exactly-once', which needs splits that repeat
   * exactly.
   */
  readonly guarantee?: SourceConnector['guarantee'];
  /** The pieces of the input; one piece when absent. */
  plan?(context: PlanContext): readonly CustomSplit<D>[] | Promise<readonly CustomSplit<D>[]>;
  /**
   * The records of a split after its first `position` ones (0 at first), for example as a
   * generator.
   */
  read(split: CustomSplit<D>, position: number, context: ReadContext): RecordInput<T>;
}

/**
 * A source out of generators.
 *
 * @example
 * const pages = defineSource({
 *   name: 'orders api',
 *   plan: () => ['eu', 'us'].map((region) => ({ id: region, data: region })),
 *   async *read(split, position, { signal }) {
 *     for (let offset = position; ; offset += 100) {
 *       const orders = await fetchOrders(split.data, offset, signal);
 *       if (orders.length === 0) return;
 *       yield* orders;
 *     }
 *   },
 * });
 *
 * @example
 * // Splits read side by side. Each has a watermark of its own, and the least of them counts.
 * const partitions = defineSource<Reading, number>({
 *   name: 'readings',
 *   bounded: false,
 *   plan: () => [0, 1, 2].map((partition) => ({ id: `readings-${partition}`, data: partition })),
 *   read: (split, position, { signal }) => consume(split.data, position, signal),
 * });
 * flow.from(partitions).assignTimestamps('at', { outOfOrderness: '5s', idleTimeout: '1min' });
 */
export function defineSource<T, D = PlainData>(source: CustomSource<T, D>): SourceConnector<T> {
  checkOptionsObject('defineSource', source);
  checkSchema('defineSource', source.schema);
  const { name } = source;
  const advice = 'Give the function read(split, position, context).';
  checkArgument('defineSource', 'read', source.read, typeof source.read === 'function', advice);
  return {
    kind: 'source',
    type: 'custom',
    name,
    ...(source.schema === undefined ? {} : { schema: source.schema }),
    bounded: source.bounded ?? true,
    host: source.host ?? false,
    interleaves: source.interleave ?? source.bounded === false,
    maxParallelism: source.maxParallelism ?? (source.plan === undefined ? 1 : null),
    guarantee: source.guarantee ?? 'exactly-once',
    projects: false,
    plan: async (context) => (await import('./custom-reader.js')).planOf(source, context),
    open: async (context) => (await import('./custom-reader.js')).readerOf(source, context),
  };
}
