/**
 * The row scanner, in AssemblyScript (TypeScript's syntax, compiled to WebAssembly with SIMD):
 * walks rows of bytes as a program says, sixteen bytes at a time, and puts numbers, and ranges of
 * the rest, into columns of the same memory. `scripts/build-webassembly.mjs` compiles it into
 * `scanner-module.ts`. Callers: `scan-memory.ts`. Runs on: worker. Invariant: it stops before the
 * first row that is not as predicted, so it never has to say what is wrong.
 *
 * The memory is laid out by `scan-memory.ts`, programs by `scan-program.ts`. Both put a newline at
 * the end of the region and readable bytes behind it, so no walk outside of quotes needs a bound.
 */

// What a program begins with, as int32.
const STEPS: usize = 0;
const STEP_COUNT: usize = 4;
const TAIL: usize = 8;
const TAIL_BYTES: usize = 12;
const STARTS: usize = 16;
const ORIGIN: usize = 20;
const FULL: usize = 24;
const SEPARATOR: usize = 28;
const QUOTE: usize = 32;
const COMMENT: usize = 36;
const MULTILINE: usize = 40;
/** Where the second lane ends. */
const NEXT: usize = 44;
const FIRST_NEXT: usize = 48;
const SECOND_ROWS: usize = 52;
/** Rows between the first ones of the lanes. */
const LANE: usize = 56;
/** Of a filter: the step that has its values, or 0; the key of that in quotes; and which values it keeps. */
const FILTER: usize = 60;
const FILTER_KEY: usize = 64;
const FILTER_KEY_BYTES: usize = 68;
const FILTER_VALUES: usize = 72;
const FILTER_COUNT: usize = 76;
/** Rows that the filter has passed over in each lane. */
const FIRST_PASSED: usize = 80;
const SECOND_PASSED: usize = 84;
/** Bytes of a value that a filter keeps: a double, or address and length of a text in quotes. */
const FILTER_VALUE_BYTES: usize = 8;

// What a step is, as int32.
const LEAD: usize = 0;
const LEAD_BYTES: usize = 4;
const KIND: usize = 8;
const FLAGS: usize = 12;
const VALUES: usize = 16;
const MARKS: usize = 20;
const MARKED: usize = 24;
/** Dictionary of the texts, or 0. */
const DICTIONARY: usize = 28;
/** Of an object that opens: the step behind the one that closes it. */
const END: usize = 28;
const STEP_BYTES: usize = 32;

// Kinds of steps.
const SKIP: i32 = 0;
const NUMBER: i32 = 1;
const TEXT: i32 = 2;
const BOOL: i32 = 3;
/** An object whose fields are the steps up to the one that closes it. */
const OPEN: i32 = 5;
const CLOSE: i32 = 6;

// Flags of steps.
const MAY_LACK: i32 = 1;
const NULLABLE: i32 = 2;
const MAY_MISS: i32 = 4;
const EMPTY_IS_NULL: i32 = 8;

// Marks of values; zero is a plain value.
const NULL: u8 = 1;
const ESCAPED: u8 = 2;
const SPELLED: u8 = 3;
const MISSING: u8 = 4;

const NULL_WORD: u32 = 0x6c6c756e;
const TRUE_WORD: u32 = 0x65757274;
const ALSE_WORD: u32 = 0x65736c61;
/** Up to so many digits a double is exact, and so is one division by a power of ten. */
const DIGITS_EXACT: i32 = 15;

// What a dictionary of texts is: a count, entries by hash (plus one), and the texts with zeros behind.
const CODES: usize = 64;
const SLOTS: usize = 2112;
const LENGTHS: usize = 18496;
const TEXTS: usize = 20544;
const SLOT_BITS: u64 = 12;
const SLOT_MASK: usize = 4095;
const ENTRIES_MAX: i32 = 2048;
const TEXT_BYTES_MAX: i32 = 32;

// Blocks of one byte sixteen times, which `scan-memory.ts` puts behind the powers of ten: a constant
// of that size takes more to make than to load.
const QUOTES: usize = 192;
const BACKSLASHES: usize = 208;
const CONTROLS_MAX: usize = 224;
const BLANKS: usize = 240;
const CLOSERS: usize = 256;
const COMMAS: usize = 272;
const NEWLINES: usize = 288;
const OPENERS: usize = 304;
/** Sixteen bytes of ones with sixteen of zeros on both sides. */
const MASKS: usize = 320;

/** The powers of ten up to 22 stand at the start of the memory. */
@inline
function powerOfTen(exponent: i32): f64 {
  return load<f64>((<usize>exponent) << 3);
}

