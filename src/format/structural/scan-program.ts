/**
 * What the row scanner is told: the values of a row in order, what stands before each, and what to
 * make of it. A program is laid out as bytes once and copied into the memory of whoever scans.
 * Callers: the NDJSON and CSV parsers. Runs on: worker; pure.
 */
import {
  DICTIONARIES_MAX,
  DICTIONARIES_START,
  DICTIONARY_BYTES,
  INPUT_START,
  OUTPUT_START,
  PROGRAM_START,
} from './scan-memory.js';

/** The value is walked over. */
export const STEP_SKIP = 0;
/** A number, put as a double. */
export const STEP_NUMBER = 1;
/** A text, put as the range between its quotes. */
export const STEP_TEXT = 2;
/** A boolean, put as 0 or 1. */
export const STEP_BOOL = 3;
/** Anything, put as its range. */
export const STEP_RANGE = 4;
/** An object: the steps up to the one that closes it are its fields. */
export const STEP_OPEN = 5;
export const STEP_CLOSE = 6;
export type StepKind =
  | typeof STEP_SKIP
  | typeof STEP_NUMBER
  | typeof STEP_TEXT
  | typeof STEP_BOOL
  | typeof STEP_RANGE
  | typeof STEP_OPEN
  | typeof STEP_CLOSE;

/** The row may lack the step. */
export const FLAG_MAY_LACK = 1;
/** The value may be null. */
export const FLAG_NULLABLE = 2;
/** The column may do without the value. */
export const FLAG_MAY_MISS = 4;
/** An empty cell is null. */
export const FLAG_EMPTY_IS_NULL = 8;

/** Marks of values beside the plain ones, which have none. */
export const MARK_NULL = 1;
/** The range has escapes. */
export const MARK_ESCAPED = 2;
/** The number is put as its range. */
export const MARK_SPELLED = 3;
export const MARK_MISSING = 4;

/** One value of a row. */
export interface ScanStep {
  readonly kind: StepKind;
  readonly flags: number;
  /** Bytes before the value, but for the comma or brace. */
  readonly lead: Uint8Array;
}

/** Rows with a value that is none of some are passed over, unless they are unusual. */
export interface ScanFilter {
  /** Index of the step that has the value: a number, text or boolean. */
  readonly step: number;
  /** The key of the step in quotes, as it is spelled without escapes. */
  readonly key: Uint8Array;
  /** The values of rows that are kept, all texts in quotes or all doubles. */
  readonly values: readonly Uint8Array[] | Float64Array;
}

/** What rows look like. */
export interface ScanRows {
  readonly steps: readonly ScanStep[];
  /** Bytes after the last value. */
  readonly tail: Uint8Array;
  /** Whether values that nobody wants are checked. */
  readonly full: boolean;
  /** Of JSON: which rows are passed over. */
  readonly filter?: ScanFilter | null;
  /** Of CSV: bytes that separate, quote and comment, the latter two -1 where there are none. */
  readonly separator?: number;
  readonly quote?: number;
  readonly comment?: number;
  /** Of CSV: whether quoted cells may hold newlines. */
  readonly multiline?: boolean;
}

const HEADER_BYTES = 96;
const STEP_BYTES = 32;
const BLOCK_BYTES = 16;
/** Rows that are scanned at a time: few enough that what is put fits the first-level cache. */
const ROWS_MAX = 512;
const START_BYTES = 4;
const VALUE_BYTES = 8;
/** Where the filter is in the header, as words. */
const FILTER_AT = 15;

/** A program as the scanner reads it. */
export interface ScanProgram {
  readonly image: Uint8Array;
  /** Rows at a time. */
  readonly rowsMax: number;
  /** Addresses of what each step that puts anything puts, in order. */
  readonly columns: readonly ScanAddresses[];
}

/** Addresses in the memory. */
export interface ScanAddresses {
  readonly values: number;
  readonly marks: number;
  /** An int32 that is not zero once a value has a mark. */
  readonly marked: number;
  /** Dictionary of the texts; 0 for columns without. */
  readonly dictionary: number;
  /** Whether it is within an object, which rows may lack. */
  readonly within: boolean;
}

