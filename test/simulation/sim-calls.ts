/**
 * Asynchronous functions of a simulated job: their answers come when the world's event loop says so, early or late, at
 * the first attempt or a later one, or never. Whatever happens, each record comes out as it went in, so that the model
 * need not know of them. Runs on: the test's thread.
 */
import type { Stream } from '../../src/api/stream.js';
import type { SimWorld } from './sim-world.js';

/** How records are sent through a function, and how well that answers. */
export interface SimCalls {
  readonly kind: 'ordered' | 'unordered' | 'lookup';
  readonly capacity: number;
  /** The longest time that an answer takes, and after which one is given up that never comes. */
  readonly delayMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** Rows that the cache of look-ups holds; 0 for none. */
  readonly cacheRows: number;
}

/** What calls met. */
export interface SeenCalls {
  timedOut: number;
  repeated: number;
  shared: number;
}

/** Answers that never come, of one function: each holds up as much as its timeout. */
const SILENT_MAX = 3;

/** A promise that tells at once, so that simulated time never waits for a microtask. */
class SimPromise<T> implements PromiseLike<T> {
  readonly #start: (fulfil: (value: T) => void, reject: (error: Error) => void) => void;

  constructor(start: (fulfil: (value: T) => void, reject: (error: Error) => void) => void) {
    this.#start = start;
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise.
  then(
    fulfilled?: ((value: T) => never) | null,
    rejected?: ((error: Error) => never) | null,
  ): never {
    this.#start(
      (value) => fulfilled?.(value),
      (error) => rejected?.(error),
    );
    return undefined as never;
  }
}

/** The records of a stream once more, when a function has answered for each. */
export function throughCalls<T extends { readonly k: number }>(
  stream: Stream<T>,
  calls: SimCalls,
  at: { readonly uid: string; readonly world: SimWorld; readonly seen: SeenCalls },
): Stream<T> {
  const { kind, capacity, timeoutMs, retries, cacheRows } = calls;
  const { uid, world, seen } = at;
  const answer = answering<T>(calls, world, seen);
  const retry = { maxAttempts: retries, delay: 5, multiplier: 2 };
  const options = { uid, capacity, ...(retries > 0 ? { retry } : {}) };
  if (kind !== 'lookup') {
    const own = {
      ...options,
      timeout: timeoutMs,
      onTimeout: (row: T): T => {
        seen.timedOut++;
        return row;
      },
    };
    const fn = (row: T, { attempt }: { readonly attempt: number }): PromiseLike<T> =>
      answer(row, attempt, true);
    return kind === 'ordered' ? stream.orderedWait(fn, own) : stream.unorderedWait(fn, own);
  }
  let open = 0;
  const found = stream.lookupJoin({
    key: 'k' as never,
    // One that never answers would fail the job.
    lookup: (k: never, { attempt }: { readonly attempt: number }): PromiseLike<{ k: number }> => {
      open++;
      return new SimPromise((fulfil, reject) =>
        answer({ k } as unknown as T, attempt, false).then(
          (row) => (open--, fulfil(row)) as never,
          (error) => (open--, reject(error as Error)) as never,
        ),
      );
    },
    outputMode: world.random.below(2) === 0 ? 'ordered' : 'allowUnordered',
    capacity,
    timeout: 0,
    ...(retries > 0 ? { retry } : {}),
    ...(cacheRows > 0 ? { cache: { maxRows: cacheRows, expireAfterWrite: 200 } } : {}),
  });
  return found.apply(
    (row, { k }) => {
      if (row.k !== k) throw new Error(`The key ${row.k} was given the row of ${k}.`);
      seen.shared += open === 0 ? 0 : 1;
      return row;
    },
    { uid },
  );
}

/** A function that answers some time with what it is given. */
function answering<T>(
  { delayMs, retries }: SimCalls,
  world: SimWorld,
  seen: SeenCalls,
): (row: T, attempt: number, maySilent: boolean) => SimPromise<T> {
  let silent = 0;
  const { random } = world;
  return (row, attempt, maySilent) =>
    new SimPromise((fulfil, reject) => {
      if (attempt > 1) seen.repeated++;
      if (maySilent && silent < SILENT_MAX && random.below(40) === 0) {
        silent++;
        return;
      }
      const isFailing = attempt <= retries && random.below(4) === 0;
      const end = isFailing ? (): void => reject(new Error('busy')) : (): void => fulfil(row);
      const how = random.below(4);
      if (how === 0) end();
      else if (how === 1) world.later(end);
      else world.after(random.below(delayMs + 1), end);
    });
}
