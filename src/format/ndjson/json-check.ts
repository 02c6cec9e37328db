/**
 * Checks JSON values in bytes against the whole grammar of RFC 8259: what `validate: 'full'` asks
 * of every value. That the bytes are UTF-8 is checked elsewhere, for whole regions at once.
 * Callers: the NDJSON row reader, generated code. Runs on: worker. Every function starts at the
 * first byte of the value and gives the index after it, or -1; nesting costs no stack, so no input
 * can exhaust it.
 */
import { skipBlanks } from './json-skip.js';

const LITERAL_TRUE = 0x65757274;
const LITERAL_NULL = 0x6c6c756e;
const LITERAL_ALSE = 0x65736c61;

/** Index after the value at `at`, or -1 when it is not valid JSON. */
export function checkValue(bytes: Buffer, at: number): number {
  const lead = bytes[at];
  if (lead === 0x22) return checkString(bytes, at);
  if (lead === 0x7b || lead === 0x5b) return checkNested(bytes, at);
  return checkScalar(bytes, at);
}

/** Index after the string whose opening quote is at `at`, or -1. */
export function checkString(bytes: Buffer, at: number): number {
  let next = at + 1;
  for (;;) {
    const unit = bytes[next];
    if (unit === 0x22) return next + 1;
    if (unit < 0x20 || unit === undefined) return -1;
    if (unit === 0x5c) {
      next = checkEscape(bytes, next);
      if (next < 0) return -1;
    } else {
      next++;
    }
  }
}

/** Index after the escape whose backslash is at `at`, or -1. */
function checkEscape(bytes: Buffer, at: number): number {
  switch (bytes[at + 1]) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 2;
    case 0x75:
      for (let next = at + 2; next < at + 6; next++) {
        if (!isHex(bytes[next])) return -1;
      }
      return at + 6;
    default:
      return -1;
  }
}

function isHex(unit: number): boolean {
  const lower = unit | 0x20;
  return (unit >= 0x30 && unit <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Index after the number or literal at `at`, or -1. */
export function checkScalar(bytes: Buffer, at: number): number {
  const lead = bytes[at];
  if (lead === 0x2d || (lead >= 0x30 && lead <= 0x39)) return checkNumber(bytes, at);
  if (lead === 0x66) return wordAt(bytes, at + 1) === LITERAL_ALSE ? at + 5 : -1;
  const word = wordAt(bytes, at);
  return word === LITERAL_TRUE || word === LITERAL_NULL ? at + 4 : -1;
}

function wordAt(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Index after the number at `at`, or -1. What follows it is the caller's concern. */
export function checkNumber(bytes: Buffer, at: number): number {
  const first = bytes[at] === 0x2d ? at + 1 : at;
  let next = digitsEnd(bytes, first);
  if (next === first || (next > first + 1 && bytes[first] === 0x30)) return -1;
  if (bytes[next] === 0x2e) {
    const fraction = next + 1;
    next = digitsEnd(bytes, fraction);
    if (next === fraction) return -1;
  }
  if ((bytes[next] | 0x20) !== 0x65) return next;
  let exponent = next + 1;
  if (bytes[exponent] === 0x2b || bytes[exponent] === 0x2d) exponent++;
  next = digitsEnd(bytes, exponent);
  return next === exponent ? -1 : next;
}

function digitsEnd(bytes: Buffer, at: number): number {
  let next = at;
  while (bytes[next] >= 0x30 && bytes[next] <= 0x39) next++;
  return next;
}

/** The object or list at `at`. The stack of open brackets is a list of their closing bytes. */
function checkNested(bytes: Buffer, at: number): number {
  const closers: number[] = [bytes[at] + 2];
  let next = skipBlanks(bytes, at + 1);
  let isEmpty = true;
  for (;;) {
    const closer = closers[closers.length - 1];
    if (isEmpty && bytes[next] === closer) {
      next++;
    } else {
      if (closer === 0x7d) next = checkKey(bytes, next);
      if (next < 0) return -1;
      const lead = bytes[next];
      if (lead === 0x7b || lead === 0x5b) {
        closers.push(lead + 2);
        next = skipBlanks(bytes, next + 1);
        isEmpty = true;
        continue;
      }
      next = lead === 0x22 ? checkString(bytes, next) : checkScalar(bytes, next);
      if (next < 0) return -1;
      next = closeAll(bytes, next, closers);
      if (next < 0 || closers.length === 0) return next;
      isEmpty = false;
      continue;
    }
    closers.pop();
    if (closers.length === 0) return next;
    next = closeAll(bytes, next, closers);
    if (next < 0 || closers.length === 0) return next;
    isEmpty = false;
  }
}

/**
 * After a value: the comma and blanks before the next one, or closing brackets as many as there
 * are.
 */
function closeAll(bytes: Buffer, at: number, closers: number[]): number {
  let next = at;
  for (;;) {
    const after = skipBlanks(bytes, next);
    if (bytes[after] === 0x2c) return skipBlanks(bytes, after + 1);
    if (bytes[after] !== closers[closers.length - 1]) return -1;
    closers.pop();
    next = after + 1;
    if (closers.length === 0) return next;
  }
}

/** A key with its colon and the blanks after it. */
function checkKey(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0x22) return -1;
  const end = checkString(bytes, at);
  if (end < 0) return -1;
  const colon = skipBlanks(bytes, end);
  return bytes[colon] === 0x3a ? skipBlanks(bytes, colon + 1) : -1;
}