/** The program of rows, or null when it is too large for its place. */
export function createScanProgram(rows: ScanRows): ScanProgram | null {
  const { steps, tail } = rows;
  const leadsAt = HEADER_BYTES + steps.length * STEP_BYTES;
  const leadBytes = steps.reduce((sum, step) => sum + padded(step.lead.length), 0);
  const filterAt = leadsAt + leadBytes + padded(tail.length);
  const bytes = filterAt + filterBytes(rows.filter ?? null);
  if (steps.length === 0 || PROGRAM_START + bytes > OUTPUT_START) return null;
  const wanted = steps.filter(putsValues).length;
  const rowBytes = START_BYTES + wanted * (VALUE_BYTES + 1);
  const rowsMax = Math.min(
    ROWS_MAX,
    Math.floor((DICTIONARIES_START - OUTPUT_START) / rowBytes) & ~7,
  );

  const image = new Uint8Array(bytes);
  const words = new Int32Array(image.buffer, 0, leadsAt / 4);
  const columns: ScanAddresses[] = [];
  const marksAt = OUTPUT_START + rowsMax * (START_BYTES + wanted * VALUE_BYTES);
  let lead = leadsAt;
  let coded = 0;
  const opened: number[] = [];
  steps.forEach((step, index) => {
    const at = HEADER_BYTES + index * STEP_BYTES;
    image.set(step.lead, lead);
    words.set([PROGRAM_START + lead, step.lead.length, step.kind, step.flags], at / 4);
    lead += padded(step.lead.length);
    // What is behind an object, for rows that have none.
    if (step.kind === STEP_CLOSE) {
      words[(opened.pop() ?? 0) / 4 + 7] = PROGRAM_START + at + STEP_BYTES;
    }
    if (!putsValues(step)) return;
    const values = OUTPUT_START + rowsMax * (START_BYTES + columns.length * VALUE_BYTES);
    const marks = marksAt + columns.length * rowsMax;
    const isCoded = step.kind === STEP_TEXT && coded < DICTIONARIES_MAX;
    const dictionary = isCoded ? DICTIONARIES_START + coded++ * DICTIONARY_BYTES : 0;
    words.set([values, marks, 0, dictionary], at / 4 + 4);
    const within = opened.length > 0;
    columns.push({ values, marks, marked: PROGRAM_START + at + 24, dictionary, within });
    if (step.kind === STEP_OPEN) opened.push(at);
  });
  image.set(tail, lead);
  words.set([
    PROGRAM_START + HEADER_BYTES,
    steps.length,
    PROGRAM_START + lead,
    tail.length,
    OUTPUT_START,
    INPUT_START,
    rows.full ? 1 : 0,
    rows.separator ?? -1,
    rows.quote ?? -1,
    rows.comment ?? -1,
    rows.multiline === true ? 1 : 0,
    0,
    0,
    0,
    rowsMax / 2,
  ]);
  if (rows.filter) putFilter(rows.filter, image, filterAt);
  return { image, rowsMax, columns };
}

function filterBytes(filter: ScanFilter | null): number {
  if (filter === null) return 0;
  const { key, values } = filter;
  const texts = values instanceof Float64Array ? [] : values;
  return [key, ...texts].reduce(
    (sum, { length }) => sum + padded(length),
    padded(values.length * VALUE_BYTES),
  );
}

/** Lays out the key, the values and the texts that they are. */
function putFilter({ step, key, values }: ScanFilter, image: Uint8Array, at: number): void {
  const valuesAt = at + padded(key.length);
  image.set(key, at);
  const words = new Int32Array(image.buffer, 0, valuesAt / 4);
  const stepAt = PROGRAM_START + HEADER_BYTES + step * STEP_BYTES;
  words.set(
    [stepAt, PROGRAM_START + at, key.length, PROGRAM_START + valuesAt, values.length],
    FILTER_AT,
  );
  if (values instanceof Float64Array) {
    new Float64Array(image.buffer, valuesAt, values.length).set(values);
    return;
  }
  const places = new Int32Array(image.buffer, valuesAt, values.length * 2);
  let textAt = valuesAt + padded(values.length * VALUE_BYTES);
  values.forEach((text, index) => {
    image.set(text, textAt);
    places.set([PROGRAM_START + textAt, text.length], index * 2);
    textAt += padded(text.length);
  });
}

function putsValues({ kind }: ScanStep): boolean {
  return kind !== STEP_SKIP && kind !== STEP_CLOSE;
}

/** The scanner compares in blocks, so every constant has whole ones. */
function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
