/**
 * How far a run is, as one line. Callers: the live view and the plain lines. Runs on: the main thread; pure.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import type { ScreenLine } from './screen.js';
import type { Style } from './style.js';
import type { ProgressView } from '../runtime/view-model.js';

const BAR_CELLS_MAX = 30;
const BAR_CELLS_MIN = 8;
const GAP = '  ';

/** A piece of the line; those of the lowest weight are left out first where there is no room. */
interface Piece {
  readonly text: string;
  readonly weight: number;
}

/** What is known in words: rows, rate, bytes, time, and the time left when it can be estimated. */
export function progressText(progress: ProgressView, width = Number.POSITIVE_INFINITY): string {
  const { rows, rowsPerSecond, bytes, elapsedMs, leftMs, share, badRecords } = progress;
  const pieces: Piece[] = [
    { text: `${formatCount(rows)} rows`, weight: 5 },
    { text: `${formatCount(rowsPerSecond)} rows/s`, weight: 4 },
  ];
  if (bytes > 0) pieces.push({ text: formatBytes(bytes).trimEnd(), weight: 0 });
  if (badRecords > 0) pieces.push({ text: `${formatCount(badRecords)} bad`, weight: 2 });
  pieces.push({ text: formatDuration(elapsedMs), weight: 1 });
  if (leftMs !== null) pieces.push({ text: `about ${roundedDuration(leftMs)} left`, weight: 3 });
  else if (share === 1) pieces.push({ text: 'input read, results follow', weight: 3 });
  for (let weight = 0; ; weight++) {
    const text = pieces
      .filter((piece) => piece.weight >= weight)
      .map((piece) => piece.text)
      .join(', ');
    if (text.length <= width || weight >= 5) return text.slice(0, width);
  }
}

/** A bar in front of the words, when the size of the input is known and there is room. */
export function progressLine(progress: ProgressView, width: number, style: Style): ScreenLine {
  const { share } = progress;
  if (share === null) {
    const text = progressText(progress, width);
    return { text, width: text.length };
  }
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const text = progressText(progress, width - percent.length - GAP.length);
  const cells = Math.min(BAR_CELLS_MAX, width - text.length - percent.length - GAP.length);
  if (cells < BAR_CELLS_MIN) {
    const line = `${percent}${GAP}${text}`;
    return { text: line, width: line.length };
  }
  const full = Math.floor(share * cells);
  const bar = `${style.green('━'.repeat(full))}${style.dim('─'.repeat(cells - full))}`;
  return {
    text: `${bar}${percent}${GAP}${text}`,
    width: cells + percent.length + GAP.length + text.length,
  };
}

/** An estimate has no use for fractions of a second. */
function roundedDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}
