/**
 * Decodes the levels of a page: how far down the schema a value is there (definition), and at which
 * list it continues (repetition). Callers: `flat-page.ts`, `nested-leaf.ts`. Runs on: the slot's
 * thread.
 */
import { corrupt, unsupported } from './corrupt.js';
import { decodeHybrid } from './hybrid.js';
import type { Page } from './page-source.js';
import { ENCODING_RLE, PAGE_DATA_V2 } from './parquet-types.js';

/** Where the levels of a page are. */
export interface LevelRanges {
  readonly repetitionStart: number;
  readonly repetitionEnd: number;
  readonly definitionStart: number;
  readonly definitionEnd: number;
  /** Where the values begin in `page.values`. */
  readonly valuesStart: number;
}

/** Finds the levels; a column without repetition or definition has none of them. */
export function findLevels(page: Page, repetitionMax: number, definitionMax: number): LevelRanges {
  const { header, levels } = page;
  if (header.type === PAGE_DATA_V2) {
    const repetitionEnd = header.repetitionBytes;
    const definitionEnd = repetitionEnd + header.definitionBytes;
    return {
      repetitionStart: 0,
      repetitionEnd,
      definitionStart: repetitionEnd,
      definitionEnd,
      valuesStart: 0,
    };
  }
  checkEncoding(header.repetitionEncoding, repetitionMax);
  checkEncoding(header.definitionEncoding, definitionMax);
  const repetitionStart = repetitionMax > 0 ? 4 : 0;
  const repetitionEnd = repetitionMax > 0 ? 4 + lengthAt(levels, 0) : 0;
  const definitionStart = repetitionEnd + (definitionMax > 0 ? 4 : 0);
  const definitionEnd =
    definitionMax > 0 ? definitionStart + lengthAt(levels, repetitionEnd) : repetitionEnd;
  if (definitionEnd > levels.length) throw corrupt('The levels of a page run over its end.');
  const valuesStart = definitionEnd;
  return { repetitionStart, repetitionEnd, definitionStart, definitionEnd, valuesStart };
}

/** Bits that levels up to `max` take. */
export function levelBits(max: number): number {
  return 32 - Math.clz32(max);
}

/** Decodes `count` levels. */
export function decodeLevels(
  bytes: Uint8Array,
  start: number,
  end: number,
  max: number,
  count: number,
): Int32Array {
  return decodeHybrid(bytes, start, end, levelBits(max), count);
}

/** The level that all `count` values have when they are written as one run, else -1. */
export function uniformLevel(bytes: Uint8Array, start: number, end: number, count: number): number {
  let head = 0;
  let at = start;
  for (let shift = 0; at < end && shift < 35; shift += 7) {
    const byte = bytes[at++];
    head += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return head % 2 === 0 && head / 2 >= count && at < end ? bytes[at] : -1;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 4 > bytes.length) throw corrupt('The levels of a page run over its end.');
  return length.getUint32(at, true);
}

function checkEncoding(encoding: number, max: number): void {
  if (max === 0 || encoding === ENCODING_RLE) return;
  throw unsupported(
    'The file has levels in the bit-packed encoding that was given up in 2013.',
    'Read it with the tool that wrote it, and write it anew.',
  );
}
