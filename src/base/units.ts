/**
 * The one parser of durations and sizes. Callers: options, configuration, window arithmetic, everywhere a
 * person may write `'10s'` or `'64mb'`. Runs on: any thread; pure.
 */
import { MillraceError } from './errors.js';

/** A duration: milliseconds as a number, or text such as `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = number | string;
/** A size: bytes as a number, or text such as `'64kb'`, `'512mb'`, `'2gb'` (powers of 1024). */
export type ByteSize = number | string;

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
};

/** Milliseconds of a duration. Throws `UNIT_INVALID`; `what` names the option in the message. */
export function parseDurationMs(value: Duration, what = 'duration'): number {
  return parseUnit(value, what, DURATION_UNITS_MS, '"250ms", "10s", "5m", "2h" or "1d"');
}

/** Bytes of a size. Throws `UNIT_INVALID`; `what` names the option in the message. */
export function parseBytes(value: ByteSize, what = 'size'): number {
  return Math.round(parseUnit(value, what, SIZE_UNITS_BYTES, '"64kb", "512mb" or "2gb"'));
}

function parseUnit(
  value: number | string,
  what: string,
  units: Readonly<Record<string, number>>,
  forms: string,
): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)?\s*$/i.exec(String(value));
  const factor = units[match?.[2]?.toLowerCase() ?? Object.keys(units)[0] ?? ''];
  if (typeof value === 'string' && match !== null && factor !== undefined) {
    return Number(match[1]) * factor;
  }
  throw new MillraceError('UNIT_INVALID', `${what}: cannot understand ${JSON.stringify(value)}.`, {
    advice: `Write a number or a text such as ${forms}.`,
  });
}

/** A duration for people: `'1.25 s'`, `'340 ms'`, `'2 m 5 s'`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`;
}

/** A size for people, in powers of 1024: `'1.5 MB'`. */
export function formatBytes(bytes: number): string {
  return formatScaled(bytes, 1024, ['B', 'KB', 'MB', 'GB', 'TB']);
}

/** A count for people: `'3.00 M'`, `'12.4 K'`, `'87'`. */
export function formatCount(count: number): string {
  return formatScaled(count, 1000, ['', 'K', 'M', 'G', 'T']).trimEnd();
}

function formatScaled(value: number, base: number, names: readonly string[]): string {
  let scaled = value;
  let index = 0;
  while (scaled >= base && index < names.length - 1) {
    scaled /= base;
    index++;
  }
  const digits = index === 0 ? 0 : scaled < 10 ? 2 : scaled < 100 ? 1 : 0;
  return `${scaled.toFixed(digits)} ${names[index] ?? ''}`;
}
