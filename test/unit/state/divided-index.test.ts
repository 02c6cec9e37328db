import { describe, expect, it } from 'vitest';
import { DividedIndex } from '../../../src/state/divided-index.js';

/** An index with one entry in each of the divisions, by its number. */
function divided(...divisions: readonly number[]): DividedIndex {
  const index = new DividedIndex();
  for (const [entry, division] of divisions.entries()) {
    index.enter(division);
    index.index.insert(7, entry + 1, 1);
  }
  return index;
}

describe('DividedIndex', () => {
  it('has an index for each division, and gives the same one again', () => {
    const index = divided(10, 20);
    const ofLast = index.index;
    index.enter(10);
    expect(index.index).not.toBe(ofLast);
    expect([index.division, index.index.entries]).toEqual([10, 1]);
    index.enter(20);
    expect(index.index).toBe(ofLast);
  });

  it('takes memory for divisions with entries only', () => {
    const one = divided(10).bytes;
    const index = divided(10, 20);
    expect(index.bytes).toBe(2 * one);
    index.remove(20, 7, 1);
    index.remove(30, 7, 1);
    expect([index.bytes, index.division]).toEqual([one, Number.NaN]);
    index.leave(10);
    expect(index.bytes).toBe(0);
  });

  it('gives the memory of divisions with many entries to the next ones, of two at most', () => {
    const fill = (index: DividedIndex, division: number): void => {
      index.enter(division);
      for (let entry = 0; entry < 2000; entry++) index.index.insert(entry, entry + 1, 1);
    };
    const index = new DividedIndex();
    for (const division of [10, 20, 30]) fill(index, division);
    const { bytes } = index;
    for (const division of [10, 20, 30]) index.leave(division);
    expect(index.bytes).toBe((bytes / 3) * 2);
    for (const division of [40, 50]) {
      fill(index, division);
      expect(index.index.entries).toBe(2000);
    }
    expect(index.bytes).toBe((bytes / 3) * 2);
    index.empty();
    index.enter(60);
    expect(index.index.entries).toBe(0);
    index.clear();
    expect(index.bytes).toBe(0);
  });

  it('makes an index anew for a division that was left or cleared', () => {
    for (const forget of [
      (index: DividedIndex) => index.leave(10),
      (index: DividedIndex) => index.clear(),
    ]) {
      const index = divided(10);
      const before = index.index;
      forget(index);
      expect(index.division).toBeNaN();
      index.flag(10, 7, 0, 0x40000000, 0);
      index.enter(10);
      expect(index.index).not.toBe(before);
      expect(index.index.entries).toBe(0);
    }
  });
});
