/** Event time through a whole run: exchanges, idle inputs, the end, and what the handle tells of it. */
import { describe, expect, it } from 'vitest';
import type { JobExecution } from '../../src/runtime/execution.js';
import { collectSink, defineSource, type Flow, fromAsync, job, start } from '../../src/index.js';

const SETTINGS = { 'pipeline.autoWatermarkInterval': '5ms' };

interface Click {
  readonly user: string;
  readonly at: number;
}

/** A source that gives its clicks, and ends when it is told. */
function held(clicks: readonly Click[]) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  async function* read(): AsyncGenerator<Click> {
    yield* clicks;
    await ended;
  }
  return { source: fromAsync(read()), end: () => end() };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 12_000) throw new Error('It never happens.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function run(
  build: (flow: Flow) => void,
  parallelism: number,
  batchRows = 1024,
): Promise<JobExecution> {
  const definition = job('event-time', build);
  return start(definition, {
    parallelism,
    runtime: 'in-thread',
    settings: { ...SETTINGS, 'exchange.batchRows': batchRows },
  });
}

const lastReport = (execution: JobExecution) => execution.whyNoOutput().at(-1);

describe('event time in a run', () => {
  it('reaches the last chain when no input holds it back any more', async () => {
    const fast = held([{ user: 'a', at: 9000 }]);
    const slow = held([{ user: 'b', at: 4000 }]);
    const seen = collectSink<Click>();
    const execution = await run((flow) => {
      const quick = flow.from(fast.source).assignTimestamps('at', { uid: 'quick' });
      const tardy = flow
        .from(slow.source)
        .assignTimestamps('at', { uid: 'tardy', outOfOrderness: '1s', idleTimeout: '8s' });
      quick
        .union(tardy)
        .keyBy('user')
        .reduce((a) => a)
        .to(seen);
    }, 1);
    await until(() => lastReport(execution)?.watermarkMs === 2999);
    const held1 = lastReport(execution);
    expect(held1?.heldBackBy.map((input) => input.watermarkMs)).toEqual([2999]);
    // The slow one becomes idle, so the other decides.
    await until(() => lastReport(execution)?.watermarkMs === 8999);
    expect(lastReport(execution)?.idle.map((input) => input.watermarkMs)).toEqual([2999]);
    expect(lastReport(execution)?.sentence).toContain('idle');
    fast.end();
    slow.end();
    await execution.finished;
    expect(execution.whyNoOutput()).toEqual([]);
    expect(seen.rows).toHaveLength(2);
  });

  it('says that some subtask has had no record', async () => {
    const one = held([{ user: 'a', at: 1000 }]);
    const execution = await run((flow) => {
      flow.from(one.source).assignTimestamps('at').to(collectSink<Click>());
    }, 2);
    await until(() => lastReport(execution)?.heldBackBy.length === 1);
    expect(lastReport(execution)).toMatchObject({ watermarkMs: null });
    expect(lastReport(execution)?.sentence).toContain('no record has brought one to subtask');
    one.end();
    await execution.finished;
  });

  it('ends at the end of input and when draining, but not when the job is stopped', async () => {
    const ending = async (end: (execution: JobExecution) => Promise<unknown>): Promise<unknown> => {
      const one = held([{ user: 'a', at: 1000 }]);
      const execution = await run((flow) => {
        const assigned = flow.from(one.source).assignTimestamps('at');
        assigned
          .keyBy('user')
          .reduce((a) => a)
          .to(collectSink<Click>());
      }, 1);
      await until(() => lastReport(execution)?.watermarkMs === 999);
      await end(execution);
      one.end();
      return execution.metrics().vertices.at(-1)?.subtasks[0]?.watermarkMs;
    };
    expect(await ending((execution) => execution.stop({ drain: true }))).toBe(
      Number.MAX_SAFE_INTEGER,
    );
    expect(await ending((execution) => execution.stop())).toBe(999);
  });

  it('keeps the sources of a group together', async () => {
    const order: { readonly name: string; readonly at: number }[] = [];
    const alignment = { group: 'both', maxDrift: '4s', updateInterval: '5ms' } as const;
    const numbers = (name: string, stepMs: number) =>
      defineSource<{ name: string; at: number }>({
        name,
        maxParallelism: 1,
        read: async function* () {
          for (let at = 0; at <= 60_000; at += stepMs) {
            yield { name, at };
            // Time for the other, which would be overtaken at once without alignment.
            await new Promise((resolve) => setTimeout(resolve, 2));
          }
        },
      });
    const execution = await run(
      (flow) => {
        for (const [name, stepMs] of [
          ['fast', 1000],
          ['slow', 200],
        ] as const) {
          flow
            .from(numbers(name, stepMs))
            .assignTimestamps('at', { alignment, uid: name })
            .map((record) => {
              order.push(record);
              return record;
            })
            .to(collectSink());
        }
        // A source is held back between two batches.
      },
      1,
      2,
    );
    await execution.finished;
    const slowest = { fast: 0, slow: 0 };
    let drift = 0;
    for (const { name, at } of order) {
      slowest[name === 'fast' ? 'fast' : 'slow'] = at;
      drift = Math.max(drift, slowest.fast - slowest.slow);
    }
    expect(order).toHaveLength(61 + 301);
    // Unaligned, the fast one would have ended at 60 s while the slow one was at 12 s.
    expect(drift).toBeLessThan(20_000);
  });
});