/** Whether the constant at `lead` stands at `at`; both can be read in whole blocks. */
@inline
function matches(at: usize, lead: usize, bytes: i32): bool {
  if (bytes > 16) return matchesLong(at, lead, bytes);
  return (i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(lead))) | (-1 << bytes)) == -1;
}

/** The same for constants of more than one block. */
function matchesLong(at: usize, lead: usize, bytes: i32): bool {
  while (bytes > 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(at), v128.load(lead)))) return false;
    at += 16;
    lead += 16;
    bytes -= 16;
  }
  return (i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(lead))) | (-1 << bytes)) == -1;
}

/** The first quote, backslash or control character from `at` on. */
@inline
function plainTextEnd(at: usize): usize {
  while (true) {
    const block = v128.load(at);
    const stops = i8x16.bitmask(
      v128.or(
        v128.or(
          i8x16.eq(block, v128.load(QUOTES)),
          i8x16.eq(block, v128.load(BACKSLASHES)),
        ),
        i8x16.le_u(block, v128.load(CONTROLS_MAX)),
      ),
    );
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
}

/** The first comma, closing bracket, blank or control character from `at` on. */
@inline
function scalarEnd(at: usize): usize {
  while (true) {
    const block = v128.load(at);
    // A closing bracket and a closing brace differ in one bit.
    const closing = i8x16.eq(v128.or(block, v128.load(BLANKS)), v128.load(CLOSERS));
    const stops = i8x16.bitmask(
      v128.or(
        v128.or(closing, i8x16.eq(block, v128.load(COMMAS))),
        i8x16.le_u(block, v128.load(BLANKS)),
      ),
    );
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
}

@inline
function isDigit(unit: u32): bool {
  return unit - 48 <= 9;
}

function isHex(unit: u32): bool {
  return isDigit(unit) || (unit | 0x20) - 0x61 <= 5;
}

/** The closing quote of a string with escapes, or 0; `at` is at any of its bytes. */
function escapedEnd(at: usize, checked: bool): usize {
  while (true) {
    at = plainTextEnd(at);
    const unit = <u32>load<u8>(at);
    if (unit == 0x22) return at;
    if (unit == 0x5c) {
      const next = <u32>load<u8>(at, 1);
      if (next == 10) return 0;
      if (checked) {
        if (next == 0x75) {
          for (let digit: usize = 2; digit < 6; digit++) {
            if (!isHex(load<u8>(at + digit))) return 0;
          }
        } else if (
          next != 0x22 && next != 0x5c && next != 0x2f && next != 0x62 &&
          next != 0x66 && next != 0x6e && next != 0x72 && next != 0x74
        ) {
          return 0;
        }
      }
      at += 2;
    } else {
      if (checked || unit == 10) return 0;
      at++;
    }
  }
}

/** The first quote, bracket, brace or newline from `at` on. */
@inline
function bracketAt(at: usize): usize {
  while (true) {
    const block = v128.load(at);
    // Brackets and braces differ in one bit.
    const braces = v128.or(block, v128.load(BLANKS));
    const stops = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(braces, v128.load(OPENERS)), i8x16.eq(braces, v128.load(CLOSERS))),
        v128.or(i8x16.eq(block, v128.load(QUOTES)), i8x16.eq(block, v128.load(NEWLINES))),
      ),
    );
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
}

/** Behind the object or list at `at`, or 0 when the row ends first. */
function nestedEnd(at: usize): usize {
  let depth = 0;
  while (true) {
    at = bracketAt(at);
    const unit = <u32>load<u8>(at);
    if (unit == 10) return 0;
    if (unit == 0x22) {
      at = escapedEnd(at + 1, false);
      if (at == 0) return 0;
    } else if ((unit | 0x20) == 0x7b) {
      depth++;
    } else {
      depth--;
      if (depth == 0) return at + 1;
    }
    at++;
  }
}

function digitsEnd(at: usize): usize {
  while (isDigit(load<u8>(at))) at++;
  return at;
}

/** Behind the number at `at` by JSON's grammar, or 0. */
function numberEnd(at: usize): usize {
  const first = load<u8>(at) == 45 ? at + 1 : at;
  let end = digitsEnd(first);
  if (end == first || (end > first + 1 && load<u8>(first) == 48)) return 0;
  if (load<u8>(end) == 46) {
    const fraction = end + 1;
    end = digitsEnd(fraction);
    if (end == fraction) return 0;
  }
  if ((load<u8>(end) | 0x20) != 0x65) return end;
  let exponent = end + 1;
  if (load<u8>(exponent) == 43 || load<u8>(exponent) == 45) exponent++;
  end = digitsEnd(exponent);
  return end == exponent ? 0 : end;
}

