/** Whole jobs on arrays: what sinks were given, under no seed, under many, and what is refused. */
import { describe, expect, it } from 'vitest';
import {
  collection,
  collectSink,
  count,
  csv,
  discard,
  fromAsync,
  job,
  sum,
} from '../../../src/index.js';
import { forEachSeed, runOnArrays } from '../../../src/testing.js';

interface Sale {
  readonly city: string;
  readonly amount: number;
  readonly at: number;
}

const sales: readonly Sale[] = Array.from({ length: 120 }, (_, index) => ({
  city: ['Bern', 'Genf', 'Chur'][index % 3] ?? '',
  amount: index,
  at: index * 10,
}));

const totals = job('totals', (flow, { least = 0 }: { least?: number }) => {
  const all = flow.from(csv<Sale>('sales.csv'), { name: 'sales' }).assignTimestamps('at');
  const kept = all.rebalance().filter((sale) => sale.amount >= least);
  kept
    .keyBy('city')
    .aggregate({ sales: count(), amount: sum('amount') })
    .to(discard(), { name: 'totals' });
  kept.to(collectSink(), { name: 'kept', uid: 'kept-sales' });
});

const byCity = (left: { city: string }, right: { city: string }): number =>
  left.city < right.city ? -1 : 1;

describe('runOnArrays', () => {
  it('gives what each sink was given, in order, with event times', async () => {
    const run = await runOnArrays(totals, { sources: { sales }, params: { least: 60 } });
    expect(run.sinks).toEqual(['totals', 'kept']);
    expect(run.records('kept')).toEqual(sales.slice(60));
    expect(run.output('kept-sales').entries[0]).toEqual({
      record: sales[60],
      timestamp: 600,
      kind: 'insert',
    });
    expect([...run.records<{ city: string }>('totals')].sort(byCity)).toEqual([
      { city: 'Bern', sales: 20, amount: 1770 },
      { city: 'Chur', sales: 20, amount: 1810 },
      { city: 'Genf', sales: 20, amount: 1790 },
    ]);
  });

  it('gives the same whatever the seed and the parallelism, and repeats exactly', async () => {
    const { records } = (await runOnArrays(totals, { sources: { sales } })).output('totals');
    const expected = [...(records as readonly { city: string }[])].sort(byCity);
    let parallelism = 1;
    const orders = new Set<string>();
    await forEachSeed(5, async (seed) => {
      const options = { sources: { sales }, seed, parallelism: (parallelism++ % 3) + 1 };
      const run = await runOnArrays(totals, options);
      expect([...run.records<{ city: string }>('totals')].sort(byCity)).toEqual(expected);
      const again = await runOnArrays(totals, options);
      expect(again.records('kept')).toEqual(run.records('kept'));
      orders.add(JSON.stringify(run.records('kept')));
    });
    expect(orders.size).toBeGreaterThan(1);
  });

  it('leaves sources that end as they are', async () => {
    const doubled = job('doubled', (flow) => {
      flow
        .from([1, 2, 3])
        .map((n) => n * 2)
        .to(discard());
    });
    expect((await runOnArrays(doubled)).records()).toEqual([2, 4, 6]);
  });

  it('fires timers of processing time without waiting', async () => {
    const delayed = job('delayed', (flow) => {
      const ticks = fromAsync(async function* () {
        yield { user: 'ann' };
        for (let turn = 0; turn < 50; turn++) await new Promise((go) => setImmediate(go));
      });
      flow
        .from(ticks)
        .keyBy('user')
        .process<number>(() => ({
          processElement: (_record, ctx) =>
            ctx.timers.registerProcessingTime(ctx.timers.currentProcessingTime + 5_000),
          onTimer: (_timestamp, ctx) => ctx.collect(1),
        }))
        .to(discard());
    });
    expect((await runOnArrays(delayed)).records()).toEqual([1]);
  });

  it('rejects with what the job failed with', async () => {
    const failing = job('failing', (flow) => {
      const source = flow.from([1, 2]);
      source
        .map((n) => {
          if (n === 2) throw new Error('two');
          return n;
        })
        .to(discard());
    });
    await expect(runOnArrays(failing)).rejects.toMatchObject({ code: 'USER_FUNCTION_FAILED' });
  });

  it('refuses names that do not exist, and options', async () => {
    const misused = { code: 'TEST_MISUSED' };
    const other = runOnArrays(totals, { sources: { sale: [] } });
    await expect(other).rejects.toMatchObject({ ...misused, advice: 'Did you mean "sales"?' });
    const run = await runOnArrays(totals, { sources: { sales } });
    expect(() => run.records('total')).toThrow('0 sinks called "total"');
    expect(() => run.records()).toThrow('2 sinks');
    await expect(runOnArrays({} as never)).rejects.toMatchObject(misused);
    const seeds = { sources: { sales }, seeds: 1 } as object;
    await expect(runOnArrays(totals, seeds)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' });
    const noArray = { sources: { sales: {} } } as object;
    await expect(runOnArrays(totals, noArray)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    const unending = { ...collection([1]), bounded: false };
    const endless = job('endless', (flow) => {
      flow.from(unending, { name: 'ticks' }).to(discard());
    });
    await expect(runOnArrays(endless)).rejects.toMatchObject(misused);
  });
});

describe('forEachSeed', () => {
  it('tells the seed of the failure and keeps its cause, and replays it', async () => {
    const seen: number[] = [];
    const failure = await forEachSeed(5, (seed) => {
      seen.push(seed);
      expect(seen.length).toBeLessThan(3);
    }).catch((error: unknown) => error);
    expect(seen).toHaveLength(3);
    const seed = seen[2] ?? 0;
    expect(failure).toMatchObject({
      code: 'TEST_SEED_FAILED',
      advice: `Replay it with forEachSeed({ seed: ${seed} }, ...).`,
      cause: { name: 'AssertionError' },
    });
    expect(String(failure)).toContain(`seed ${seed}`);
    await forEachSeed({ seed }, (again) => expect(again).toBe(seed));
  });

  it.each([0, 1.5, { seed: 0.5 }, null])('cannot run under %j', async (seeds) => {
    const run = forEachSeed(seeds as number, () => undefined);
    await expect(run).rejects.toMatchObject({ code: 'TEST_MISUSED' });
  });
});
