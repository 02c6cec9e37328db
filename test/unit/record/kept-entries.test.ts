/** Entries that outlive batches: every row has its text, and what is remembered by code stays true. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinaryAppender } from '../../../src/record/binary-appender.js';
import { BinaryColumn } from '../../../src/record/column.js';
import { hashColumn, hashText } from '../../../src/record/key-hash.js';
import type { Field } from '../../../src/record/schema.js';
import { textAt } from '../../../src/record/text.js';

const FIELD: Field = { name: 'text', type: { kind: 'utf8' }, nullable: false, optional: false };
const CAPACITY = 64;

/** How a run of texts is appended. */
type How = 'ranges' | 'codes' | 'bytes' | 'text';

const word = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('', 'a', 'ab', 'Oslo', 'Osla', 'Lima', 'Bogotá') },
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);
const run = fc.record({
  how: fc.constantFrom<How>('ranges', 'codes', 'codes', 'bytes', 'text'),
  texts: fc.array(word, { maxLength: 30 }),
  /** Rows that are given up behind the run. */
  truncated: fc.constantFrom(0, 0, 0, 3),
});

describe('entries that are kept', () => {
  it('stay the same from batch to batch, whatever comes between', () => {
    const batches = fc.array(fc.array(run, { maxLength: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(batches, (given) => {
        const appender = new BinaryAppender(FIELD, CAPACITY);
        appender.keepEntries();
        const codes = new Codes();
        const entriesOf = new Map<object, string[]>();
        for (const runs of given) {
          const rows: string[] = [];
          for (const { how, texts, truncated } of runs) {
            append(appender, codes, how, rows.length, texts);
            rows.push(...texts);
            if (truncated === 0) continue;
            rows.length = Math.max(0, rows.length - truncated);
            appender.truncate(rows.length);
          }
          const column = columnOf(appender, rows.length);
          expect(rows.map((_, row) => textAt(column, row))).toEqual(rows);
          expect(rows.map((_, row) => hashColumn(column)[column.codes[row]])).toEqual(
            rows.map(hashText),
          );
          remember(entriesOf, column);
          appender.reset();
        }
      }),
    );
  });

  it('are few for few texts, and given up for many', () => {
    const appender = new BinaryAppender(FIELD, 1024);
    appender.keepEntries();
    const cities = Array.from({ length: 500 }, (_, index) => `city ${index}`);
    let column = columnOf(appender, 0);
    for (let batch = 0; batch < 20; batch++) {
      appender.reset();
      const texts = Array.from({ length: 1024 }, (_, row) => cities[(row * 7 + batch) % 500]);
      append(appender, null, 'ranges', 0, texts);
      column = columnOf(appender, 1024);
      expect(column.isDictionary).toBe(true);
      expect(column.entries).toBe(500);
    }
    const { dictionary } = column;
    expect(dictionary).not.toBeNull();
    for (let batch = 0; batch < 20; batch++) {
      appender.reset();
      const texts = Array.from({ length: 1024 }, (_, row) => `unique ${batch} ${row}`);
      append(appender, null, 'ranges', 0, texts);
      column = columnOf(appender, 1024);
    }
    expect(column.dictionary).toBeNull();
    expect(column.isDictionary).toBe(false);
    expect(column.entries).toBe(1024);
  });
});

/** Codes as the scanner gives them. */
class Codes {
  dictionary: object = {};
  known = new Map<string, number>();

  of(text: string): number {
    if (text.length > 32) return -1;
    const known = this.known.get(text) ?? this.known.size;
    this.known.set(text, known);
    return known;
  }

  forget(): void {
    this.known.clear();
  }
}

function append(
  appender: BinaryAppender,
  codes: Codes | null,
  how: How,
  first: number,
  texts: readonly string[],
): void {
  const { bytes, ranges } = layOut(texts);
  if (how === 'ranges') appender.appendRanges(first, texts.length, bytes, ranges);
  else if (how === 'codes' && codes !== null) {
    const given = Int32Array.from(texts, (text) => codes.of(text));
    const { dictionary } = codes;
    if (appender.appendCodes(first, texts.length, dictionary, given, bytes, ranges)) return;
    codes.forget();
  } else {
    texts.forEach((text, index) => {
      const [start, end] = ranges.subarray(index * 2);
      if (how === 'bytes') appender.appendBytes(first + index, bytes, start, end);
      else appender.appendText(first + index, text);
    });
  }
}

/** Columns of one dictionary have the same text for a code. */
function remember(entriesOf: Map<object, string[]>, column: BinaryColumn): void {
  if (column.dictionary === null) return;
  const known = entriesOf.get(column.dictionary) ?? [];
  entriesOf.set(column.dictionary, known);
  const { offsets, bytes } = column;
  const decoder = new TextDecoder();
  for (let entry = 0; entry < column.entries; entry++) {
    const text = decoder.decode(bytes.slice(offsets[entry], offsets[entry + 1]));
    expect(known[entry] ?? text).toBe(text);
    known[entry] = text;
  }
}

function columnOf(appender: BinaryAppender, rows: number): BinaryColumn {
  const column = appender.column(rows);
  if (!(column instanceof BinaryColumn)) throw new Error('Texts are in a binary column.');
  return column;
}

function layOut(texts: readonly string[]): { bytes: Uint8Array; ranges: Int32Array } {
  const ranges = new Int32Array(texts.length * 2);
  let at = 0;
  texts.forEach((text, index) => {
    ranges[index * 2] = at;
    at += Buffer.byteLength(text);
    ranges[index * 2 + 1] = at;
  });
  return { bytes: Buffer.from(texts.join('')), ranges };
}
