/**
 * A metric as reporters and views are given it: where it belongs, what it is called, what it comes to. Callers: what
 * measures jobs makes points, reporters and REST show them. Runs on: any thread; plain data.
 */
import type { HistogramStatistics, MetricScope } from './read-user-metrics.js';

/** What a metric belongs to, as Flink calls it. The process of a job is its task manager. */
export const METRIC_SCOPES = ['jm', 'jmJob', 'tm', 'tmJob', 'task', 'operator'] as const;
export type MetricScopeName = (typeof METRIC_SCOPES)[number];

/** The words with which the name of a metric of that scope begins, as in Flink. */
export const LOGICAL_SCOPES: Readonly<Record<MetricScopeName, readonly string[]>> = {
  jm: ['jobmanager'],
  jmJob: ['jobmanager', 'job'],
  tm: ['taskmanager'],
  tmJob: ['taskmanager', 'job'],
  task: ['taskmanager', 'job', 'task'],
  operator: ['taskmanager', 'job', 'task', 'operator'],
};

/** What a metric comes to. */
export type PointValue =
  | { readonly type: 'counter' | 'gauge'; readonly value: number }
  /** Events so far, and per second. */
  | { readonly type: 'meter'; readonly count: number; readonly rate: number }
  | { readonly type: 'histogram'; readonly value: HistogramStatistics }
  /** No number, such as a path. Reporters leave it out. */
  | { readonly type: 'text'; readonly value: string };

/** A metric at one moment. */
export interface MetricPoint {
  readonly scope: MetricScopeName;
  /** Groups of the user, outermost first. */
  readonly groups: readonly MetricScope[];
  readonly name: string;
  /** Such as `job_name`, `subtask_index`; those of the user's groups too. */
  readonly variables: Readonly<Record<string, string>>;
  readonly value: PointValue;
}

/** The name without what tells metrics of one kind apart, as `taskmanager.job.task.numRecordsIn`. */
export function logicalName({ scope, groups, name }: MetricPoint): readonly string[] {
  return [...LOGICAL_SCOPES[scope], ...groups.map((group) => group.name), name];
}

/** The numbers of a metric that has several, by the endings that Flink's reporters give them; one has no ending. */
export function numbersOf(
  value: PointValue,
): readonly (readonly [ending: string, value: number])[] {
  if (value.type === 'text') return [];
  if (value.type === 'meter') {
    return [
      ['rate', value.rate],
      ['count', value.count],
    ];
  }
  if (value.type !== 'histogram') return [['', value.value]];
  const { count, min, max, mean, stddev, p50, p75, p95, p98, p99, p999 } = value.value;
  const numbers = { count, min, max, mean, stddev, p50, p75, p95, p98, p99, p999 };
  return Object.entries(numbers).flatMap(([ending, number]) =>
    number === null ? [] : [[ending, number] as const],
  );
}