/** Behind the number or literal at `at`, or 0. */
function checkedScalarEnd(at: usize): usize {
  const lead = <u32>load<u8>(at);
  if (lead == 45 || isDigit(lead)) return numberEnd(at);
  const word = load<u32>(at);
  if (word == TRUE_WORD || word == NULL_WORD) return at + 4;
  return lead == 0x66 && load<u32>(at, 1) == ALSE_WORD ? at + 5 : 0;
}

/** Behind any value, or 0. Nested values that must be checked are for others. */
@inline
function valueEnd(at: usize, full: bool): usize {
  const lead = <u32>load<u8>(at);
  if (lead == 0x22) {
    let end = plainTextEnd(at + 1);
    if (load<u8>(end) != 0x22) end = escapedEnd(end, full);
    return end == 0 ? 0 : end + 1;
  }
  if (lead == 0x7b || lead == 0x5b) return full ? 0 : nestedEnd(at);
  if (full) return checkedScalarEnd(at);
  const end = scalarEnd(at);
  return end == at ? 0 : end;
}

@inline
function mark(step: usize, row: i32, how: u8): void {
  store<u8>(<usize>load<u32>(step, MARKS) + row, how);
  store<i32>(step, 1, MARKED);
}

@inline
function putRange(slot: usize, origin: usize, from: usize, to: usize): void {
  store<i32>(slot, <i32>(from - origin));
  store<i32>(slot, <i32>(to - origin), 4);
}

/** The number that eight digits are, the first in the lowest byte. */
@inline
function sumOfDigits(digits: u64): u64 {
  let sum = ((digits & 0x0f0f0f0f0f0f0f0f) * 2561) >> 8;
  sum = ((sum & 0x00ff00ff00ff00ff) * 6553601) >> 16;
  return ((sum & 0x0000ffff0000ffff) * 42949672960001) >> 32;
}

/** Where the last number read by `readNumber` ends, and whether it has to be spelled out. */
let numberStop: usize = 0;
let numberSpelled: bool = false;

/**
 * Reads digits with an optional sign and fraction. Ends at 0 when they are no number. `strict` asks
 * for digits behind the point.
 */
@inline
function readNumber(from: usize, strict: bool): f64 {
  let at = from;
  let unit = <u32>load<u8>(at);
  const negative = unit == 45;
  if (negative) unit = load<u8>(++at);
  const first = at;
  let mantissa: u64 = 0;
  let scale = 0;
  let digits = 0;
  // All of most numbers is in eight bytes: those that are no digits are told by their highest bits,
  // the point is closed up, and the digits are added up in pairs, fours and eights.
  const figures = load<u64>(at) ^ 0x3030303030303030;
  const others = ((figures + 0x7676767676767676) | figures) & 0x8080808080808080;
  const whole = ctz(others) & ~7;
  const isPointed = others != 0 && (figures >> whole & 0xff) == 0x1e;
  const behind = isPointed ? others & (others - 1) : others;
  if (behind != 0) {
    const bits = ctz(behind) & ~7;
    if (whole == 0 || (whole > 8 && (figures & 0xff) == 0)) {
      numberStop = 0;
      return 0;
    }
    let closed = figures;
    digits = <i32>(bits >> 3);
    at += <usize>digits;
    if (isPointed) {
      scale = digits - 1 - <i32>(whole >> 3);
      digits--;
      if (strict && scale == 0) {
        numberStop = 0;
        return 0;
      }
      const low = ((<u64>1) << whole) - 1;
      closed = ((figures & low) << 8) | (figures & ~((low << 8) | 0xff));
    }
    mantissa = sumOfDigits(closed << (64 - bits));
    unit = <u32>load<u8>(at) - 48;
  } else {
    mantissa = unit - 48;
    if (mantissa > 9 || unit < 48) {
      numberStop = 0;
      return 0;
    }
    at++;
    if (others == 0) {
      // Eight digits, and as many as there are of another eight.
      const more = load<u64>(at, 7) ^ 0x3030303030303030;
      const ends = ((more + 0x7676767676767676) | more) & 0x8080808080808080;
      const bits = ends == 0 ? 0 : ctz(ends) & ~7;
      mantissa = sumOfDigits(figures);
      if (bits != 0) {
        mantissa = mantissa * <u64>powerOfTen(<i32>(bits >> 3)) + sumOfDigits(more << (64 - bits));
      }
      at += 7 + <usize>(bits >> 3);
    }
    while ((unit = <u32>load<u8>(at) - 48) <= 9) {
      mantissa = mantissa * 10 + unit;
      at++;
    }
    digits = <i32>(at - first);
    if (digits > 1 && load<u8>(first) == 48) {
      numberStop = 0;
      return 0;
    }
    if (unit == -2) {
      const fraction = ++at;
      while ((unit = <u32>load<u8>(at) - 48) <= 9) {
        mantissa = mantissa * 10 + unit;
        at++;
      }
      scale = <i32>(at - fraction);
      if (strict && scale == 0) {
        numberStop = 0;
        return 0;
      }
      digits += scale;
    }
  }
  numberStop = at;
  // The letter of an exponent, less the zero.
  numberSpelled = digits > DIGITS_EXACT || unit == 53 || unit == 21;
  let value = <f64>mantissa;
  if (scale != 0) value /= powerOfTen(min(scale, DIGITS_EXACT));
  return negative ? -value : value;
}

