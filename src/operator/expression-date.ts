/**
 * Calendar arithmetic in UTC on plain numbers, without `Date` objects: what the date functions of generated
 * code call. Days count from 1970-01-01, milliseconds from its midnight; the calendar is the proleptic
 * Gregorian one, as in JavaScript. Algorithms: Howard Hinnant, "chrono-compatible low-level date algorithms".
 * Callers: the table of date functions, generated code, literals. Runs on: any thread; pure.
 */
import { parseDurationMs } from '../base/units.js';

export const DAY_MS = 86_400_000;
/** Days of an era of 400 years. */
const ERA_DAYS = 146_097;
/** Days from 0000-03-01, where eras start, to 1970-01-01. */
const EPOCH_SHIFT_DAYS = 719_468;

/** A day split up; packed so that one calculation serves year, month and day. */
function civil(days: number): number {
  const shifted = days + EPOCH_SHIFT_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const day = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  );
  const dayOfYear = day - (365 * yearOfEra + (yearOfEra >> 2) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year * 512 + month * 32 + dayOfMonth;
}

/** Days since the epoch of a date of the calendar; `month` may lie outside 1 to 12. */
export function daysOf(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1;
  const realYear = Math.floor(months / 12);
  const realMonth = months - realYear * 12 + 1;
  const shifted = realMonth <= 2 ? realYear - 1 : realYear;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const marchMonth = realMonth > 2 ? realMonth - 3 : realMonth + 9;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * ERA_DAYS + dayOfEra - EPOCH_SHIFT_DAYS;
}

