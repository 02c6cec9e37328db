/** Process functions through whole runs: two sides, broadcast state, keys of every kind, timers, and what is refused. */
import { describe, expect, it } from 'vitest';
import {
  col,
  collectSink,
  type Flow,
  fromAsync,
  job,
  type OpenProcess,
  outputTag,
  run,
} from '../../src/index.js';

function runJob(build: (flow: Flow) => void, parallelism = 1): Promise<unknown> {
  const definition = job('process-functions', build);
  return run(definition, { parallelism, runtime: 'in-thread' });
}

function failure(build: (flow: Flow) => void, parallelism = 1): Promise<unknown> {
  return runJob(build, parallelism).then(
    () => {
      throw new Error('The job did not fail.');
    },
    (error: unknown) => error,
  );
}

const orders = [
  { id: 'a', price: 10 },
  { id: 'b', price: 20 },
  { id: 'c', price: 30 },
];
const payments = [
  { order: 'b', paid: 5 },
  { order: 'a', paid: 7 },
  { order: 'b', paid: 8 },
];
type Order = (typeof orders)[number];
type Payment = (typeof payments)[number];

describe.each([1, 2, 3])('two sides at parallelism %i', (parallelism) => {
  it('share the state of their common key, with records of different schemas', async () => {
    const sink = collectSink<{ id: string; price: number; paid: number }>();
    await runJob((flow) => {
      const late = flow.from([{ id: 'd', price: 40 }]);
      flow
        .from(orders)
        .union(late)
        .keyBy('id')
        .connect(flow.from([...payments, { order: 'd', paid: 1 }]).keyBy('order'))
        .process<{ id: string; price: number; paid: number }>((context) => {
          const price = context.state.value<number>({ name: 'price' });
          const paid = context.state.value<number>({ name: 'paid' });
          const ids = context.state.value<string>({ name: 'id' });
          return {
            processElement(order, { key }) {
              price.update(order.price);
              ids.update(key.id);
            },
            processElement2(payment, { key, timers }) {
              ids.update(key.id);
              paid.update((paid.value() ?? 0) + payment.paid);
              timers.registerEventTime(1);
            },
            onTimer(_, { collect }) {
              collect({
                id: ids.value() ?? '',
                price: price.value() ?? 0,
                paid: paid.value() ?? 0,
              });
            },
          };
        })
        .to(sink);
    }, parallelism);
    const byId = [...sink.rows].sort((a, b) => a.id.localeCompare(b.id));
    expect(byId).toEqual([
      { id: 'a', price: 10, paid: 7 },
      { id: 'b', price: 20, paid: 13 },
      { id: 'd', price: 40, paid: 1 },
    ]);
  });

  it('work when one of them never has a record', async () => {
    const sink = collectSink<{ side: number }>();
    await runJob((flow) => {
      const none = flow.from(orders).filter(() => false);
      const open = () => ({
        processElement: () => {},
        processElement2: (_: unknown, out: { collect(record: { side: number }): void }) =>
          out.collect({ side: 2 }),
      });
      const keyed = flow.from(payments).keyBy('order');
      none.keyBy('id').connect(keyed).process<{ side: number }>(open).to(sink);
      none
        .keyBy('id')
        .connect(flow.from(payments).broadcast())
        .process<{ side: number }>(open)
        .to(sink);
    }, parallelism);
    expect(sink.rows).toHaveLength(payments.length + payments.length * parallelism);
  });

  it('lets broadcast records come first, write broadcast state and visit the keys of a state', async () => {
    const sink = collectSink<{ id: string; seen: number; limit: number }>();
    await runJob((flow) => {
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      async function* later(): AsyncGenerator<Order> {
        await released;
        yield* orders;
        yield* orders;
      }
      async function* rules(): AsyncGenerator<{ limit: number }> {
        yield { limit: 25 };
        await new Promise((resolve) => setTimeout(resolve, 20));
        release();
        await new Promise((resolve) => setTimeout(resolve, 50));
        yield { limit: -1 };
      }
      flow
        .from(fromAsync(later()))
        .keyBy('id')
        .connect(flow.from(fromAsync(rules())).broadcast())
        .process<{ id: string; seen: number; limit: number }>((context) => {
          const limits = context.operatorState.broadcast<string, number>('limits');
          const seen = context.state.value<number>({ name: 'seen' });
          return {
            processElement(order) {
              const isLow = order.price < (limits.get('price') ?? 0);
              if (isLow) seen.update((seen.value() ?? 0) + 1);
            },
            processElement2(rule, out) {
              limits.put('price', rule.limit);
              if (rule.limit > 0) return;
              out.applyToKeyedState(seen, (key, state) => {
                out.collect({ id: key.id, seen: state.value() ?? 0, limit: rule.limit });
                state.clear();
              });
              out.applyToKeyedState(seen, () => out.collect({ id: 'none', seen: 0, limit: 0 }));
            },
          };
        })
        .to(sink);
    }, parallelism);
    const byId = [...sink.rows].sort((a, b) => a.id.localeCompare(b.id));
    expect(byId).toEqual([
      { id: 'a', seen: 2, limit: -1 },
      { id: 'b', seen: 2, limit: -1 },
    ]);
  });
});

