/** Windows from source to sink: in two phases, without a key, with late records, at several parallelisms. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  avg,
  col,
  count,
  countDistinct,
  countEvictor,
  countWindow,
  eventTimeTrigger,
  explain,
  type Flow,
  globalWindow,
  job,
  max,
  ndjson,
  outputTag,
  run,
  session,
  sliding,
  type Stream,
  sum,
  timeEvictor,
  type Trigger,
  tumbling,
  windowsBy,
} from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-windows-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Order {
  readonly shop: number;
  readonly price: number;
  readonly at: number;
}

const ORDERS: readonly Order[] = Array.from({ length: 3000 }, (_, id) => ({
  shop: id % 7,
  price: (id * 31) % 100,
  at: ((id * 7919) % 3000) * 10 - 5000,
}));

/** The orders with their event times. */
function timed(flow: Flow): Stream<Order> {
  return flow.from(ORDERS).process<Order>(() => ({
    processElement: (order, out) => out.collect(order, order.at),
  }));
}

interface Result {
  readonly shop?: number;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly orders: number;
  readonly worth: number;
  readonly top: number;
}

/** The same, by a loop over all windows. */
function expected(sizeMs: number, slideMs: number, isKeyed: boolean): readonly Result[] {
  const found = new Map<string, Result>();
  for (const { shop, price, at } of ORDERS) {
    for (let start = -100 * slideMs; start <= at; start += slideMs) {
      if (at >= start + sizeMs) continue;
      const id = `${isKeyed ? shop : ''}/${start}`;
      const before = found.get(id);
      found.set(id, {
        ...(isKeyed ? { shop } : {}),
        windowStart: start,
        windowEnd: start + sizeMs,
        orders: (before?.orders ?? 0) + 1,
        worth: (before?.worth ?? 0) + price,
        top: Math.max(before?.top ?? price, price),
      });
    }
  }
  return [...found.values()];
}

function rowsOf(folder: string): readonly string[] {
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((text) => text !== '')
    .toSorted();
}

const textOf = (rows: readonly unknown[]): readonly string[] =>
  rows.map((row) => JSON.stringify(row)).toSorted();

const AGGREGATES = { orders: count(), worth: sum('price'), top: max('price') } as const;

describe('windows of event time', () => {
  for (const parallelism of [1, 2, 3]) {
    for (const [sizeMs, slideMs] of [
      [1000, 1000],
      [3000, 1000],
      [2500, 1000],
    ]) {
      it(`of ${sizeMs} every ${slideMs} ms, at parallelism ${parallelism}`, async () => {
        const out = join(directory, `keyed-${sizeMs}-${parallelism}`);
        const all = join(directory, `all-${sizeMs}-${parallelism}`);
        const totals = job('totals', (flow) => {
          const windows = sliding(sizeMs, slideMs);
          timed(flow).keyBy('shop').window(windows).aggregate(AGGREGATES).to(ndjson(out));
          timed(flow).windowAll(windows).aggregate(AGGREGATES).to(ndjson(all));
        });
        await run(totals, { runtime: 'in-thread', parallelism });
        expect(rowsOf(out)).toEqual(textOf(expected(sizeMs, slideMs, true)));
        expect(rowsOf(all)).toEqual(textOf(expected(sizeMs, slideMs, false)));
      });
    }
  }

  it('say in the plan what they are, and add up parts before the exchange', () => {
    const plan = explained((orders) => orders.windowAll(tumbling('1s', { offset: -250 })).count());
    expect(plan).toContain('all records, windows of 1.00 s - 250 ms: partial');
    expect(plan).toContain('merged count = count()');
    const late = outputTag<Order>('late');
    expect(
      explained((orders) =>
        orders
          .keyBy('shop')
          .window(sliding('1m', '10s'))
          .allowedLateness('5s')
          .sideOutputLateData(late)
          .sum('price'),
      ),
    ).toContain('windows of 1 m 0 s every 10.0 s');
    const wall = tumbling('1s', { time: 'processing' });
    expect(explained((orders) => orders.windowAll(wall).count())).toContain('by the wall clock');
  });

  it('are refused names and options that they cannot have', () => {
    const late = outputTag<Order>('late');
    const wall = tumbling('1s', { time: 'processing' });
    const refused: readonly (readonly [string, (orders: Stream<Order>) => unknown])[] = [
      ['no whole number', () => tumbling(0)],
      ['no whole number', () => tumbling('1s', { offset: 0.5 })],
      ['no option "ofset"', () => tumbling('1s', { ofset: 1 } as never)],
      ['"time" is wall', () => tumbling('1s', { time: 'wall' as never })],
      ['takes windows', (orders) => orders.windowAll('1m' as never)],
      [
        'tells of the window',
        (orders) => orders.windowAll(tumbling(1)).aggregate({ windowStart: count() } as never),
      ],
      ['one subtask', (orders) => orders.windowAll(tumbling(1)).count({ parallelism: 2 })],
      [
        'gives nothing to that tag',
        (orders) => orders.windowAll(tumbling(1)).count().sideOutput(late),
      ],
      ['takes a tag', (orders) => orders.windowAll(tumbling(1)).sideOutputLateData('a' as never)],
      ['wall clock', (orders) => orders.windowAll(wall).allowedLateness('1s')],
      ['wall clock', (orders) => orders.windowAll(wall).sideOutputLateData(late)],
    ];
    for (const [message, use] of refused) {
      expect(() => explained((orders) => use(orders) as Stream<unknown>)).toThrow(message);
    }
  });
});

