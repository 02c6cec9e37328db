/** The harness over functions with state, timers, side outputs and two inputs, in every way of driving it. */
import { afterEach, describe, expect, it } from 'vitest';
import { count, type OpenProcess, outputTag, type Stream } from '../../../src/index.js';
import {
  type HarnessOptions,
  type OneInputTestHarness,
  testHarness,
  twoInputTestHarness,
} from '../../../src/testing.js';

interface Visit {
  readonly user: string;
  readonly page: string;
}
interface Session {
  readonly user: string;
  readonly pages: readonly string[];
}

const late = outputTag<Visit>('late');

/** Gathers the pages of a user until a second has passed without one; late visits go to a side output. */
const sessions: OpenProcess<Visit, { user: string }, Session> = (context) => {
  const pages = context.state.list<string>({ name: 'pages' });
  const end = context.state.value<number>({ name: 'end' });
  const seen = context.operatorState.list<string>('seen');
  return {
    processElement(visit, ctx) {
      const timestamp = ctx.timestamp ?? 0;
      seen.add(visit.page);
      if (timestamp <= ctx.timers.currentWatermark) {
        ctx.output(late, visit);
        return;
      }
      pages.add(visit.page);
      const before = end.value();
      if (before !== undefined) ctx.timers.deleteEventTime(before);
      end.update(timestamp + 1000);
      ctx.timers.registerEventTime(timestamp + 1000);
    },
    onTimer(_timestamp, ctx) {
      ctx.collect({ user: ctx.key.user, pages: [...pages.get()] });
      pages.clear();
      end.clear();
    },
  };
};

const part = (visits: Stream<Visit>): Stream<Session> => visits.keyBy('user').process(sessions);

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const harness of opened.splice(0)) harness.close();
});

async function sessionHarness(
  options: HarnessOptions = {},
): Promise<OneInputTestHarness<Visit, Session>> {
  const harness = await testHarness(part, { tags: [late], ...options });
  opened.push(harness);
  return harness;
}

/** Everything a test can see after a walk through a few visits. */
async function walk(options: HarnessOptions): Promise<unknown> {
  const harness = await sessionHarness(options);
  const { input } = harness;
  await input.pushAll([
    { record: { user: 'ann', page: 'a' }, timestamp: 100 },
    { record: { user: 'bob', page: 'b' }, timestamp: 200 },
    { record: { user: 'ann', page: 'c' }, timestamp: 900 },
  ]);
  await input.watermark(1500);
  await input.push({ user: 'bob', page: 'd' }, 1600);
  await input.push({ user: 'ann', page: 'e' }, 700);
  const timers = harness.timers();
  const held = harness.state('pages', { user: 'ann' });
  await input.watermark(5000);
  return {
    timers,
    held,
    seen: harness.state('seen'),
    output: harness.output.entries,
    late: harness.sideOutput(late).entries,
    watermark: harness.outputWatermark,
  };
}

