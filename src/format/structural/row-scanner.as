/**
 * The row scanner, in AssemblyScript (TypeScript's syntax, compiled to WebAssembly with SIMD):
 * walks rows of bytes as a program says, sixteen bytes at a time, and puts numbers, and ranges of
 * the rest, into columns of the same memory. `scripts/build-row-scanner.mjs` compiles it into
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
const NEXT: usize = 44;

// What a step is, as int32.
const LEAD: usize = 0;
const LEAD_BYTES: usize = 4;
const KIND: usize = 8;
const FLAGS: usize = 12;
const VALUES: usize = 16;
const MARKS: usize = 20;
const MARKED: usize = 24;
const EXPECTED: usize = 28;
const STEP_BYTES: usize = 32;

// Kinds of steps.
const SKIP: i32 = 0;
const NUMBER: i32 = 1;
const TEXT: i32 = 2;
const BOOL: i32 = 3;

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

// Blocks of one byte sixteen times, which `scan-memory.ts` puts behind the powers of ten: a constant
// of that size takes more to make than to load.
const QUOTES: usize = 192;
const BACKSLASHES: usize = 208;
const CONTROLS_MAX: usize = 224;
const BLANKS: usize = 240;
const CLOSERS: usize = 256;
const COMMAS: usize = 272;
const NEWLINES: usize = 288;

/** The powers of ten up to 22 stand at the start of the memory. */
// @ts-ignore: decorator
@inline
function powerOfTen(exponent: i32): f64 {
  return load<f64>((<usize>exponent) << 3);
}

/** Whether the constant at `lead` stands at `at`; both can be read in whole blocks. */
// @ts-ignore: decorator
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
// @ts-ignore: decorator
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
// @ts-ignore: decorator
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

// @ts-ignore: decorator
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