/** The code of a text in a dictionary that may take it up, or -1. */
@inline
function codeOf(dictionary: usize, at: usize, bytes: i32): i32 {
  if (bytes > TEXT_BYTES_MAX) return -1;
  const low = v128.and(v128.load(at), v128.load(MASKS + 16 - min(bytes, 16)));
  const high = v128.and(v128.load(at, 16), v128.load(MASKS + 16 - max(bytes - 16, 0)));
  const mixed = v128.xor(low, i64x2.shl(high, 7));
  let hash: u64 = (<u64>i64x2.extract_lane(mixed, 0) ^ <u64>bytes) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 32;
  hash = (hash ^ <u64>i64x2.extract_lane(mixed, 1)) * 0xc2b2ae3d27d4eb4f;
  let slot = <usize>(hash >> (64 - SLOT_BITS));
  while (true) {
    const code = load<i32>(dictionary + SLOTS + (slot << 2)) - 1;
    if (code < 0) break;
    const text = dictionary + TEXTS + ((<usize>code) << 5);
    if (
      <i32>load<u8>(dictionary + LENGTHS + code) == bytes &&
      i8x16.all_true(
        v128.and(i8x16.eq(v128.load(text), low), i8x16.eq(v128.load(text, 16), high)),
      )
    ) {
      return code;
    }
    slot = (slot + 1) & SLOT_MASK;
  }
  const code = load<i32>(dictionary);
  if (code == ENTRIES_MAX) return -1;
  store<i32>(dictionary, code + 1);
  store<i32>(dictionary + SLOTS + (slot << 2), code + 1);
  store<u8>(dictionary + LENGTHS + code, bytes);
  v128.store(dictionary + TEXTS + ((<usize>code) << 5), low);
  v128.store(dictionary + TEXTS + ((<usize>code) << 5), high, 16);
  return code;
}

/** Puts the range of a text, and its code where the column has a dictionary. */
@inline
function putText(step: usize, row: i32, slot: usize, origin: usize, from: usize, to: usize): void {
  putRange(slot, origin, from, to);
  const dictionary = <usize>load<u32>(step, DICTIONARY);
  if (dictionary == 0) return;
  const code = codeOf(dictionary, from, <i32>(to - from));
  store<i32>(dictionary + CODES + ((<usize>row) << 2), code);
}

/** Reads one wanted value of JSON into its column; returns where it ends, or 0. */
@inline
function readJson(at: usize, kind: i32, step: usize, row: i32, origin: usize, full: bool): usize {
  if (load<i32>(step, FLAGS) & NULLABLE && load<u32>(at) == NULL_WORD) {
    mark(step, row, NULL);
    return at + 4;
  }
  const slot = <usize>load<u32>(step, VALUES) + ((<usize>row) << 3);
  if (kind == NUMBER) {
    const value = readNumber(at, true);
    if (numberStop == 0) return 0;
    if (!numberSpelled) {
      store<f64>(slot, value);
      return numberStop;
    }
    const end = numberEnd(at);
    if (end != 0) putRange(slot, origin, at, end);
    mark(step, row, SPELLED);
    return end;
  }
  if (kind == TEXT) {
    if (load<u8>(at) != 0x22) return 0;
    let end = plainTextEnd(at + 1);
    if (load<u8>(end) != 0x22) {
      end = escapedEnd(end, true);
      if (end == 0) return 0;
      mark(step, row, ESCAPED);
    }
    putText(step, row, slot, origin, at + 1, end);
    return end + 1;
  }
  if (kind == BOOL) {
    const isTrue = load<u32>(at) == TRUE_WORD;
    if (!isTrue && (load<u8>(at) != 0x66 || load<u32>(at, 1) != ALSE_WORD)) return 0;
    store<f64>(slot, isTrue ? 1 : 0);
    return isTrue ? at + 4 : at + 5;
  }
  const end = valueEnd(at, full);
  putRange(slot, origin, at, end);
  return end;
}

