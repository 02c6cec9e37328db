import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrintedTail } from '../../../src/cli/printed-tail.js';

describe('PrintedTail', () => {
  it('passes everything on, and keeps the end of it in whole characters', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    const written = fc.array(
      fc.oneof(
        text,
        text.map((one) => Buffer.from(one)),
      ),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(written, fc.nat(80), (chunks, asked) => {
        const passed: Buffer[] = [];
        const stream = {
          write: (chunk: string | Uint8Array) => passed.push(Buffer.from(chunk)) > 0,
        };
        const tail = new PrintedTail(40);
        tail.follow(stream);
        for (const chunk of chunks) expect(stream.write(chunk)).toBe(true);
        const all = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
        expect(Buffer.concat(passed)).toEqual(all);
        const end = tail.end(asked);
        expect(all.toString().endsWith(end)).toBe(true);
        const room = Math.min(asked, 40, all.length);
        expect(Buffer.byteLength(end)).toBeLessThanOrEqual(room);
        // No more is missing than the rest of one character.
        expect(Buffer.byteLength(end)).toBeGreaterThan(room - 4);
      }),
    );
  });
});
