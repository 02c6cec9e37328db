/** Look-up joins in whole jobs: what they find, what they hold, what they tell of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { collectSink, job, MillraceError, run, start, tumbling } from 'millrace';
import { describe, expect, it } from 'vitest';

interface Order {
  readonly id: number;
  readonly shop: number | null;
}

const orders = (count: number): readonly Order[] =>
  Array.from({ length: count }, (_, id) => ({ id, shop: id % 10 === 9 ? null : id % 7 }));

describe('a look-up join', () => {
  it.each(['ordered', 'allowUnordered'] as const)('finds rows, %s', async (outputMode) => {
    const sink = collectSink<{ id: number; shop: number | null; row: number | null }>();
    const joined = job('joined', (flow) => {
      flow
        .from(orders(500))
        .lookupJoin({
          key: 'shop',
          // Of shop 3 there are two rows, of shop 5 none.
          lookup: async (shop) => {
            await pause(shop % 3);
            return Array.from({ length: shop === 3 ? 2 : shop === 5 ? 0 : 1 }, (_, row) => ({
              row,
            }));
          },
          type: 'left',
          outputMode,
          capacity: 20,
        })
        .select(['id', 'shop'], ['row'])
        .to(sink);
    });
    await run(joined);
    const expected = orders(500).flatMap(
      ({ id, shop }): { id: number; shop: number | null; row: number | null }[] =>
        shop === null || shop === 5
          ? [{ id, shop, row: null }]
          : Array.from({ length: shop === 3 ? 2 : 1 }, (_, row) => ({ id, shop, row })),
    );
    const isOrdered = sink.rows.every(({ id }, at) => at === 0 || sink.rows[at - 1].id <= id);
    expect(isOrdered).toBe(outputMode === 'ordered');
    expect(sink.rows.toSorted((a, b) => a.id - b.id)).toEqual(expected);
  });

  it('shares calls, keeps rows, and tells of both', async () => {
    const calls: number[] = [];
    const sink = collectSink<{ id: number; name: string }>();
    const joined = job('joined', (flow) => {
      flow
        .from(orders(1000))
        .lookupJoin({
          key: ({ shop }) => shop,
          lookup: async (shop) => {
            calls.push(shop);
            await pause(1);
            return { name: `shop ${shop}` };
          },
          cache: { maxRows: 5 },
        })
        .apply(({ id }, { name }) => ({ id, name }), { name: 'shops' })
        .to(sink);
    });
    const execution = await start(joined);
    const { ledger } = await execution.finished;
    const task = execution.metrics().vertices[1].subtasks[0];
    const withKey = orders(1000).filter(({ shop }) => shop !== null).length;
    expect(sink.rows).toHaveLength(withKey);
    expect(task.lookupLoads).toBe(calls.length);
    expect(task.lookupHits + task.lookupMisses).toBe(withKey);
    // Some 100 records wait at a time, so that seven keys share fifteen rounds at most; of those that come later some
    // are in the cache still.
    expect(calls.length).toBeGreaterThan(7);
    expect(calls.length).toBeLessThan(withKey / 4);
    expect(task).toMatchObject({ cachedRows: 5, lookupFailures: 0, callsInFlight: 0 });
    const rows = ledger.flatMap((part) => part.rows);
    const [held] = rows.filter(({ purpose }) => purpose === 'cache');
    expect(held).toMatchObject({ operator: expect.stringContaining('shops') as string });
    expect(held.reservedBytes).toBe(task.cachedBytes);
    expect(held.reservedBytes).toBeGreaterThan(500);
  });

  it('is found again when it has been missing, as often as its strategy says', async () => {
    const attempts = new Map<number, number>();
    const sink = collectSink<{ id: number; times: number }>();
    const joined = job('joined', (flow) => {
      flow
        .from(orders(70))
        .lookupJoin({
          key: 'shop',
          lookup: async (shop) => {
            const times = (attempts.get(shop) ?? 0) + 1;
            attempts.set(shop, times);
            return times > shop ? { times } : undefined;
          },
          cache: { maxRows: 100 },
          retry: { maxAttempts: 4, delay: 1, ifResult: (rows) => rows.length === 0 },
        })
        .select(['id'], ['times'])
        .to(sink);
    });
    await run(joined);
    // Shops 0 to 4 are there at some attempt, others are not and stay so.
    const expected = orders(70).filter(({ shop }) => shop !== null && shop < 5);
    expect(sink.rows).toEqual(expected.map(({ id, shop }) => ({ id, times: (shop ?? 0) + 1 })));
    expect(Object.fromEntries(attempts)).toEqual({ 0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 5, 6: 5 });
  });

  it('holds watermarks back, so that nothing is late for windows behind it', async () => {
    const sink = collectSink<{ windowStart: number; count: number }>();
    const joined = job('joined', (flow) => {
      flow
        .from(Array.from({ length: 200 }, (_, at) => ({ at, key: at % 13 })))
        .assignTimestamps('at')
        .lookupJoin({
          key: 'key',
          lookup: async (key) => {
            await pause(key % 4);
            return { side: key };
          },
          outputMode: 'allowUnordered',
        })
        .select(['at'], ['side'])
        .windowAll(tumbling(20))
        .count()
        .to(sink);
    });
    await run(joined);
    expect(sink.rows.map(({ windowStart, count }) => [windowStart, count])).toEqual(
      Array.from({ length: 10 }, (_, at) => [at * 20, 20]),
    );
  });

  it('fails with the record and the cause, in look-up and join', async () => {
    const failing = async (at: 'lookup' | 'key' | 'join'): Promise<unknown> => {
      const oops = (): never => {
        throw new RangeError('oops');
      };
      const joined = job('joined', (flow) => {
        flow
          .from(orders(5))
          .lookupJoin({
            key: ({ id }) => (at === 'key' && id === 3 ? oops() : id),
            lookup: async (id) => (at === 'lookup' && id === 3 ? oops() : { id }),
          })
          .apply(({ id }) => (at === 'join' && id === 3 ? oops() : { id }), { uid: 'shops' })
          .to(collectSink());
      });
      return run(joined).catch((error: unknown) => error);
    };
    for (const at of ['lookup', 'key', 'join'] as const) {
      const error = await failing(at);
      if (!MillraceError.is(error)) throw error;
      expect(error).toMatchObject({
        code: 'USER_FUNCTION_FAILED',
        where: { operator: 'lookupJoin', uid: 'shops', record: 3 },
      });
      expect(error.message).toContain('oops');
      expect(String(error.cause)).toContain('RangeError');
    }
  });
});
