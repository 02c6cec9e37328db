/** `appendRanges` against `appendBytes`: the same texts, shared the same way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinaryAppender } from '../../../src/record/binary-appender.js';
import { BinaryColumn } from '../../../src/record/column.js';
import type { Field } from '../../../src/record/schema.js';
import { textAt } from '../../../src/record/text.js';

const FIELD: Field = { name: 'text', type: { kind: 'utf8' }, nullable: false, optional: false };

describe('appendRanges', () => {
  it('gives every row its text, and as many entries as single appends', () => {
    const word = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('', 'a', 'ab', 'Oslo', 'Osla', 'Lima', 'Bogotá') },
      fc.string({ unit: 'grapheme', maxLength: 40 }),
    );
    const blocks = fc.array(fc.array(word, { maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 400 }), (given, capacity) => {
        const together = new BinaryAppender(FIELD, capacity);
        const single = new BinaryAppender(FIELD, capacity);
        let rows = 0;
        for (const block of given) {
          const { bytes, ranges } = layOut(block);
          together.appendRanges(rows, block.length, bytes, ranges);
          block.forEach((_, index) => {
            single.appendBytes(rows + index, bytes, ranges[index * 2], ranges[index * 2 + 1]);
          });
          rows += block.length;
        }
        const column = textColumn(together, rows);
        expect(given.flat().map((_, row) => textAt(column, row))).toEqual(given.flat());
        expect(column.entries).toBe(textColumn(single, rows).entries);
      }),
    );
  });
});

function textColumn(appender: BinaryAppender, rows: number): BinaryColumn {
  const column = appender.column(rows);
  if (!(column instanceof BinaryColumn)) throw new Error('Texts are in a binary column.');
  return column;
}

/** The texts one behind the other, and where each starts and ends. */
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
