import { NO_LOG } from '../../../src/base/function-log.js';
import { describe, expect, it } from 'vitest';
import type {
  AsyncFunctions,
  LookupFunctions,
  ResultFuture,
} from '../../../src/operator/async/async-function.js';
import { lookups } from '../../../src/operator/async/lookup.js';
import { CallContext } from '../../../src/operator/async/call-context.js';
import type { MillraceError } from '../../../src/base/errors.js';
import { metricGroup } from '../../../src/metrics/user-metrics.js';
import { metricsPlace } from '../metrics/metrics-place.js';

interface Left {
  readonly id: number;
  readonly key: unknown;
}

/** What became of one call. */
class Answer implements ResultFuture {
  rows: readonly unknown[] | null = null;
  failure: unknown = null;
  isFinal = false;
  isOver = false;
  /** Whether the first answers are sent back. */
  repeats = 0;

  complete(rows: readonly unknown[], isFinal = false): boolean {
    if (this.isOver || this.rows !== null || this.repeats-- > 0) return false;
    this.rows = rows;
    this.isFinal = isFinal;
    return true;
  }
  completeExceptionally(error: unknown): void {
    this.failure = error;
  }
  misused(error: MillraceError): void {
    this.failure = error;
  }
}

const CACHE = {
  rowsMax: 100,
  bytesMax: null,
  expireAfterWriteMs: null,
  expireAfterAccessMs: null,
  keepsMissing: true,
};

