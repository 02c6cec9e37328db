import { describe, expect, it } from 'vitest';
import type { RunMetricsSnapshot } from '../../../src/runtime/metrics-snapshot.js';
import { type TimeReport, timeReports } from '../../../src/runtime/time-report.js';
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

const NOW_MS = 1_000_000;
const reportsOf = (of: typeof plan, metrics: RunMetricsSnapshot): readonly TimeReport[] =>
  timeReports(of, metrics, NOW_MS);

type Time = readonly [watermarkMs: number | null, isIdle?: boolean];

const NO_QUEUE = { queuedBytes: 0, capacityBytes: 0 };

/** Times of the two subtasks of the source, which both subtasks behind were told. */
function metricsOf(times: readonly Time[], behindMs: number | null): RunMetricsSnapshot {
  const tasks = times.map(([watermarkMs, isIdle = false]) => ({ watermarkMs, isIdle }));
  const channels = tasks.flatMap((time, from) =>
    [0, 1].map((to) => ({ from, to, ...NO_QUEUE, ...time })),
  );
  return {
    elapsedMs: 1000,
    vertices: [
      vertex({ id: 0, name: 'source' }, tasks),
      vertex({ id: 1, name: 'behind' }, [{ watermarkMs: behindMs }, { watermarkMs: behindMs }]),
    ],
    edges: [edge({ channels })],
    process: null,
  };
}

describe('why there is no output', () => {
  it('names the input that holds event time back', () => {
    const [own, behind] = reportsOf(plan, metricsOf([[5000], [2000]], 2000));
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
    const [own, behind] = reportsOf(plan, metricsOf([[null], [2000, true]], null));
    expect(own?.sentence).toBe(
      '"flights -> assignTimestamps" has no event time yet; no record has brought one to ' +
        'subtask 0; not waiting for subtask 1 of "flights -> assignTimestamps", idle',
    );
    expect(behind?.heldBackBy.map((input) => input.subtask)).toEqual([0]);
    expect(behind?.idle.map((input) => input.subtask)).toEqual([1]);
  });

  it('is as far as those that are waited for, whatever idle ones have brought', () => {
    const [own] = reportsOf(plan, metricsOf([[null, true], [2000]], 2000));
    expect(own?.watermarkMs).toBe(2000);
    expect(own?.heldBackBy.map((input) => input.subtask)).toEqual([1]);
    expect(own?.sentence).toContain('is at 1970-01-01T00:00:02.000Z; held back by subtask 1');
    const [behindIdle] = reportsOf(plan, metricsOf([[1000, true], [2000]], 2000));
    expect(behindIdle?.watermarkMs).toBe(2000);
  });

  it('does not blame what has ended, and is silent when all has', () => {
    const [own] = reportsOf(plan, metricsOf([[WATERMARK_MAX], [7]], 7));
    expect(own?.heldBackBy.map((input) => input.subtask)).toEqual([1]);
    expect(reportsOf(plan, metricsOf([[WATERMARK_MAX], [WATERMARK_MAX]], 7))).toEqual([]);
    const idle = reportsOf(
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
    expect(reportsOf(untimed, metricsOf([[1]], 1))).toEqual([]);
  });

  describe('of an asynchronous function', () => {
    const asking = planOf(
      (flow) => {
        flow
          .from(source())
          .assignTimestamps('date')
          .orderedWait(async (f) => f, { name: 'ask' })
          .rebalance()
          .map((f) => f)
          .to(sink());
      },
      { parallelism: 2 },
    );
    const reports = (
      inputMs: number,
      calls: readonly (readonly [watermarkMs: number, inFlight: number, sinceMs: number])[],
    ): readonly TimeReport[] => {
      const times = calls.map(([watermarkMs, callsInFlight, oldestCallMs]) => {
        return { watermarkMs, callsInFlight, oldestCallMs };
      });
      const into = [0, 1].map((at) => ({
        from: at,
        to: at,
        ...NO_QUEUE,
        watermarkMs: inputMs,
        isIdle: false,
      }));
      const behind = times.flatMap(({ watermarkMs }, from) => {
        return [0, 1].map((to) => ({ from, to, ...NO_QUEUE, watermarkMs, isIdle: false }));
      });
      return reportsOf(asking, {
        elapsedMs: 1000,
        vertices: [
          vertex({ id: 0, name: 'source' }, [{ watermarkMs: inputMs }, { watermarkMs: inputMs }]),
          vertex({ id: 1, name: 'ask' }, times),
          vertex({ id: 2, name: 'behind' }, [{ watermarkMs: 2000 }, { watermarkMs: 2000 }]),
        ],
        edges: [edge({ id: 0, channels: into }), edge({ id: 1, channels: behind })],
        process: null,
      });
    };

    it('tells of the calls that hold event time back', () => {
      const [, own, behind] = reports(9000, [
        [2000, 23, NOW_MS - 4200],
        [9000, 5, NOW_MS - 1],
      ]);
      expect(own?.heldBackBy).toMatchObject([
        { chain: 'ask', subtask: 0, calls: { inFlight: 23, oldestMs: 4200 } },
      ]);
      expect(own?.sentence).toBe(
        '"ask" is at 1970-01-01T00:00:02.000Z; held back by subtask 0 (23 calls under way, ' +
          'the oldest for 4.20 s) of "ask"',
      );
      expect(behind?.sentence).toContain(
        'held back by subtask 0 (23 calls under way, the oldest for 4.20 s) of "ask"',
      );
    });

    it('blames no calls where no watermark waits for them', () => {
      const [, own] = reports(9000, [
        [9000, 1, NOW_MS - 5],
        [9000, 0, 0],
      ]);
      expect(own?.heldBackBy.map(({ chain }) => chain)).toEqual([
        'flights -> assignTimestamps',
        'flights -> assignTimestamps',
      ]);
    });

    it('tells of those that are waited for when the input has ended', () => {
      const [own, behind, ...others] = reports(WATERMARK_MAX, [
        [2000, 1, NOW_MS - 5],
        [WATERMARK_MAX, 0, 0],
      ]);
      expect([own?.chain, behind?.chain, others]).toEqual(['ask', 'map -> out', []]);
      expect(own?.sentence).toContain('subtask 0 (1 call under way, the oldest for 5 ms)');
    });
  });
});