describe('windows whose records functions see', () => {
  it('give what a loop over the records gives, in threads of any number', async () => {
    for (const parallelism of [1, 3]) {
      const visits = join(directory, `visits-${parallelism}`);
      const sums = join(directory, `sums-${parallelism}`);
      const best = join(directory, `best-${parallelism}`);
      const all = join(directory, `every-${parallelism}`);
      await run(
        job('functions', (flow) => {
          const byShop = timed(flow).keyBy('shop');
          byShop
            .window(session('60ms'))
            .process<{ shop: number; from: number; orders: number }>(
              (orders, { key, window, collect }) =>
                collect({ shop: key.shop, from: window.start, orders: orders.length }),
            )
            .to(ndjson(visits));
          byShop.window(session('60ms')).aggregate(AGGREGATES).to(ndjson(sums));
          byShop
            .window(tumbling('1s'))
            .reduce(
              (a, b) => (b.price > a.price ? b : a),
              (order, { key, window }) => ({
                shop: key.shop,
                from: window.start,
                top: order.price,
              }),
            )
            .to(ndjson(best));
          timed(flow)
            .windowAll(countWindow(1000))
            .process<{ orders: number }>((orders, { collect }) =>
              collect({ orders: orders.length }),
            )
            .to(ndjson(all));
        }),
        { runtime: 'in-thread', parallelism },
      );
      expect(rowsOf(all)).toEqual(textOf([{ orders: 1000 }, { orders: 1000 }, { orders: 1000 }]));
      expect(rowsOf(best)).toEqual(
        textOf(
          expected(1000, 1000, true).map(({ shop, windowStart, top }) => ({
            shop,
            from: windowStart,
            top,
          })),
        ),
      );
      const sessions = sessionsOf(60);
      expect(rowsOf(visits)).toEqual(
        textOf(sessions.map(({ shop, from, prices }) => ({ shop, from, orders: prices.length }))),
      );
      expect(rowsOf(sums)).toEqual(
        textOf(
          sessions.map(({ shop, from, to, prices }) => ({
            shop,
            windowStart: from,
            windowEnd: to,
            orders: prices.length,
            worth: prices.reduce((total, price) => total + price, 0),
            top: Math.max(...prices),
          })),
        ),
      );
    }
  });

  it('give the aggregates that compiled windows give, of whatever they are', async () => {
    const aggregates = {
      dear: count().where(col('price').gt(70)),
      tax: sum(col('price').mul(0.19), { exact: true }),
      cents: max(col('price').mul(0.01).cast('decimal(12, 2)')),
      prices: countDistinct(col('price').mod(10)).where(col('at').gte(0)),
      last: max(col('price').cast('utf8')),
      mean: avg(col('price').add(1)),
    };
    const shops = ['plain', 'triggered', 'evicted', 'sessions', 'bySession', 'counted'] as const;
    for (const parallelism of [1, 3]) {
      const out = (name: string) => join(directory, `${name}-${parallelism}`);
      await run(
        job('aggregates', (flow) => {
          const byShop = timed(flow).keyBy('shop');
          const hours = byShop.window(tumbling('2s'));
          const streams = {
            plain: hours.aggregate(aggregates),
            triggered: hours.trigger(eventTimeTrigger()).aggregate(aggregates),
            evicted: hours.evictor(countEvictor(1_000_000)).aggregate(aggregates),
            sessions: byShop.window(session('60ms')).aggregate(aggregates),
            bySession: byShop.window(session<Order>(() => 60)).aggregate(aggregates),
            counted: byShop
              .window(countWindow(40, 20))
              .aggregate({ dear: count().where(col('price').gt(70)), all: count() }),
          };
          for (const name of shops) streams[name].to(ndjson(out(name)));
        }),
        { runtime: 'in-thread', parallelism },
      );
      const [plain, triggered, evicted, sessions, bySession, counted] = shops.map((name) =>
        rowsOf(out(name)),
      );
      expect(plain.length).toBeGreaterThan(50);
      expect(triggered).toEqual(plain);
      expect(evicted).toEqual(plain);
      expect(sessions.length).toBeGreaterThan(50);
      expect(bySession).toEqual(sessions);
      // Of 428 or 429 orders of a shop the last 20, then the last 40, every 20.
      expect(counted).toHaveLength(7 * 21);
      const dear = (some: readonly Order[]) => some.filter(({ price }) => price > 70).length;
      const expected = [0, 1, 2, 3, 4, 5, 6].flatMap((shop) => {
        const orders = ORDERS.filter((order) => order.shop === shop);
        return Array.from({ length: 21 }, (_, index) => {
          const some = orders.slice(Math.max(0, index * 20 - 20), index * 20 + 20);
          return { shop, dear: dear(some), all: some.length };
        });
      });
      const plainly = counted.map((text) => {
        const { shop, dear, all } = JSON.parse(text) as (typeof expected)[number];
        return { shop, dear, all };
      });
      // In several threads, which twenty come first is up to them.
      const shown = (row: (typeof expected)[number]) =>
        parallelism === 1 ? row : { shop: row.shop, all: row.all };
      expect(textOf(plainly.map(shown))).toEqual(textOf(expected.map(shown)));
    }
  });

  it('tell in the plan what they aggregate', () => {
    const plan = explained((orders) =>
      orders
        .keyBy('shop')
        .window(tumbling('1s'))
        .trigger(eventTimeTrigger())
        .aggregate({ dear: count().where(col('price').gt(70)) }),
    );
    expect(plan).toContain('by shop: windows of 1.00 s, with a trigger: dear = count() where');
  });

  it('say in the plan what they are', () => {
    const plan = explained((orders) =>
      orders
        .keyBy('shop')
        .window(session('1.5s'))
        .allowedLateness('2s')
        .process((all, { collect }) => collect({ orders: all.length })),
    );
    const byClock = explained((orders) =>
      orders
        .keyBy('shop')
        .window(tumbling('1s', { time: 'processing', endOfInput: 'fire' }))
        .count(),
    );
    expect(byClock).toContain('by the wall clock, the last ones at the end of the input');
    expect(plan).toContain('by shop: sessions of 1.50 s, kept for late records 2.00 s: (all,');
    const sums = explained((orders) => orders.keyBy('shop').window(session('2s')).sum('price'));
    expect(sums).toContain('by shop, sessions of 2.00 s: sum');
  });

  it('are refused triggers that cannot merge, and other settings that mean nothing', () => {
    const trigger: Trigger<Order> = { onElement: () => 'fire' };
    const refused: readonly (readonly [string, (orders: Stream<Order>) => unknown])[] = [
      [
        'can merge',
        (orders) =>
          orders
            .windowAll(session('1s'))
            .trigger(trigger)
            .reduce((a) => a),
      ],
      ['takes a trigger', (orders) => orders.windowAll(tumbling(1)).trigger(1 as never)],
      ['takes an evictor', (orders) => orders.windowAll(tumbling(1)).evictor(1 as never)],
      ['no option "tme"', () => session('1s', { tme: 'event' } as never)],
      ['"time" is wall', () => session('1s', { time: 'wall' } as never)],
      ['"endOfInput" is give', () => tumbling(1, { endOfInput: 'give' } as never)],
      ['"endOfInput" is for processing time', () => tumbling(1, { endOfInput: 'fire' })],
      ['takes an assigner', () => windowsBy({} as never)],
      ['no whole number above 0', () => countWindow(0)],
      ['no whole number above 0', () => timeEvictor(0)],
      [
        'wall clock or have no end',
        (orders) => orders.windowAll(globalWindow()).allowedLateness(1),
      ],
    ];
    for (const [message, use] of refused) {
      expect(() => explained((orders) => use(orders) as Stream<unknown>)).toThrow(message);
    }
  });
});

interface Visit {
  readonly shop: number;
  readonly from: number;
  to: number;
  readonly prices: number[];
}

/** Sessions of each shop, by a walk over its orders in order of time. */
function sessionsOf(gapMs: number): readonly Visit[] {
  const sessions: Visit[] = [];
  const last = new Map<number, Visit>();
  for (const { shop, at, price } of ORDERS.toSorted((a, b) => a.at - b.at)) {
    const open = last.get(shop);
    if (open !== undefined && at <= open.to) {
      open.prices.push(price);
      open.to = at + gapMs;
      continue;
    }
    const visit = { shop, from: at, to: at + gapMs, prices: [price] };
    sessions.push(visit);
    last.set(shop, visit);
  }
  return sessions;
}

/** The plan of a stream made from the orders, in one line. */
function explained(use: (orders: Stream<Order>) => Stream<unknown>): string {
  const plan = job('plan', (flow) => {
    const results = use(timed(flow)) as Stream<Record<string, unknown>>;
    results.to(ndjson(join(directory, 'never')));
  });
  const { text } = explain(plan, { runtime: 'in-thread', parallelism: 2 });
  return text.replaceAll(/\s+/g, ' ');
}
