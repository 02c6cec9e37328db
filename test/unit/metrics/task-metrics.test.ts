import { describe, expect, it } from 'vitest';
import { TASK_STATES } from '../../../src/metrics/metrics-layout.js';
import { RunMetrics, runMetricsBytes } from '../../../src/metrics/run-metrics.js';
import {
  rates,
  readTaskMetrics,
  RunMetricsReader,
} from '../../../src/metrics/read-task-metrics.js';

const PLAN = { vertices: [{ parallelism: 2 }, { parallelism: 1 }, { parallelism: 3 }] };

function newMetrics(channels = 2) {
  const memory = new SharedArrayBuffer(runMetricsBytes(PLAN, channels));
  const metrics = new RunMetrics(memory, PLAN, channels);
  return { metrics, reader: new RunMetricsReader(memory, PLAN, channels), memory };
}

describe('task metrics', () => {
  it('reads back everything that is written, and nothing next to it', () => {
    const { metrics, reader } = newMetrics();
    const writer = metrics.task(2, 0);
    const neighbours = [reader.task(1, 0, 0), reader.task(2, 1, 0)];
    writer.addRowsIn(3);
    writer.addRowsIn(4);
    writer.addRowsOut(5);
    writer.addBytesIn(1);
    writer.setBytesIn(60);
    writer.addBytesIn(10);
    writer.addBytesOut(8);
    writer.addBatchesIn(2);
    writer.addBusyMs(1.5);
    writer.addBackpressuredMs(2.5);
    writer.addIdleMs(3.5);
    writer.setLoopLagMs(4.5);
    writer.addBadRecords(6);
    writer.addLateRecords(7);
    writer.setMemory(1000, 2000, 3000);
    writer.setStateBytes(2500);
    writer.setCalls({
      inFlight: 9,
      oldestSinceMs: 77,
      lookups: { hits: 1, misses: 2, loads: 3, loadFailures: 4, rows: 5, bytes: 6 },
    });
    writer.wrote(50);
    writer.read(20);
    writer.read(5);
    writer.freed(10);
    writer.setColdLookups(8, 6);
    writer.setTime(-5, true);
    writer.setSplit(3);
    writer.setState('RUNNING');
    writer.enter(99.5);
    writer.control[0] = 4;
    expect(reader.task(2, 0, 123)).toEqual({
      rowsIn: 7,
      rowsOut: 5,
      bytesIn: 70,
      bytesOut: 8,
      batchesIn: 2,
      busyMs: 1.5,
      backpressuredMs: 2.5,
      idleMs: 3.5,
      loopLagMs: 4.5,
      badRecords: 6,
      lateRecords: 7,
      heapUsedBytes: 1000,
      slotStateBytes: 3000,
      stateBytes: 2500,
      heapLimitBytes: 2000,
      callsInFlight: 9,
      oldestCallMs: 77,
      lookupHits: 1,
      lookupMisses: 2,
      lookupLoads: 3,
      lookupFailures: 4,
      cachedRows: 5,
      cachedBytes: 6,
      spilledBytes: 40,
      spilledBytesOut: 50,
      spilledBytesIn: 25,
      spillReads: 2,
      coldLookups: 8,
      coldHits: 6,
      watermarkMs: -5,
      isIdle: true,
      state: 'RUNNING',
      currentOperator: 4,
      progress: 1,
      heldBySplit: 3,
      entryMs: 99.5,
      atMs: 123,
    });
    expect([reader.task(1, 0, 0), reader.task(2, 1, 0)]).toEqual(neighbours);
    writer.setBytesOut(5);
    expect(reader.task(2, 0, 0).bytesOut).toBe(5);
  });

  it('tells that a step is over', () => {
    const { metrics, reader } = newMetrics();
    const writer = metrics.task(0, 1);
    writer.enter(10);
    writer.control[0] = 0;
    writer.leave();
    const { currentOperator, entryMs, progress } = reader.task(0, 1, 0);
    expect({ currentOperator, entryMs, progress }).toEqual({
      currentOperator: null,
      entryMs: null,
      progress: 1,
    });
  });

  it('knows every state', () => {
    const { metrics, reader } = newMetrics();
    const writer = metrics.task(0, 0);
    expect(reader.task(0, 0, 0).state).toBe('CREATED');
    for (const state of TASK_STATES) {
      writer.setState(state);
      expect(reader.task(0, 0, 0).state).toBe(state);
    }
  });

  it('numbers subtasks by vertex, as a watchdog that knows only numbers does', () => {
    const { metrics, memory } = newMetrics();
    expect([metrics.taskIndex(0, 1), metrics.taskIndex(1, 0), metrics.taskIndex(2, 2)]).toEqual([
      1, 2, 5,
    ]);
    metrics.task(1, 0).addRowsIn(9);
    expect(readTaskMetrics(memory, 2, 0).rowsIn).toBe(9);
    expect(() => metrics.taskIndex(1, 1)).toThrow('a subtask of the plan');
    expect(() => metrics.taskIndex(3, 0)).toThrow('a subtask of the plan');
    expect(() => new RunMetrics(memory, PLAN, 3)).toThrow('have room');
  });
});

describe('channel metrics', () => {
  it('read back what is written', () => {
    const { metrics, reader } = newMetrics();
    const writer = metrics.channel(1);
    writer.addRows(10);
    writer.addRows(1);
    writer.addBytes(100);
    writer.setQueued(64);
    writer.setCapacity(4096);
    writer.setTime(0, false);
    expect(reader.channel(1, 5)).toEqual({
      rows: 11,
      bytes: 100,
      queuedBytes: 64,
      capacityBytes: 4096,
      watermarkMs: 0,
      isIdle: false,
      atMs: 5,
    });
    writer.setTime(null, true);
    expect(reader.channel(1, 5)).toMatchObject({ watermarkMs: null, isIdle: true });
    expect(reader.channel(0, 5)).toMatchObject({ watermarkMs: null, isIdle: false });
    expect(reader.channel(0, 5).rows).toBe(0);
  });
});

describe('rates', () => {
  it('are differences per second', () => {
    const { metrics, reader } = newMetrics();
    const writer = metrics.task(0, 0);
    writer.addRowsIn(100);
    const previous = reader.task(0, 0, 1000);
    writer.addRowsIn(50);
    writer.addRowsOut(25);
    writer.addBytesIn(500);
    writer.addBytesOut(250);
    writer.addBusyMs(300);
    writer.addIdleMs(150);
    writer.addBackpressuredMs(50);
    expect(rates(previous, reader.task(0, 0, 1500))).toEqual({
      rowsInPerSecond: 100,
      rowsOutPerSecond: 50,
      bytesInPerSecond: 1000,
      bytesOutPerSecond: 500,
      busyMsPerSecond: 600,
      backpressuredMsPerSecond: 100,
      idleMsPerSecond: 300,
    });
    expect(Object.values(rates(previous, previous)).every((rate) => rate === 0)).toBe(true);
  });
});
