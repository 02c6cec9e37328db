/**
 * How far a run is, as one line. Callers: the live view and the plain lines. Runs on: the main thread; pure.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import type { Style } from './style.js';
import type { ProgressView } from './view-model.js';

const BAR_CELLS_MAX = 30;
const BAR_CELLS_MIN = 8;

/** What is known in words: rows, rate, bytes, time, and the time left when it can be estimated. */
export function progressText(progress: ProgressView): string {
  const { rows, rowsPerSecond, bytes, elapsedMs, leftMs, share, badRecords } = progress;
  const parts = [`${formatCount(rows)} rows`, `${formatCount(rowsPerSecond)} rows/s`];
  if (bytes > 0) parts.push(formatBytes(bytes).trimEnd());
  if (badRecords > 0) parts.push(`${formatCount(badRecords)} bad`);
  parts.push(formatDuration(elapsedMs));
  if (leftMs !== null) parts.push(`about ${roundedDuration(leftMs)} left`);
  else if (share === 1) parts.push('input read, results follow');
  return parts.join(', ');
}

/** A bar in front of the words, when the size of the input is known and there is room. */
export function progressLine(progress: ProgressView, width: number, style: Style): string {
  const text = progressText(progress);
  const { share } = progress;
  if (share === null) return text;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const cells = Math.min(BAR_CELLS_MAX, width - text.length - percent.length - 3);
  if (cells < BAR_CELLS_MIN) return `${percent.trimStart()}  ${text}`;
  const full = Math.floor(share * cells);
  return `${style.green('━'.repeat(full))}${style.dim('─'.repeat(cells - full))}${percent}  ${text}`;
}

/** An estimate has no use for fractions of a second. */
function roundedDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}