/** Whether the key of a step follows at `at` in the object that begins at `start`. */
@inline
function isNext(step: usize, start: usize, at: usize, bytes: i32): bool {
  // What stands before the next key: the brace until there has been one, then a comma.
  const opener: u32 = at == start ? 0x7b : 0x2c;
  return load<u8>(at) == opener && matches(at + 1, load<u32>(step, LEAD), bytes);
}

/** Behind a value at `at` of the object at `start`, or 0 when it is not as the program says. */
@inline
function scanJsonStep(
  step: usize,
  kind: i32,
  start: usize,
  at: usize,
  row: i32,
  origin: usize,
  full: bool,
): usize {
  const bytes = load<i32>(step, LEAD_BYTES);
  if (!isNext(step, start, at, bytes)) {
    const flags = load<i32>(step, FLAGS);
    if (!(flags & MAY_LACK)) return 0;
    if (kind != SKIP) {
      if (!(flags & MAY_MISS)) return 0;
      mark(step, row, MISSING);
    }
    return at;
  }
  const value = at + <usize>bytes + 1;
  return kind == SKIP ? valueEnd(value, full) : readJson(value, kind, step, row, origin, full);
}

/**
 * Whether `openJson` is at the fields of an object: else there is none, and what they put stays as it was, which is
 * zero.
 */
let isOpened: bool = false;

/** The brace of the object that a step opens; behind it when it is null or missing; or 0. */
function openJson(step: usize, start: usize, at: usize, row: i32): usize {
  const bytes = load<i32>(step, LEAD_BYTES);
  const flags = load<i32>(step, FLAGS);
  isOpened = false;
  if (!isNext(step, start, at, bytes)) {
    if (!(flags & MAY_LACK) || !(flags & MAY_MISS)) return 0;
    mark(step, row, MISSING);
    return at;
  }
  const value = at + <usize>bytes + 1;
  if (load<u8>(value) == 0x7b) {
    isOpened = true;
    return value;
  }
  if (!(flags & NULLABLE) || load<u32>(value) != NULL_WORD) return 0;
  mark(step, row, NULL);
  return value + 4;
}

/** Behind the row at `start` whose last value ends at `at`, or 0. */
@inline
function jsonRowEnd(program: usize, start: usize, at: usize): usize {
  const bytes = load<i32>(program, TAIL_BYTES);
  return at != start && matches(at, load<u32>(program, TAIL), bytes) ? at + bytes : 0;
}

/** Behind the value at `at` when the filter does not keep it; 0 when it does, or cannot tell. */
function otherValueEnd(program: usize, kind: i32, at: usize): usize {
  let value = <usize>load<u32>(program, FILTER_VALUES);
  const valuesEnd = value + <usize>load<u32>(program, FILTER_COUNT) * FILTER_VALUE_BYTES;
  if (kind == TEXT) {
    if (load<u8>(at) != 0x22) return 0;
    for (; value < valuesEnd; value += FILTER_VALUE_BYTES) {
      if (matches(at, load<u32>(value), load<i32>(value, 4))) return 0;
    }
    const end = plainTextEnd(at + 1);
    return load<u8>(end) == 0x22 ? end + 1 : 0;
  }
  let number: f64;
  let end: usize;
  if (kind == NUMBER) {
    number = readNumber(at, true);
    end = numberStop;
    if (end == 0 || numberSpelled) return 0;
  } else {
    const isTrue = load<u32>(at) == TRUE_WORD;
    if (!isTrue && (load<u8>(at) != 0x66 || load<u32>(at, 1) != ALSE_WORD)) return 0;
    number = isTrue ? 1 : 0;
    end = isTrue ? at + 4 : at + 5;
  }
  for (; value < valuesEnd; value += FILTER_VALUE_BYTES) {
    if (load<f64>(value) == number) return 0;
  }
  return end;
}

/**
 * Behind the row that goes on at `at`; 0 when it may have the filter's key again, of which the last value counts, or
 * does not end as rows do.
 */