describe('what two sides are refused', () => {
  it('names the nearest field of the side whose key is unknown, when the job is built', async () => {
    const open = () => ({ processElement: () => {}, processElement2: () => {} });
    const first = await failure((flow) => {
      const wrong = flow.from(orders).keyBy('ide' as 'id');
      wrong.connect(flow.from(payments).keyBy('order')).process(open).to(collectSink());
    });
    expect(first).toMatchObject({ code: 'FIELD_UNKNOWN', where: { field: 'ide' } });
    expect(String((first as { advice?: string }).advice)).toContain('"id"');
    const second = await failure((flow) => {
      const wrong = flow.from(payments).keyBy('ordr' as 'order');
      flow.from(orders).keyBy('id').connect(wrong).process(open).to(collectSink());
    });
    expect(second).toMatchObject({ code: 'FIELD_UNKNOWN', where: { field: 'ordr' } });
    expect(String((second as { advice?: string }).advice)).toContain('"order"');
  });

  it('refuses keys of two types, when the job is built', async () => {
    const error = await failure((flow) => {
      const open = () => ({ processElement: () => {}, processElement2: () => {} });
      flow
        .from(orders)
        .keyBy('id')
        .connect(flow.from(payments).keyBy('paid'))
        .process(open)
        .to(collectSink());
    });
    expect(error).toMatchObject({ code: 'TYPE_MISMATCH' });
  });

  it('refuses keys of two types that only running shows', async () => {
    const error = await failure((flow) => {
      const open = () => ({ processElement: () => {}, processElement2: () => {} });
      const mapped = flow.from(payments).map((payment) => ({ order: payment.paid }));
      flow.from(orders).keyBy('id').connect(mapped.keyBy('order')).process(open).to(collectSink());
    });
    expect(error).toMatchObject({ code: 'STATE_INCOMPATIBLE' });
  });

  it.each(['put', 'remove', 'clear', 'putAll'] as const)(
    'refuses %s of broadcast state from the keyed side',
    async (method) => {
      const error = await failure((flow) => {
        flow
          .from(orders)
          .keyBy('id')
          .connect(flow.from(payments).broadcast())
          .process((context) => {
            const rules = context.operatorState.broadcast<string, number>('rules');
            rules.put('set in open', 1);
            return {
              processElement() {
                if (method === 'put') rules.put('a', 1);
                if (method === 'putAll') rules.putAll([['a', 1]]);
                if (method === 'remove') rules.remove('a');
                if (method === 'clear') rules.clear();
              },
              processElement2: () => rules.put('b', 1),
            };
          })
          .to(collectSink());
      });
      expect(error).toMatchObject({ code: 'STATE_READ_ONLY', where: { operator: 'process' } });
    },
  );

  it('refuses to visit all keys while one is current, and states that are none', async () => {
    const error = await failure((flow) => {
      flow
        .from(orders)
        .keyBy('id')
        .process((context) => {
          const seen = context.state.value<number>({ name: 'seen' });
          return { processElement: (_, out) => out.applyToKeyedState(seen, () => {}) };
        })
        .to(collectSink());
    });
    expect(error).toMatchObject({ code: 'OPTION_INVALID' });
    expect(String(error)).toContain('while a key is current');
    const none = await failure((flow) => {
      flow
        .from(orders)
        .keyBy('id')
        .connect(flow.from(payments).broadcast())
        .process((context) => {
          context.state.value<number>({ name: 'seen' });
          return {
            processElement: () => {},
            processElement2: (_, out) => out.applyToKeyedState({}, () => {}),
          };
        })
        .to(collectSink());
    });
    expect(none).toMatchObject({ code: 'OPTION_INVALID' });
    expect(String(none)).toContain('no keyed state');
  });
});

