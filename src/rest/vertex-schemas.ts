/**
 * What the paths of the chains of a job and their subtasks give, with Flink's names. Callers: `paths.ts`, the server's
 * views, the client. Runs on: any thread; pure data.
 */
import { integer, list, map, number, object, oneOf, text, type ValueOf } from './json-schema.js';
import { executionState, ioMetrics, stateCounts } from './job-schemas.js';

const milliseconds = integer();
const count = integer();

/** Of a number over several subtasks. */
const statistics = object({
  min: count,
  max: count,
  avg: count,
  sum: count,
  median: count,
  p25: count,
  p75: count,
  p95: count,
});
const aggregated = object({
  metrics: map(statistics),
  'status-duration': map(statistics),
});

export const subtask = object({
  subtask: count,
  status: executionState,
  attempt: count,
  endpoint: text(),
  'start-time': milliseconds,
  'end-time': milliseconds,
  duration: milliseconds,
  metrics: ioMetrics,
  'taskmanager-id': text(),
  'status-duration': map(milliseconds),
  start_time: milliseconds,
});
export const vertexDetails = object({
  id: text(),
  name: text(),
  parallelism: count,
  maxParallelism: count,
  now: milliseconds,
  subtasks: list(subtask),
  aggregated,
});

export const subtaskTimes = object({
  id: text(),
  name: text(),
  now: milliseconds,
  subtasks: list(
    object({
      subtask: count,
      endpoint: text(),
      duration: milliseconds,
      timestamps: map(milliseconds),
    }),
  ),
});

export const vertexTaskManagers = object({
  id: text(),
  name: text(),
  now: milliseconds,
  taskmanagers: list(
    object({
      endpoint: text(),
      status: executionState,
      'start-time': milliseconds,
      'end-time': milliseconds,
      duration: milliseconds,
      metrics: ioMetrics,
      'status-counts': stateCounts,
      'taskmanager-id': text(),
      aggregated,
    }),
  ),
});

const pressure = oneOf('ok', 'low', 'high');
/** Flink writes the level under both names. */
const levels = { backpressureLevel: pressure, 'backpressure-level': pressure };
export const backPressure = object({
  status: oneOf('ok', 'deprecated'),
  ...levels,
  'end-timestamp': milliseconds,
  subtasks: list(
    object({ subtask: count, ...levels, ratio: number, idleRatio: number, busyRatio: number }),
  ),
});

/** What functions count are metrics, so there are never any accumulators. */
const accumulators = list(object({ name: text(), type: text(), value: text() }));
export const jobAccumulators = object({
  'job-accumulators': accumulators,
  'user-task-accumulators': accumulators,
  'serialized-user-task-accumulators': map(text()),
});
export const vertexAccumulators = object({ id: text(), 'user-accumulators': accumulators });
export const subtasksAccumulators = object({
  id: text(),
  parallelism: count,
  subtasks: list(
    object({ subtask: count, attempt: count, endpoint: text(), 'user-accumulators': accumulators }),
  ),
});

export type Subtask = ValueOf<typeof subtask>;
export type VertexDetails = ValueOf<typeof vertexDetails>;
export type VertexTaskManagers = ValueOf<typeof vertexTaskManagers>;
export type SubtaskTimes = ValueOf<typeof subtaskTimes>;
export type AggregatedDetails = ValueOf<typeof aggregated>;
export type BackPressure = ValueOf<typeof backPressure>;
