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
}

/** What rows look like. */
export interface NdjsonLayout {
  readonly steps: readonly LayoutStep[];
  /** Bytes from the closing brace to the newline, as latin1. */
  readonly tail: string;
}

/**
 * Rows with more keys than this are read the general way, as generated code has a sensible size.
 */
const STEPS_MAX = 256;

/**
 * The layout of the row `bytes[start, newline]`, or null when the row has something a layout cannot
 * say: a key twice, an escaped key, blanks before a comma, a key for which `columnOf` answers null.
 */
export function learnLayout(
  bytes: Buffer,
  start: number,
  newline: number,
  columnOf: (key: Buffer) => number | null,
): NdjsonLayout | null {
  const steps: LayoutStep[] = [];
  const seen = new Set<string>();
  let at = start;
  if (bytes[at] !== 0x7b) return null;
  do {
    const key = skipBlanks(bytes, at + 1);
    if (bytes[key] !== 0x22) return null;
    const keyEnd = skipString(bytes, key);
    if (keyEnd < 0) return null;
    const colon = skipBlanks(bytes, keyEnd);
    const value = skipBlanks(bytes, colon + 1);
    const name = bytes.subarray(key + 1, keyEnd - 1);
    const column = columnOf(name);
    const text = name.latin1Slice(0, name.length);
    if (column === null || seen.has(text) || text.includes('\\')) return null;
    seen.add(text);
    steps.push({ key: text, lead: bytes.latin1Slice(at + 1, value), column, optional: false });
    at = skipValue(bytes, value);
    if (at < 0) return null;
  } while (bytes[at] === 0x2c && steps.length < STEPS_MAX);
  if (bytes[at] !== 0x7d) return null;
  return { steps, tail: bytes.latin1Slice(at, newline + 1) };
}

/**
 * A layout that both rows of `a` and rows of `b` have, keys made optional as needed; null when
 * there is none.
 */
export function mergeLayouts(a: NdjsonLayout, b: NdjsonLayout): NdjsonLayout | null {
  if (a.tail !== b.tail) return null;
  const merged: LayoutStep[] = [];
  let next = 0;
  for (const step of b.steps) {
    const found = a.steps.findIndex((other, index) => index >= next && other.lead === step.lead);
    if (found < 0) {
      // A key of both in another order, or with other blanks, cannot be placed.
      if (a.steps.some((other) => other.key === step.key)) return null;
      merged.push({ ...step, optional: true });
      continue;
    }
    for (; next < found; next++) merged.push({ ...a.steps[next], optional: true });
    merged.push({ ...step, optional: step.optional || a.steps[next].optional });
    next++;
  }
  for (; next < a.steps.length; next++) merged.push({ ...a.steps[next], optional: true });
  return merged.length > STEPS_MAX ? null : { steps: merged, tail: a.tail };
}
