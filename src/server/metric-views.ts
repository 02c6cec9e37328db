/**
 * Metrics as REST shows them: Flink's names, values as text, over subtasks as least, most, sum, average and skew.
 * Callers: the handlers. Runs on: the server's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { VertexExplanation } from '../graph/explain.js';
import { numbersOf, type PointValue } from '../metrics/metric-point.js';
import type { MetricScope } from '../metrics/read-user-metrics.js';
import type { Aggregate, Metric } from '../rest/job-schemas.js';
import type { BackPressure } from '../rest/vertex-schemas.js';
import {
  inputWatermark,
  jobMetrics,
  latencyMetrics,
  type MeasuredJob,
  processMetrics,
  skewOf,
  taskMetrics,
  taskRates,
  userMetrics,
} from '../runtime/measured-job.js';
import {
  BACK_PRESSURE,
  END_OF_TIME,
  NO_WATERMARK,
  watermark,
} from '../runtime/metric-definitions.js';
import { subtaskIndex } from './vertex-views.js';

type Values = ReadonlyMap<string, string | number>;
type Named = readonly (readonly [name: string, value: PointValue])[];

/** As Flink's clients know no watermark, and the end of event time, which a number cannot say. */
function numberText(value: string | number): string {
  if (value === NO_WATERMARK) return '-9223372036854775808';
  return value === END_OF_TIME ? '9223372036854775807' : String(value);
}

/** A meter is its rate; the numbers of a histogram have names of their own. */
function valuesOf(metrics: Named): Values {
  return new Map(
    metrics.flatMap(([name, value]): readonly (readonly [string, string | number])[] => {
      if (value.type === 'text') return [[name, value.value]];
      if (value.type === 'meter') return [[name, value.rate]];
      return numbersOf(value).map(([ending, number]) => {
        return [ending === '' ? name : `${name}_${ending === 'p50' ? 'median' : ending}`, number];
      });
    }),
  );
}

/** The metrics of one subtask: of the chain, and of its functions after the name of the operator. */
function subtaskValues(job: MeasuredJob, vertex: VertexExplanation, subtask: number): Values {
  const ofFunctions = userMetrics(job, vertex).flatMap(
    ({ subtask: of, operator, groups, name, value }): Named => {
      return of === subtask
        ? [[pathOf([{ name: operator, value: null }, ...groups], name), value]]
        : [];
    },
  );
  return valuesOf([...taskMetrics(job, vertex, subtask), ...ofFunctions]);
}

/** The metrics of a job as a whole. */
export function wholeJob(job: MeasuredJob): Named {
  return [
    ...jobMetrics(job),
    ...latencyMetrics(job).map(({ groups, name, value }) => [pathOf(groups, name), value] as const),
  ];
}

function pathOf(groups: readonly MetricScope[], name: string): string {
  const path = groups.flatMap((group) => [group.name, group.value ?? []].flat());
  return [...path.map(withoutSeparators), name].join('.');
}

/** What separates names in ids and queries, as Flink has it. */
function withoutSeparators(text: string): string {
  return text.replaceAll(/[ .:,]/g, '_');
}

/** The ids there are, or those that were asked for, with their values; unknown ones are left out, as in Flink. */
function chosen(values: Values, get: string | undefined): readonly Metric[] {
  if (get === undefined) return [...values.keys()].map((id) => ({ id }));
  return namesIn(get).flatMap((id) => {
    const value = values.get(id);
    return value === undefined ? [] : [{ id, value: numberText(value) }];
  });
}

function namesIn(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}

/** `GET /jobmanager/metrics` and others of one thing. */
export function metricsView(metrics: Named, get: string | undefined): readonly Metric[] {
  return chosen(valuesOf(metrics), get);
}

/** `GET /jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics`. Throws PATH_UNKNOWN. */
export function subtaskMetricsView(
  job: MeasuredJob,
  vertex: VertexExplanation,
  subtask: string,
  get: string | undefined,
): readonly Metric[] {
  return chosen(subtaskValues(job, vertex, subtaskIndex(job.name, vertex, subtask)), get);
}

/** `GET /jobs/:jobid/vertices/:vertexid/metrics`: ids begin with the number of the subtask. */
export function vertexMetricsView(
  job: MeasuredJob,
  vertex: VertexExplanation,
  get: string | undefined,
): readonly Metric[] {
  const all = new Map<string, string | number>();
  for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
    for (const [name, value] of subtaskValues(job, vertex, subtask)) {
      all.set(`${subtask}.${name}`, value);
    }
  }
  return chosen(all, get);
}

/** `GET /jobs/:jobid/vertices/:vertexid/watermarks`. */
export function watermarks(job: MeasuredJob, vertex: VertexExplanation): readonly Metric[] {
  return Array.from({ length: vertex.parallelism }, (_, subtask) => {
    const value = numberText(watermark(inputWatermark(job, vertex, subtask)));
    return { id: `${subtask}.currentInputWatermark`, value };
  });
}

