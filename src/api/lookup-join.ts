/**
 * Look-up joins: records joined with what an asynchronous function finds for their keys in a table outside. Callers:
 * job functions, through `Stream.lookupJoin`. Runs on: any thread.
 */
import { type ErrorWhere, MillraceError } from '../base/errors.js';
import { type ByteSize, type Duration, parseBytes, parseDurationMs } from '../base/units.js';
import { isPlainObject } from '../graph/plain-object.js';
import type {
  AsyncContext,
  LookupCacheSpec,
  LookupCall,
  LookupFunctions,
} from '../operator/async/async-function.js';
import type { UserFunction } from '../operator/operator-spec.js';
import { type AsyncRetryStrategy, CALL_CHECKS, callParts } from './async-wait.js';
import type { Boundary } from './call-site.js';
import {
  type CheckClash,
  type CheckSide,
  joinSelection,
  type JoinSelected,
  type SideSelection,
} from './join-selection.js';
import type { RightOf } from './joined-streams.js';
import {
  checkMembers,
  countCheck,
  durationCheck,
  functionCheck,
  type OptionCheck,
} from './operator-options.js';
import type { CheckKey, CheckKeys, FieldType, KeyFields, Mistake, Solid } from './record-types.js';
import { RETURNS, type ReturnsOptions } from './returns-option.js';
import type { Stream } from './stream.js';
import { requireFunction, requireNames, type StreamCore } from './stream-core.js';
import type { StreamFactory } from './stream-factory.js';

/** Joins with a table outside give pairs only, or also records for which nothing was found. */
export type LookupJoinType = 'inner' | 'left';

/** How much is kept of what was found. One of `maxRows` and `maxBytes` is given, so that it is bounded. */
export interface LookupCacheOptions {
  /** Rows that each subtask keeps; that there is none for a key counts as one. Those not used for longest go first. */
  readonly maxRows?: number;
  /** What they may take of the memory of the slot, about, such as `'64mb'`. */
  readonly maxBytes?: ByteSize;
  /** How long something is kept since it was found. Absent: as long as there is room. */
  readonly expireAfterWrite?: Duration;
  /** How long something is kept since it was last used. Absent: as long as there is room. */
  readonly expireAfterAccess?: Duration;
  /** Whether it is kept too that there is nothing for a key. Default true. */
  readonly cacheMissingKey?: boolean;
}

/** What is looked up for records of type `T`, and how. */
export type LookupOf<T, K, Found, Client, J extends LookupJoinType> = LookupOptions<
  LookupKeyOf<T, K>,
  Found,
  Client,
  J
> & {
  /**
   * What is looked up: a field, several fields as an object of them, or what a function makes of the record. For a key
   * that is null, or has a part that is, nothing is looked up, since null is equal to nothing.
   */
  readonly key: K & CheckLookupKey<T, K>;
};

/** How a key is looked up. */
export interface LookupOptions<Key, Found, Client, J extends LookupJoinType> {
  /** Opens what the calls of a subtask share, such as a pool of connections: their `client`. */
  readonly open?: (context: AsyncContext) => Client | PromiseLike<Client>;
  /**
   * Gives the row of a key, an array of rows, or null or undefined when there is none; or a promise of that. While a
   * key is looked up, all records of the key wait for the same call.
   */
  lookup(key: Key, call: LookupCall<Client>): Found | PromiseLike<Found>;
  /** `'left'` also gives records for which nothing was found, with null in the place of a row. Default `'inner'`. */
  readonly type?: J;
  /** Keeps what was found, in each subtask for itself. Absent: nothing is kept. */
  readonly cache?: LookupCacheOptions;
  /**
   * `'ordered'` gives results in the order of the records, `'allowUnordered'` as they come, but never past a watermark.
   * Default `'ordered'`.
   */
  readonly outputMode?: 'ordered' | 'allowUnordered';
  /** Records that may wait for rows at a time, in each subtask; the input waits when there are as many. Default 100. */
  readonly capacity?: number;
  /** How long an answer may take, repetitions included; 0 for ever. Later the job fails. Default 3 minutes. */
  readonly timeout?: Duration;
  /** When a key is looked up again: `ifResult` is given the rows, none for a key that is missing. Default: never. */
  readonly retry?: AsyncRetryStrategy<RowOf<Found>>;
  /** Lets go of the client, when the job has ended, in whatever way; the end waits for the promise it may give. */
  readonly close?: (client: Client) => unknown;
}

