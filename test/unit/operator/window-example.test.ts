/**
 * The example that event time is taught with: records out of order by up to two seconds, windows of five. An event
 * at 7 s makes the watermark 4.999 s, which ends the window up to 5 s; one at 12 s that up to 10 s. A record at
 * exactly 5 s is in the second window.
 */
import { describe, expect, it } from 'vitest';
import { col } from '../../../src/operator/expression-builder.js';
import type { AlignedSpec } from '../../../src/operator/operator-spec.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../../src/time/watermark.js';
import { batchOf, chainOf, op, untilDone } from './chain-harness.js';

interface Reading {
  readonly id: string;
  readonly at: number;
}

/** A chain of event times, windows of 5 s and their late records, and how to feed it a reading or a tick. */
function windows(spec: Partial<AlignedSpec>) {
  const {
    task,
    ports,
    late: counted,
  } = chainOf({
    operators: [
      {
        spec: op.assign('at', { generation: { kind: 'bounded', outOfOrdernessMs: 2000 } }),
        input: -1,
      },
      {
        spec: op.window([], { ids: { fn: 'collect', of: col('id') } }, { sizeMs: 5000, ...spec }),
        input: 0,
      },
      { spec: op.sideOutput('late'), input: 1 },
    ],
    outputs: [{ after: 1 }, { after: 2 }],
  });
  const left = (port: number): readonly unknown[] => {
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[port].left.map(({ record }) => record);
  };
  return {
    task,
    counted,
    results: () => left(0),
    late: () => left(1),
    give(...readings: readonly Reading[]) {
      const batch = batchOf(readings);
      untilDone((cursor) => task.step(0, batch, cursor, 1000));
    },
    /** The periodic tick, by which watermarks are made. */
    tick: (watermarkMs = WATERMARK_MIN) =>
      untilDone((cursor) => task.advance(watermarkMs, cursor, 1000)),
  };
}

const FIRST = { windowStart: 0, windowEnd: 5000 };
const SECOND = { windowStart: 5000, windowEnd: 10_000 };

describe('the example of windows of five seconds', () => {
  it('puts a record that comes out of order into its window', () => {
    const run = windows({});
    run.give({ id: 'B', at: 3000 }, { id: 'A', at: 2000 }, { id: 'C', at: 5000 });
    run.tick();
    expect(run.results()).toEqual([]);
    run.give({ id: 'D', at: 7000 });
    expect(run.results()).toEqual([]);
    run.tick();
    expect(run.task.outputWatermark(0)).toBe(4999);
    expect(run.results()).toEqual([{ ...FIRST, ids: ['B', 'A'] }]);
    run.give({ id: 'E', at: 12_000 });
    run.tick();
    expect(run.task.outputWatermark(0)).toBe(9999);
    expect(run.results()).toEqual([
      { ...FIRST, ids: ['B', 'A'] },
      { ...SECOND, ids: ['C', 'D'] },
    ]);
  });

  it('gives nothing without further records, until the input ends', () => {
    const run = windows({});
    run.give({ id: 'A', at: 4000 });
    for (let ticks = 0; ticks < 10; ticks++) run.tick();
    expect(run.results()).toEqual([]);
    run.tick(WATERMARK_MAX);
    expect(run.results()).toEqual([{ ...FIRST, ids: ['A'] }]);
  });

  it('drops and counts late records', () => {
    const run = windows({});
    run.give({ id: 'A', at: 4000 }, { id: 'D', at: 7000 });
    run.tick();
    run.give({ id: 'X', at: 4999 }, { id: 'Y', at: 5000 });
    run.tick(WATERMARK_MAX);
    expect(run.results()).toEqual([
      { ...FIRST, ids: ['A'] },
      { ...SECOND, ids: ['D', 'Y'] },
    ]);
    expect(run.counted.records).toBe(1);
  });

  it('gives late records to a side output', () => {
    const run = windows({ lateTag: 'late' });
    run.give({ id: 'A', at: 4000 }, { id: 'D', at: 7000 });
    run.tick();
    run.give({ id: 'X', at: 1000 });
    expect(run.late()).toEqual([{ id: 'X', at: 1000 }]);
    expect(run.counted.records).toBe(1);
  });

  it('fires again for each record within the lateness, and then no more', () => {
    const run = windows({ allowedLatenessMs: 3000, lateTag: 'late' });
    run.give({ id: 'A', at: 4000 }, { id: 'D', at: 7000 });
    run.tick();
    run.give({ id: 'X', at: 4999 }, { id: 'Y', at: 0 });
    expect(run.results()).toEqual([
      { ...FIRST, lateFiring: false, ids: ['A'] },
      { ...FIRST, lateFiring: true, ids: ['A', 'X'] },
      { ...FIRST, lateFiring: true, ids: ['A', 'X', 'Y'] },
    ]);
    run.give({ id: 'E', at: 10_000 });
    run.tick();
    expect(run.task.outputWatermark(0)).toBe(7999);
    run.give({ id: 'Z', at: 4000 });
    expect(run.late()).toEqual([{ id: 'Z', at: 4000 }]);
  });
});
