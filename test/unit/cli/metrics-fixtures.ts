/** Snapshots of the counters of made-up runs. */
import type { TaskMetricsSnapshot } from '../../../src/metrics/read-task-metrics.js';
import type {
  EdgeMetrics,
  RunMetricsSnapshot,
  VertexMetrics,
} from '../../../src/runtime/metrics-snapshot.js';

const TASK: TaskMetricsSnapshot = {
  rowsIn: 0,
  rowsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  batchesIn: 0,
  busyMs: 0,
  backpressuredMs: 0,
  idleMs: 0,
  loopLagMs: 0,
  badRecords: 0,
  lateRecords: 0,
  heapUsedBytes: 0,
  slotStateBytes: 0,
  stateBytes: 0,
  heapLimitBytes: 0,
  callsInFlight: 0,
  oldestCallMs: 0,
  lookupHits: 0,
  lookupMisses: 0,
  lookupLoads: 0,
  lookupFailures: 0,
  cachedRows: 0,
  cachedBytes: 0,
  spilledBytes: 0,
  spilledBytesOut: 0,
  spilledBytesIn: 0,
  spillReads: 0,
  coldLookups: 0,
  coldHits: 0,
  watermarkMs: null,
  isIdle: false,
  state: 'RUNNING',
  currentOperator: null,
  progress: 0,
  heldBySplit: -1,
  entryMs: null,
  atMs: 0,
};

export function task(part: Partial<TaskMetricsSnapshot>): TaskMetricsSnapshot {
  return { ...TASK, ...part };
}

export function vertex(
  part: Partial<VertexMetrics> & { readonly id: number; readonly name: string },
  subtasks: readonly Partial<TaskMetricsSnapshot>[],
): VertexMetrics {
  const tasks = subtasks.map(task);
  const sum = (pick: (one: TaskMetricsSnapshot) => number): number =>
    tasks.reduce((total, one) => total + pick(one), 0);
  return {
    parallelism: tasks.length,
    isSource: false,
    rowsIn: sum((one) => one.rowsIn),
    rowsOut: sum((one) => one.rowsOut),
    bytesIn: sum((one) => one.bytesIn),
    bytesOut: sum((one) => one.bytesOut),
    bytesTotal: null,
    rowsTotal: null,
    badRecords: sum((one) => one.badRecords),
    subtasks: tasks,
    heldBySplits: tasks.map(() => null),
    userMetrics: [],
    ...part,
  };
}

export function edge(part: Partial<EdgeMetrics>): EdgeMetrics {
  const { queuedBytes = 0, capacityBytes = 1000 } = part;
  const channel = { from: 0, to: 0, queuedBytes, capacityBytes, watermarkMs: null, isIdle: false };
  return {
    id: 0,
    from: 0,
    to: 1,
    partitioner: 'hash',
    rows: 0,
    bytes: 0,
    queuedBytes,
    capacityBytes,
    channels: [channel],
    ...part,
  };
}

/** Two slots, two seconds: a source that waits for a slow aggregation, three quarters of the input read. */
export function slowAggregation(): RunMetricsSnapshot {
  const name = 'csv flights/*.csv.gz -> filter -> select -> partial aggregate';
  const source = { rowsIn: 1_500_000, bytesIn: 75_000_000 };
  const aggregation = { rowsIn: 1_400_000, bytesIn: 28_000_000 };
  return {
    elapsedMs: 2000,
    vertices: [
      vertex({ id: 0, name, isSource: true, bytesTotal: 200_000_000 }, [
        { ...source, busyMs: 600, backpressuredMs: 1200, idleMs: 0 },
        { ...source, busyMs: 500, backpressuredMs: 1300, idleMs: 100 },
      ]),
      vertex({ id: 1, name: 'aggregate -> map -> csv out/daily' }, [
        { ...aggregation, busyMs: 1900, idleMs: 0 },
        { ...aggregation, busyMs: 1860, idleMs: 60 },
      ]),
      vertex({ id: 2, name: 'print worst' }, [{ rowsIn: 40, bytesIn: 2100, idleMs: 2000 }]),
    ],
    edges: [
      edge({ id: 0, from: 0, to: 1, queuedBytes: 870 }),
      edge({ id: 1, from: 1, to: 2, partitioner: 'rebalance', queuedBytes: 10 }),
    ],
    process: null,
  };
}
