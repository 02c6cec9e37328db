import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import {
  HotIndex,
  ROUTER_LENGTH,
  SEGMENT_MASK_OFFSET,
  slotHash,
  WORD_ENTRY,
  WORD_REMOVED,
} from '../../../src/state/hot-index.js';

/** The entries that a look-up would meet under a hash, in any order. */
function lookUp(index: HotIndex, group: number, hash: number): readonly number[] {
  const mixed = slotHash(hash);
  let segment = index.groups[group];
  if (segment.length === ROUTER_LENGTH) {
    segment = index.children[segment[0] + ((mixed >>> 1) >>> segment[1])];
  }
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  const found: number[] = [];
  let slot = (mixed << 1) & mask;
  while (segment[slot + 1] !== 0) {
    if (segment[slot] === hash) found.push((segment[slot + 1] & WORD_ENTRY) - 1);
    slot = (slot + 2) & mask;
  }
  return found;
}

describe('HotIndex', () => {
  it('takes no memory for key groups without entries', () => {
    const index = new HotIndex({ start: 0, end: 32768 });
    expect(index.bytes).toBeLessThan(32768 * 17);
    index.insert(100, 5, 1);
    expect(lookUp(index, 100, 5)).toEqual([0]);
    expect(lookUp(index, 101, 5)).toEqual([]);
  });

  it('finds every entry while one key group grows far beyond one segment, never slowly', () => {
    const index = new HotIndex({ start: 7, end: 8 });
    const count = 300_000;
    let widest = 0;
    for (let entry = 0; entry < count; entry++) {
      const before = index.children.length;
      index.insert(7, Math.imul(entry, 31), entry + 1);
      widest = Math.max(widest, index.children.length - before);
    }
    for (let entry = 0; entry < count; entry += 17) {
      expect(lookUp(index, 0, Math.imul(entry, 31))).toEqual([entry]);
    }
    expect(index.entriesOf(7)).toHaveLength(count);
    // No segment is larger than 64 K slots, so no step moves more than that.
    expect(Math.max(...index.children.map((segment) => segment.length))).toBeLessThan(2 ** 17 + 8);
    expect(widest).toBeLessThan(64);
  });

  it('keeps going when very many hashes are the same', () => {
    const index = new HotIndex({ start: 0, end: 1 });
    for (let entry = 0; entry < 3000; entry++) index.insert(0, 42, entry + 1);
    for (let entry = 3000; entry < 6000; entry++) index.insert(0, entry, entry + 1);
    expect(lookUp(index, 0, 42)).toHaveLength(3000);
    expect(lookUp(index, 0, 5000)).toEqual([5000]);
  });

  it('agrees with a Map over random inserts and removals', () => {
    const random = new SeededRandom(3);
    const index = new HotIndex({ start: 0, end: 2 });
    const model = new Map<number, { group: number; hash: number }>();
    for (let step = 0; step < 60_000; step++) {
      const entry = random.below(2000);
      const known = model.get(entry);
      if (known === undefined) {
        const added = { group: random.below(2), hash: random.below(500) };
        index.insert(added.group, added.hash, entry + 1);
        model.set(entry, added);
      } else {
        index.remove(known.group, known.hash, entry);
        model.delete(entry);
      }
    }
    for (const group of [0, 1]) {
      const wanted = [...model].filter(([, at]) => at.group === group).map(([entry]) => entry);
      expect(index.entriesOf(group).sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
      for (let hash = 0; hash < 500; hash++) {
        const alike = wanted.filter((entry) => model.get(entry)?.hash === hash);
        expect([...lookUp(index, group, hash)].sort((a, b) => a - b)).toEqual(alike);
      }
    }
  });

  it('does not list entries that are flagged as removed', () => {
    const index = new HotIndex({ start: 0, end: 1 });
    index.insert(0, 1, 1);
    index.insert(0, 2, 2);
    index.flag(0, 1, 0, WORD_REMOVED, 0);
    expect(index.entriesOf(0)).toEqual([1]);
    index.flag(0, 1, 0, 0, WORD_REMOVED);
    expect(index.entriesOf(0).sort()).toEqual([0, 1]);
  });
});
