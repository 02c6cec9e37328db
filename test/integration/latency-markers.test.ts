/** Latencies from sources to operators and sinks, wherever a job runs. */
import { type LatencyMetric, run, type RunOptions } from 'millrace';
import { describe, expect, it } from 'vitest';
import counted from '../fixtures/jobs/counted.mjs';

const PLACES = [
  ['on threads', { parallelism: 2, runtime: 'threads' }],
  ['on the calling thread', { runtime: 'in-thread' }],
  ['in a process of its own', { parallelism: 2, isolate: 'process' }],
] as const satisfies readonly (readonly [string, RunOptions])[];

async function latenciesOf(
  options: RunOptions,
  settings: Readonly<Record<string, string | number>>,
): Promise<readonly LatencyMetric[] | undefined> {
  const { metrics } = await run(counted, { ...options, settings });
  return metrics.latencies;
}

describe('latency markers', () => {
  it.each(PLACES)('tell how long records take to each operator %s', async (_, options) => {
    const latencies = await latenciesOf(options, { 'metrics.latency.interval': 1 });
    // Each subtask of the source sends one before it reads anything.
    expect(new Set(latencies?.map(({ operator }) => operator))).toEqual(
      new Set(['measured', 'orderedWait', 'nowhere']),
    );
    for (const { source, sourceSubtask, value } of latencies ?? []) {
      expect(source).not.toBeNull();
      expect(sourceSubtask).toBeNull();
      expect(value.count).toBeGreaterThan(0);
      expect(value.min).toBeGreaterThanOrEqual(0);
      expect(value.p99).toBeLessThanOrEqual(value.max ?? 0);
    }
  });

  it.each([
    ['single', new Set([null]), new Set([null])],
    ['subtask', null, new Set([0, 1])],
  ] as const)(
    'tell sources apart as the granularity %s says',
    async (granularity, sources, subtasks) => {
      const settings = {
        'metrics.latency.interval': '1 h',
        'metrics.latency.granularity': granularity,
      };
      const latencies = await latenciesOf({ parallelism: 2, runtime: 'threads' }, settings);
      // As Flink calls them.
      const [{ groups }] = latencies ?? [];
      const names = groups.map(({ name }) => name);
      expect(names).toEqual([
        'latency',
        ...(granularity === 'single' ? [] : ['source_id', 'source_subtask_index']),
        'operator_id',
        'operator_subtask_index',
      ]);
      const sinks = latencies?.filter(({ operator }) => operator === 'nowhere') ?? [];
      expect(new Set(sinks.map(({ sourceSubtask }) => sourceSubtask))).toEqual(subtasks);
      if (sources !== null) expect(new Set(sinks.map(({ source }) => source))).toEqual(sources);
      // One marker of each subtask of the source, whichever way it took.
      expect(sinks.reduce((sum, { value }) => sum + value.count, 0)).toBe(2);
    },
  );

  it('are none unless they are asked for', async () => {
    expect(await latenciesOf({ runtime: 'in-thread' }, {})).toBeUndefined();
  });
});