describe('a keyed function', () => {
  it('fires timers when the watermark passes them, in order', async () => {
    const harness = await sessionHarness();
    const { input, output } = harness;
    await input.push({ user: 'ann', page: 'a' }, 100);
    await input.push({ user: 'bob', page: 'b' }, 50);
    await input.push({ user: 'ann', page: 'c' }, 700);
    expect(output.records).toEqual([]);
    expect(harness.timers()).toEqual([
      { timestamp: 1050, domain: 'event', key: { user: 'bob' } },
      { timestamp: 1700, domain: 'event', key: { user: 'ann' } },
    ]);
    expect(harness.state('pages', { user: 'ann' })).toEqual(['a', 'c']);
    expect(harness.state('end', { user: 'bob' })).toBe(1050);
    expect(harness.state('end', { user: 'nobody' })).toBeUndefined();
    expect(harness.outputWatermark).toBeNull();
    await input.watermark(1699);
    expect(output.take()).toEqual([{ user: 'bob', pages: ['b'] }]);
    await input.watermark(1700);
    expect(output.entries).toEqual([
      { record: { user: 'ann', pages: ['a', 'c'] }, timestamp: 1700, kind: 'insert' },
    ]);
    expect(harness.timers()).toEqual([]);
    expect(harness.outputWatermark).toBe(1700);
  });

  it('reads of state disturb nothing, and give copies', async () => {
    const harness = await sessionHarness();
    await harness.input.push({ user: 'ann', page: 'a' }, 100);
    harness.state<string[]>('pages', { user: 'ann' })?.push('never');
    harness.state('pages', { user: 'bob' });
    await harness.input.push({ user: 'ann', page: 'b' }, 200);
    expect(harness.state('pages', { user: 'ann' })).toEqual(['a', 'b']);
    expect(harness.state('seen')).toEqual(['a', 'b']);
  });

  it('gives the same however it is driven', async () => {
    const expected = await walk({});
    expect(expected).toMatchObject({
      held: ['a', 'c'],
      seen: ['a', 'b', 'c', 'd', 'e'],
      output: [
        { record: { user: 'bob', pages: ['b'] }, timestamp: 1200 },
        { record: { user: 'ann', pages: ['a', 'c'] }, timestamp: 1900 },
        { record: { user: 'bob', pages: ['d'] }, timestamp: 2600 },
      ],
      late: [{ record: { user: 'ann', page: 'e' }, timestamp: 700 }],
      watermark: 5000,
    });
    expect(await walk({ restoreEachStep: true })).toEqual(expected);
    expect(await walk({ outputs: 'full' })).toEqual(expected);
    expect(await walk({ batchRows: 1 })).toEqual(expected);
    expect(await walk({ outputs: 'full', restoreEachStep: true, batchRows: 2 })).toEqual(expected);
  });

  it('goes on from a snapshot, in this harness and in another one', async () => {
    const first = await sessionHarness();
    await first.input.push({ user: 'ann', page: 'a' }, 100);
    const snapshot = await first.snapshot();
    await first.input.push({ user: 'ann', page: 'lost' }, 200);
    await first.restore(snapshot);
    expect(first.state('pages', { user: 'ann' })).toEqual(['a']);
    const second = await sessionHarness({ from: snapshot });
    expect(second.timers()).toHaveLength(1);
    await second.input.watermark(1100);
    expect(second.output.records).toEqual([{ user: 'ann', pages: ['a'] }]);
  });

  it('fires what waits at the end of its input', async () => {
    const { input, output } = await sessionHarness();
    await input.push({ user: 'ann', page: 'a' }, 100);
    await input.end();
    expect(output.records).toEqual([{ user: 'ann', pages: ['a'] }]);
    await expect(input.push({ user: 'ann', page: 'b' }, 1)).rejects.toMatchObject({
      code: 'TEST_MISUSED',
    });
  });
});

describe('processing time', () => {
  const reminders = (visits: Stream<Visit>): Stream<string> =>
    visits.keyBy('user').process((_context) => ({
      processElement(_visit, ctx) {
        ctx.timers.registerProcessingTime(ctx.timers.currentProcessingTime + 60_000);
      },
      onTimer: (timestamp, ctx) => ctx.collect(`${ctx.key.user} ${ctx.timeDomain} ${timestamp}`),
    }));

  it.each([false, true])('moves by hand only, restored at each step: %s', async (isRestored) => {
    const harness = await testHarness(reminders, {
      startTimeMs: 1_000_000,
      restoreEachStep: isRestored,
    });
    opened.push(harness);
    await harness.input.push({ user: 'ann', page: 'a' });
    await harness.advanceProcessingTime('59s');
    expect(harness.output.records).toEqual([]);
    expect(harness.timers('processing')).toEqual([
      { timestamp: 1_060_000, domain: 'processing', key: { user: 'ann' } },
    ]);
    expect(harness.timers('event')).toEqual([]);
    await harness.setProcessingTime(1_060_001);
    expect(harness.output.records).toEqual(['ann processing 1060000']);
    expect(harness.processingTime).toBe(1_060_001);
    await expect(harness.setProcessingTime(5)).rejects.toMatchObject({ code: 'TEST_MISUSED' });
  });

  it('brings watermarks of the part up to date when the interval has passed', async () => {
    const harness = await testHarness((visits: Stream<{ at: number }>) =>
      visits.assignTimestamps('at', { outOfOrderness: 10 }).filter(() => true),
    );
    opened.push(harness);
    await harness.input.push({ at: 1000 });
    expect(harness.output.entries).toEqual([
      { record: { at: 1000 }, timestamp: 1000, kind: 'insert' },
    ]);
    expect(harness.outputWatermark).toBeNull();
    await harness.advanceProcessingTime(200);
    expect(harness.outputWatermark).toBe(989);
  });
});

