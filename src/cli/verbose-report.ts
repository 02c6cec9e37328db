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
  const heaps = slotHeaps(result);
  return [
    'Settings:',
    ...Object.entries(SETTINGS).map(([key, { type }]) => {
      return `  ${key} = ${settingText(type, settings[key as SettingKey])}`;
    }),
    'Memory ledger:',
    ...ledgerLines(rows).map((line) => `  ${line}`),
    `  heaps of the slots: ${formatBytes(heaps)} used`,
    `  touched and heaps together: ${formatBytes(ledgerTotals(rows).touchedBytes + heaps)}`,
    `  process: ${formatBytes(process.memoryUsage.rss())} resident`,
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

/** Bytes in use on the heaps of all slots, as each last saw its own. */
function slotHeaps({ metrics }: JobResult): number {
  const bySlot = new Map<number, number>();
  for (const { subtasks } of metrics.vertices) {
    for (const [slot, { heapUsedBytes }] of subtasks.entries()) {
      bySlot.set(slot, Math.max(bySlot.get(slot) ?? 0, heapUsedBytes));
    }
  }
  return [...bySlot.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** A value in the unit in which people write it. */
function settingText(type: SettingType, value: Settings[SettingKey]): string {
  if (value === null) return 'chosen at start';
  if (type === 'bytes') return formatBytes(Number(value));
  return type === 'duration' ? formatDuration(Number(value)) : String(value);
}