const keyKinds: readonly (readonly [string, readonly unknown[]])[] = [
  ['numbers', [1, -2.5, Number.NaN, 0, -0, 2 ** 40]],
  ['texts', ['', 'ä', '🦉', '\ud800', 'x\udc00y', '\ufffd', 'long '.repeat(20)]],
  ['dates', [new Date(0), new Date(-1), new Date(1_700_000_000_123)]],
  ['bigints', [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  ['booleans', [true, false]],
  ['bytes', [new Uint8Array([]), new Uint8Array([0, 255]), new Uint8Array(40).fill(7)]],
];

/** A key as it is counted in the expected result: -0 is 0. */
function plainKey(value: unknown): string {
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uint8Array) return `bytes ${[...value].join(' ')}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `${typeof value} ${text}`;
}

describe.each(keyKinds)('keys that are %s', (_, values) => {
  const records = [...values, ...values, ...values].map((k, n) => ({ k, n }));
  const expected: Record<string, number> = {};
  for (const { k } of records) expected[plainKey(k)] = (expected[plainKey(k)] ?? 0) + 1;

  function counting(): OpenProcess<unknown, { k: unknown } | { key: unknown }, Counted> {
    return (context) => {
      const count = context.state.value<number>({ name: 'count' });
      return {
        processElement(record, { key, timers }) {
          count.update((count.value() ?? 0) + 1);
          timers.registerEventTime(5);
          // What the record holds and what the key says are the same.
          const [given] = Object.values(key);
          const own = (record as { k: unknown }).k;
          if (plainKey(given) !== plainKey(own === 0 ? 0 : own)) throw new Error('Another key.');
        },
        onTimer(_time, { key, collect }) {
          const [value] = Object.values(key);
          collect({ key: plainKey(value), count: count.value() ?? 0 });
        },
      };
    };
  }
  interface Counted {
    readonly key: string;
    readonly count: number;
  }

  it.each([1, 3])('are one key when equal, and come back as records hold them (%i)', async (n) => {
    const byField = collectSink<Counted>();
    const byFunction = collectSink<Counted>();
    await runJob((flow) => {
      const stream = flow.from(records);
      stream.keyBy('k').process<Counted, { k: unknown }>(counting()).to(byField);
      stream
        .keyBy((record) => record.k as number)
        .process<Counted, { key: unknown }>(counting())
        .to(byFunction);
    }, n);
    const asObject = (rows: readonly Counted[]) =>
      Object.fromEntries(rows.map(({ key, count }) => [key, count]));
    expect(asObject(byField.rows)).toEqual(expected);
    expect(asObject(byFunction.rows)).toEqual(expected);
    expect(byField.rows).toHaveLength(Object.keys(expected).length);
  });
});

it('gives decimal keys as text and calendar days as dates', async () => {
  const sink = collectSink<{ key: unknown }>();
  await runJob((flow) => {
    flow
      .from([
        { d: '1.50', day: '2026-01-05' },
        { d: '-0.25', day: '1969-12-31' },
      ])
      .select({ d: col('d').cast('decimal(9, 2)'), day: col('day').cast('date') })
      .keyBy('d', 'day')
      .process<{ key: string }>(() => ({
        processElement: (_, { timers }) => timers.registerEventTime(1),
        onTimer: (_, { key, collect }) => {
          const { d, day } = key as unknown as { d: string; day: Date };
          collect({ key: `${d} ${day.toISOString()}` });
        },
      }))
      .to(sink);
  });
  expect(sink.rows.map(({ key }) => key).sort()).toEqual([
    '-0.25 1969-12-31T00:00:00.000Z',
    '1.50 2026-01-05T00:00:00.000Z',
  ]);
});

describe('failures', () => {
  const build = (open: OpenProcess<Order, { id: string }, unknown>) => (flow: Flow) =>
    flow.from(orders).keyBy('id').process(open, { uid: 'fails', name: 'fails' }).to(collectSink());
  const oops = (): never => {
    throw new RangeError('oops');
  };
  const quiet = { processElement: () => {} };

  it.each([
    ['open', () => oops()],
    ['processElement', () => ({ processElement: oops })],
    [
      'onTimer',
      () => ({
        processElement: (_: unknown, out: { timers: { registerEventTime(ms: number): void } }) =>
          out.timers.registerEventTime(1),
        onTimer: oops,
      }),
    ],
    ['endOfInput', () => ({ ...quiet, endOfInput: oops })],
    ['close', () => ({ ...quiet, close: oops })],
  ] as const)('in %s name the operator, the line and the cause', async (where, open) => {
    const error = await failure(build(open as OpenProcess<Order, { id: string }, unknown>));
    expect(error).toMatchObject({
      code: 'USER_FUNCTION_FAILED',
      where: { operator: 'fails', uid: 'fails' },
    });
    expect(String(error)).toContain('oops');
    expect(String((error as { advice?: string }).advice)).toContain('process-functions.test.ts');
    if (where === 'processElement') expect(error).toMatchObject({ where: { record: 0 } });
  });

  it('refuses an async function', async () => {
    const error = await failure(
      build(() => ({ processElement: (async () => {}) as unknown as () => void })),
    );
    expect(error).toMatchObject({ code: 'USER_FUNCTION_FAILED' });
    expect(String(error)).toContain('promise');
  });

  it.each(['collect', 'output', 'key', 'timestamp', 'applyToKeyedState', 'state', 'timers'])(
    'refuses %s of a context that was kept',
    async (what) => {
      const error = await failure(
        build((context) => {
          const seen = context.state.value<number>({ name: 'seen' });
          const tag = outputTag<number>('tag');
          let kept: (() => void) | null = null;
          return {
            processElement(_, out) {
              const { timers } = out;
              if (kept !== null) return;
              kept = () => {
                if (what === 'collect') out.collect(1);
                if (what === 'output') out.output(tag, 1);
                if (what === 'key') String(out.key);
                if (what === 'timestamp') String(out.timestamp);
                if (what === 'applyToKeyedState') out.applyToKeyedState(seen, () => {});
                if (what === 'state') seen.value();
                if (what === 'timers') timers.registerEventTime(1);
              };
            },
            close: () => kept?.(),
          };
        }),
      );
      const code = what === 'state' || what === 'timers' ? 'STATE_WITHOUT_KEY' : 'CONTEXT_EXPIRED';
      expect(error).toMatchObject({ code });
    },
  );

  it('refuses times that are none, and timers where there is no key', async () => {
    const noTime = await failure(
      build(() => ({ processElement: (_, { timers }) => timers.registerEventTime(Number.NaN) })),
    );
    expect(noTime).toMatchObject({ code: 'OPTION_INVALID' });
    const noKey = await failure((flow) =>
      flow
        .from(payments)
        .process(() => ({ processElement: (_, { timers }) => timers.registerEventTime(1) }))
        .to(collectSink()),
    );
    expect(noKey).toMatchObject({ code: 'STATE_WITHOUT_KEY' });
    const noState = await failure((flow) =>
      flow
        .from(payments)
        .process((context) => {
          context.state.value({ name: 'v' });
          return { processElement: (_: Payment) => {} };
        })
        .to(collectSink()),
    );
    expect(noState).toMatchObject({ code: 'STATE_WITHOUT_KEY' });
    const numbers = await failure(
      build((context) => {
        const timers = context.timerService('windows', ['start'], () => {});
        return { processElement: () => timers.registerEventTime(1) };
      }),
    );
    expect(numbers).toMatchObject({ code: 'OPTION_INVALID' });
    expect(String(numbers)).toContain('1 numbers, but 0 were given');
  });
});