describe('two inputs', () => {
  const both = (left: Stream<{ id: number }>, right: Stream<{ id: number; name: string }>) =>
    left
      .keyBy('id')
      .connect(right.keyBy('id'))
      .process<string>((context) => {
        const name = context.state.value<string>({ name: 'name' });
        return {
          processElement: (record, ctx) => ctx.collect(`${record.id} ${name.value() ?? '?'}`),
          processElement2(record, ctx) {
            name.update(record.name);
            ctx.timers.registerEventTime(100);
          },
          onTimer: (timestamp, ctx) => ctx.collect(`at ${timestamp}`),
        };
      });

  it('have the least of their watermarks, of those that are not idle', async () => {
    const harness = await twoInputTestHarness(both, { restoreEachStep: true });
    opened.push(harness);
    const { first, second, output } = harness;
    await first.push({ id: 1 });
    await second.push({ id: 1, name: 'one' }, 50);
    await first.push({ id: 1 });
    expect(output.take()).toEqual(['1 ?', '1 one']);
    await second.watermark(100);
    expect(output.records).toEqual([]);
    await first.idle();
    expect(output.take()).toEqual(['at 100']);
    expect(harness.outputWatermark).toBe(100);
    expect(harness.isOutputIdle).toBe(false);
    await second.idle();
    expect(harness.isOutputIdle).toBe(true);
    await first.push({ id: 1 });
    expect(harness.isOutputIdle).toBe(false);
    await first.end();
    await second.end();
    expect(output.records).toEqual(['1 one']);
  });
});

describe('a part of several chains', () => {
  const counts = (visits: Stream<Visit>) =>
    visits
      .filter((visit) => visit.page !== 'x')
      .keyBy('user')
      .aggregate({ visits: count() })
      .keyBy('visits')
      .aggregate({ users: count() });

  it('gives updates of an unbounded stream, with their kinds', async () => {
    for (const options of [{}, { restoreEachStep: true }, { outputs: 'full' }] as const) {
      const harness = await testHarness(counts, options);
      opened.push(harness);
      await harness.input.push({ user: 'ann', page: 'a' });
      await harness.input.push({ user: 'bob', page: 'x' });
      await harness.input.push({ user: 'bob', page: 'a' });
      expect(harness.output.records.at(-1)).toEqual({ visits: 1, users: 2 });
      expect(harness.output.entries.map(({ kind }) => kind)).toContain('updateAfter');
    }
  });

  it('gives final results of a bounded one', async () => {
    for (const options of [{}, { restoreEachStep: true, batchRows: 1 }]) {
      const harness = await testHarness(counts, { bounded: true, ...options });
      opened.push(harness);
      await harness.input.push({ user: 'ann', page: 'a' });
      await harness.input.push({ user: 'bob', page: 'a' });
      expect(harness.output.records).toEqual([]);
      await harness.input.end();
      expect(harness.output.records).toEqual([{ visits: 1, users: 2 }]);
    }
  });
});

describe('state', () => {
  const states = (numbers: Stream<{ key: string; n: number }>): Stream<number> =>
    numbers.keyBy('key').process((context) => {
      const map = context.state.map<string, number>({ name: 'map' });
      const sum = context.state.reducing<number>({ name: 'sum' }, (left, right) => left + right);
      const mean = context.state.aggregating(
        { name: 'mean' },
        {
          create: () => [0, 0] as [number, number],
          add: ([total, rows], n: number): [number, number] => [total + n, rows + 1],
          result: ([total, rows]) => total / rows,
        },
      );
      // From the keyed side it is only read.
      context.operatorState.broadcast<string, number>('rules').put('least', 2);
      return {
        processElement({ n }) {
          map.put(`n${n}`, n);
          sum.add(n);
          mean.add(n);
        },
      };
    });

  it.each([{}, { restoreEachStep: true }])('of every kind is read by name: %j', async (options) => {
    const harness = await testHarness(states, options);
    opened.push(harness);
    await harness.input.push({ key: 'a', n: 1 });
    await harness.input.push({ key: 'a', n: 2 });
    const key = { key: 'a' };
    const map = [...(harness.state<Map<string, number>>('map', key) ?? [])];
    expect(map).toEqual([
      ['n1', 1],
      ['n2', 2],
    ]);
    expect(harness.state('sum', key)).toBe(3);
    expect(harness.state('mean', key)).toBe(1.5);
    expect(harness.state('mean', { key: 'b' })).toBeUndefined();
    expect(harness.state('rules')).toEqual(new Map([['least', 2]]));
  });

  it('of the same name in two functions is not guessed', async () => {
    const harness = await testHarness((visits: Stream<Visit>) => {
      const first = visits.keyBy('user').process(sessions, { uid: 'first' });
      return first.keyBy('user').process((context) => {
        context.state.list({ name: 'pages' });
        return { processElement: (session, ctx) => ctx.collect(session) };
      });
    });
    opened.push(harness);
    await harness.input.push({ user: 'ann', page: 'a' }, 1);
    await harness.input.watermark(5000);
    expect(() => harness.state('pages', { user: 'ann' })).toThrow('2 functions have a state');
  });
});

