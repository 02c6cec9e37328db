import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import {
  HotIndex,
  SEGMENT_MASK_OFFSET,
  slotHash,
  StagedEntries,
  WORD_ENTRY,
  WORD_REMOVED,
  WORD_TOUCHED,
} from '../../../src/state/hot-index.js';

/** The entries that a look-up would meet under a hash, in any order; those flagged as removed too. */
function lookUp(index: HotIndex, hash: number): readonly number[] {
  return wordsOf(index, hash).map((word) => (word & WORD_ENTRY) - 1);
}

function wordsOf(index: HotIndex, hash: number): readonly number[] {
  const mixed = slotHash(hash);
  const segment = index.segments[(mixed >>> 1) >>> index.shift];
  const mask = segment.length - SEGMENT_MASK_OFFSET;
  const found: number[] = [];
  let slot = (mixed << 1) & mask;
  while (segment[slot + 1] !== 0) {
    if (segment[slot] === hash) found.push(segment[slot + 1]);
    slot = (slot + 2) & mask;
  }
  return found;
}

describe('HotIndex', () => {
  it('takes no memory without entries', () => {
    const index = new HotIndex();
    expect(index.bytes).toBeLessThan(16);
    expect(lookUp(index, 5)).toEqual([]);
    index.insert(5, 1, 1);
    expect(lookUp(index, 5)).toEqual([0]);
    expect(index.bytes).toBeLessThan(256);
    index.clear();
    expect(index.bytes).toBeLessThan(16);
    expect(lookUp(index, 5)).toEqual([]);
  });

  it('keeps memory when it is emptied for about as many entries again, whatever the generation', () => {
    const index = new HotIndex();
    const fill = (count: number, generation: number): void => {
      for (let entry = 0; entry < count; entry++) index.insert(entry, entry + 1, generation);
    };
    fill(200_000, 1);
    const { bytes } = index;
    index.empty();
    expect([index.entries, index.bytes, lookUp(index, 5)]).toEqual([0, bytes, []]);
    fill(200_000, 2);
    expect([index.entries, index.bytes]).toEqual([200_000, bytes]);
    expect(wordsOf(index, 199_999)).toEqual([200_000 | WORD_TOUCHED]);
    index.empty();
    fill(10, 2);
    index.empty();
    expect(index.bytes).toBeLessThan(16);
  });

  it('finds every entry while it grows far beyond one segment, never slowly', () => {
    const index = new HotIndex();
    const count = 300_000;
    for (let entry = 0; entry < count; entry++) index.insert(Math.imul(entry, 31), entry + 1, 1);
    for (let entry = 0; entry < count; entry += 17) {
      expect(lookUp(index, Math.imul(entry, 31))).toEqual([entry]);
    }
    expect(index.segments.length).toBeGreaterThanOrEqual(8);
    // No segment is larger than 64 K slots, so no step moves more than that.
    expect(Math.max(...index.segments.map((segment) => segment.length))).toBeLessThan(2 ** 17 + 8);
  });

  it('splits one segment again and again while the others stay as they are', () => {
    const index = new HotIndex();
    // All of these hashes begin alike once they are spread.
    const alike: number[] = [];
    for (let hash = 0; alike.length < 150_000; hash++) {
      if (slotHash(hash) >>> 29 === 5) alike.push(hash);
    }
    for (const [entry, hash] of alike.entries()) index.insert(hash, entry + 1, 1);
    const segments = new Set(index.segments);
    expect(index.segments.length).toBeGreaterThan(segments.size);
    for (let entry = 0; entry < alike.length; entry += 7) {
      expect(lookUp(index, alike[entry])).toEqual([entry]);
    }
    for (let hash = 0; hash < 1000; hash++) {
      expect(lookUp(index, hash)).toEqual(slotHash(hash) >>> 29 === 5 ? [alike.indexOf(hash)] : []);
    }
  });

  it('keeps going when very many hashes are the same', () => {
    const index = new HotIndex();
    for (let entry = 0; entry < 3000; entry++) index.insert(42, entry + 1, 1);
    for (let entry = 3000; entry < 6000; entry++) index.insert(entry, entry + 1, 1);
    expect(lookUp(index, 42)).toHaveLength(3000);
    expect(lookUp(index, 5000)).toEqual([5000]);
  });

  it('agrees with a Map over random inserts and removals', () => {
    const random = new SeededRandom(3);
    const index = new HotIndex();
    const model = new Map<number, number>();
    for (let step = 0; step < 60_000; step++) {
      const entry = random.below(2000);
      const known = model.get(entry);
      if (known === undefined) {
        const hash = random.below(500);
        index.insert(hash, entry + 1, 1);
        model.set(entry, hash);
      } else {
        index.remove(known, entry);
        model.delete(entry);
      }
    }
    for (let hash = 0; hash < 500; hash++) {
      const alike = [...model].flatMap(([entry, at]) => (at === hash ? [entry] : []));
      expect([...lookUp(index, hash)].sort((a, b) => a - b)).toEqual(alike.sort((a, b) => a - b));
    }
  });

  it('sets and clears flags of one entry of several with the same hash', () => {
    const index = new HotIndex();
    index.insert(1, 1, 1);
    index.insert(1, 2, 1);
    index.flag(1, 1, WORD_REMOVED, 0);
    expect(wordsOf(index, 1)).toEqual([1 | WORD_TOUCHED, 2 | WORD_TOUCHED | WORD_REMOVED]);
    index.flag(1, 1, 0, WORD_REMOVED);
    expect(wordsOf(index, 1)).toEqual([1 | WORD_TOUCHED, 2 | WORD_TOUCHED]);
  });

  it('opens a generation for large segments bit by bit, for small ones at once', () => {
    const index = new HotIndex();
    const flagOf = (hash: number): number => {
      const mixed = slotHash(hash);
      const segment = index.segments[(mixed >>> 1) >>> index.shift];
      const slot = Array.from({ length: segment.length / 2 - 2 }, (_, at) => 2 * at).find(
        (at) => segment[at] === hash && segment[at + 1] !== 0,
      );
      return segment[(slot ?? 0) + 1] & WORD_TOUCHED;
    };
    index.insert(1, 2, 1);
    expect(flagOf(1)).toBe(WORD_TOUCHED);
    index.openGeneration(index.segments[0], 2);
    expect(flagOf(1)).toBe(0);
    for (let hash = 2; hash < 20_000; hash++) index.insert(hash, hash + 1, 2);
    const [segment] = index.segments;
    expect(flagOf(19_999)).toBe(WORD_TOUCHED);
    let calls = 0;
    while (flagOf(19_999) !== 0 && calls < 100_000) {
      index.openGeneration(segment, 3);
      calls++;
    }
    expect(calls).toBeGreaterThan(100);
    expect(calls).toBeLessThan(2000);
    // What is inserted before that is not taken for touched.
    index.insert(30_000, 30_001, 4);
    expect(flagOf(30_000)).toBe(0);
  });

  it('takes many entries at once as well as one by one', () => {
    const [index, other] = [new HotIndex(), new HotIndex()];
    const staged = new StagedEntries(50_000);
    for (let at = 0; at < 50_000; at++) {
      // Some of them alike.
      staged.hashes[at] = at % 100 === 0 ? 7 : Math.imul(at, 2654435761);
      staged.words[at] = at + 1;
      other.insert(staged.hashes[at], at + 1, 1);
    }
    for (const end of [1, 20_000, 50_000]) {
      const part = new StagedEntries(end);
      const from = index.entries;
      part.hashes.set(staged.hashes.subarray(from, end));
      part.words.set(staged.words.subarray(from, end));
      part.count = end - from;
      index.insertAll(part);
    }
    const allWords = ({ segments }: HotIndex): readonly number[] =>
      [...new Set(segments)]
        .flatMap((segment) => [...segment.subarray(0, -4)].filter((_, at) => at % 2 === 1))
        .map((word) => word & ~WORD_TOUCHED)
        .filter((word) => word !== 0)
        .toSorted((left, right) => left - right);
    expect(allWords(index)).toEqual(allWords(other));
    expect(index.entries).toBe(50_000);
    for (let at = 0; at < 50_000; at++) index.remove(staged.hashes[at], at);
    expect([index.entries, allWords(index).length]).toEqual([0, 0]);
  });
});
