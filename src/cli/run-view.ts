/**
 * The view of a running job: on a terminal a block that is redrawn in place and ends as a tidy summary, elsewhere a
 * plain line every few seconds. Callers: the run command. Runs on: the main thread. Invariant: the block is erased
 * before anything else is printed below it, and the cursor is always given back.
 */
import type { WriteStream } from 'node:tty';
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import type { JobExecution, JobResult } from '../runtime/execution.js';
import type { RunMetricsSnapshot, VertexMetrics } from '../runtime/metrics-snapshot.js';

/** Shows a run until `end`. */
export interface RunView {
  /** Draws the last state; `result` null when the job did not finish. */
  end(result: JobResult | null): void;
}

/** Where and how the view is drawn. */
export interface RunViewOptions {
  readonly isJson: boolean;
  readonly stream: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>;
}

const REDRAW_MS = 200;
const PLAIN_LINE_MS = 5000;

/** A view that fits where the output goes. */
export function createView(execution: JobExecution, options: RunViewOptions): RunView {
  const { stream, isJson } = options;
  if (isJson) return { end: () => {} };
  const isLive = stream.isTTY === true && process.env['CI'] === undefined;
  const painter = new Painter(execution, stream, isLive);
  return painter;
}

class Painter implements RunView {
  readonly #execution: JobExecution;
  readonly #stream: RunViewOptions['stream'];
  readonly #isLive: boolean;
  readonly #timer: NodeJS.Timeout;
  #linesDrawn = 0;
  #previous: RunMetricsSnapshot | null = null;

  constructor(execution: JobExecution, stream: RunViewOptions['stream'], isLive: boolean) {
    this.#execution = execution;
    this.#stream = stream;
    this.#isLive = isLive;
    this.#timer = setInterval(() => this.#tick(), isLive ? REDRAW_MS : PLAIN_LINE_MS);
    this.#timer.unref();
  }

  end(result: JobResult | null): void {
    clearInterval(this.#timer);
    if (this.#isLive) this.#erase();
    const metrics = result?.metrics ?? this.#execution.metrics();
    const lines = blockOf(metrics, null, this.#width());
    if (result !== null) lines.push(summaryOf(result));
    this.#stream.write(`${lines.join('\n')}\n`);
  }

  #tick(): void {
    const metrics = this.#execution.metrics();
    if (this.#isLive) {
      const lines = blockOf(metrics, this.#previous, this.#width());
      lines.push(progressOf(metrics));
      this.#erase();
      this.#stream.write(`${lines.join('\n')}\n`);
      this.#linesDrawn = lines.length;
    } else {
      this.#stream.write(`${progressOf(metrics)}\n`);
    }
    this.#previous = metrics;
  }

  #erase(): void {
    if (this.#linesDrawn > 0) this.#stream.write(`\x1b[${this.#linesDrawn}A\x1b[0J`);
    this.#linesDrawn = 0;
  }

  #width(): number {
    return Math.max(60, Math.min(this.#stream.columns ?? 100, 160));
  }
}

/** One line per vertex: rate, rows, bytes, and the shares of time of its subtasks. */
function blockOf(
  metrics: RunMetricsSnapshot,
  previous: RunMetricsSnapshot | null,
  width: number,
): string[] {
  const nameWidth = Math.max(12, width - 60);
  const head = `${'operator chain'.padEnd(nameWidth)} ${'rows/s'.padStart(9)} ${'rows'.padStart(9)} ${'bytes'.padStart(9)}  busy blocked idle`;
  const lines = [head];
  for (const vertex of metrics.vertices) {
    const before = previous?.vertices[vertex.id];
    const seconds = (metrics.elapsedMs - (previous?.elapsedMs ?? 0)) / 1000;
    const rows = vertex.rowsIn - (before?.rowsIn ?? 0);
    const rate = seconds > 0 ? rows / seconds : 0;
    const name = shorten(`${vertex.name} x${vertex.parallelism}`, nameWidth);
    const bytes = vertex.bytesIn > 0 ? formatBytes(vertex.bytesIn) : '';
    lines.push(
      `${name.padEnd(nameWidth)} ${formatCount(rate).padStart(9)} ` +
        `${formatCount(vertex.rowsIn).padStart(9)} ${bytes.padStart(9)}  ${sharesOf(vertex, before)}`,
    );
  }
  return lines;
}

function sharesOf(vertex: VertexMetrics, before: VertexMetrics | undefined): string {
  let busy = 0;
  let blocked = 0;
  let idle = 0;
  for (const [index, task] of vertex.subtasks.entries()) {
    const earlier = before?.subtasks[index];
    busy += task.busyMs - (earlier?.busyMs ?? 0);
    blocked += task.backpressuredMs - (earlier?.backpressuredMs ?? 0);
    idle += task.idleMs - (earlier?.idleMs ?? 0);
  }
  const total = busy + blocked + idle;
  const share = (ms: number): string => `${total > 0 ? Math.round((100 * ms) / total) : 0}%`;
  return `${share(busy).padStart(4)} ${share(blocked).padStart(7)} ${share(idle).padStart(4)}`;
}

/** Progress of the sources, with the time left when their size is known. */
function progressOf(metrics: RunMetricsSnapshot): string {
  const sources = metrics.vertices.filter((vertex) => vertex.isSource);
  const rows = sources.reduce((sum, source) => sum + source.rowsIn, 0);
  const elapsed = `${formatCount(rows)} rows in ${formatDuration(metrics.elapsedMs)}`;
  const known = sources.filter((source) => (source.bytesTotal ?? 0) > 0);
  if (known.length === 0 || known.length < sources.length) return elapsed;
  const done = known.reduce((sum, source) => sum + source.bytesIn, 0);
  const total = known.reduce((sum, source) => sum + (source.bytesTotal ?? 0), 0);
  const share = Math.min(1, done / total);
  const leftMs = share > 0.02 ? (metrics.elapsedMs * (1 - share)) / share : null;
  const left = leftMs === null ? '' : `, about ${formatDuration(leftMs)} left`;
  return `${bar(share)} ${Math.round(share * 100)} %  ${elapsed}${left}`;
}

function bar(share: number): string {
  const filled = Math.round(share * 24);
  return `[${'#'.repeat(filled)}${'.'.repeat(24 - filled)}]`;
}

function summaryOf(result: JobResult): string {
  const sources = result.metrics.vertices.filter((vertex) => vertex.isSource);
  const rows = sources.reduce((sum, source) => sum + source.rowsIn, 0);
  const seconds = result.durationMs / 1000;
  const bad = result.badRecords > 0 ? `, ${result.badRecords} bad records` : '';
  return (
    `${result.jobName} finished: ${formatCount(rows)} rows in ${formatDuration(result.durationMs)}, ` +
    `${formatCount(rows / seconds)} rows/s${bad}`
  );
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
