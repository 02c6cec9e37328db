/**
 * The counters of a run as plain data: per vertex, per subtask, per edge. Reading them costs the workers nothing.
 * Callers: `execution.ts`. Runs on: the caller's thread.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { RunMetrics } from '../metrics/run-metrics.js';
import type { TaskMetricsSnapshot, TimeSnapshot } from '../metrics/task-metrics.js';
import type { Deployment } from './deployment.js';

/** Counters of one vertex: sums over its subtasks, and each of them. */
export interface VertexMetrics {
  readonly id: number;
  readonly name: string;
  readonly parallelism: number;
  readonly isSource: boolean;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Input size where the source knows it, for progress. */
  readonly bytesTotal: number | null;
  readonly rowsTotal: number | null;
  readonly badRecords: number;
  readonly subtasks: readonly TaskMetricsSnapshot[];
  /**
   * By subtask: the split of the source that holds its event time back; null where there is none, or no other.
   */
  readonly heldBySplits: readonly (string | null)[];
}

/** Counters of one edge, summed over its rings. */
export interface EdgeMetrics {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly partitioner: string;
  readonly rows: number;
  readonly bytes: number;
  /** Bytes waiting in the rings, and what they can hold. */
  readonly queuedBytes: number;
  readonly capacityBytes: number;
  /** Event time of each of its channels. */
  readonly channels: readonly ChannelTime[];
}

/** What one subtask last told another of event time. */
export interface ChannelTime extends TimeSnapshot {
  readonly from: number;
  readonly to: number;
}

/** All counters of a run at one moment. */
export interface RunMetricsSnapshot {
  /** Since the start of the run. */
  readonly elapsedMs: number;
  readonly vertices: readonly VertexMetrics[];
  readonly edges: readonly EdgeMetrics[];
}

/** Reads all counters. */
export function snapshotMetrics(
  plan: PhysicalPlan,
  deployment: Deployment,
  elapsedMs: number,
): RunMetricsSnapshot {
  const metrics = new RunMetrics(deployment.metrics, plan, deployment.channels.length);
  const vertices = plan.vertices.map((vertex): VertexMetrics => {
    const subtasks = vertex.slots.map((_, index) => metrics.readTask(vertex.id, index, elapsedMs));
    const sum = (pick: (task: TaskMetricsSnapshot) => number): number =>
      subtasks.reduce((total, task) => total + pick(task), 0);
    const source = deployment.sourcePlans[vertex.id];
    return {
      id: vertex.id,
      name: vertex.name,
      parallelism: vertex.parallelism,
      isSource: vertex.source !== null,
      rowsIn: sum((task) => task.rowsIn),
      rowsOut: sum((task) => task.rowsOut),
      bytesIn: sum((task) => task.bytesIn),
      bytesOut: sum((task) => task.bytesOut),
      bytesTotal: source?.bytes ?? null,
      rowsTotal: source?.rows ?? null,
      badRecords: sum((task) => task.badRecords),
      subtasks,
      heldBySplits: subtasks.map(({ heldBySplit }) => {
        const splits = source?.splits ?? [];
        return splits.length > 1 ? (splits[heldBySplit]?.id ?? null) : null;
      }),
    };
  });
  const edges = plan.edges.map((edge): EdgeMetrics => {
    const rings = deployment.rings.filter((ring) => ring.edge === edge.id);
    const channels = deployment.channels.flatMap(({ edge: of, from, to }, index) =>
      of === edge.id ? [{ from, to, ...metrics.readChannel(index, elapsedMs) }] : [],
    );
    return {
      id: edge.id,
      from: edge.from,
      to: edge.to,
      partitioner: edge.partitioner.kind,
      rows: channels.reduce((total, channel) => total + channel.rows, 0),
      bytes: channels.reduce((total, channel) => total + channel.bytes, 0),
      queuedBytes: channels.reduce((total, channel) => total + channel.queuedBytes, 0),
      capacityBytes: rings.reduce((total, ring) => total + ring.byteLength, 0),
      channels: channels.map(({ from, to, watermarkMs, isIdle }) => {
        return { from, to, watermarkMs, isIdle };
      }),
    };
  });
  return { elapsedMs, vertices, edges };
}