/** One row of what a look-up gives. */
export type RowOf<Found> = Found extends null | undefined
  ? never
  : Found extends readonly (infer Row)[]
    ? Row
    : Found;

/** What says which key a record has. */
export type LookupKey<T> = string | readonly string[] | ((record: T) => unknown);

/** What is looked up for a record of type `T`. */
export type LookupKeyOf<T, K> = K extends (record: never) => infer Key
  ? NonNullable<Key>
  : K extends string
    ? Solid<FieldType<T, K>>
    : K extends readonly string[]
      ? KeyFields<T, K[number]>
      : never;

/** `unknown` when records may have such a key, else the mistake. */
export type CheckLookupKey<T, K> = K extends string
  ? CheckKey<T, K>
  : K extends readonly string[]
    ? CheckKeys<T, K>
    : K extends (record: never) => PromiseLike<unknown>
      ? Mistake<'The key of a look-up is a value, not a promise of one'>
      : unknown;

type AnyOptions = LookupOptions<never, unknown, never, LookupJoinType> & { readonly key: unknown };

/** A stream of records `T`, each with the rows that are found for it. */
export class LookupJoin<T, Row, J extends LookupJoinType> {
  readonly #core: StreamCore;
  readonly #options: AnyOptions;
  readonly #stream: StreamFactory;

  /** Made by `lookupJoin`. */
  constructor(core: StreamCore, options: unknown, stream: StreamFactory) {
    this.#core = core;
    check(options);
    this.#options = options;
    this.#stream = stream;
  }

  /**
   * Makes a record of each pair of a record and a row. It has the event time of the record.
   *
   * @example
   * orders.lookupJoin({ key: 'currency', lookup: (currency) => rateOf(currency) })
   *   .apply((order, rate) => ({ id: order.id, euros: order.amount * rate.euros }))
   */
  apply<Out>(
    fn: (left: T, right: RightOf<Row, J>) => Out,
    options: ReturnsOptions = {},
  ): Stream<Out> {
    const join = fn as UserFunction;
    requireFunction('lookupJoin', join, 'lookupJoin({ ... }).apply((record, row) => ({ ... }))');
    const made = { join, readers: [join], fields: [], of: { apply: join } };
    return this.#joined(made, this.apply, options);
  }

  /**
   * Makes a record of chosen fields of each pair: some of the record, then some of the row, by name or under other
   * names. Other fields of the record are not carried to the join.
   *
   * @example
   * bids.lookupJoin({ key: 'auction', lookup: (id) => auctionOf(id) }).select(['price'], { item: 'name' })
   */
  select<const A extends SideSelection, const B extends SideSelection>(
    left: A & CheckSide<T, A>,
    right: B & CheckSide<Row, B> & CheckClash<A, B>,
    options: ReturnsOptions = {},
  ): Stream<JoinSelected<T, RightOf<Row, J>, A, B>> {
    const { apply, reads, texts } = joinSelection(left, right);
    const of = { 'select of the record': texts[0], 'of the row': texts[1] };
    return this.#joined({ join: apply, readers: [], fields: reads[0], of }, this.select, options);
  }

