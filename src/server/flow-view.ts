/**
 * What flows through a job, as REST and the stream of events show it: rates and fill of edges, shares of time of
 * chains, the bottleneck in one sentence. Callers: the handlers, the stream of events. Runs on: the server's thread;
 * pure.
 */
import type { VertexExplanation } from '../graph/explain.js';
import type { TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import type { JobFlow, JobLoad, Load } from '../rest/job-schemas.js';
import { bottleneck } from '../runtime/bottleneck.js';
import { leastWatermark } from '../runtime/measured-job.js';
import { vertexId } from '../runtime/vertex-id.js';
import { type RunViewModel, viewModel } from '../runtime/view-model.js';
import { isTerminal, nameOf, slotsOf } from './job-record.js';
import type { ServedJob } from './served-job.js';
import { jointState, taskStates, tasksOf } from './vertex-views.js';

/** `GET /jobs/:jobid/flow`. */
export function jobFlow(job: ServedJob, nowMs: number): JobFlow {
  const { id, record } = job;
  const vertices = record.plan?.vertices ?? [];
  const model = modelOf(job);
  const idOf = (vertex: number): string => vertexId(vertices[vertex]?.uid ?? '');
  const found =
    model === null || record.plan === null || isTerminal(record.status)
      ? null
      : bottleneck(model, slotsOf(record.plan));
  return {
    jid: id,
    name: nameOf(record),
    state: record.status,
    now: nowMs,
    vertices: vertices.map((vertex) => flowVertex(job, vertex, model)),
    edges: vertices.flatMap((from) =>
      from.outputs.map(({ to, partitioner }, index) => {
        // Where both sides of an operator are fed by one chain, edges are told apart by their order.
        const same = from.outputs.slice(0, index).filter((other) => other.to === to).length;
        const edge = model?.edges.filter((one) => one.from === from.id && one.to === to)[same];
        return {
          from: idOf(from.id),
          to: idOf(to),
          strategy: partitioner,
          recordsPerSecond: edge?.rowsPerSecond ?? 0,
          bytesPerSecond: edge?.bytesPerSecond ?? 0,
          fill: edge?.fill ?? 0,
        };
      }),
    ),
    bottleneck:
      found === null
        ? null
        : {
            vertex: found.chain === null ? null : idOf(found.chain),
            sentence: found.sentence,
          },
  };
}

/** `GET /jobs/load`. */
export function loadOf(jobs: readonly ServedJob[], nowMs: number): Load {
  return { now: nowMs, jobs: jobs.map(jobLoad) };
}

function jobLoad(job: ServedJob): JobLoad {
  const { id, record } = job;
  const { completed } = record.checkpoints.latest;
  return {
    jid: id,
    recordsPerSecond: isTerminal(record.status) ? 0 : (modelOf(job)?.progress.rowsPerSecond ?? 0),
    restarts: record.restarts,
    checkpointed:
      completed === null ? null : Math.round(completed.triggeredMs + (completed.durationMs ?? 0)),
  };
}

/** Of the last seconds, or of the whole run once that is over; null before there are counters. */
function modelOf(job: ServedJob): RunViewModel | null {
  const metrics = job.metrics();
  return metrics === null ? null : viewModel(metrics, job.earlierMetrics());
}

function flowVertex(
  job: ServedJob,
  vertex: VertexExplanation,
  model: RunViewModel | null,
): JobFlow['vertices'][number] {
  const chain = model?.chains[vertex.id];
  const tasks = tasksOf(job, vertex.id);
  const sum = (pick: (task: TaskMetricsSnapshot) => number): number =>
    tasks.reduce((total, task) => total + pick(task), 0);
  return {
    id: vertexId(vertex.uid),
    name: vertex.name,
    parallelism: vertex.parallelism,
    status: jointState(taskStates(job, vertex)),
    isSource: vertex.source !== null,
    operators: partsOf(vertex),
    records: chain?.rows ?? 0,
    recordsPerSecond: chain?.rowsPerSecond ?? 0,
    bytesPerSecond: chain?.bytesPerSecond ?? 0,
    busy: chain?.shares.busy ?? 0,
    blocked: chain?.shares.blocked ?? 0,
    idle: chain?.shares.idle ?? 0,
    watermark: leastWatermark(tasks),
    lateRecords: sum((task) => task.lateRecords),
    badRecords: sum((task) => task.badRecords),
  };
}

/** What a chain is made of: its source, its operators, its sinks. */
function partsOf({ source, operators, sinks }: VertexExplanation) {
  const connectors = sinks.map(({ name, connector }) => ({ name, kind: 'sink', text: connector }));
  const first =
    source === null ? [] : [{ name: source.name, kind: 'source', text: source.connector }];
  return [
    ...first,
    ...operators.map(({ name, kind, text }) => ({ name, kind, text })),
    ...connectors,
  ];
}
