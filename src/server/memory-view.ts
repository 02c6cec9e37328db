/**
 * Who holds the memory of a job, slot by slot, as REST shows it. Callers: the handlers. Runs on: the server's thread;
 * pure.
 */
import type { VertexExplanation } from '../graph/explain.js';
import { slotBudgetOf } from '../memory/slot-budget.js';
import type { TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import type { JobMemory } from '../rest/job-schemas.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import type { ServedJob } from './served-job.js';
import { tasksOf } from './vertex-views.js';

/** `GET /jobs/:jobid/memory`. */
export function jobMemory(job: ServedJob, nowMs: number): JobMemory {
  const { id, record } = job;
  const { settings } = record.submission;
  const budget = slotBudgetOf(settings);
  const vertices = record.plan?.vertices ?? [];
  const metrics = job.metrics();
  const slots = [...new Set(vertices.flatMap((vertex) => vertex.slots))].toSorted((a, b) => a - b);
  return {
    jid: id,
    now: nowMs,
    residentBytes: record.pid === null ? null : (metrics?.process?.residentBytes ?? null),
    slotBytes: settings['slot.memory'],
    slots: slots.map((slot) => {
      const tasks = vertices.flatMap((vertex) => tasksIn(job, vertex, slot));
      const most = (pick: (task: TaskMetricsSnapshot) => number): number =>
        Math.max(0, ...tasks.map(pick));
      return {
        slot,
        subtasks: tasks.length,
        // Every subtask tells of its whole slot.
        heapBytes: most((task) => task.heapUsedBytes),
        heapBytesMax: most((task) => task.heapLimitBytes) || budget.heapBytes,
        stateBytes: most((task) => task.slotStateBytes),
        stateBytesMax: budget.managedBytes,
        spilledBytes: tasks.reduce((sum, task) => sum + task.spilledBytes, 0),
        ...ringsOf(metrics, vertices, slot),
        ringBytesMax: budget.networkBytes,
      };
    }),
  };
}

function tasksIn(
  job: ServedJob,
  { id, slots }: VertexExplanation,
  slot: number,
): readonly TaskMetricsSnapshot[] {
  return tasksOf(job, id).filter((_, subtask) => slots[subtask] === slot);
}

/** The rings through which the subtasks of a slot receive. */
function ringsOf(
  metrics: RunMetricsSnapshot | null,
  vertices: readonly VertexExplanation[],
  slot: number,
): Pick<JobMemory['slots'][number], 'ringBytes' | 'ringBytesReserved'> {
  let [ringBytes, ringBytesReserved] = [0, 0];
  for (const { to: vertex, channels } of metrics?.edges ?? []) {
    for (const { to, queuedBytes, capacityBytes } of channels) {
      if (vertices[vertex]?.slots[to] !== slot) continue;
      ringBytes += Math.min(queuedBytes, capacityBytes);
      ringBytesReserved += capacityBytes;
    }
  }
  return { ringBytes, ringBytesReserved };
}
