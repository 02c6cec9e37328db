import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import { SEGMENT_TRAILER, SegmentMemory } from '../../../src/state/segment-memory.js';

const wordsOf = (slots: number): number => 2 * slots + SEGMENT_TRAILER;

describe('SegmentMemory', () => {
  it('never gives two segments the same memory, and only zeros', () => {
    const random = new SeededRandom(11);
    const memory = new SegmentMemory();
    const taken: { segment: Int32Array; mark: number }[] = [];
    for (let step = 1; step <= 5000; step++) {
      if (taken.length > 0 && random.below(5) < 2) {
        const [{ segment, mark }] = taken.splice(random.below(taken.length), 1);
        expect(segment.every((word) => word === mark)).toBe(true);
        memory.give(segment);
        continue;
      }
      const slots = 16 << random.below(8);
      const segment = memory.take(slots);
      expect(segment).toHaveLength(wordsOf(slots));
      expect(segment.every((word) => word === 0)).toBe(true);
      taken.push({ segment: segment.fill(step), mark: step });
    }
    for (const { segment, mark } of taken) {
      expect(segment.every((word) => word === mark)).toBe(true);
    }
    const inUse = taken.reduce((sum, { segment }) => sum + segment.byteLength, 0);
    expect(memory.heldBytes).toBeGreaterThanOrEqual(inUse);
  });

  it('makes one piece again of neighbours that were given back, in whatever order', () => {
    const random = new SeededRandom(5);
    const memory = new SegmentMemory();
    memory.give(memory.take(1 << 16));
    const { heldBytes } = memory;
    for (let round = 0; round < 20; round++) {
      const segments = Array.from({ length: 256 }, () => memory.take(256));
      while (segments.length > 0) memory.give(segments.splice(random.below(segments.length), 1)[0]);
      const whole = memory.take(1 << 16);
      expect(memory.heldBytes).toBe(heldBytes);
      memory.give(whole);
    }
  });

  it('leaves next to nothing behind when many segments double one after the other', () => {
    const memory = new SegmentMemory();
    const groups = Array.from({ length: 64 }, () => memory.take(16));
    for (let slots = 32; slots <= 1 << 14; slots *= 2) {
      for (let group = 0; group < groups.length; group++) {
        const before = groups[group];
        groups[group] = memory.take(slots);
        memory.give(before);
      }
    }
    const inUse = 64 * wordsOf(1 << 14) * 4;
    expect(memory.heldBytes).toBeLessThan(1.15 * inUse);
  });

  it('keeps small tables small and gives back segments larger than a slab', () => {
    const memory = new SegmentMemory();
    const small = memory.take(256);
    expect(memory.heldBytes).toBe(small.byteLength);
    const large = memory.take(1 << 17);
    expect(memory.heldBytes).toBe(small.byteLength + large.byteLength);
    memory.give(large);
    expect(memory.heldBytes).toBe(small.byteLength);
    memory.clear();
    expect(memory.heldBytes).toBe(0);
  });
});