  #joined<Out>(made: Made, boundary: Boundary, options: ReturnsOptions): Stream<Out> {
    const { key, lookup, type = 'inner', outputMode = 'ordered' } = this.#options;
    const { cache = null, open = null, close = null } = this.#options;
    const keyFields = typeof key === 'function' ? [] : [key].flat().map(String);
    const functions: LookupFunctions = {
      verb: 'lookupJoin',
      key: key as LookupFunctions['key'],
      lookup,
      cache: cache === null ? null : cacheOf(cache),
      isOuter: type === 'left',
      join: made.join,
      of: {
        [`${type} join by`]: typeof key === 'function' ? key : keyFields.join(', '),
        lookup,
        cache: cache === null ? null : cacheText(cache),
        ...made.of,
      },
      open,
      close,
    };
    const call = { verb: 'lookupJoin', boundary, options, extra: RETURNS };
    const body = {
      kind: 'asyncWait',
      functions,
      order: outputMode === 'ordered' ? 'ordered' : 'unordered',
      ...callParts({ ...this.#options, ...options } as Parameters<typeof callParts>[0]),
      readers: typeof key === 'function' ? [...made.readers, key as UserFunction] : made.readers,
      fields: [...keyFields, ...made.fields],
    } as const;
    return this.#stream(this.#core.operator(call, body));
  }
}

/** How results are made. */
interface Made {
  readonly join: (left: unknown, right: unknown) => unknown;
  readonly readers: readonly UserFunction[];
  readonly fields: readonly string[];
  readonly of: Readonly<Record<string, unknown>>;
}

function cacheOf(options: LookupCacheOptions): LookupCacheSpec {
  const { maxRows, maxBytes, expireAfterWrite, expireAfterAccess, cacheMissingKey } = options;
  return {
    rowsMax: maxRows ?? null,
    bytesMax: maxBytes === undefined ? null : parseBytes(maxBytes),
    expireAfterWriteMs: expireAfterWrite === undefined ? null : parseDurationMs(expireAfterWrite),
    expireAfterAccessMs:
      expireAfterAccess === undefined ? null : parseDurationMs(expireAfterAccess),
    keepsMissing: cacheMissingKey ?? true,
  };
}

function cacheText(options: LookupCacheOptions): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

const CACHE_CHECKS: Readonly<Record<keyof LookupCacheOptions, OptionCheck>> = {
  maxRows: countCheck,
  maxBytes: (value) => (isBytes(value) ? null : "a size such as '64mb', above 0"),
  expireAfterWrite: timeToLive,
  expireAfterAccess: timeToLive,
  cacheMissingKey: (value) => (typeof value === 'boolean' ? null : 'true or false'),
};

const { capacity, timeout, retry } = CALL_CHECKS;
const CHECKS: Readonly<Record<string, OptionCheck>> = {
  key: (value) =>
    typeof value === 'string' || typeof value === 'function' || Array.isArray(value)
      ? null
      : "a field, such as 'user', an array of fields, or a function of the record",
  lookup: functionCheck,
  type: (value) => (value === 'inner' || value === 'left' ? null : "'inner' or 'left'"),
  cache: (value) => (isPlainObject(value) ? null : 'an object such as { maxRows: 10_000 }'),
  outputMode: (value) =>
    value === 'ordered' || value === 'allowUnordered' ? null : "'ordered' or 'allowUnordered'",
  capacity,
  timeout,
  retry,
  open: functionCheck,
  close: functionCheck,
};

const WHERE: ErrorWhere = { operator: 'lookupJoin' };
const AT = 'lookupJoin(...)';
const FORM = "Write lookupJoin({ key: 'user', lookup: async (user) => await profileOf(user) }).";

/** Throws unless all options are there and valid. */
function check(options: unknown): asserts options is AnyOptions {
  if (!isPlainObject(options)) throw missing('takes an object with a key and a look-up');
  checkMembers(options, CHECKS, { at: AT, where: WHERE });
  const { key, lookup, cache } = options;
  if (key === undefined || lookup === undefined) {
    throw missing(`has no ${key === undefined ? 'key' : 'lookup'}`);
  }
  if (typeof key !== 'function') requireNames('lookupJoin', [key].flat());
  if (isPlainObject(cache)) {
    checkMembers(cache, CACHE_CHECKS, { at: AT, where: WHERE, within: 'cache' });
    if (cache.maxRows === undefined && cache.maxBytes === undefined) throw unbounded();
  }
}

function isBytes(value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  try {
    return parseBytes(value) >= 1;
  } catch (error) {
    if (MillraceError.is(error)) return false;
    throw error;
  }
}

function timeToLive(value: unknown): string | null {
  return durationCheck(value) === null && parseDurationMs(value as Duration) > 0
    ? null
    : "a duration such as '10m', above 0";
}

function missing(what: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${AT} ${what}.`, { where: WHERE, advice: FORM });
}

function unbounded(): MillraceError {
  return new MillraceError('OPTION_INVALID', `${AT}: the cache has no bound.`, {
    where: { ...WHERE, field: 'cache' },
    advice: "Give it one, as in cache: { maxRows: 10_000 } or cache: { maxBytes: '64mb' }.",
  });
}