/** A record of one partition. */
interface Reading {
  readonly partition: string;
  readonly at: number;
}

describe('event time of a source with splits', () => {
  /** Partitions that give their times and then, but for `c`, which says its last one again, wait for the end. */
  function partitions(times: Readonly<Record<string, readonly number[]>>, end: Promise<void>) {
    const hasEnded = end.then(() => true);
    return defineSource<Reading, string>({
      name: 'partitions',
      bounded: false,
      plan: () => Object.keys(times).map((id) => ({ id, data: id })),
      async *read({ data: partition }) {
        for (const at of times[partition] ?? []) yield { partition, at };
        for (;;) {
          const pause = new Promise<boolean>((resolve) => setTimeout(resolve, 20, false));
          if (await Promise.race([hasEnded, pause])) return;
          // Whether it is idle before the others, or after, would be chance.
          if (partition === 'c') yield { partition, at: 7000 };
        }
      },
    });
  }

  for (const parallelism of [1, 2]) {
    it(`waits for the split that is furthest behind, in ${parallelism} subtasks`, async () => {
      let end = (): void => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const source = partitions({ a: [5000, 9000], b: [8000], c: [3000, 7000], d: [] }, ended);
      const seen = collectSink<Reading>();
      const execution = await run((flow) => {
        const timed = flow.from(source).filter(({ at }) => at > 0);
        // Longer than a busy machine makes `c` wait, which is not to be idle.
        timed.assignTimestamps('at', { idleTimeout: '8s' }).rebalance().to(seen);
      }, parallelism);
      await until(() => lastReport(execution)?.watermarkMs === 6999);
      const [holder] = lastReport(execution)?.heldBackBy ?? [];
      expect([holder?.split, holder?.watermarkMs]).toEqual(['c', 6999]);
      expect(lastReport(execution)?.sentence).toContain('(split c)');
      end();
      await execution.finished;
      const distinct = new Set(seen.rows.map(({ partition, at }) => `${partition} ${at}`));
      expect(distinct.size).toBe(5);
    });
  }

  it('does not let the splits of one subtask run ahead of each other', async () => {
    const order: Reading[] = [];
    const source = defineSource<Reading, number>({
      name: 'partitions',
      interleave: true,
      plan: () => [1000, 200].map((stepMs) => ({ id: `every ${stepMs}`, data: stepMs })),
      async *read({ id: partition, data: stepMs }) {
        for (let at = 0; at <= 60_000; at += stepMs) {
          yield { partition, at };
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      },
    });
    const alignment = { group: 'one', maxDrift: '4s', updateInterval: '5ms' } as const;
    const execution = await run(
      (flow) => {
        flow
          .from(source)
          .assignTimestamps('at', { alignment, idleTimeout: '10s' })
          .map((record) => {
            order.push(record);
            return record;
          })
          .to(collectSink());
      },
      1,
      2,
    );
    await execution.finished;
    expect(order).toHaveLength(61 + 301);
    let slowMs = 0;
    let driftMs = 0;
    for (const { partition, at } of order) {
      if (partition === 'every 200') slowMs = at;
      else driftMs = Math.max(driftMs, at - slowMs);
    }
    // The allowed drift, and what passes between two looks; without alignment it would be most of a minute.
    expect(driftMs).toBeGreaterThan(2000);
    expect(driftMs).toBeLessThan(15_000);
  });
});
