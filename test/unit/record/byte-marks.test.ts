/** Places of a byte in texts that lie one behind the other, against a search in each. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteMarks } from '../../../src/record/byte-marks.js';
import { BYTE_MARKS_SOURCE_HASH } from '../../../src/record/byte-marks-module.js';

const SOURCE = new URL('../../../src/record/byte-marks.as', import.meta.url);
const SPACE = 32;
const WINDOW_BYTES = 16 * 1024;

/** Places in a text as generated code takes them, or null when it has to look itself. */
function placesOf(
  marks: ByteMarks,
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  last: number,
): readonly number[] | null {
  let mark = marks.of(bytes, start, end, last);
  if (mark < 0) return null;
  const places: number[] = [];
  for (; marks.positions[mark] < end; mark++) places.push(marks.positions[mark]);
  marks.next = mark;
  return places;
}

function searched(bytes: Uint8Array, [start, end]: readonly [number, number]): readonly number[] {
  const places: number[] = [];
  for (let at = start; at < end; at++) if (bytes[at] === SPACE) places.push(at);
  return places;
}

describe('places of a byte', () => {
  it('are found by what is compiled from the source as it is', () => {
    const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex');
    expect(BYTE_MARKS_SOURCE_HASH, 'run node scripts/build-webassembly.mjs').toBe(hash);
  });

  it('are those that a search finds, in texts one after the other, left out, again, and from anew', () => {
    const length = fc.oneof(fc.nat(70), fc.constantFrom(0, 31, 32, 33, 5000, WINDOW_BYTES));
    const walk = fc.record({ jump: fc.integer({ min: -4, max: 3 }), forgets: fc.boolean() });
    let known = 0;
    fc.assert(
      fc.property(
        fc.array(length, { minLength: 1, maxLength: 12 }),
        fc.array(walk, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(1, 2, 7, 200),
        fc.boolean(),
        (lengths, steps, every, isShared) => {
          const total = lengths.reduce((sum, bytes) => sum + bytes, 0);
          const memory = isShared ? new SharedArrayBuffer(total + 3) : new ArrayBuffer(total + 3);
          const bytes = new Uint8Array(memory).map((_, at) => (at % every === 0 ? SPACE : 97));
          const texts: (readonly [number, number])[] = [];
          let at = 1;
          for (const size of lengths) texts.push([at, (at += size)]);
          const marks = new ByteMarks(SPACE);
          let text = 0;
          for (const { jump, forgets } of steps) {
            if (forgets) {
              // As when a builder is used again.
              bytes.set(bytes.map((byte) => (byte === SPACE ? 97 : SPACE)));
              marks.forget();
            }
            const places = placesOf(marks, bytes, texts[text], at);
            if (places !== null) {
              known++;
              expect(places).toEqual(searched(bytes, texts[text]));
            }
            text = Math.min(texts.length - 1, Math.max(0, text + jump));
          }
        },
      ),
    );
    expect(known).toBeGreaterThan(300);
  });

  it('are not known in long texts, and in those whose neighbours are unknown', () => {
    const bytes = new Uint8Array(2 * WINDOW_BYTES).fill(SPACE);
    const marks = new ByteMarks(SPACE);
    expect(marks.of(bytes, 0, WINDOW_BYTES + 1, bytes.length)).toBe(-1);
    expect(marks.of(bytes, 3, 10, -1)).toBe(-1);
    expect(placesOf(marks, bytes, [3, 5], bytes.length)).toEqual([3, 4]);
  });
});
