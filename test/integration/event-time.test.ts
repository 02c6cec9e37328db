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
    if (tries > 1000) throw new Error('It never happens.');
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
        .assignTimestamps('at', { uid: 'tardy', outOfOrderness: '1s', idleTimeout: '1s' });
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