function otherRowEnd(program: usize, at: usize): usize {
  const key = <usize>load<u32>(program, FILTER_KEY);
  const keyBytes = load<i32>(program, FILTER_KEY_BYTES);
  const second = i8x16.splat(load<i8>(key, 1));
  // What a letter of a key may be escaped by.
  const escape = i8x16.splat(0x75);
  while (true) {
    const block = v128.load(at);
    const next = v128.load(at, 1);
    const keys = v128.and(i8x16.eq(block, v128.load(QUOTES)), i8x16.eq(next, second));
    const escapes = v128.and(i8x16.eq(block, v128.load(BACKSLASHES)), i8x16.eq(next, escape));
    const stops = i8x16.bitmask(
      v128.or(v128.or(keys, escapes), i8x16.eq(block, v128.load(NEWLINES))),
    );
    if (stops == 0) {
      at += 16;
      continue;
    }
    at += ctz(stops);
    const unit = <u32>load<u8>(at);
    if (unit == 10) break;
    if (unit == 0x5c || matches(at, key, keyBytes)) return 0;
    at++;
  }
  const bytes = load<i32>(program, TAIL_BYTES);
  return matches(at + 1 - bytes, load<u32>(program, TAIL), bytes) ? at + 1 : 0;
}

/** Behind the row at `start` when it has a value that the filter does not keep, else 0. */
function otherEnd(program: usize, start: usize): usize {
  const filter = <usize>load<u32>(program, FILTER);
  let at = start;
  for (let step = <usize>load<u32>(program, STEPS); step < filter; step += STEP_BYTES) {
    const lead = load<i32>(step, LEAD_BYTES);
    if (isNext(step, start, at, lead)) {
      at = valueEnd(at + <usize>lead + 1, false);
      if (at == 0) return 0;
    } else if (!(load<i32>(step, FLAGS) & MAY_LACK)) {
      return 0;
    }
    if (load<i32>(step, KIND) == OPEN) step = <usize>load<u32>(step, END) - STEP_BYTES;
  }
  const lead = load<i32>(filter, LEAD_BYTES);
  if (!isNext(filter, start, at, lead)) return 0;
  at = otherValueEnd(program, load<i32>(filter, KIND), at + <usize>lead + 1);
  return at == 0 ? 0 : otherRowEnd(program, at);
}

/** The first row from `at` on that the filter keeps or cannot judge, or `end`; counts those before it. */
function passOthers(program: usize, at: usize, end: usize, passed: usize): usize {
  while (at < end) {
    const next = otherEnd(program, at);
    if (next == 0) break;
    store<i32>(program + passed, load<i32>(program + passed) + 1);
    at = next;
  }
  return at;
}

/**
 * Reads rows of JSON in two lanes: the one from `from` to `middle`, the other from there to `end`,
 * `rowsMax` rows of each at most. What is next in a row depends on all before it, so a processor
 * mostly waits; two rows at a time wait together. Puts where the lanes end and how many rows the
 * second has into the program, and returns those of the first. Where `middle` is no start of a row,
 * the first lane does not end there, and the second means nothing.
 */
export function scanJson(program: usize, from: usize, middle: usize, end: usize, rowsMax: i32): i32 {
  return load<i32>(program, FULL) != 0
    ? scanJsonRows(program, from, middle, end, rowsMax, true)
    : scanJsonRows(program, from, middle, end, rowsMax, false);
}