const AGGREGATES = ['min', 'max', 'sum', 'avg', 'skew'] as const;
type AggregateName = (typeof AGGREGATES)[number];

/** What is asked of a metric over several subtasks or jobs. */
export interface AggregateQuery {
  readonly get?: string | undefined;
  readonly agg?: string | undefined;
}

/** `GET /jobs/metrics`, over some jobs or all. */
export function jobsMetrics(
  jobs: readonly MeasuredJob[],
  query: AggregateQuery,
): readonly Aggregate[] {
  return aggregated(
    jobs.map((job) => valuesOf(wholeJob(job))),
    query,
  );
}

/** `GET /taskmanagers/metrics`, over the processes of some jobs or all. */
export function processesMetrics(
  jobs: readonly MeasuredJob[],
  query: AggregateQuery,
): readonly Aggregate[] {
  return aggregated(
    jobs.map((job) => valuesOf(processMetrics(job))),
    query,
  );
}

/** `GET /jobs/:jobid/vertices/:vertexid/subtasks/metrics`, over some subtasks or all. */
export function subtasksMetrics(
  job: MeasuredJob,
  vertex: VertexExplanation,
  { subtasks, ...query }: AggregateQuery & { readonly subtasks?: string | undefined },
): readonly Aggregate[] {
  const all = Array.from({ length: vertex.parallelism }, (_, subtask) => subtask);
  const wanted = subtasks === undefined ? all : all.filter(inRanges(subtasks));
  return aggregated(
    wanted.map((subtask) => subtaskValues(job, vertex, subtask)),
    query,
  );
}

/** Such as `0,3,5-7`. */
function inRanges(text: string): (subtask: number) => boolean {
  const ranges = namesIn(text).map((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) {
      throw new MillraceError('REQUEST_INVALID', `"${part}" names no subtasks.`, {
        advice: 'Write numbers and ranges, such as subtasks=0,3,5-7.',
      });
    }
    const [, from = '', to = from] = match;
    return { from: Number(from), to: Number(to) };
  });
  return (subtask) => ranges.some(({ from, to }) => subtask >= from && subtask <= to);
}

function aggregated(rows: readonly Values[], { get, agg }: AggregateQuery): readonly Aggregate[] {
  const known = new Set(rows.flatMap((row) => [...row.keys()]));
  if (get === undefined) return [...known].map((id) => ({ id }));
  const wanted = agg === undefined ? AGGREGATES : namesIn(agg).map(aggregateName);
  return namesIn(get).flatMap((id) => {
    const values = rows.map((row) => Number(row.get(id))).filter((value) => Number.isFinite(value));
    if (values.length === 0) return [];
    const all = aggregatesOf(values);
    return [{ id, ...Object.fromEntries(wanted.map((name) => [name, all[name]])) }];
  });
}

function aggregateName(name: string): AggregateName {
  const found = AGGREGATES.find((known) => known === name.toLowerCase());
  if (found !== undefined) return found;
  throw new MillraceError('REQUEST_INVALID', `There is no aggregation "${name}".`, {
    advice: didYouMean(name, AGGREGATES),
  });
}

function aggregatesOf(values: readonly number[]): Readonly<Record<AggregateName, number>> {
  const sum = values.reduce((total, value) => total + value, 0);
  const avg = sum / values.length;
  return {
    min: Math.min(...values),
    max: Math.max(...values),
    sum,
    avg,
    skew: skewOf(values),
  };
}

/** `GET /jobs/:jobid/vertices/:vertexid/backpressure`. */
export function backPressure(
  job: MeasuredJob,
  vertex: VertexExplanation,
  nowMs: number,
): BackPressure {
  const tasks = job.now?.vertices[vertex.id]?.subtasks ?? [];
  const subtasks = tasks.map((task, subtask) => {
    const rate = taskRates(job, vertex, subtask, task);
    const ratio = rate.backpressuredMsPerSecond / 1000;
    return {
      subtask,
      ...levels(ratio),
      ratio,
      idleRatio: rate.idleMsPerSecond / 1000,
      busyRatio: rate.busyMsPerSecond / 1000,
    };
  });
  return {
    status: 'ok',
    ...levels(Math.max(0, ...subtasks.map(({ ratio }) => ratio))),
    'end-timestamp': nowMs,
    subtasks,
  };
}

/** Flink writes the level under both names. */
function levels(ratio: number): Pick<BackPressure, 'backpressureLevel' | 'backpressure-level'> {
  const level = levelOf(ratio);
  return { backpressureLevel: level, 'backpressure-level': level };
}

function levelOf(ratio: number): 'ok' | 'low' | 'high' {
  if (ratio > BACK_PRESSURE.high) return 'high';
  return ratio > BACK_PRESSURE.low ? 'low' : 'ok';
}
