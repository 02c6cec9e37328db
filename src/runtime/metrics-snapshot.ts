/**
 * The counters of a run as plain data: per vertex, per subtask, per edge. Reading them costs the workers nothing.
 * Callers: `execution.ts`. Runs on: the caller's thread.
 */
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { FIRST_SINK_OWNER, SOURCE_OWNER } from '../metrics/metric-owners.js';
import { type ProcessUsage, processUsage } from '../metrics/process-usage.js';
import {
  RunMetricsReader,
  type TaskMetricsSnapshot,
  type TimeSnapshot,
} from '../metrics/read-task-metrics.js';
import {
  type MetricScope,
  type MetricValue,
  readUserMetrics,
} from '../metrics/read-user-metrics.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import type { Deployment } from './deployment.js';
import { type LatencyMetric, LatencyPlaces } from './latency-places.js';

/** A metric that a function of the job has registered, in one subtask. */
export type UserMetric = MetricValue & {
  readonly subtask: number;
  /** Name and uid of the operator, source or sink whose metric it is. */
  readonly operator: string;
  readonly uid: string;
  /** The groups around it, outermost first. */
  readonly groups: readonly MetricScope[];
  readonly name: string;
};

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
  /** By subtask, then in order of registration; empty before functions have registered any. */
  readonly userMetrics: readonly UserMetric[];
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
  /** Each of its channels. */
  readonly channels: readonly ChannelMetrics[];
}

/** What waits between two subtasks, and what one last told the other of event time. */
export interface ChannelMetrics extends TimeSnapshot {
  readonly from: number;
  readonly to: number;
  /** Bytes that wait, and the most that may wait in its ring just now; inside a slot, where there is none, 0. */
  readonly queuedBytes: number;
  readonly capacityBytes: number;
}

/** All counters of a run at one moment. */
export interface RunMetricsSnapshot {
  /** Since the start of the run. */
  readonly elapsedMs: number;
  readonly vertices: readonly VertexMetrics[];
  readonly edges: readonly EdgeMetrics[];
  /** What the process takes in which the job runs; null for a job that has not run. */
  readonly process: ProcessUsage | null;
  /** Latencies of markers by source and operator; absent where `metrics.latency.interval` is 0. */
  readonly latencies?: readonly LatencyMetric[];
}

/** Reads all counters. */
export function snapshotMetrics(
  plan: PhysicalPlan,
  deployment: Deployment,
  elapsedMs: number,
): RunMetricsSnapshot {
  const metrics = new RunMetricsReader(deployment.metrics, plan, deployment.channels.length);
  const vertices = plan.vertices.map((vertex): VertexMetrics => {
    const subtasks = vertex.slots.map((_, index) => metrics.task(vertex.id, index, elapsedMs));
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
      userMetrics: subtasks.flatMap((_, subtask) => userMetricsOf(vertex, deployment, subtask)),
    };
  });
  const edges = plan.edges.map((edge): EdgeMetrics => {
    const rings = deployment.rings.filter((ring) => ring.edge === edge.id);
    const channels = deployment.channels.flatMap(({ edge: of, from, to }, index) =>
      of === edge.id ? [{ from, to, ...metrics.channel(index, elapsedMs) }] : [],
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
      channels: channels.map(({ from, to, queuedBytes, capacityBytes, watermarkMs, isIdle }) => {
        return { from, to, queuedBytes, capacityBytes, watermarkMs, isIdle };
      }),
    };
  });
  const snapshot = { elapsedMs, vertices, edges, process: processUsage() };
  if (deployment.latencies === null) return snapshot;
  const places = new LatencyPlaces(plan, deployment.settings);
  return { ...snapshot, latencies: places.read(deployment.latencies) };
}

/** What the functions of a subtask have registered. */
function userMetricsOf(
  vertex: Vertex,
  { userMetrics: { memory, bytesEach } }: Deployment,
  subtask: number,
): readonly UserMetric[] {
  return readUserMetrics(memory[vertex.id], subtask * bytesEach).map(({ owner, ...metric }) => {
    const { name: operator, uid } = ownerOf(vertex, owner);
    return { subtask, operator, uid, ...metric };
  });
}

function ownerOf({ source, operators, sinks, name, uid }: Vertex, owner: number): OperatorIdentity {
  const identity =
    owner === SOURCE_OWNER
      ? source?.identity
      : (operators[owner]?.spec ?? sinks[FIRST_SINK_OWNER - owner]?.identity);
  return identity ?? { name, uid, createdAt: null };
}
