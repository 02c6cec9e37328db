/**
 * Dates and instants written as ISO 8601 in UTC, the way `Date.toISOString` does. Callers:
 * encoders. Runs on: worker. Invariant: the text reads back as the same millisecond.
 */
import type { ByteBuffer } from './byte-buffer.js';
import { appendPadded } from './number-text.js';

const MS_PER_DAY = 86_400_000;
const ZERO = 0x30;
const DASH = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;
const INSTANT_BYTES_MAX = 32;
/** Days of the years 0 to 9999, which have four digits. */
const DAY_MIN = -719_528;
const DAY_MAX = 2_932_896;

/** Appends days since the epoch as `2024-02-29`. */
export function appendDate(buffer: ByteBuffer, days: number): void {
  if (days < DAY_MIN || days > DAY_MAX) {
    const text = new Date(days * MS_PER_DAY).toISOString();
    buffer.appendAscii(text.slice(0, text.indexOf('T')));
    return;
  }
  buffer.reserve(INSTANT_BYTES_MAX);
  appendCivil(buffer, days);
}

/**
 * Appends milliseconds since the epoch as `2024-02-29T12:30:00.250Z`. False when no calendar has
 * the instant.
 */
export function appendInstant(buffer: ByteBuffer, ms: number): boolean {
  const days = Math.floor(ms / MS_PER_DAY);
  if (!(days >= DAY_MIN && days <= DAY_MAX)) {
    const date = new Date(ms);
    if (Number.isNaN(date.getTime())) return false;
    buffer.appendAscii(date.toISOString());
    return true;
  }
  buffer.reserve(INSTANT_BYTES_MAX);
  appendCivil(buffer, days);
  const { bytes } = buffer;
  const rest = Math.floor(ms - days * MS_PER_DAY) | 0;
  const seconds = (rest / 1000) | 0;
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  const at = buffer.length;
  bytes[at] = LETTER_T;
  twoDigits(bytes, at + 1, hours);
  bytes[at + 3] = COLON;
  twoDigits(bytes, at + 4, minutes - hours * 60);
  bytes[at + 6] = COLON;
  twoDigits(bytes, at + 7, seconds - minutes * 60);
  bytes[at + 9] = POINT;
  const fraction = rest - seconds * 1000;
  const tenths = (fraction / 100) | 0;
  bytes[at + 10] = ZERO + tenths;
  twoDigits(bytes, at + 11, fraction - tenths * 100);
  bytes[at + 13] = LETTER_Z;
  buffer.length = at + 14;
  return true;
}

function twoDigits(bytes: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0;
  bytes[at] = ZERO + tens;
  bytes[at + 1] = ZERO + value - tens * 10;
}

const CIVIL_BYTES = 10;
/** The day last written: neighbouring rows are mostly of the same day. */
let lastDay = Number.NaN;
const lastText = new Uint8Array(CIVIL_BYTES);

/** Appends `2024-02-29`; there must be room. */
function appendCivil(buffer: ByteBuffer, days: number): void {
  const { bytes, length } = buffer;
  if (days === lastDay) {
    for (let at = 0; at < CIVIL_BYTES; at++) bytes[length + at] = lastText[at];
    buffer.length = length + CIVIL_BYTES;
    return;
  }
  appendNewDay(buffer, days);
  for (let at = 0; at < CIVIL_BYTES; at++) lastText[at] = bytes[length + at];
  lastDay = days;
}

/**
 * Counts in eras of 400 years that begin in March, so that the leap day is the last of its year.
 */
function appendNewDay(buffer: ByteBuffer, days: number): void {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  appendPadded(buffer, year, 4);
  buffer.bytes[buffer.length++] = DASH;
  appendPadded(buffer, month, 2);
  buffer.bytes[buffer.length++] = DASH;
  appendPadded(buffer, day, 2);
}
