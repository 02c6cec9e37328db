/**
 * Dates and instants in ISO 8601 read from bytes: `2024-02-29`, `2024-02-29T12:30:00.250Z`, a space
 * in place of the T, seconds and fraction optional, offsets as `Z`, `+02:00`, `+0200` or `+02`. An
 * instant without an offset is UTC. Fractions beyond milliseconds are accepted and cut, as columns
 * hold milliseconds. Callers: CSV and NDJSON parsers, CSV inference. Runs on: worker; pure.
 */

const MS_PER_DAY = 86_400_000;
const ZERO = 0x30;
const DASH = 0x2d;
const COLON = 0x3a;

/** Days since the epoch of `YYYY-MM-DD`, or NaN when the bytes are no such date. */
export function parseDate(bytes: Buffer, start: number, end: number): number {
  return end - start === 10 ? daysAt(bytes, start) : Number.NaN;
}

/** Milliseconds since the epoch of an ISO 8601 date or instant, or NaN. */
export function parseInstant(bytes: Buffer, start: number, end: number): number {
  if (end - start < 10) return Number.NaN;
  const days = daysAt(bytes, start);
  if (end - start === 10) return days * MS_PER_DAY;
  const separator = bytes[start + 10];
  if (separator !== 0x54 && separator !== 0x74 && separator !== 0x20) return Number.NaN;
  return days * MS_PER_DAY + timeAt(bytes, start + 11, end);
}

function daysAt(bytes: Buffer, at: number): number {
  if (bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return Number.NaN;
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) {
    return Number.NaN;
  }
  return daysSinceEpoch(year, month, day);
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/**
 * Counts in eras of 400 years that begin in March, so that the leap day is the last of its year.
 */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Milliseconds of `HH:MM[:SS[.fff]][offset]`, the offset already applied, or NaN. */
function timeAt(bytes: Buffer, start: number, end: number): number {
  if (start + 5 > end || bytes[start + 2] !== COLON) return Number.NaN;
  const hours = twoDigits(bytes, start);
  const minutes = twoDigits(bytes, start + 3);
  let at = start + 5;
  let seconds = 0;
  let fraction = 0;
  if (at < end && bytes[at] === COLON) {
    if (at + 3 > end) return Number.NaN;
    seconds = twoDigits(bytes, at + 1);
    at += 3;
    if (at < end && (bytes[at] === 0x2e || bytes[at] === 0x2c)) {
      const digits = at + 1;
      at = digitsEnd(bytes, digits, end);
      if (at === digits) return Number.NaN;
      fraction = milliseconds(bytes, digits, at);
    }
  }
  if (!(hours <= 23 && minutes <= 59 && seconds <= 59)) return Number.NaN;
  const local = hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + fraction;
  return local - offsetMs(bytes, at, end);
}

function milliseconds(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let place = 0; place < 3; place++) {
    value = value * 10 + (start + place < end ? bytes[start + place] - ZERO : 0);
  }
  return value;
}

function offsetMs(bytes: Buffer, at: number, end: number): number {
  if (at === end) return 0;
  const sign = bytes[at];
  if (sign === 0x5a || sign === 0x7a) return at + 1 === end ? 0 : Number.NaN;
  if (sign !== 0x2b && sign !== DASH) return Number.NaN;
  const length = end - at;
  const colon = length === 6 && bytes[at + 3] === COLON;
  if (length !== 3 && length !== 5 && !colon) return Number.NaN;
  const hours = twoDigits(bytes, at + 1);
  const minutes = length === 3 ? 0 : twoDigits(bytes, end - 2);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (sign === DASH ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000);
}

function digitsEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] >= ZERO && bytes[at] <= 0x39) at++;
  return at;
}

function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at] - ZERO;
  const units = bytes[at + 1] - ZERO;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : Number.NaN;
}
