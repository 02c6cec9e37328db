/**
 * What is left of a run on the screen: how it ended, how much it read at which average rate, where its results are,
 * and which records were bad. Callers: the views. Runs on: the main thread; pure.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import { fitText } from '../connector/print/text-width.js';
import type { PhysicalPlan, VertexSink } from '../graph/physical-plan.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import type { BadRecordGroup } from './bad-records.js';
import type { Style } from './style.js';
import { viewModel } from '../runtime/view-model.js';

/** How a run ended. */
export type RunEnd = 'finished' | 'canceled' | 'failed';

/** What the summary tells of. */
export interface SummaryParts {
  readonly plan: PhysicalPlan;
  readonly end: RunEnd;
  readonly durationMs: number;
  readonly metrics: RunMetricsSnapshot;
  readonly badRecords: readonly BadRecordGroup[];
}

/** Sinks whose results stay nowhere that a person could look. */
const UNSEEN_SINKS: ReadonlySet<string> = new Set(['discard', 'print']);
const LABEL_WIDTH = 6;

/** The lines of the summary, at most `width` cells each. */
export function summaryLines(parts: SummaryParts, width: number, style: Style): readonly string[] {
  const lines = [headLine(parts, style)];
  if (parts.end === 'finished') {
    for (const text of resultTexts(parts)) lines.push(labelled('wrote', text, width, style));
  } else if (parts.plan.vertices.some((vertex) => vertex.sinks.some(commits))) {
    lines.push(style.dim('Nothing was committed: what its sinks wrote is thrown away.'));
  }
  for (const group of parts.badRecords) {
    const { records, reason, firstPlace } = group;
    const place = firstPlace === null ? '' : ` (first: ${firstPlace})`;
    lines.push(
      labelled('bad', `${grouped(records)} × ${withoutPeriod(reason)}${place}`, width, style),
    );
  }
  return lines;
}

function headLine({ plan, end, durationMs, metrics }: SummaryParts, style: Style): string {
  // Rates are averages over the whole run, whatever its last moments were like.
  const { rows, bytes } = viewModel(metrics, null).progress;
  const seconds = Math.max(durationMs, 1) / 1000;
  const figures = [rowsText(rows), `${formatCount(rows / seconds)} rows/s`];
  if (bytes > 0) {
    figures.push(`${formatBytes(bytes).trimEnd()}, ${formatBytes(bytes / seconds).trimEnd()}/s`);
  }
  const paint = { finished: style.green, canceled: style.yellow, failed: style.red }[end];
  const how = end === 'finished' ? 'in' : 'after';
  const ended = `${plan.jobName} ${paint(end)} ${how} ${formatDuration(durationMs)}`;
  return `${ended}: ${figures.join(', ')}`;
}

/** Whether results of a sink show only when the job has finished. */
function commits({ connector }: VertexSink): boolean {
  return connector.commit !== undefined;
}

/** Where results are, with what is known of their size. */
function resultTexts({ plan, metrics }: SummaryParts): readonly string[] {
  return plan.vertices.flatMap((vertex) => {
    const counters = metrics.vertices[vertex.id];
    const isOnlyOutput = vertex.sinks.length === 1 && vertex.outputs.length === 0;
    return vertex.sinks
      .filter((sink) => !UNSEEN_SINKS.has(sink.connector.type))
      .map((sink) => {
        if (!isOnlyOutput || counters === undefined) return sink.connector.name;
        const rows = rowsText(counters.rowsOut);
        const { bytesOut } = counters;
        const size = bytesOut > 0 ? `${rows}, ${formatBytes(bytesOut).trimEnd()}` : rows;
        return `${sink.connector.name} (${size})`;
      });
  });
}

function labelled(label: string, text: string, width: number, style: Style): string {
  const room = Math.max(10, width - LABEL_WIDTH);
  return `${style.dim(label.padEnd(LABEL_WIDTH))}${fitText(text, room)}`;
}

function withoutPeriod(sentence: string): string {
  return sentence.endsWith('.') ? sentence.slice(0, -1) : sentence;
}

/** Exact, because a person may compare it with another count. */
function rowsText(rows: number): string {
  return `${grouped(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
