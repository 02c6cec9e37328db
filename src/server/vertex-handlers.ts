/**
 * What each path of the chains of a job and their subtasks does. Callers: `handlers.ts`. Runs on: the server's thread.
 */
import { attemptOf } from './job-record.js';
import type { Clock } from '../base/clock.js';
import type { VertexExplanation } from '../graph/explain.js';
import type { MeasuredJob } from '../runtime/measured-job.js';
import { vertexId } from '../runtime/vertex-id.js';
import { hostname } from 'node:os';
import type { Dispatcher } from './dispatcher.js';
import type { Handlers } from './handlers.js';
import { measuredJob } from './measured-jobs.js';
import {
  backPressure,
  subtaskMetricsView,
  subtasksMetrics,
  vertexMetricsView,
  watermarks,
} from './metric-views.js';
import {
  subtaskDetails,
  subtaskTimes,
  vertexDetails,
  vertexOf,
  vertexTaskManagers,
} from './vertex-views.js';

interface OfVertex {
  readonly jobid: string;
  readonly vertexid: string;
}

/** The functions. */
export function vertexHandlers(dispatcher: Dispatcher, clock: Clock) {
  const now = (): number => clock.epochMs();
  const measuredOf = ({ jobid }: OfVertex): MeasuredJob =>
    measuredJob(dispatcher.job(jobid), now());
  const vertexIn = ({ jobid, vertexid }: OfVertex): VertexExplanation =>
    vertexOf(dispatcher.job(jobid), vertexid);
  return {
    vertex: ({ params }) => {
      const job = dispatcher.job(params.jobid);
      return vertexDetails(job, vertexOf(job, params.vertexid), now());
    },
    backPressure: ({ params }) => {
      const vertex = vertexIn(params);
      return backPressure(measuredOf(params), vertex, now());
    },
    watermarks: ({ params }) => {
      const vertex = vertexIn(params);
      return watermarks(measuredOf(params), vertex);
    },
    vertexMetrics: ({ params, query }) => {
      const vertex = vertexIn(params);
      return vertexMetricsView(measuredOf(params), vertex, query.get);
    },
    subtasksMetrics: ({ params, query }) => {
      const vertex = vertexIn(params);
      return subtasksMetrics(measuredOf(params), vertex, query);
    },
    subtaskMetrics: ({ params, query }) => {
      const vertex = vertexIn(params);
      return subtaskMetricsView(measuredOf(params), vertex, params.subtaskindex, query.get);
    },
    subtask: ({ params }) =>
      subtaskDetails(dispatcher.job(params.jobid), vertexIn(params), params, now()),
    subtaskAttempt: ({ params }) =>
      subtaskDetails(dispatcher.job(params.jobid), vertexIn(params), params, now()),
    subtaskTimes: ({ params }) =>
      subtaskTimes(dispatcher.job(params.jobid), vertexIn(params), now()),
    vertexTaskManagers: ({ params }) =>
      vertexTaskManagers(dispatcher.job(params.jobid), vertexIn(params), now()),
    vertexAccumulators: ({ params }) => {
      return { id: vertexId(vertexIn(params).uid), 'user-accumulators': [] };
    },
    subtasksAccumulators: ({ params }) => {
      const vertex = vertexIn(params);
      const { uid, parallelism } = vertex;
      const attempt = attemptOf(dispatcher.job(params.jobid).record, vertex);
      const subtasks = Array.from({ length: parallelism }, (_, subtask) => {
        return { subtask, attempt, endpoint: hostname(), 'user-accumulators': [] };
      });
      return { id: vertexId(uid), parallelism, subtasks };
    },
  } satisfies Partial<Handlers>;
}
