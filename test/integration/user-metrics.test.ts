/** Metrics that functions of a job register, wherever it runs. */
import { MillraceError, run, type RunOptions, type UserMetric } from 'millrace';
import { describe, expect, it } from 'vitest';
import counted from '../fixtures/jobs/counted.mjs';

async function metricsOf(options: RunOptions): Promise<readonly UserMetric[]> {
  const { metrics } = await run(counted, options);
  return metrics.vertices.flatMap(({ userMetrics }) => userMetrics);
}

/** Sums over subtasks, by operator, groups and name. */
function sums(metrics: readonly UserMetric[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { operator, groups, name, type, value } of metrics) {
    if (type === 'gauge') continue;
    const path = groups.map((group) => `${group.name}=${group.value ?? ''}`);
    const id = [operator, ...path, name].join('/');
    found[id] = (found[id] ?? 0) + (type === 'histogram' ? value.count : value);
  }
  return found;
}

describe('metrics of functions', () => {
  it.each([
    ['on threads', { parallelism: 2, runtime: 'threads' }],
    ['on the calling thread', { runtime: 'in-thread' }],
    ['in a process of its own', { parallelism: 2, isolate: 'process' }],
  ] as const)('are read by operator and subtask when the job has run %s', async (_, options) => {
    const metrics = await metricsOf(options);
    expect(sums(metrics)).toEqual({
      'numbers/given': 1000,
      'measured/seen': 1000,
      'measured/sizes=/size': 1000,
      'measured/parity=0/records': 500,
      'measured/parity=1/records': 500,
      'orderedWait/asked': 1000,
      'nowhere/written': 1000,
    });
    const sizes = metrics.flatMap((one) => (one.type === 'histogram' ? [one.value] : []));
    expect(Math.max(...sizes.map(({ max }) => max ?? 0))).toBe(999);
    expect(sizes.reduce((sum, one) => sum + one.sum, 0)).toBe(499_500);
    const last = metrics.filter(({ name }) => name === 'last');
    expect(last.some(({ uid, value }) => uid !== '' && Number(value) > 900)).toBe(true);
  });

  it('fail the job by name where there are more than it may have', async () => {
    const settings = { 'metrics.perSubtask': 4 };
    const failure = await run(counted, { runtime: 'in-thread', settings }).catch(
      (error: unknown) => error,
    );
    if (!MillraceError.is(failure)) throw failure;
    expect(failure.code).toBe('METRICS_FULL');
    expect(failure.where.operator).toBe('measured');
    expect(failure.message).toContain('at most 4');
  });
});
