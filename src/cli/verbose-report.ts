/**
 * What `--verbose` adds at the end of a run: who held how much memory, and the counters of every subtask. Callers:
 * the run command. Runs on: the main thread; pure but for the process's own figures.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import { ledgerLines, mergeLedgerRows } from '../memory/ledger.js';
import type { JobResult } from '../runtime/execution.js';

/** The report as text. */
export function verboseReport(result: JobResult): string {
  const rows = mergeLedgerRows(...result.ledger.map((part) => part.rows));
  const lines = ['Memory ledger:', ...ledgerLines(rows).map((line) => `  ${line}`)];
  lines.push(`  process: ${formatBytes(process.memoryUsage.rss())} resident`, 'Subtasks:');
  for (const vertex of result.metrics.vertices) {
    for (const [index, task] of vertex.subtasks.entries()) {
      lines.push(
        `  ${vertex.name}[${index}] ${task.state}: ${formatCount(task.rowsIn)} rows in, ` +
          `${formatCount(task.rowsOut)} out, busy ${formatDuration(task.busyMs)}, ` +
          `backpressured ${formatDuration(task.backpressuredMs)}, ` +
          `idle ${formatDuration(task.idleMs)}, heap ${formatBytes(task.heapUsedBytes)}`,
      );
    }
  }
  return lines.join('\n');
}
