/**
 * Makes the functions of a subtask out of those of a user, which answer by promises and async iterables. Callers:
 * `async-run.ts`. Runs on: the slot's thread. Invariant: several records of one call are given together, when the last
 * has come, so that a call that fails in the middle, or is repeated, has given none.
 */
import { MillraceError } from '../../base/errors.js';
import type {
  AsyncCall,
  AsyncFunctions,
  OpenAsync,
  PromisedFunctions,
  ResultFuture,
} from './async-function.js';

type Invoke = (record: unknown, call: AsyncCall<unknown>) => unknown;

/** The functions as the engine calls them. */
export function promised(functions: PromisedFunctions): OpenAsync {
  const { open } = functions;
  return function openPromised(context) {
    if (open === null) return withClient(functions, undefined);
    const client = open(context);
    return isPromise(client)
      ? client.then((opened) => withClient(functions, opened))
      : withClient(functions, client);
  };
}

function withClient(functions: PromisedFunctions, client: unknown): AsyncFunctions {
  const { verb, onTimeout, close } = functions;
  const invoke = functions.invoke as Invoke;
  return {
    client,
    asyncInvoke(record, call, result) {
      const given = attempt(() => invoke(record, call), result);
      if (given === FAILED || settle(given, result)) return;
      result.misused(noPromise(verb, given));
    },
    ...(onTimeout === null
      ? {}
      : {
          timeout(record, call, result) {
            const given = attempt(() => (onTimeout as Invoke)(record, call), result);
            if (given === FAILED || settle(given, result)) return;
            if (given === undefined) result.misused(undefinedRecord('onTimeout'));
            else result.complete([given]);
          },
        }),
    ...(close === null ? {} : { close: () => (close as (client: unknown) => unknown)(client) }),
  };
}

const FAILED = Symbol('failed');

/** What a function gives; one that throws has failed like a promise that is rejected. */
function attempt(call: () => unknown, result: ResultFuture): unknown {
  try {
    return call();
  } catch (error) {
    result.completeExceptionally(error);
    return FAILED;
  }
}

/** Has a promise or an async iterable answer; false when it is neither. */
function settle(given: unknown, result: ResultFuture): boolean {
  if (isPromise(given)) {
    given.then(
      (record) => {
        if (record === undefined) result.misused(undefinedRecord('the function'));
        else result.complete([record]);
      },
      (error) => result.completeExceptionally(error),
    );
    return true;
  }
  if (!isAsyncIterable(given)) return false;
  new Collector(given[Symbol.asyncIterator](), result).next();
  return true;
}

/** Takes records from an iterator until it has no more, or until nobody waits for them. */
class Collector {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #result: ResultFuture;
  readonly #records: unknown[] = [];

  constructor(iterator: AsyncIterator<unknown>, result: ResultFuture) {
    this.#iterator = iterator;
    this.#result = result;
  }

  next(): void {
    this.#iterator.next().then(
      (step) => this.#take(step),
      (error) => this.#result.completeExceptionally(error),
    );
  }

  #take(step: IteratorResult<unknown>): void {
    const result = this.#result;
    if (step.done === true) return void result.complete(this.#records);
    if (result.isOver) return this.#giveUp();
    if (step.value === undefined) {
      this.#giveUp();
      return result.misused(undefinedRecord('the function'));
    }
    this.#records.push(step.value);
    this.next();
  }

  /** The iterator is told that nobody reads on; how it takes that is nobody's concern. */
  #giveUp(): void {
    this.#iterator.return?.().then(
      () => {},
      () => {},
    );
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === 'function'
  );
}

function noPromise(verb: string, given: unknown): MillraceError {
  const what =
    given === undefined ? 'nothing' : given === null ? 'null' : `a value (${typeof given})`;
  return new MillraceError(
    'USER_FUNCTION_FAILED',
    `The function of ${verb}(...) gave ${what} where a promise of a record is due.`,
    {
      advice:
        'Write it with async, or as an async generator to give several records or none; a ' +
        'function that need not wait belongs into map() or flatMap().',
    },
  );
}

function undefinedRecord(who: string): MillraceError {
  return new MillraceError(
    'USER_FUNCTION_FAILED',
    `Where a record is due, ${who} gave undefined.`,
    {
      advice:
        'Return a record. To give none, write an async generator that yields none: ' +
        'async function* (record) { ... }.',
    },
  );
}