/** Day of a moment. */
export function dayOfMs(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Year of a day. */
export function yearOf(days: number): number {
  return Math.floor(civil(days) / 512);
}

/** Month of a day, 1 to 12. */
export function monthOf(days: number): number {
  const packed = civil(days);
  return Math.floor((packed - Math.floor(packed / 512) * 512) / 32);
}

/** Day of the month, 1 to 31. */
export function dayOf(days: number): number {
  const packed = civil(days);
  return packed - Math.floor(packed / 32) * 32;
}

/** Quarter of a day, 1 to 4. */
export function quarterOf(days: number): number {
  return Math.ceil(monthOf(days) / 3);
}

/** Day of the week, 0 (Sunday) to 6. */
export function dayOfWeek(days: number): number {
  return days + 4 - Math.floor((days + 4) / 7) * 7;
}

/** Day of the year, 1 to 366. */
export function dayOfYear(days: number): number {
  return days - daysOf(yearOf(days), 1, 1) + 1;
}

/** The part of a moment that repeats every `cycle` units of `unitMs`: its hour, minute, second. */
export function clockPart(ms: number, unitMs: number, cycle: number): number {
  const units = Math.floor(ms / unitMs);
  return units - Math.floor(units / cycle) * cycle;
}

/** How `truncate` cuts: to a multiple of a duration, or to a unit of the calendar. */
export interface Truncation {
  /** Milliseconds; 0 for units of the calendar. */
  readonly stepMs: number;
  /** Months of a unit of the calendar; 0 for the others. */
  readonly months: number;
  /** Where the steps start: a Monday for weeks. */
  readonly offsetMs: number;
}

const NAMED_STEPS_MS: ReadonlyMap<string, number> = new Map([
  ['millisecond', 1],
  ['second', 1000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', DAY_MS],
]);
const NAMED_MONTHS: ReadonlyMap<string, number> = new Map([
  ['month', 1],
  ['quarter', 3],
  ['year', 12],
]);
/** 1970-01-05, the first Monday. */
const MONDAY_MS = 4 * DAY_MS;

/** Reads `'15m'`, `'1d'`, `'week'`, `'month'`, …; throws a plain Error when it cannot. */
export function parseTruncation(unit: string): Truncation {
  const months = NAMED_MONTHS.get(unit);
  if (months !== undefined) return { stepMs: 0, months, offsetMs: 0 };
  if (unit === 'week') return { stepMs: 7 * DAY_MS, months: 0, offsetMs: MONDAY_MS };
  const stepMs = NAMED_STEPS_MS.get(unit) ?? parseDurationMs(unit, 'unit');
  if (stepMs < 1) throw new Error('the duration is shorter than a millisecond');
  return { stepMs, months: 0, offsetMs: 0 };
}

/** The same, refusing units that are not whole days. */
export function parseDayTruncation(unit: string): Truncation {
  const truncation = parseTruncation(unit);
  if (truncation.stepMs % DAY_MS === 0) return truncation;
  throw new Error('a date can only be cut to whole days; cast it to timestamp for shorter units');
}

/** The start of the unit that a moment lies in. */
export function truncateMs(ms: number, truncation: Truncation): number {
  const { stepMs, months, offsetMs } = truncation;
  if (months > 0) return truncateMonths(dayOfMs(ms), months) * DAY_MS;
  return Math.floor((ms - offsetMs) / stepMs) * stepMs + offsetMs;
}

/** The first day of the unit that a day lies in. */
export function truncateDays(days: number, truncation: Truncation): number {
  if (truncation.months > 0) return truncateMonths(days, truncation.months);
  return truncateMs(days * DAY_MS, truncation) / DAY_MS;
}

function truncateMonths(days: number, months: number): number {
  const month = monthOf(days) - 1;
  return daysOf(yearOf(days), month - (month % months) + 1, 1);
}

/** Whole milliseconds of a duration that may start with a minus sign. */
export function parseSignedDurationMs(duration: string): number {
  const match = /^\s*-(.*)$/s.exec(duration);
  const ms = match === null ? parseDurationMs(duration) : -parseDurationMs(match[1]);
  return Math.round(ms);
}

/** Days of a duration; throws a plain Error when it is not whole days. */
export function parseDays(duration: string): number {
  const days = parseSignedDurationMs(duration) / DAY_MS;
  if (Number.isInteger(days)) return days;
  throw new Error('only whole days can be added to a date; cast it to timestamp for shorter ones');
}

/** Months later; the day is the last of the month when the month is too short. */
export function addMonthsToDays(days: number, months: number): number {
  const whole = Math.trunc(months);
  const year = yearOf(days);
  const month = monthOf(days) + whole;
  const last = daysOf(year, month + 1, 1) - 1;
  return Math.min(daysOf(year, month, dayOf(days)), last);
}

/** The same for a moment; its time of day stays. */
export function addMonthsToMs(ms: number, months: number): number {
  const days = dayOfMs(ms);
  return addMonthsToDays(days, months) * DAY_MS + (ms - days * DAY_MS);
}

const TOKENS = /YYYY|MM|DD|HH|mm|ss|SSS/g;

/** Splits a format such as `YYYY-MM-DD HH:mm` at its tokens: text, token, text, token, … */
export function parseDateFormat(format: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const match of format.matchAll(TOKENS)) {
    parts.push(format.slice(from, match.index), match[0]);
    from = match.index + match[0].length;
  }
  if (parts.length === 0) {
    throw new Error(`${JSON.stringify(format)} has none of YYYY MM DD HH mm ss SSS`);
  }
  return [...parts, format.slice(from)];
}

/** A moment by a format from `parseDateFormat`; `Invalid Date` for NaN. */
export function formatMs(ms: number, format: readonly string[]): string {
  if (Number.isNaN(ms)) return 'Invalid Date';
  const days = dayOfMs(ms);
  let text = format[0];
  for (let index = 1; index < format.length; index += 2) {
    text += token(format[index], days, ms) + format[index + 1];
  }
  return text;
}

/** A day by a format from `parseDateFormat`. */
export function formatDays(days: number, format: readonly string[]): string {
  return formatMs(days * DAY_MS, format);
}

function token(name: string, days: number, ms: number): string {
  switch (name) {
    case 'YYYY':
      return yearText(yearOf(days));
    case 'MM':
      return two(monthOf(days));
    case 'DD':
      return two(dayOf(days));
    case 'HH':
      return two(clockPart(ms, 3_600_000, 24));
    case 'mm':
      return two(clockPart(ms, 60_000, 60));
    case 'ss':
      return two(clockPart(ms, 1000, 60));
    default:
      return String(clockPart(ms, 1, 1000)).padStart(3, '0');
  }
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

const ISO_DATE = ['', 'YYYY', '-', 'MM', '-', 'DD', ''];
const ISO_MOMENT = [
  ...['', 'YYYY', '-', 'MM', '-', 'DD', 'T', 'HH', ':', 'mm', ':', 'ss', '.', 'SSS', 'Z'],
];

/** `2024-02-29` */
export function dateText(days: number): string {
  return formatDays(days, ISO_DATE);
}

/** `2024-02-29T13:00:00.000Z` */
export function timestampText(ms: number): string {
  return formatMs(ms, ISO_MOMENT);
}

const DATE_PART = '([+-]\\d{6}|\\d{4})-(\\d\\d)-(\\d\\d)';
const TIME_PART = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d{1,9}))?)?';
const ZONE_PART = '(Z|[+-]\\d\\d(?::?\\d\\d)?)';
const ISO = new RegExp(`^\\s*${DATE_PART}(?:[T ]${TIME_PART}\\s*${ZONE_PART}?)?\\s*$`, 'i');

/** Milliseconds of an ISO 8601 date or moment, taken as UTC when it names no zone; null if it is none. */
export function parseMoment(text: string): number | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const days = daysOf(year, month, day);
  if (month < 1 || month > 12 || day < 1 || dayOf(days) !== day) return null;
  const [hour, minute] = [Number(match[4] ?? 0), Number(match[5] ?? 0)];
  const second = Number(match[6] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fraction = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const ms = days * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction;
  return ms - zoneMs(match[8] ?? 'Z');
}

function zoneMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** Days of an ISO 8601 date; the time of day, if there is one, is dropped. Null if it is none. */
export function parseDay(text: string): number | null {
  const ms = parseMoment(text);
  return ms === null ? null : dayOfMs(ms);
}
