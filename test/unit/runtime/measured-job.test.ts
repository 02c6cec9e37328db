import { describe, expect, it } from 'vitest';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import { rates } from '../../../src/metrics/read-task-metrics.js';
import {
  jobPoints,
  type MeasuredJob,
  processMeasure,
  taskMetrics,
  userMetrics,
} from '../../../src/runtime/measured-job.js';
import type { RunMetricsSnapshot, UserMetric } from '../../../src/runtime/metrics-snapshot.js';
import { readLatencies } from '../../../src/metrics/latency-history.js';
import { prometheusText } from '../../../src/reporters/prometheus-text.js';
import { metricsView, wholeJob } from '../../../src/server/metric-views.js';
import { task, vertex } from '../cli/metrics-fixtures.js';

const CHAIN = { id: 0, uid: 'u', name: 'watch', parallelism: 2 };
const USAGE = {
  cpuMs: 1000,
  upMs: 10_000,
  cores: 2,
  heapUsedBytes: 1,
  heapCommittedBytes: 2,
  heapMaxBytes: 3,
  externalBytes: 4,
  bufferBytes: 5,
  residentBytes: 6,
};

function meter(subtask: number, value: number): UserMetric {
  const groups = [{ name: 'country', value: 'CH' }];
  return { subtask, operator: 'op', uid: 'o', groups, name: 'seen', type: 'meter', value };
}

function at(elapsedMs: number, rowsIn: number, users: readonly UserMetric[]): RunMetricsSnapshot {
  const tasks = [{ rowsIn, atMs: elapsedMs }, { atMs: elapsedMs }];
  return {
    elapsedMs,
    vertices: [vertex({ ...CHAIN, userMetrics: users }, tasks)],
    edges: [],
    process: { ...USAGE, upMs: elapsedMs },
  };
}

function job(now: RunMetricsSnapshot, earlier: RunMetricsSnapshot | null): MeasuredJob {
  return {
    id: 'abc',
    name: 'shop',
    vertices: [CHAIN],
    now,
    earlier,
    isOver: false,
    restarts: 3,
    runningMs: 5,
    checkpoints: NO_STATISTICS,
    nowMs: 0,
  };
}

function rateOf(of: MeasuredJob): unknown {
  return userMetrics(of, CHAIN).map(({ value }) => (value.type === 'meter' ? value.rate : null));
}

describe('latencies of a job', () => {
  const value = readLatencies(Float64Array.of(2, 7, 3, 4));
  if (value === null) throw new Error('There are two latencies.');
  const ofOperator = [
    { name: 'operator_id', value: 'o1' },
    { name: 'operator_subtask_index', value: '0' },
  ];
  const ofSource = [
    { name: 'source_id', value: 's1' },
    { name: 'source_subtask_index', value: '1' },
  ];
  const latencies = [ofSource, []].map((of) => ({
    source: null,
    sourceSubtask: null,
    operator: 'watch',
    uid: 'o',
    subtask: 0,
    groups: [{ name: 'latency', value: null }, ...of, ...ofOperator],
    value,
  }));
  const tracked = job({ ...at(1000, 0, []), latencies }, null);

  it('are of the job in its process, with variables that Prometheus has as labels', () => {
    const text = prometheusText(jobPoints(tracked, 'mill'));
    const name =
      'flink_taskmanager_job_latency_source_id_source_subtask_index_operator_id_operator_subtask_index_latency';
    expect(text).toContain(
      `${name}{host="mill",tm_id="abc",job_id="abc",job_name="shop",source_id="s1",` +
        `source_subtask_index="1",operator_id="o1",operator_subtask_index="0",quantile="0.99"} 4`,
    );
  });

  it('are among the metrics of the job over REST', () => {
    const id = `latency.operator_id.o1.operator_subtask_index.0.latency`;
    expect(metricsView(wholeJob(tracked), `${id}_p99,${id}_count`)).toEqual([
      { id: `${id}_p99`, value: '4' },
      { id: `${id}_count`, value: '2' },
    ]);
    expect(metricsView(wholeJob(job(at(1000, 0, []), null)), undefined)).not.toContainEqual({
      id: `${id}_p99`,
    });
  });
});

