import { describe, expect, it } from 'vitest';
import { clearBit, hasBit, marksBytes, PageMarks, setBit } from '../../../src/state/page-marks.js';

describe('PageMarks', () => {
  it.each([4, 32, 4096])('holds bits of %i entries side by side', (entries) => {
    const marks = new PageMarks(entries, 1, true);
    for (let offset = 0; offset < entries; offset += 3) setBit(marks.alive, offset);
    clearBit(marks.alive, 3);
    for (let offset = 0; offset < entries; offset++) {
      expect(hasBit(marks.alive, offset)).toBe(offset % 3 === 0 && offset !== 3);
      expect(hasBit(marks.used, offset)).toBe(false);
    }
    expect(marks.alive.buffer.byteLength).toBe(marksBytes(entries, true));
    expect(new PageMarks(entries, 1, false).stamps).toHaveLength(0);
  });

  it('rolls: what is alive becomes the base, what changed in the generation before stays readable', () => {
    const marks = new PageMarks(32, 1, false);
    setBit(marks.alive, 5);
    setBit(marks.dirty, 5);
    marks.roll(2);
    expect([hasBit(marks.base, 5), hasBit(marks.dirty, 5), hasBit(marks.frozenDirty, 5)]).toEqual([
      true,
      false,
      true,
    ]);
    setBit(marks.dirty, 6);
    // Nothing changed in generation 3, so nothing of generation 2 may be taken for it.
    marks.roll(4);
    expect([...marks.frozenDirty, ...marks.dirty]).toEqual([0, 0]);
    expect(marks.generation).toBe(4);
  });
});