async function opened(
  lookup: (key: unknown, call: { readonly attempt: number; readonly client: unknown }) => unknown,
  more: Partial<LookupFunctions> = {},
): Promise<{
  readonly functions: AsyncFunctions;
  readonly held: readonly (readonly [{ readonly bytes: number }, string])[];
  invoke(record: Left, attempt?: number, answer?: Answer): Answer;
}> {
  const held: (readonly [{ readonly bytes: number }, string])[] = [];
  const functions = await lookups({
    verb: 'lookupJoin',
    key: 'key',
    lookup,
    cache: null,
    isOuter: false,
    join: (left, right) => [left, right],
    of: {},
    open: null,
    close: null,
    ...more,
  })({
    subtask: 0,
    parallelism: 1,
    log: NO_LOG,
    metrics: metricGroup({ place: metricsPlace(), owner: 0 }),
    clock: { epochMs: () => 0, monotonicMs: () => 0 },
    holds: (memory, purpose) => held.push([memory, purpose]),
  });
  return {
    functions,
    held,
    invoke(record, attempt = 1, answer = new Answer()) {
      functions.asyncInvoke(record, new CallContext(functions.client, attempt, null), answer);
      return answer;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('look-ups', () => {
  it.each([
    [null, []],
    [undefined, []],
    [[], []],
    [{ a: 1 }, [{ a: 1 }]],
    ['text', ['text']],
    [
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, { a: 2 }],
    ],
  ])('that give %j find %j, at once or later', async (given, rows) => {
    const now = await opened(() => given);
    expect(now.invoke({ id: 1, key: 1 }).rows).toEqual(rows);
    const later = await opened(async () => given);
    const answer = later.invoke({ id: 1, key: 1 });
    expect(answer.rows).toBeNull();
    await turn();
    expect(answer.rows).toEqual(rows);
  });

  it('of one key share a call, and what comes of its repetitions', async () => {
    const calls: unknown[] = [];
    const { invoke, functions } = await opened(async (key, { attempt }) => {
      calls.push([key, attempt]);
      return attempt === 1 ? null : { key };
    });
    const first = new Answer();
    first.repeats = 1;
    invoke({ id: 1, key: 'a' }, 1, first);
    const second = invoke({ id: 2, key: 'a' });
    const other = invoke({ id: 3, key: 'b' });
    await turn();
    // The first one is to be repeated; whoever comes meanwhile waits for that, too.
    expect([first.rows, second.rows, other.rows]).toEqual([null, null, []]);
    const third = invoke({ id: 4, key: 'a' });
    invoke({ id: 1, key: 'a' }, 2, first);
    await turn();
    const found = [{ key: 'a' }];
    expect([first.rows, second.rows, third.rows]).toEqual([found, found, found]);
    expect([first.isFinal, second.isFinal, third.isFinal]).toEqual([false, true, true]);
    expect(calls).toEqual([
      ['a', 1],
      ['b', 1],
      ['a', 2],
    ]);
    expect(functions.lookups).toMatchObject({ hits: 0, misses: 0, loads: 3, loadFailures: 0 });
    // Without a cache nothing is kept.
    invoke({ id: 5, key: 'a' });
    expect(calls).toHaveLength(4);
  });

  it('are answered from the cache, also where there is nothing', async () => {
    const { functions, invoke, held } = await opened((key) => (key === 1 ? { a: 1 } : null), {
      cache: CACHE,
    });
    expect(functions.atHand?.({ id: 1, key: 1 })).toBeNull();
    invoke({ id: 1, key: 1 });
    invoke({ id: 2, key: 2 });
    expect(functions.atHand?.({ id: 3, key: 1 })).toEqual([{ a: 1 }]);
    expect(functions.atHand?.({ id: 4, key: 2 })).toEqual([]);
    expect(functions.lookups).toMatchObject({ hits: 2, misses: 1, loads: 2, rows: 2 });
    expect(held).toEqual([[expect.objectContaining({ rows: 2 }), 'cache']]);
    expect(held[0][0].bytes).toBe(functions.lookups?.bytes);
    expect(held[0][0].bytes).toBeGreaterThan(100);
  });

  it('keep nothing of a key that is to be looked up again', async () => {
    const { functions, invoke } = await opened(() => null, { cache: CACHE });
    const answer = new Answer();
    answer.repeats = 1;
    invoke({ id: 1, key: 1 }, 1, answer);
    expect(functions.atHand?.({ id: 1, key: 1 })).toBeNull();
    invoke({ id: 1, key: 1 }, 2, answer);
    expect(functions.atHand?.({ id: 1, key: 1 })).toEqual([]);
  });

  it('are not made for null', async () => {
    const { functions } = await opened(() => {
      throw new Error('called');
    });
    expect(functions.atHand?.({ id: 1, key: null })).toEqual([]);
    expect(functions.atHand?.({ id: 1, key: undefined })).toEqual([]);
    expect(functions.atHand?.({ id: 1, key: 0 })).toBeNull();
  });

  it('that fail say so, at once or later, and are made again', async () => {
    let isFailing = true;
    const failure = new Error('no');
    for (const lookup of [
      async (): Promise<unknown> => {
        if (isFailing) throw failure;
        return { a: 1 };
      },
      (): unknown => {
        if (isFailing) throw failure;
        return { a: 1 };
      },
    ]) {
      isFailing = true;
      const { functions, invoke } = await opened(lookup);
      const answer = invoke({ id: 1, key: 1 });
      const waiting = invoke({ id: 2, key: 1 });
      await turn();
      expect(answer.failure).toBe(failure);
      expect(functions.lookups).toMatchObject({ loads: 1, loadFailures: 1 });
      isFailing = false;
      invoke({ id: 1, key: 1 }, 2, answer);
      await turn();
      expect([answer.rows, waiting.rows]).toEqual([[{ a: 1 }], [{ a: 1 }]]);
    }
  });

  it('by generators are refused', async () => {
    const { invoke } = await opened(async function* () {
      yield 1;
    });
    expect(invoke({ id: 1, key: 1 }).failure).toMatchObject({ code: 'USER_FUNCTION_FAILED' });
  });

  it('are joined by what was found, or with null', async () => {
    const left = { id: 1, key: 1 };
    const inner = (await opened(() => null)).functions;
    const outer = (await opened(() => null, { isOuter: true })).functions;
    expect(inner.results?.(left, [])).toEqual([]);
    expect(outer.results?.(left, [])).toEqual([[left, null]]);
    expect(outer.results?.(left, [1])).toEqual([[left, 1]]);
    expect(inner.results?.(left, [1, 2])).toEqual([
      [left, 1],
      [left, 2],
    ]);
    const wrong = (await opened(() => null, { join: () => undefined })).functions;
    expect(() => wrong.results?.(left, [1])).toThrow('gave undefined');
  });

  it('have a client of their own, which is closed', async () => {
    const closed: unknown[] = [];
    const { functions, invoke } = await opened((_, { client }) => ({ client }), {
      open: async ({ subtask, parallelism }) => `client ${subtask} of ${parallelism}`,
      close: (client: unknown) => closed.push(client),
    });
    expect(invoke({ id: 1, key: 1 }).rows).toEqual([{ client: 'client 0 of 1' }]);
    functions.close?.();
    expect(closed).toEqual(['client 0 of 1']);
  });
});