/** Behind the object or list at `at`, or 0 when the row ends first. */
function nestedEnd(at: usize): usize {
  let depth = 0;
  while (true) {
    const unit = <u32>load<u8>(at);
    if (unit == 10) return 0;
    if (unit == 0x22) {
      at = escapedEnd(at + 1, false);
      if (at == 0) return 0;
    } else if (unit == 0x7b || unit == 0x5b) {
      depth++;
    } else if (unit == 0x7d || unit == 0x5d) {
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
// @ts-ignore: decorator
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

// @ts-ignore: decorator
@inline
function mark(step: usize, row: i32, how: u8): void {
  store<u8>(<usize>load<u32>(step, MARKS) + row, how);
  store<i32>(step, 1, MARKED);
}

// @ts-ignore: decorator
@inline
function putRange(slot: usize, origin: usize, from: usize, to: usize): void {
  store<i32>(slot, <i32>(from - origin));
  store<i32>(slot, <i32>(to - origin), 4);
}

/** Where the last number read by `readNumber` ends, and whether it has to be spelled out. */
let numberStop: usize = 0;
let numberSpelled: bool = false;

/**
 * Reads digits with an optional sign and fraction. Ends at 0 when they are no number. `strict` asks
 * for digits behind the point.
 */
// @ts-ignore: decorator
@inline
function readNumber(from: usize, strict: bool): f64 {
  let at = from;
  let unit = <u32>load<u8>(at);
  const negative = unit == 45;
  if (negative) unit = load<u8>(++at);
  const first = at;
  let mantissa: u64 = unit - 48;
  if (mantissa > 9 || unit < 48) {
    numberStop = 0;
    return 0;
  }
  at++;
  while ((unit = <u32>load<u8>(at) - 48) <= 9) {
    mantissa = mantissa * 10 + unit;
    at++;
  }
  let digits = <i32>(at - first);
  if (digits > 1 && load<u8>(first) == 48) {
    numberStop = 0;
    return 0;
  }
  let scale = 0;
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
  numberStop = at;
  // The letter of an exponent, less the zero.
  numberSpelled = digits > DIGITS_EXACT || unit == 53 || unit == 21;
  let value = <f64>mantissa;
  if (scale != 0) value /= powerOfTen(min(scale, DIGITS_EXACT));
  return negative ? -value : value;
}

/** Reads one wanted value of JSON into its column; returns where it ends, or 0. */
// @ts-ignore: decorator
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
    putRange(slot, origin, at + 1, end);
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

/** Behind the row at `start`, or 0 when it is not as the program says. */
// @ts-ignore: decorator
@inline
function scanJsonRow(program: usize, start: usize, row: i32, full: bool): usize {
  const origin = <usize>load<u32>(program, ORIGIN);
  let step = <usize>load<u32>(program, STEPS);
  const stepsEnd = step + <usize>load<i32>(program, STEP_COUNT) * STEP_BYTES;
  let at = start;
  // What stands before the next key: the brace until there has been one, then a comma.
  let opener: u32 = 0x7b;
  for (; step < stepsEnd; step += STEP_BYTES) {
    const bytes = load<i32>(step, LEAD_BYTES);
    if (load<u8>(at) != opener || !matches(at + 1, load<u32>(step, LEAD), bytes)) {
      const flags = load<i32>(step, FLAGS);
      if (!(flags & MAY_LACK)) return 0;
      if (load<i32>(step, KIND) != SKIP) {
        if (!(flags & MAY_MISS)) return 0;
        mark(step, row, MISSING);
      }
      continue;
    }
    opener = 0x2c;
    at += <usize>bytes + 1;
    const kind = load<i32>(step, KIND);
    const end = kind == SKIP ? valueEnd(at, full) : readJson(at, kind, step, row, origin, full);
    if (end == 0) return 0;
    at = end;
  }
  if (opener == 0x7b) return 0;
  const tailBytes = load<i32>(program, TAIL_BYTES);
  return matches(at, load<u32>(program, TAIL), tailBytes) ? at + tailBytes : 0;
}

/**
 * Reads rows of JSON from `from` on, `rowsMax` at most; returns how many, and puts where they end
 * into the program.
 */
export function scanJson(program: usize, from: usize, end: usize, rowsMax: i32): i32 {
  return load<i32>(program, FULL) != 0
    ? scanJsonRows(program, from, end, rowsMax, true)
    : scanJsonRows(program, from, end, rowsMax, false);
}

// @ts-ignore: decorator
@inline
function scanJsonRows(program: usize, from: usize, end: usize, rowsMax: i32, full: bool): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  let at = from;
  let row = 0;
  while (row < rowsMax && at < end) {
    const next = scanJsonRow(program, at, row, full);
    if (next == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(at - origin));
    row++;
    at = next;
  }
  store<i32>(program, <i32>(at - origin), NEXT);
  return row;
}

/** The separator or newline from `at` on. */
// @ts-ignore: decorator
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
// @ts-ignore: decorator
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

/** Behind the row of CSV at `start`, or 0 when it is not simple. */
// @ts-ignore: decorator
@inline
function scanCsvRow(program: usize, start: usize, end: usize, row: i32): usize {
  const origin = <usize>load<u32>(program, ORIGIN);
  const separator = load<i32>(program, SEPARATOR);
  const quote = load<i32>(program, QUOTE);
  const separators = i8x16.splat(<i8>separator);
  let step = <usize>load<u32>(program, STEPS);
  const last = step + <usize>(load<i32>(program, STEP_COUNT) - 1) * STEP_BYTES;
  if (<i32>load<u8>(start) == load<i32>(program, COMMENT)) return 0;
  let at = start;
  while (true) {
    const kind = load<i32>(step, KIND);
    if (kind == NUMBER) {
      at = readCsvNumber(at, step, row, separator, origin);
      if (at == 0) return 0;
    } else {
      const isQuoted = <i32>load<u8>(at) == quote;
      let from = at;
      let to: usize;
      let how: u8 = 0;
      if (isQuoted) {
        from = at + 1;
        to = quotedEnd(from, end, quote, load<i32>(program, MULTILINE) != 0);
        if (to == 0) return 0;
        at = to + 1;
        how = quotedHow;
      } else {
        to = cellEnd(at, separators);
        if (step == last && to > from && load<u8>(to) == 10 && load<u8>(to - 1) == 13) to--;
        at = to;
      }
      if (kind != SKIP) {
        const flags = load<i32>(step, FLAGS);
        if (kind == TEXT) {
          if (how == 0 && from == to && flags & EMPTY_IS_NULL) {
            if (!(flags & NULLABLE)) return 0;
            how = NULL;
          } else if (how == 1) {
            how = 0;
          }
        }
        if (how != 0) mark(step, row, how);
        const slot = <usize>load<u32>(step, VALUES) + ((<usize>row) << 3);
        putRange(slot, origin, from, to);
      }
    }
    if (step == last) break;
    if (<i32>load<u8>(at) != separator) return 0;
    at++;
    step += STEP_BYTES;
  }
  if (load<u8>(at) == 10) return at + 1;
  return load<u8>(at) == 13 && load<u8>(at, 1) == 10 ? at + 2 : 0;
}

/** Reads rows of CSV as `scanJson` reads those of JSON. */
export function scanCsv(program: usize, from: usize, end: usize, rowsMax: i32): i32 {
  const starts = <usize>load<u32>(program, STARTS);
  const origin = <usize>load<u32>(program, ORIGIN);
  let at = from;
  let row = 0;
  while (row < rowsMax && at < end) {
    const next = scanCsvRow(program, at, end, row);
    if (next == 0) break;
    store<i32>(starts + ((<usize>row) << 2), <i32>(at - origin));
    row++;
    at = next;
  }
  store<i32>(program, <i32>(at - origin), NEXT);
  return row;
}