describe('a measured job', () => {
  it('has rates between two looks, of the engine and of functions', () => {
    const of = job(at(6000, 700, [meter(0, 50), meter(1, 7)]), at(1000, 200, [meter(0, 40)]));
    const found = new Map(taskMetrics(of, CHAIN, 0));
    expect(found.get('numRecordsInPerSecond')).toEqual({ type: 'meter', count: 700, rate: 100 });
    // The second subtask has registered its metric since.
    expect(rateOf(of)).toEqual([2, 1.4]);
  });

  it('counts everything since the start before there is an earlier look', () => {
    const of = job(at(2000, 100, [meter(0, 50)]), null);
    expect(rateOf(of)).toEqual([25]);
    const found = new Map(taskMetrics(of, CHAIN, 0));
    expect(found.get('numRecordsInPerSecond')).toMatchObject({ rate: 50 });
  });

  it('takes counters that have gone back for ones that a restart began anew', () => {
    const of = job(at(6000, 100, [meter(0, 10)]), at(1000, 900, [meter(0, 40)]));
    expect(rateOf(of)).toEqual([2]);
    const found = new Map(taskMetrics(of, CHAIN, 0));
    expect(found.get('numRecordsInPerSecond')).toMatchObject({ rate: 20 });
    const [before, after] = [task({ busyMs: 900, atMs: 0 }), task({ busyMs: 300, atMs: 1000 })];
    expect(rates(before, after).busyMsPerSecond).toBe(300);
  });

  it('flows no more when it is over', () => {
    const of = { ...job(at(6000, 700, [meter(0, 50)]), null), isOver: true };
    expect(rateOf(of)).toEqual([0]);
    const found = new Map(taskMetrics(of, CHAIN, 0));
    expect(found.get('numRecordsInPerSecond')).toMatchObject({ count: 700, rate: 0 });
  });

  it('gives points of each scope with the variables of Flink', () => {
    const points = jobPoints(job(at(2000, 100, [meter(1, 50)]), null), 'here');
    const of = (scope: string) => points.filter((point) => point.scope === scope);
    expect(new Set(points.map(({ scope }) => scope))).toEqual(
      new Set(['jmJob', 'tm', 'task', 'operator']),
    );
    expect(of('jmJob')[0]).toMatchObject({
      name: 'numRestarts',
      variables: { host: 'here', job_id: 'abc', job_name: 'shop' },
      value: { type: 'gauge', value: 3 },
    });
    const resident = of('tm').find(({ name }) => name === 'Resident');
    expect(resident?.groups.map(({ name }) => name)).toEqual(['Status', 'Process', 'Memory']);
    expect(of('operator')).toEqual([
      {
        scope: 'operator',
        groups: [{ name: 'country', value: 'CH' }],
        name: 'seen',
        variables: expect.objectContaining({
          host: 'here',
          tm_id: 'abc',
          job_id: 'abc',
          job_name: 'shop',
          task_name: 'watch',
          task_attempt_num: '3',
          subtask_index: '1',
          operator_name: 'op',
          country: 'CH',
        }),
        value: { type: 'meter', count: 50, rate: 25 },
      },
    ]);
  });
});

describe('a measured process', () => {
  it('has its share of all cores since the earlier look', () => {
    const later = { ...USAGE, cpuMs: 4000, upMs: 12_000 };
    expect(processMeasure(later, USAGE).cpuLoad).toBe(0.75);
    expect(processMeasure(USAGE, null).cpuLoad).toBe(0.05);
    // Another process has come in the place of the earlier one.
    expect(processMeasure(USAGE, later).cpuLoad).toBe(0.05);
  });
});
