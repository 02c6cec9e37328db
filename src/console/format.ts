/**
 * Numbers and times as the console writes them, always with their unit. Callers: the screens. Runs on: the page's
 * thread; pure.
 */
import { formatBytes, formatCount, formatDuration } from '../base/units.js';

/** What stands for a value that there is none of. */
export const NONE = '–';
/** The end of event time. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

/** Such as `12.4 K/s`; what is slow has a decimal. */
export function rateText(perSecond: number): string {
  return `${perSecond < 10 ? Math.round(perSecond * 10) / 10 : formatCount(perSecond)}/s`;
}

/** Such as `1.5 MB/s`. */
export function byteRateText(perSecond: number): string {
  return `${formatBytes(perSecond)}/s`;
}

/** A share from 0 to 1 as `42 %`. */
export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** How long ago something was, such as `4 s ago`; what lies ahead is now. */
export function agoText(atMs: number | null, nowMs: number): string {
  if (atMs === null) return NONE;
  const ms = Math.max(0, nowMs - atMs);
  return ms < 1000 ? 'now' : `${wholeDuration(ms)} ago`;
}

/** A duration of a second or more without fractions, so that it does not flicker. */
export function wholeDuration(ms: number): string {
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  const days = Math.floor(ms / 86_400_000);
  if (days === 0) return formatDuration(Math.floor(ms / 1000) * 1000);
  return `${days} d ${Math.floor((ms % 86_400_000) / 3_600_000)} h`;
}

/** A moment in the zone of the reader, to the second. */
export function timeText(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** A moment of event time, which has no zone: in UTC. */
export function watermarkText(atMs: number | null): string {
  if (atMs === null) return 'none yet';
  if (atMs >= END_OF_TIME) return 'the end';
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return `${atMs} ms`;
  return at.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** A watermark as REST writes it: the least and greatest 64-bit integers are none, and the end. */
export function parseWatermark(text: string): number | null {
  const value = Number(text);
  if (value < Number.MIN_SAFE_INTEGER) return null;
  return Math.min(value, END_OF_TIME);
}

/** A whole count and its noun: `1 subtask`, `3 subtasks`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text cut to so many characters, in its middle, where names differ least. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const head = Math.ceil((charsMax - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (charsMax - 1 - head))}`;
}

export { formatBytes, formatCount, formatDuration };
