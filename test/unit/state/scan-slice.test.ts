import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupedHash,
  hashOfSlot,
  mixedHash,
  partOfGroup,
} from '../../../src/state/cold/cold-record.js';
import {
  entryAt,
  firstSlice,
  isInSlice,
  nextSlice,
  positionOf,
  rangeOf,
  type Slice,
  sliceAt,
  sliceOfPart,
} from '../../../src/state/cold/scan-slice.js';
import { slotHash } from '../../../src/state/hot-index.js';

const hashes = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('slices of a scan', () => {
  it('have each record of what they are of once, in the slice and the range that tell so', () => {
    const parts = fc.option(fc.integer({ min: 0, max: 63 }));
    const slices = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(parts, slices, fc.array(hashes), (part, count, all) => {
        const whole = sliceOfPart(part);
        const seen: number[] = [];
        let next: Slice | null = firstSlice(whole, count);
        let slicesSeen = 0;
        for (; next !== null; next = nextSlice(next, whole), slicesSeen++) {
          const slice: Slice = next;
          const { from, to } = rangeOf(slice);
          for (const hash of all.map(mixedHash)) {
            expect(hash >= from && hash < to).toBe(isInSlice(slice, hash));
            if (isInSlice(slice, hash)) seen.push(hash);
          }
          const position = positionOf(slice, 77);
          expect(sliceAt(position)).toEqual(slice);
          expect(entryAt(position)).toBe(77);
        }
        expect(slicesSeen).toBeGreaterThanOrEqual(Math.min(count, 1024));
        const wanted = all.map(mixedHash).filter((hash) => isInSlice(whole, hash));
        expect(seen.toSorted()).toEqual(wanted.toSorted());
      }),
      { numRuns: 20 },
    );
  });
});

describe('the order of records with groups', () => {
  it('has those of a group in one part, by their hashes', () => {
    const groups = fc.oneof(hashes, fc.double());
    fc.assert(
      fc.property(hashes, hashes, groups, (a, b, group) => {
        expect(hashOfSlot(slotHash(a))).toBe(a);
        const [first, second] = [a, b].map((hash) => mixedHash(groupedHash(hash, group)));
        expect([first >>> 26, second >>> 26]).toEqual([partOfGroup(group), partOfGroup(group)]);
        const isSmaller = mixedHash(a) >>> 6 < mixedHash(b) >>> 6;
        expect(first < second).toBe(isSmaller);
      }),
    );
  });
});
