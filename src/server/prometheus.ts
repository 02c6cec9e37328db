/**
 * The metrics of all jobs in the text form that Prometheus pulls, under the names that Flink's reporter gives them:
 * counters as gauges, what is no number left out. Callers: the handlers. Runs on: the server's thread; pure.
 */
import type { VertexExplanation } from '../graph/explain.js';
import type { Dispatcher } from './dispatcher.js';
import { isTerminal, nameOf } from './job-record.js';
import { vertexId } from './job-views.js';
import { jobValues, subtaskValues } from './metric-views.js';
import type { ServedJob } from './served-job.js';

type Labels = Readonly<Record<string, string>>;

/** Lines by the name of their metric, which the form wants together. */
class Exposition {
  readonly #lines = new Map<string, string[]>();

  add(name: string, labels: Labels, value: string | number): void {
    const number = Number(value);
    if (value === '' || Number.isNaN(number)) return;
    const lines = this.#lines.get(name) ?? [];
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number}`);
    this.#lines.set(name, lines);
  }

  text(): string {
    return [...this.#lines]
      .flatMap(([name, lines]) => [`# TYPE ${name} gauge`, ...lines])
      .map((line) => `${line}\n`)
      .join('');
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Everything there is now. Jobs that have ended are left out. */
export function prometheusText({ jobs, pool }: Dispatcher, nowMs: number): string {
  const exposition = new Exposition();
  const live = jobs.filter(({ record }) => !isTerminal(record.status));
  exposition.add('flink_jobmanager_taskSlotsTotal', {}, pool.total);
  exposition.add('flink_jobmanager_taskSlotsAvailable', {}, pool.free);
  exposition.add('flink_jobmanager_numRunningJobs', {}, live.length);
  for (const job of live) {
    const labels = { job_id: job.id, job_name: nameOf(job.record) };
    for (const [name, value] of jobValues(job, nowMs)) {
      exposition.add(`flink_jobmanager_job_${name}`, labels, value);
    }
    for (const vertex of job.record.plan?.vertices ?? [])
      addVertex(exposition, job, vertex, labels);
  }
  return exposition.text();
}

function addVertex(
  exposition: Exposition,
  job: ServedJob,
  vertex: VertexExplanation,
  ofJob: Labels,
): void {
  for (let subtask = 0; subtask < vertex.parallelism; subtask++) {
    const labels = {
      ...ofJob,
      tm_id: job.id,
      task_id: vertexId(vertex.uid),
      task_name: vertex.name,
      subtask_index: String(subtask),
    };
    for (const [name, value] of subtaskValues(job, vertex, subtask)) {
      exposition.add(`flink_taskmanager_job_task_${name}`, labels, value);
    }
  }
}
