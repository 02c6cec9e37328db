import { describe, expect, it } from 'vitest';
import type { RunMetricsSnapshot } from '../../../src/runtime/metrics-snapshot.js';
import { timeReports } from '../../../src/runtime/time-report.js';
import { WATERMARK_MAX } from '../../../src/time/watermark.js';
import { edge, vertex } from '../cli/metrics-fixtures.js';
import { planOf, sink, source } from '../graph/graph-fixtures.js';

/** A source that assigns event times, and a chain behind an exchange. */
const plan = planOf(
  (flow) => {
    flow
      .from(source())
      .assignTimestamps('date')
      .rebalance()
      .map((f) => f)
      .to(sink());
  },
  { parallelism: 2 },
);

type Time = readonly [watermarkMs: number | null, isIdle?: boolean];

/** Times of the two subtasks of the source, which both subtasks behind were told. */
function metricsOf(times: readonly Time[], behindMs: number | null): RunMetricsSnapshot {
  const tasks = times.map(([watermarkMs, isIdle = false]) => ({ watermarkMs, isIdle }));
  const channels = tasks.flatMap((time, from) => [0, 1].map((to) => ({ from, to, ...time })));
  return {
    elapsedMs: 1000,
    vertices: [
      vertex({ id: 0, name: 'source' }, tasks),
      vertex({ id: 1, name: 'behind' }, [{ watermarkMs: behindMs }, { watermarkMs: behindMs }]),
    ],
    edges: [edge({ channels })],
  };
}

describe('why there is no output', () => {
  it('names the input that holds event time back', () => {
    const [own, behind] = timeReports(plan, metricsOf([[5000], [2000]], 2000));
    expect(own).toMatchObject({ vertex: 0, watermarkMs: 2000 });
    expect(behind).toMatchObject({ vertex: 1, watermarkMs: 2000, idle: [] });
    expect(behind?.heldBackBy.map((input) => [input.subtask, input.watermarkMs])).toEqual([
      [1, 2000],
    ]);
    expect(behind?.sentence).toBe(
      '"map -> out" is at 1970-01-01T00:00:02.000Z; ' +
        'held back by subtask 1 of "flights -> assignTimestamps"',
    );
  });

  it('says who has given no event time yet, and whom nobody waits for', () => {
    const [own, behind] = timeReports(plan, metricsOf([[null], [2000, true]], null));
    expect(own?.sentence).toBe(
      '"flights -> assignTimestamps" has no event time yet; no record has brought one to ' +
        'subtask 0; not waiting for subtask 1 of "flights -> assignTimestamps", idle',
    );
    expect(behind?.heldBackBy.map((input) => input.subtask)).toEqual([0]);
    expect(behind?.idle.map((input) => input.subtask)).toEqual([1]);
  });

  it('does not blame what has ended, and is silent when all has', () => {
    const [own] = timeReports(plan, metricsOf([[WATERMARK_MAX], [7]], 7));
    expect(own?.heldBackBy.map((input) => input.subtask)).toEqual([1]);
    expect(timeReports(plan, metricsOf([[WATERMARK_MAX], [WATERMARK_MAX]], 7))).toEqual([]);
    const idle = timeReports(
      plan,
      metricsOf(
        [
          [7, true],
          [7, true],
        ],
        7,
      ),
    );
    expect(idle[1]?.sentence).toContain('all its inputs are idle');
  });

  it('is empty for a job without event time', () => {
    const untimed = planOf((flow) => {
      flow.from(source()).to(sink());
    });
    expect(timeReports(untimed, metricsOf([[1]], 1))).toEqual([]);
  });
});
