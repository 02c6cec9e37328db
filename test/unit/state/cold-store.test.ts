import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { BITS_MAX, BITS_MIN, ColdFilter } from '../../../src/state/cold/cold-filter.js';
import { MergedRuns } from '../../../src/state/cold/cold-merge.js';
import {
  mixedHash,
  RECORD_HEADER,
  RECORD_KEY_BYTES,
  RecordBuffer,
} from '../../../src/state/cold/cold-record.js';
import { ColdCursor, ColdRunWriter, WHOLE_RANGE } from '../../../src/state/cold/cold-run.js';
import { ColdStore } from '../../../src/state/cold/cold-store.js';
import { keyStartOf } from '../../../src/state/cold/record-code.js';
import { tableShape } from '../../../src/state/table-shape.js';
import type { ScratchDisk } from '../../../src/storage/scratch-files.js';
import { MemoryScratch } from '../../contract/memory-scratch.js';

/** Whole numbers below a bound, the same for the same seed. */
function randomBelow(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const RECORD_BYTES = RECORD_HEADER + 8;

/** Appends a record whose key is its hash; gives where it begins. */
function append(buffer: RecordBuffer, hash: number, value: number): number {
  const start = buffer.length;
  buffer.reserve(RECORD_BYTES);
  const { view } = buffer;
  view.setInt32(start, hash, true);
  view.setUint32(start + 4, RECORD_BYTES, true);
  view.setUint32(start + RECORD_KEY_BYTES, 4, true);
  view.setInt32(start + RECORD_HEADER, hash, true);
  view.setInt32(start + RECORD_HEADER + 4, value, true);
  buffer.length += RECORD_BYTES;
  return start;
}

function storeOn(disk: ScratchDisk): ColdStore {
  const owner = { generation: 1, base: 0, bringIn: () => -1 };
  return new ColdStore({ disk, directory: '', budgetBytes: 1 << 20 }, owner, RECORD_HEADER);
}

function put(store: ColdStore, hashes: readonly number[], value: number): void {
  for (const hash of hashes) store.collected(append(store.buffer, hash, value), hash);
  store.putAside();
}

/** Damages what was read. */
function changed(bytes: Uint8Array): number {
  bytes.set([(bytes.at(40) ?? 0) ^ 1], 40);
  return bytes.length;
}

const upTo = (count: number): readonly number[] => [...Array(count).keys()];

describe('a filter', () => {
  it('knows what was added, and little else', () => {
    const filter = new ColdFilter(10_000, BITS_MAX);
    for (const key of upTo(10_000)) filter.add(mixedHash(key));
    expect(upTo(10_000).every((key) => filter.mayContain(mixedHash(key)))).toBe(true);
    const wrong = upTo(10_000).filter((key) => filter.mayContain(mixedHash(key + 1e6)));
    expect(wrong.length).toBeLessThan(300);
  });

  it('keeps most others out with the fewest bits too', () => {
    const filter = new ColdFilter(10_000, BITS_MIN);
    for (const key of upTo(10_000)) filter.add(mixedHash(key));
    expect(upTo(10_000).every((key) => filter.mayContain(mixedHash(key)))).toBe(true);
    const wrong = upTo(10_000).filter((key) => filter.mayContain(mixedHash(key + 1e6)));
    expect(wrong.length).toBeLessThan(4500);
  });
});

describe('a run', () => {
  const hashes = upTo(5000).toSorted((a, b) => mixedHash(a) - mixedHash(b));

  it('gives its records in order, from any of them on, and tells damage', () => {
    const buffer = new RecordBuffer();
    let damage = false;
    const disk = new MemoryScratch();
    const file = disk.createScratch();
    const writer = new ColdRunWriter({
      file: {
        ...file,
        read: (target, offset, length, position) => {
          const count = file.read(target, offset, length, position);
          if (damage) target[offset + count - 1] = (target[offset + count - 1] ?? 0) ^ 1;
          return count;
        },
      },
      entriesMax: hashes.length,
      blockBytes: 256,
      filterBits: 0,
    });
    for (const hash of hashes) {
      const start = append(buffer, hash, hash);
      writer.add(buffer.words, start, start + RECORD_BYTES, mixedHash(hash));
    }
    const run = writer.finish({ since: 1, until: 1 });
    if (run === null) return expect.unreachable();
    const from = mixedHash(hashes[1234] ?? 0);
    const seen: number[] = [];
    for (const at = new ColdCursor(run, { from, to: 2 ** 32 }); at.mixed !== Infinity; at.next()) {
      seen.push(at.view.getInt32(at.at, true));
    }
    expect(seen).toEqual(hashes.slice(1234));
    damage = true;
    expect(() => new ColdCursor(run)).toThrow(expect.objectContaining({ code: 'RUN_CORRUPT' }));
  });
});

describe('a cold store', () => {
  it('finds the newest record of each key, also when runs have been merged, and closes all files', () => {
    const disk = new MemoryScratch();
    const store = storeOn(disk);
    const newest = new Map<number, number>();
    for (let round = 0; round < 40; round++) {
      const hashes = upTo(300).filter((hash) => (hash * 7 + round) % 5 === 0);
      for (const hash of hashes) newest.set(hash, round);
      put(store, hashes, round);
      store.work();
    }
    expect(disk.open).toBeLessThan(25);
    for (const [hash, round] of newest) {
      expect(store.first(hash)).toBe(true);
      expect(store.view.getInt32(store.at + RECORD_HEADER + 4, true)).toBe(round);
    }
    expect(store.first(1000)).toBe(false);
    const merged: MergedRuns = store.mergedIn(WHOLE_RANGE);
    let keys = 0;
    while (merged.next()) {
      const { view, at } = merged.record;
      expect(view.getInt32(at + RECORD_HEADER + 4, true)).toBe(newest.get(view.getInt32(at, true)));
      keys++;
    }
    expect(keys).toBe(newest.size);
    store.clear();
    expect(disk.open).toBe(0);
  });

  it.each([
    ['changed', changed],
    ['cut off', () => 0],
  ])('fails a look-up and a merge by name when what was written is %s', (_, damage) => {
    const disk = new MemoryScratch();
    let isDamaged = false;
    const store = storeOn({
      createScratch: () => {
        const file = disk.createScratch();
        const read: typeof file.read = (target, offset, length, position) => {
          const count = file.read(target, offset, length, position);
          return isDamaged ? damage(target.subarray(offset, offset + count)) : count;
        };
        return { ...file, read };
      },
    });
    for (let run = 0; run < 3; run++) put(store, upTo(300), run);
    isDamaged = true;
    const corrupt = expect.objectContaining({ code: 'RUN_CORRUPT' });
    expect(() => store.first(7)).toThrow(corrupt);
    expect(() => store.mergedIn(WHOLE_RANGE)).toThrow(corrupt);
    isDamaged = false;
    // Nothing of what was damaged is kept.
    expect(store.first(7)).toBe(true);
    expect(store.view.getInt32(store.at + RECORD_HEADER + 4, true)).toBe(2);
    store.clear();
    expect(disk.open).toBe(0);
  });

  it('reads little more than once for a key that it has, with little room for filters', () => {
    const keys = 200_000;
    let reads = 0;
    const counting: ScratchDisk = {
      createScratch: () => {
        const file = nodeDisk.createScratch(tmpdir());
        const read: typeof file.read = (...where) => {
          reads++;
          return file.read(...where);
        };
        return {
          read,
          write: (bytes) => file.write(bytes),
          bytes: () => file.bytes(),
          sync: () => file.sync(),
          close: () => file.close(),
        };
      },
    };
    const store = storeOn(counting);
    const below = randomBelow(7);
    for (let from = 0; from < keys; from += 2000) {
      put(
        store,
        upTo(2000).map((at) => from + at),
        0,
      );
      store.work();
    }
    let most = 0;
    for (let round = 1; round < 40; round++) {
      put(store, [...new Set(upTo(2000).map(() => below(keys)))], round);
      store.work();
      reads = 0;
      for (let look = 0; look < 500; look++) expect(store.first(below(keys))).toBe(true);
      most = Math.max(most, reads / 500);
    }
    expect(most).toBeLessThan(1.5);
    store.clear();
  });
});

describe('a record', () => {
  it('has its time stamp before its key where its table has a time to live', () => {
    const spec = { name: 't', keys: [{ kind: 'number' }], columns: [], ttlMs: null } as const;
    expect(keyStartOf(tableShape(spec, 4))).toBe(RECORD_HEADER);
    expect(keyStartOf(tableShape({ ...spec, ttlMs: 5 }, 4))).toBe(RECORD_HEADER + 8);
  });
});
