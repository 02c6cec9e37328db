/**
 * The layout of NDJSON rows, learned from rows seen: which keys come in which order, with which
 * blanks, and which of them may be absent. Writers emit millions of rows alike, so a reader
 * generated for the layout compares whole keys as constants. Callers: the NDJSON parser, the code
 * generator. Runs on: worker; pure. Invariant: a layout only predicts; rows that differ are read
 * the general way.
 */
import { skipBlanks, skipString, skipValue } from './json-skip.js';

/** A key that rows of the layout have, in its place. */
export interface LayoutStep {
  /** The key, as latin1 of its UTF-8. */
  readonly key: string;
  /** Bytes from after the comma (or brace) to the first byte of the value, as latin1. */
  readonly lead: string;
  /** Index of the field in the schema, or -1 when nobody wants it. */
  readonly column: number;
  /** Whether rows may lack the key. */
  readonly optional: boolean;
  /** Of a column of objects: their keys, none where only null or an empty one was seen. Else null. */
  readonly fields: readonly LayoutStep[] | null;
}

/** What the keys of an object are to the reader. */
export interface LayoutNames {
  /** Index of the column a key belongs to, -1 when nobody wants it; null when it has to become one. */
  columnOf(key: Buffer): number | null;
  /** The keys of the objects that a column holds; null for columns of other types. */
  within(column: number): LayoutNames | null;
}

/** What rows look like. */
export interface NdjsonLayout {
  readonly steps: readonly LayoutStep[];
  /** Bytes from the closing brace to the newline, as latin1. */
  readonly tail: string;
}

/**
 * Rows and objects with more keys than this are read the general way, as generated code has a sensible size.
 */
const STEPS_MAX = 256;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * The layout of the row `bytes[start, newline]`, or null when the row has something a layout cannot
 * say: a key twice, an escaped key, blanks before a comma, a key that has to become a column.
 */
export function learnLayout(
  bytes: Buffer,
  start: number,
  newline: number,
  names: LayoutNames,
): NdjsonLayout | null {
  const row = bytes[start] === OPEN ? learnObject(bytes, start, names) : null;
  return row === null
    ? null
    : { steps: row.steps, tail: bytes.latin1Slice(row.close, newline + 1) };
}

/** An object whose brace is at `start`, and where the one that closes it is. */
interface LearnedObject {
  readonly steps: readonly LayoutStep[];
  readonly close: number;
}

function learnObject(bytes: Buffer, start: number, names: LayoutNames): LearnedObject | null {
  const steps: LayoutStep[] = [];
  const seen = new Set<string>();
  let at = start;
  do {
    const key = skipBlanks(bytes, at + 1);
    if (bytes[key] !== 0x22) return null;
    const keyEnd = skipString(bytes, key);
    if (keyEnd < 0) return null;
    const colon = skipBlanks(bytes, keyEnd);
    const value = skipBlanks(bytes, colon + 1);
    const name = bytes.subarray(key + 1, keyEnd - 1);
    const column = names.columnOf(name);
    const text = name.latin1Slice(0, name.length);
    if (column === null || seen.has(text) || text.includes('\\')) return null;
    seen.add(text);
    const within = column < 0 ? null : names.within(column);
    const fields = within === null ? null : learnFields(bytes, value, within);
    if (within !== null && fields === null) return null;
    const lead = bytes.latin1Slice(at + 1, value);
    steps.push({ key: text, lead, column, optional: false, fields });
    at = skipValue(bytes, value);
    if (at < 0) return null;
  } while (bytes[at] === 0x2c && steps.length < STEPS_MAX);
  return bytes[at] === CLOSE ? { steps, close: at } : null;
}

/** The keys of the value of a column of objects; null when a layout cannot say them. */
function learnFields(
  bytes: Buffer,
  value: number,
  names: LayoutNames,
): readonly LayoutStep[] | null {
  if (bytes[value] !== OPEN || bytes[value + 1] === CLOSE) return [];
  return learnObject(bytes, value, names)?.steps ?? null;
}

/**
 * A layout that both rows of `a` and rows of `b` have, keys made optional as needed; null when
 * there is none.
 */
export function mergeLayouts(a: NdjsonLayout, b: NdjsonLayout): NdjsonLayout | null {
  const steps = a.tail === b.tail ? mergeSteps(a.steps, b.steps) : null;
  return steps === null ? null : { steps, tail: a.tail };
}

function mergeSteps(
  a: readonly LayoutStep[],
  b: readonly LayoutStep[],
): readonly LayoutStep[] | null {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a;
  const merged: LayoutStep[] = [];
  let next = 0;
  for (const step of b) {
    const found = a.findIndex((other, index) => index >= next && other.lead === step.lead);
    if (found < 0) {
      // A key of both in another order, or with other blanks, cannot be placed.
      if (a.some((other) => other.key === step.key)) return null;
      merged.push({ ...step, optional: true });
      continue;
    }
    for (; next < found; next++) merged.push({ ...a[next], optional: true });
    const fields = mergeSteps(a[next].fields ?? [], step.fields ?? []);
    if (fields === null) return null;
    merged.push({
      ...step,
      optional: step.optional || a[next].optional,
      fields: step.fields === null ? null : fields,
    });
    next++;
  }
  for (; next < a.length; next++) merged.push({ ...a[next], optional: true });
  return merged.length > STEPS_MAX ? null : merged;
}
