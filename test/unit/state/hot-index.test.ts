import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import {
  HotIndex,
  SEGMENT_GENERATION,
  SEGMENT_MASK_OFFSET,
  slotHash,
  StagedEntries,
  WORD_DIRECT,
  WORD_ENTRY,
  WORD_REMOVED,
  WORD_TOUCHED,
} from '../../../src/state/hot-index.js';
import { BLOCK_MASK, BLOCK_SHIFT, NO_BLOCK } from '../../../src/state/key-blocks.js';

/** The entries that a look-up would meet under a hash, in any order; those flagged as removed too. */
function lookUp(index: HotIndex, hash: number): readonly number[] {
  return wordsOf(index, hash).map((word) => (word & WORD_ENTRY) - 1);
}

/** The word of a key that is its own hash, looked for as look-ups do: in its block only, if it has one. */
function wordOf(index: HotIndex, key: number): number {
  const block = index.blocks[key >>> BLOCK_SHIFT] ?? NO_BLOCK;
  if (block !== NO_BLOCK) return block[key & BLOCK_MASK];
  return wordsOf(index, key).find((word) => word < 0) ?? 0;
}

function hasBlock(index: HotIndex, key: number): boolean {
  return (index.blocks[key >>> BLOCK_SHIFT] ?? NO_BLOCK) !== NO_BLOCK;
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

  it('keeps keys that lie close together in blocks, in half of the memory, and others in segments', () => {
    const [close, far] = [new HotIndex(), new HotIndex()];
    for (let entry = 0; entry < 200_000; entry++) {
      close.insert(entry * 2, (entry + 1) | WORD_DIRECT, 1);
      far.insert(entry * 1000, (entry + 1) | WORD_DIRECT, 1);
    }
    expect([hasBlock(close, 0), hasBlock(close, 399_999)]).toEqual([true, true]);
    expect([hasBlock(far, 0), hasBlock(far, 199_999_000)]).toEqual([false, false]);
    expect(close.bytes).toBeLessThan(far.bytes * 0.7);
    for (let entry = 0; entry < 200_000; entry += 7) {
      const word = (entry + 1) | WORD_DIRECT | WORD_TOUCHED;
      expect([wordOf(close, entry * 2), wordOf(far, entry * 1000)]).toEqual([word, word]);
      expect(wordOf(close, entry * 2 + 1)).toBe(0);
    }
    close.clear();
    expect(close.bytes).toBeLessThan(16);
  });

  it('gives the first ranges a block for few keys, and the others once these pay for it', () => {
    const index = new HotIndex();
    const ranges = 300;
    const keyOf = (entry: number): number => {
      const at = Math.floor(entry / ranges);
      return ((entry % ranges) << BLOCK_SHIFT) + at * 3;
    };
    const perRange = 300;
    for (let entry = 0; entry < ranges * perRange; entry++) {
      index.insert(keyOf(entry), (entry + 1) | WORD_DIRECT, 1);
    }
    const blocks = index.blocks.filter((block) => block !== NO_BLOCK);
    expect(blocks.length).toBe(256);
    for (let entry = 0; entry < ranges * perRange; entry += 11) {
      expect((wordOf(index, keyOf(entry)) & WORD_ENTRY) - 1).toBe(entry);
    }
    for (let key = 1; key < 1 << BLOCK_SHIFT; key += 3) {
      index.insert((290 << BLOCK_SHIFT) + key, (ranges * perRange + key) | WORD_DIRECT, 1);
    }
    expect(hasBlock(index, 290 << BLOCK_SHIFT)).toBe(true);
  });

  it('finds large keys that lie close together, once there are as many entries as ranges before them', () => {
    const index = new HotIndex();
    const first = 40_000_000;
    for (let entry = 0; entry < 50_000; entry++) {
      index.insert(first + entry, (entry + 1) | WORD_DIRECT, 1);
    }
    expect(hasBlock(index, first + 49_999)).toBe(true);
    for (let entry = 0; entry < 50_000; entry += 7) {
      expect((wordOf(index, first + entry) & WORD_ENTRY) - 1).toBe(entry);
    }
  });

  it('agrees with a Map over keys in blocks and beside them, which come and go', () => {
    const random = new SeededRandom(5);
    const index = new HotIndex();
    const model = new Map<number, { readonly key: number; word: number }>();
    const byKey = new Map<number, number>();
    let keys = 6000;
    for (let step = 0; step < 200_000; step++) {
      // First most come, then most go.
      if (step === 100_000) keys = 300;
      const entry = random.below(12_000);
      const known = model.get(entry);
      if (known !== undefined && random.below(4) === 0) {
        index.flag(known.key, entry, WORD_REMOVED, 0);
        known.word |= WORD_REMOVED;
      } else if (known !== undefined) {
        index.remove(known.key, entry);
        model.delete(entry);
        if (byKey.get(known.key) === entry) byKey.delete(known.key);
      } else {
        const key = random.below(keys);
        // Another key may have the same hash, such as one that is larger by 2^32.
        const isOwn = !byKey.has(key) && random.below(10) > 0;
        const word = isOwn ? (entry + 1) | WORD_DIRECT : entry + 1;
        index.insert(key, word, 1);
        model.set(entry, { key, word: word | WORD_TOUCHED });
        if (isOwn) byKey.set(key, entry);
      }
      if (step % 1000 === 0) expect(index.entries).toBe(model.size);
    }
    for (const [entry, { key, word }] of model) {
      if (word < 0) expect(wordOf(index, key) & ~WORD_TOUCHED).toBe(word & ~WORD_TOUCHED);
      else expect(lookUp(index, key)).toContain(entry);
    }
    for (let key = 0; key < 6000; key++) expect(wordOf(index, key) !== 0).toBe(byKey.has(key));
    for (const [entry, { key }] of model) index.remove(key, entry);
    expect([index.entries, index.blocks.some((block) => block !== NO_BLOCK)]).toEqual([0, false]);
  });

  it('says of keys that move into a block or out of it no more than is known', () => {
    const index = new HotIndex();
    const insert = (keys: number, generation: number): void => {
      for (let key = index.entries; key < keys; key++) {
        index.insert(key, (key + 1) | WORD_DIRECT, generation);
      }
    };
    insert(100, 1);
    insert(500, 2);
    const [block] = index.blocks;
    // Those of the segment had been touched in this generation as far as it says.
    expect(block[block.length - SEGMENT_GENERATION]).toBe(2);
    expect([wordOf(index, 99), wordOf(index, 499)].map((word) => word & WORD_TOUCHED)).toEqual([
      0,
      WORD_TOUCHED,
    ]);
    index.openGeneration(block, 3);
    expect(wordOf(index, 499) & WORD_TOUCHED).toBe(0);
    insert(501, 3);
    for (let key = 0; key < 490; key++) index.remove(key, key);
    expect(hasBlock(index, 0)).toBe(false);
    for (let key = 490; key < 501; key++) expect((wordOf(index, key) & WORD_ENTRY) - 1).toBe(key);
    expect([wordOf(index, 499) & WORD_TOUCHED, wordOf(index, 0)]).toEqual([0, 0]);
  });

  it('keeps its blocks for as many keys again when it is emptied', () => {
    const index = new HotIndex();
    const fill = (): void => {
      for (let entry = 0; entry < 10_000; entry++) {
        index.insert(entry, (entry + 1) | WORD_DIRECT, 1);
      }
    };
    fill();
    const { bytes } = index;
    index.empty();
    expect([index.entries, index.bytes, wordOf(index, 0), wordOf(index, 9999)]).toEqual([
      0,
      bytes,
      0,
      0,
    ]);
    fill();
    expect([index.entries, index.bytes]).toEqual([10_000, bytes]);
    expect((wordOf(index, 9999) & WORD_ENTRY) - 1).toBe(9999);
    for (let entry = 0; entry < 10_000; entry++) index.remove(entry, entry);
    expect([index.entries, wordOf(index, 9999)]).toEqual([0, 0]);
  });

  it('takes many keys at once into blocks as well as into segments', () => {
    const index = new HotIndex();
    const keyOf = (entry: number): number => (entry % 3 === 0 ? entry * 1_000_003 : entry) | 0;
    for (let from = 0; from < 60_000; from += 20_000) {
      const staged = new StagedEntries(20_000);
      for (let at = 0; at < 20_000; at++) {
        staged.hashes[at] = keyOf(from + at);
        staged.words[at] = (from + at + 1) | WORD_DIRECT;
      }
      staged.count = 20_000;
      index.insertAll(staged);
    }
    expect([index.entries, hasBlock(index, 1), hasBlock(index, 59_999)]).toEqual([
      60_000,
      true,
      true,
    ]);
    for (let entry = 0; entry < 60_000; entry++) {
      if (entry % 7 === 0) expect((wordOf(index, keyOf(entry)) & WORD_ENTRY) - 1).toBe(entry);
      index.remove(keyOf(entry), entry);
    }
    expect(index.entries).toBe(0);
  });
});