describe('what goes wrong', () => {
  it('a function that throws fails the step with its coordinates, and the harness', async () => {
    const harness = await testHarness((numbers: Stream<number>) =>
      numbers.map((number) => {
        if (number > 1) throw new Error('too large');
        return number;
      }),
    );
    opened.push(harness);
    await harness.input.push(1);
    await expect(harness.input.push(2)).rejects.toMatchObject({
      code: 'USER_FUNCTION_FAILED',
      where: { operator: 'map' },
    });
    await expect(harness.input.push(1)).rejects.toThrow('has failed before');
    expect(harness.output.records).toEqual([1]);
  });

  it('misuse is refused by name', async () => {
    const harness = await sessionHarness();
    const { input } = harness;
    const misused = { code: 'TEST_MISUSED' };
    expect(harness.state('pages', { user: 'ann' })).toBeUndefined();
    await input.push({ user: 'ann', page: 'a' }, 100);
    await input.watermark(10);
    await expect(input.watermark(9)).rejects.toMatchObject(misused);
    await expect(input.watermark(9.5)).rejects.toMatchObject(misused);
    await expect(input.push({ user: 'ann', page: 'a' }, 0.5)).rejects.toMatchObject(misused);
    const kind = 'remove' as 'delete';
    await expect(input.push({ user: 'ann', page: 'a' }, { kind })).rejects.toThrow('"remove"');
    expect(() => harness.state('page', { user: 'ann' })).toThrow('no keyed state "page"');
    expect(() => harness.state('pages', { name: 'ann' })).toThrow('has the fields user');
    expect(() => harness.state('pages')).toThrow('no state without a key');
    expect(() => harness.sideOutput(outputTag('lat'))).toThrow('the tag "lat"');
    const steps = [input.watermark(20), input.watermark(30)];
    await expect(Promise.all(steps)).rejects.toThrow('in the middle of a step');
    await steps[0];
    const snapshot = await harness.snapshot();
    const other = testHarness((visits: Stream<Visit>) => visits.map((visit) => visit.page), {
      from: snapshot,
    });
    await expect(other).rejects.toThrow('state of the operator');
    harness.close();
    harness.close();
    await expect(input.watermark(40)).rejects.toThrow('has been closed');
  });

  it.each([
    [{ tag: [late] }, 'OPTION_UNKNOWN', 'Did you mean "tags"?'],
    [{ outputs: 'blocked' }, 'OPTION_INVALID', "'free' or 'full'"],
    [{ batchRows: 0 }, 'OPTION_INVALID', 'a whole number'],
    [{ from: {} }, 'OPTION_INVALID', 'harness.snapshot()'],
    [{ settings: { 'slot.memroy': 1 } }, 'OPTION_UNKNOWN', 'slot.memory'],
  ])('the options %j are refused', async (options, code, text) => {
    const made = testHarness(part, options as HarnessOptions);
    await expect(made).rejects.toMatchObject({ code });
    await expect(made).rejects.toSatisfy((error) => String(error.advice).includes(text));
  });

  it('a function that gives no stream', async () => {
    const made = testHarness((() => undefined) as never);
    await expect(made).rejects.toMatchObject({ code: 'TEST_MISUSED' });
  });

  it('a timer that begets another one of the past never comes to rest', async () => {
    const harness = await testHarness((visits: Stream<Visit>) =>
      visits.keyBy('user').process(() => ({
        processElement: (_visit, ctx) => ctx.timers.registerProcessingTime(-1),
        onTimer: (timestamp, ctx) => ctx.timers.registerProcessingTime(timestamp - 1),
      })),
    );
    opened.push(harness);
    await expect(harness.input.push({ user: 'ann', page: 'a' })).rejects.toThrow('to rest');
  });
});

describe('speed', () => {
  it('a documented example takes under 50 ms once the engine is loaded', async () => {
    await walk({});
    const runsMs: number[] = [];
    for (let run = 0; run < 5; run++) {
      // Its processor time, since how long it waits for one is up to the machine.
      const before = process.cpuUsage();
      const harness = await sessionHarness();
      await harness.input.push({ user: 'ann', page: 'a' }, 100);
      await harness.input.push({ user: 'ann', page: 'b' }, 300);
      await harness.input.watermark(2000);
      expect(harness.output.records).toEqual([{ user: 'ann', pages: ['a', 'b'] }]);
      const { user, system } = process.cpuUsage(before);
      runsMs.push((user + system) / 1000);
    }
    expect(Math.min(...runsMs)).toBeLessThan(50);
  });
});
