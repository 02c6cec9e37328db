/**
 * What `--verbose` adds at the end of a run: its settings, who held how much memory, and the counters of every subtask.
 * Callers: the run command. Runs on: the main thread; pure but for the process's own figures.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import { ledgerLines, ledgerTotals, mergeLedgerRows } from '../memory/ledger.js';
import type { JobResult } from '../runtime/execution.js';
import { SETTINGS, type SettingKey, type Settings, type SettingType } from '../runtime/settings.js';

/** The report, line by line. */
export function verboseReport(result: JobResult, settings: Settings): readonly string[] {
  const rows = mergeLedgerRows(...result.ledger.map((part) => part.rows));
  return [
    'Settings:',
    ...Object.entries(SETTINGS).map(([key, { type }]) => {
      return `  ${key} = ${settingText(type, settings[key as SettingKey])}`;
    }),
    'Memory ledger:',
    ...ledgerLines(rows).map((line) => `  ${line}`),
    ...growthLines(result, ledgerTotals(rows).touchedBytes).map((line) => `  ${line}`),
    'Subtasks:',
    ...result.metrics.vertices.flatMap((vertex) =>
      vertex.subtasks.map(
        (task, index) =>
          `  ${vertex.name}[${index}] ${task.state}: ${formatCount(task.rowsIn)} rows in, ` +
          `${formatCount(task.rowsOut)} out, busy ${formatDuration(task.busyMs)}, ` +
          `backpressured ${formatDuration(task.backpressuredMs)}, ` +
          `idle ${formatDuration(task.idleMs)}, heap ${formatBytes(task.heapUsedBytes)}`,
      ),
    ),
  ];
}

/** By how much the process has grown since before the run, beside what the ledger knows of. */
function growthLines({ resident }: JobResult, touchedBytes: number): readonly string[] {
  if (resident === null) return [];
  const { beforeBytes, mostBytes } = resident;
  const grownBytes = mostBytes - beforeBytes;
  const percent = grownBytes > 0 ? Math.round((100 * touchedBytes) / grownBytes) : 0;
  const rest = formatBytes(Math.max(0, grownBytes - touchedBytes));
  return [
    `rss growth ${formatBytes(grownBytes)}, ledger ${formatBytes(touchedBytes)}, ${percent} %`,
    `rss ${formatBytes(beforeBytes)} before the run, ${formatBytes(mostBytes)} at the most`,
    `not in the ledger: ${rest} (stacks and code of threads, what allocators keep free)`,
  ];
}

/** A value in the unit in which people write it. */
function settingText(type: SettingType, value: Settings[SettingKey]): string {
  if (value === null) return 'chosen at start';
  if (type === 'bytes') return formatBytes(Number(value));
  return type === 'duration' ? formatDuration(Number(value)) : String(value);
}
