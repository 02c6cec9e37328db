/**
 * Finds the metrics of a plan's subtasks: blocks are numbered by vertex, then by subtask. Callers: slots (to
 * write), execution and watchdog (to read). Runs on: any thread. Invariant: every thread of a run numbers the
 * blocks alike, because all rebuild the same plan.
 */
import { assert } from '../base/assert.js';
import { metricsBytes } from './metrics-layout.js';
import { EdgeMetricsWriter, TaskMetricsWriter } from './task-metrics.js';

/** As much of a physical plan as numbering needs. */
export interface MeteredPlan {
  readonly vertices: readonly { readonly parallelism: number }[];
}

/** Bytes of the metrics of a plan. */
export function runMetricsBytes(plan: MeteredPlan, channels: number): number {
  return metricsBytes(subtasksOf(plan), channels);
}

/** The metrics of a run. */
export class RunMetrics {
  readonly subtasks: number;
  readonly channels: number;
  readonly #memory: SharedArrayBuffer;
  readonly #firstOfVertex: readonly number[];
  readonly #plan: MeteredPlan;

  constructor(memory: SharedArrayBuffer, plan: MeteredPlan, channels: number) {
    this.#memory = memory;
    this.#plan = plan;
    this.subtasks = subtasksOf(plan);
    this.channels = channels;
    assert(
      memory.byteLength >= metricsBytes(this.subtasks, channels),
      'The metrics of a run have room for all its subtasks and channels.',
    );
    let next = 0;
    this.#firstOfVertex = plan.vertices.map(({ parallelism }) => {
      const first = next;
      next += parallelism;
      return first;
    });
  }

  /** The number of a subtask's block, for watchdogs that hold nothing but numbers. */
  taskIndex(vertex: number, subtask: number): number {
    const parallelism = this.#plan.vertices[vertex]?.parallelism ?? 0;
    assert(subtask >= 0 && subtask < parallelism, 'Metrics are asked of a subtask of the plan.');
    return (this.#firstOfVertex[vertex] ?? 0) + subtask;
  }

  /** The writer of a subtask; one per run. */
  task(vertex: number, subtask: number): TaskMetricsWriter {
    return new TaskMetricsWriter(this.#memory, this.taskIndex(vertex, subtask));
  }

  /** The writer of a channel; one per run. */
  channel(channel: number): EdgeMetricsWriter {
    return new EdgeMetricsWriter(this.#memory, this.subtasks, channel);
  }
}

function subtasksOf(plan: MeteredPlan): number {
  return plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
}
