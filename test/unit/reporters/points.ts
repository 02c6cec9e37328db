/** Points of every type, with names and values that formats have to take care of. */
import type { MetricPoint, PointValue } from '../../../src/metrics/metric-point.js';
import type { HistogramStatistics } from '../../../src/metrics/read-user-metrics.js';

const TASK = {
  host: 'host.example',
  tm_id: 'tm1',
  job_id: 'abc',
  job_name: 'my "job"',
  task_id: 'cafe',
  task_name: 'map: a, b = c',
  subtask_index: '1',
};

export const STATISTICS: HistogramStatistics = {
  count: 4,
  sum: 10,
  min: 1,
  max: 4,
  mean: 2.5,
  stddev: 1.25,
  p50: 2,
  p75: 3,
  p95: 4,
  p98: 4,
  p99: 4,
  p999: 4,
};

function ofTask(name: string, value: PointValue): MetricPoint {
  return { scope: 'task', groups: [], name, variables: TASK, value };
}

const OPERATOR = { ...TASK, operator_id: 'beef', operator_name: 'map', country: 'C\\H\n"x"' };

export const POINTS: readonly MetricPoint[] = [
  ofTask('numRecordsIn', { type: 'counter', value: 1234 }),
  ofTask('negative', { type: 'gauge', value: -2.5 }),
  ofTask('numRecordsInPerSecond', { type: 'meter', count: 1234, rate: 61.5 }),
  ofTask('lastCheckpointExternalPath', { type: 'text', value: '/tmp/a b' }),
  {
    scope: 'operator',
    groups: [
      { name: 'my group', value: null },
      { name: 'country', value: OPERATOR.country },
    ],
    name: 'latency',
    variables: OPERATOR,
    value: { type: 'histogram', value: STATISTICS },
  },
];