@inline
function scanJsonRows(
  program: usize,
  from: usize,
  middle: usize,
  end: usize,
  rowsMax: i32,
  full: bool,
): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  const lane = load<i32>(program, LANE);
  const steps = <usize>load<u32>(program, STEPS);
  const stepsEnd = steps + <usize>load<i32>(program, STEP_COUNT) * STEP_BYTES;
  const filters = load<u32>(program, FILTER) != 0;
  let first = from;
  let second = middle;
  let row = 0;
  while (row < rowsMax) {
    if (filters) {
      first = passOthers(program, first, middle, FIRST_PASSED);
      second = passOthers(program, second, end, SECOND_PASSED);
    }
    if (first >= middle || second >= end) break;
    let a = first;
    let b = second;
    // Where the innermost objects begin, and the steps up to which there is none.
    let startA = first;
    let startB = second;
    let untilA: usize = 0;
    let untilB: usize = 0;
    for (let step = steps; step < stepsEnd; step += STEP_BYTES) {
      const kind = load<i32>(step, KIND);
      if (kind < OPEN) {
        if (step >= untilA) a = scanJsonStep(step, kind, startA, a, row, origin, full);
        if (step >= untilB) b = scanJsonStep(step, kind, startB, b, row + lane, origin, full);
      } else if (kind == OPEN) {
        if (step >= untilA) {
          a = openJson(step, startA, a, row);
          if (isOpened) startA = a;
          else untilA = load<u32>(step, END);
        }
        if (step >= untilB) {
          b = openJson(step, startB, b, row + lane);
          if (isOpened) startB = b;
          else untilB = load<u32>(step, END);
        }
        const until = min(untilA, untilB);
        if (step < until) step = until - STEP_BYTES;
      } else {
        if (step >= untilA) a = load<u8>(a) == 0x7d ? a + 1 : 0;
        if (step >= untilB) b = load<u8>(b) == 0x7d ? b + 1 : 0;
      }
      if (a == 0 || b == 0) break;
    }
    if (a == 0 || b == 0) break;
    a = jsonRowEnd(program, first, a);
    b = jsonRowEnd(program, second, b);
    if (a == 0 || b == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(first - origin));
    store<i32>(starts + ((<usize>(row + lane)) << 2), <i32>(second - origin));
    first = a;
    second = b;
    row++;
  }
  const rows = scanJsonLane(program, first, middle, row, rowsMax, FIRST_PASSED, full);
  store<i32>(program, load<i32>(program, NEXT), FIRST_NEXT);
  const others = scanJsonLane(
    program, second, end, row + lane, rowsMax + lane, SECOND_PASSED, full,
  );
  store<i32>(program, others - lane, SECOND_ROWS);
  return rows;
}

/** Reads on in one lane, from a row on; returns the one behind the last, and puts where it is. */
function scanJsonLane(
  program: usize,
  from: usize,
  end: usize,
  firstRow: i32,
  rowsMax: i32,
  passed: usize,
  full: bool,
): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  const filters = load<u32>(program, FILTER) != 0;
  const steps = <usize>load<u32>(program, STEPS);
  const stepsEnd = steps + <usize>load<i32>(program, STEP_COUNT) * STEP_BYTES;
  let start = from;
  let row = firstRow;
  while (row < rowsMax) {
    if (filters) start = passOthers(program, start, end, passed);
    if (start >= end) break;
    let at = start;
    let object = start;
    for (let step = steps; step < stepsEnd && at != 0; step += STEP_BYTES) {
      const kind = load<i32>(step, KIND);
      if (kind < OPEN) {
        at = scanJsonStep(step, kind, object, at, row, origin, full);
      } else if (kind == OPEN) {
        at = openJson(step, object, at, row);
        if (isOpened) object = at;
        else step = <usize>load<u32>(step, END) - STEP_BYTES;
      } else {
        at = load<u8>(at) == 0x7d ? at + 1 : 0;
      }
    }
    if (at == 0 || (at = jsonRowEnd(program, start, at)) == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(start - origin));
    row++;
    start = at;
  }
  store<i32>(program, <i32>(start - origin), NEXT);
  return row;
}

