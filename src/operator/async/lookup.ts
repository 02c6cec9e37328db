/**
 * The functions of a look-up join in one subtask: finds the rows for the key of each record, in its cache or by a call
 * of the user's function, and pairs them. Callers: `async-run.ts`. Runs on: the slot's thread. Invariant: while a key
 * is being looked up, its repetitions included, no second call is made for it, and all records of the key that came
 * meanwhile are given what the last of them found.
 */
import { MillraceError } from '../../base/errors.js';
import type { LookupReport } from '../../metrics/task-metrics.js';
import type {
  AsyncCall,
  AsyncFunctions,
  EngineAsyncContext,
  LookupFunctions,
  OpenAsync,
  ResultFuture,
} from './async-function.js';
import { LookupCache, type LookupId } from './lookup-cache.js';
import { keyReader, lookupId, type ReadKey } from './lookup-key.js';
import { isPromise } from './promised.js';

const NOTHING: readonly unknown[] = [];

/** The functions as the engine calls them. */
export function lookups(functions: LookupFunctions): OpenAsync {
  return function openLookups(context) {
    const { subtask, parallelism, metrics, log } = context;
    const client = functions.open?.({ subtask, parallelism, metrics, log });
    return isPromise(client)
      ? client.then((opened) => new Lookups(functions, opened, context))
      : new Lookups(functions, client, context);
  };
}

class Lookups implements AsyncFunctions, LookupReport {
  readonly client: unknown;
  hits = 0;
  misses = 0;
  loads = 0;
  loadFailures = 0;
  readonly #functions: LookupFunctions;
  readonly #readKey: ReadKey;
  readonly #cache: LookupCache | null;
  /** Who waits for keys that are being looked up for another record. */
  readonly #waiting = new Map<LookupId, ResultFuture[]>();

  constructor(functions: LookupFunctions, client: unknown, context: EngineAsyncContext) {
    const { key, cache } = functions;
    this.client = client;
    this.#functions = functions;
    this.#readKey = keyReader(key);
    this.#cache = cache === null ? null : new LookupCache(cache, context.clock);
    if (this.#cache !== null) context.holds(this.#cache, 'cache');
  }

  get lookups(): LookupReport {
    return this;
  }

  get rows(): number {
    return this.#cache?.rows ?? 0;
  }

  get bytes(): number {
    return this.#cache?.bytes ?? 0;
  }

  atHand(record: unknown): readonly unknown[] | null {
    const key = this.#readKey(record);
    if (key === null || key === undefined) return NOTHING;
    if (this.#cache === null) return null;
    const found = this.#cache.get(lookupId(key));
    if (found === null) this.misses++;
    else this.hits++;
    return found;
  }

  asyncInvoke(record: unknown, call: AsyncCall<unknown>, result: ResultFuture): void {
    const key = this.#readKey(record);
    const id = lookupId(key);
    // Those that wait are given what is final, so that a repetition is one of the call that they wait for.
    if (call.attempt === 1) {
      const waiting = this.#waiting.get(id);
      if (waiting !== undefined) return void waiting.push(result);
      this.#waiting.set(id, []);
    }
    this.loads++;
    let given: unknown;
    try {
      given = this.#functions.lookup(key as never, call as never);
    } catch (error) {
      return this.#failed(error, result);
    }
    if (!isPromise(given)) return this.#loaded(id, given, result);
    given.then(
      (found) => this.#loaded(id, found, result),
      (error) => this.#failed(error, result),
    );
  }

  #failed(error: unknown, result: ResultFuture): void {
    this.loadFailures++;
    result.completeExceptionally(error);
  }

  #loaded(id: LookupId, given: unknown, result: ResultFuture): void {
    if (isIterator(given)) return result.misused(noRows(this.#functions.verb));
    const found =
      given === null || given === undefined ? NOTHING : Array.isArray(given) ? given : [given];
    if (!result.complete(found)) return;
    this.#cache?.put(id, found);
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const each of waiting) each.complete(found, true);
  }

  results(record: unknown, found: readonly unknown[]): readonly unknown[] {
    if (found.length === 1) return [this.#join(record, found[0])];
    if (found.length > 1) return found.map((row) => this.#join(record, row));
    return this.#functions.isOuter ? [this.#join(record, null)] : NOTHING;
  }

  #join(record: unknown, row: unknown): unknown {
    const joined = this.#functions.join(record, row);
    if (joined !== undefined) return joined;
    throw new MillraceError('USER_FUNCTION_FAILED', 'The join gave undefined for a record.', {
      advice: 'Return a record from apply((left, right) => ({ ... })).',
    });
  }

  close(): unknown {
    return (this.#functions.close as ((client: unknown) => unknown) | null)?.(this.client);
  }
}

/** Whether it is what a generator gives. */
function isIterator(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'next' in given && 'throw' in given;
}

function noRows(verb: string): MillraceError {
  return new MillraceError(
    'USER_FUNCTION_FAILED',
    `The function lookup of ${verb}(...) is a generator; due are rows, or a promise of them.`,
    { advice: 'Return a row, an array of rows, or null, from an async function.' },
  );
}
