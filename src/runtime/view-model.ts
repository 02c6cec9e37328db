/**
 * What the live view shows, worked out from two snapshots of the counters: rates, shares of time, fill of edges,
 * progress. Callers: the live view of the command line, the summary, the server. Runs on: the caller's thread; pure.
 */
import type { EdgeMetrics, RunMetricsSnapshot, VertexMetrics } from './metrics-snapshot.js';

/** Shares of the time of a chain's subtasks, 0 to 1 each. What is missing to 1 is waiting for its turn or its end. */
export interface TimeShares {
  readonly busy: number;
  readonly blocked: number;
  readonly idle: number;
}

/** A chain in a span of time. */
export interface ChainView {
  readonly id: number;
  readonly name: string;
  readonly parallelism: number;
  readonly isSource: boolean;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly shares: TimeShares;
  /** The subtask that got most of the rows in the span, and its share of them; null without rows. */
  readonly busiest: { readonly subtask: number; readonly rowsShare: number } | null;
}

/** An edge in the span. */
export interface EdgeView {
  readonly from: number;
  readonly to: number;
  readonly partitioner: string;
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
  /** How much waits in its rings at the end of the span, of what may wait there, 0 to 1. */
  readonly fill: number;
}

/** How far the sources are. */
export interface ProgressView {
  readonly elapsedMs: number;
  /** Rows and bytes that sources have read since the start. */
  readonly rows: number;
  readonly bytes: number;
  readonly rowsPerSecond: number;
  /** Share of the input that is read, when every source knows its size. */
  readonly share: number | null;
  /** Estimated time to the end; null while it cannot be estimated. */
  readonly leftMs: number | null;
  readonly badRecords: number;
}

/** Everything that is shown of a moment. */
export interface RunViewModel {
  readonly chains: readonly ChainView[];
  readonly edges: readonly EdgeView[];
  readonly progress: ProgressView;
}

/** Less than this share of the input tells nothing about the rest of it. */
const ESTIMATE_SHARE_MIN = 0.01;

/**
 * The view of the span between two snapshots; `before` null takes the whole run, so that rates are averages from its
 * start.
 */
export function viewModel(
  now: RunMetricsSnapshot,
  before: RunMetricsSnapshot | null,
): RunViewModel {
  const spanMs = now.elapsedMs - (before?.elapsedMs ?? 0);
  const chains = now.vertices.map((vertex, index) =>
    chainView(vertex, before?.vertices[index] ?? null, spanMs),
  );
  const edges = now.edges.map((edge, index) =>
    edgeView(edge, before?.edges[index] ?? null, spanMs),
  );
  return { chains, edges, progress: progressView(now, chains) };
}

/** A snapshot that cannot be told from the start of the run has nothing to compare with. */
function chainView(vertex: VertexMetrics, before: VertexMetrics | null, spanMs: number): ChainView {
  const { id, name, parallelism, isSource, rowsIn: rows } = vertex;
  // What a chain takes in is its work; a source of generated records takes in no bytes, but gives some.
  const bytes = vertex.bytesIn > 0 ? vertex.bytesIn : vertex.bytesOut;
  const bytesBefore = (vertex.bytesIn > 0 ? before?.bytesIn : before?.bytesOut) ?? 0;
  return {
    id,
    name,
    parallelism,
    isSource,
    rows,
    rowsPerSecond: perSecond(rows - (before?.rowsIn ?? 0), spanMs),
    bytes,
    bytesPerSecond: perSecond(bytes - bytesBefore, spanMs),
    shares: sharesOf(vertex, before, spanMs),
    busiest: busiestOf(vertex, before),
  };
}

function sharesOf(vertex: VertexMetrics, before: VertexMetrics | null, spanMs: number): TimeShares {
  const available = spanMs * Math.max(1, vertex.subtasks.length);
  const share = (pick: (task: VertexMetrics['subtasks'][number]) => number): number => {
    let sum = 0;
    for (const [index, task] of vertex.subtasks.entries()) {
      const earlier = before?.subtasks[index];
      sum += pick(task) - (earlier === undefined ? 0 : pick(earlier));
    }
    return available > 0 ? Math.min(1, Math.max(0, sum / available)) : 0;
  };
  return {
    busy: share((task) => task.busyMs),
    blocked: share((task) => task.backpressuredMs),
    idle: share((task) => task.idleMs),
  };
}

function busiestOf(vertex: VertexMetrics, before: VertexMetrics | null): ChainView['busiest'] {
  const rows = vertex.subtasks.map(
    (task, index) => task.rowsIn - (before?.subtasks[index]?.rowsIn ?? 0),
  );
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const most = Math.max(...rows);
  return { subtask: rows.indexOf(most), rowsShare: most / total };
}

function edgeView(edge: EdgeMetrics, before: EdgeMetrics | null, spanMs: number): EdgeView {
  const { from, to, partitioner, rows, bytes } = edge;
  let [queuedBytes, capacityBytes] = [0, 0];
  for (const channel of edge.channels) {
    if (channel.capacityBytes === 0) continue;
    queuedBytes += channel.queuedBytes;
    capacityBytes += channel.capacityBytes;
  }
  return {
    from,
    to,
    partitioner,
    rowsPerSecond: perSecond(rows - (before?.rows ?? 0), spanMs),
    bytesPerSecond: perSecond(bytes - (before?.bytes ?? 0), spanMs),
    fill: capacityBytes > 0 ? Math.min(1, Math.max(0, queuedBytes / capacityBytes)) : 0,
  };
}

function progressView(now: RunMetricsSnapshot, chains: readonly ChainView[]): ProgressView {
  const sources = now.vertices.filter((vertex) => vertex.isSource);
  const share = shareRead(sources);
  const canEstimate = share !== null && share >= ESTIMATE_SHARE_MIN && share < 1;
  return {
    elapsedMs: now.elapsedMs,
    rows: sources.reduce((sum, source) => sum + source.rowsIn, 0),
    bytes: sources.reduce((sum, source) => sum + source.bytesIn, 0),
    rowsPerSecond: chains
      .filter((chain) => chain.isSource)
      .reduce((sum, chain) => sum + chain.rowsPerSecond, 0),
    share,
    leftMs: canEstimate ? (now.elapsedMs * (1 - share)) / share : null,
    badRecords: now.vertices.reduce((sum, vertex) => sum + vertex.badRecords, 0),
  };
}

/** The share of the source that is furthest from its end; null when one of them does not know its size. */
function shareRead(sources: readonly VertexMetrics[]): number | null {
  let lowest: number | null = null;
  for (const source of sources) {
    const share = shareOfSource(source);
    if (share === null) return null;
    lowest = Math.min(lowest ?? 1, share);
  }
  return lowest;
}

function shareOfSource({ bytesIn, bytesTotal, rowsIn, rowsTotal }: VertexMetrics): number | null {
  // Rows come first: of a file of columns only those in use are read, so its bytes never come to their total.
  if (rowsTotal !== null && rowsTotal > 0) return Math.min(1, rowsIn / rowsTotal);
  if (bytesTotal !== null && bytesTotal > 0 && bytesIn > 0)
    return Math.min(1, bytesIn / bytesTotal);
  return bytesTotal !== null && bytesTotal > 0 ? 0 : null;
}

/** Counters begin again with an attempt; until there are two snapshots of it, nothing has flown. */
function perSecond(amount: number, spanMs: number): number {
  return spanMs > 0 ? Math.max(0, (amount * 1000) / spanMs) : 0;
}