/** The separator or newline from `at` on. */
@inline
function cellEnd(at: usize, separators: v128): usize {
  while (true) {
    const block = v128.load(at);
    const stops = i8x16.bitmask(
      v128.or(i8x16.eq(block, separators), i8x16.eq(block, v128.load(NEWLINES))),
    );
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
}

/** How the last quoted cell was: 1 plain, 2 with doubled quotes. */
let quotedHow: u8 = 0;

/** The closing quote of the cell whose text starts at `at`, or 0. */
function quotedEnd(at: usize, end: usize, quote: i32, multiline: bool): usize {
  quotedHow = 1;
  while (true) {
    let unit: i32 = 0;
    while (at < end && (unit = load<u8>(at)) != quote && (multiline || unit != 10)) at++;
    if (at >= end || unit != quote) return 0;
    if (load<u8>(at, 1) != quote) return at;
    quotedHow = 2;
    at += 2;
  }
}

/** Reads a number of a cell; ends at 0 when it is anything unusual. */
@inline
function readCsvNumber(at: usize, step: usize, row: i32, separator: i32, origin: usize): usize {
  const value = readNumber(at, false);
  if (numberStop == 0) {
    const unit = <i32>load<u8>(at);
    if (!(load<i32>(step, FLAGS) & EMPTY_IS_NULL)) return 0;
    if (unit != separator && unit != 10 && unit != 13) return 0;
    mark(step, row, NULL);
    return at;
  }
  const slot = <usize>load<u32>(step, VALUES) + ((<usize>row) << 3);
  if (!numberSpelled) {
    store<f64>(slot, value);
    return numberStop;
  }
  let end = numberStop;
  let unit = <i32>load<u8>(end);
  while (unit != separator && unit != 10 && unit != 13) unit = load<u8>(++end);
  putRange(slot, origin, at, end);
  mark(step, row, SPELLED);
  return end;
}

/** Behind the cell at `at` and what ends it, or 0 when it is not simple. */
@inline
function scanCsvStep(
  program: usize,
  step: usize,
  last: usize,
  from: usize,
  end: usize,
  row: i32,
  separator: i32,
): usize {
  const origin = <usize>load<u32>(program, ORIGIN);
  const kind = load<i32>(step, KIND);
  let at = from;
  if (kind == NUMBER) {
    at = readCsvNumber(from, step, row, separator, origin);
    if (at == 0) return 0;
  } else {
    let start = from;
    let to: usize;
    let how: u8 = 0;
    const quote = load<i32>(program, QUOTE);
    if (<i32>load<u8>(from) == quote) {
      start = from + 1;
      to = quotedEnd(start, end, quote, load<i32>(program, MULTILINE) != 0);
      if (to == 0) return 0;
      at = to + 1;
      how = quotedHow;
    } else {
      to = cellEnd(from, i8x16.splat(<i8>separator));
      if (step == last && to > start && load<u8>(to) == 10 && load<u8>(to - 1) == 13) to--;
      at = to;
    }
    if (kind != SKIP) {
      const flags = load<i32>(step, FLAGS);
      if (kind == TEXT) {
        if (how == 0 && start == to && flags & EMPTY_IS_NULL) {
          if (!(flags & NULLABLE)) return 0;
          how = NULL;
        } else if (how == 1) {
          how = 0;
        }
      }
      if (how != 0) mark(step, row, how);
      const slot = <usize>load<u32>(step, VALUES) + ((<usize>row) << 3);
      putText(step, row, slot, origin, start, to);
    }
  }
  if (step != last) return <i32>load<u8>(at) == separator ? at + 1 : 0;
  if (load<u8>(at) == 10) return at + 1;
  return load<u8>(at) == 13 && load<u8>(at, 1) == 10 ? at + 2 : 0;
}

/** Reads rows of CSV as `scanJson` reads those of JSON. */
export function scanCsv(program: usize, from: usize, middle: usize, end: usize, rowsMax: i32): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  const lane = load<i32>(program, LANE);
  const separator = load<i32>(program, SEPARATOR);
  const comment = load<i32>(program, COMMENT);
  const steps = <usize>load<u32>(program, STEPS);
  const last = steps + <usize>(load<i32>(program, STEP_COUNT) - 1) * STEP_BYTES;
  let first = from;
  let second = middle;
  let row = 0;
  while (row < rowsMax && first < middle && second < end) {
    if (<i32>load<u8>(first) == comment || <i32>load<u8>(second) == comment) break;
    let a = first;
    let b = second;
    for (let step = steps; step <= last; step += STEP_BYTES) {
      a = scanCsvStep(program, step, last, a, end, row, separator);
      b = scanCsvStep(program, step, last, b, end, row + lane, separator);
      if (a == 0 || b == 0) break;
    }
    if (a == 0 || b == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(first - origin));
    store<i32>(starts + ((<usize>(row + lane)) << 2), <i32>(second - origin));
    first = a;
    second = b;
    row++;
  }
  const rows = scanCsvLane(program, first, middle, end, row, rowsMax);
  store<i32>(program, load<i32>(program, NEXT), FIRST_NEXT);
  const others = scanCsvLane(program, second, end, end, row + lane, rowsMax + lane);
  store<i32>(program, others - lane, SECOND_ROWS);
  return rows;
}

/** Reads on in one lane as `scanJsonLane` does; cells may go on to `end`. */
function scanCsvLane(
  program: usize,
  from: usize,
  laneEnd: usize,
  end: usize,
  firstRow: i32,
  rowsMax: i32,
): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  const separator = load<i32>(program, SEPARATOR);
  const steps = <usize>load<u32>(program, STEPS);
  const last = steps + <usize>(load<i32>(program, STEP_COUNT) - 1) * STEP_BYTES;
  let start = from;
  let row = firstRow;
  while (row < rowsMax && start < laneEnd) {
    if (<i32>load<u8>(start) == load<i32>(program, COMMENT)) break;
    let at = start;
    for (let step = steps; step <= last && at != 0; step += STEP_BYTES) {
      at = scanCsvStep(program, step, last, at, end, row, separator);
    }
    if (at == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(start - origin));
    row++;
    start = at;
  }
  store<i32>(program, <i32>(start - origin), NEXT);
  return row;
}
