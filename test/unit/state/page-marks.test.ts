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
    marks.roll({ generation: 2, confirmed: 0, confirmable: 1 });
    expect([hasBit(marks.base, 5), hasBit(marks.dirty, 5), hasBit(marks.frozenDirty, 5)]).toEqual([
      true,
      false,
      true,
    ]);
    setBit(marks.dirty, 6);
    // Generations up to 3 are kept for good, so nothing of them is a change any more.
    marks.roll({ generation: 4, confirmed: 3, confirmable: 3 });
    expect([...marks.frozenDirty, ...marks.dirty]).toEqual([0, 0]);
    expect(marks.generation).toBe(4);
  });
  it('adds changes up until they are confirmed, and remembers what any base may hold', () => {
    const marks = new PageMarks(32, 1, false);
    setBit(marks.alive, 5);
    setBit(marks.dirty, 5);
    marks.roll({ generation: 2, confirmed: 0, confirmable: 1 });
    clearBit(marks.alive, 5);
    setBit(marks.dirty, 6);
    setBit(marks.alive, 6);
    // Generation 2 was frozen for a savepoint, which no change refers to.
    marks.roll({ generation: 3, confirmed: 0, confirmable: 1 });
    expect([...marks.frozenDirty]).toEqual([(1 << 5) | (1 << 6)]);
    expect([...marks.base]).toEqual([1 << 5]);
    expect([5, 6, 7].map((offset) => marks.isChanged(offset, 0))).toEqual([true, true, false]);
    expect([5, 6, 7].map((offset) => marks.isChanged(offset, 2))).toEqual([false, false, false]);
    marks.roll({ generation: 4, confirmed: 2, confirmable: 3 });
    expect([...marks.frozenDirty, ...marks.dirty]).toEqual([0, 0]);
    expect([...marks.base]).toEqual([(1 << 5) | (1 << 6)]);
  });
});
