import { describe, expect, it } from 'vitest';
import { RECORD_HEADER, RECORD_LENGTH, TOMBSTONE } from '../../../src/state/cold/cold-record.js';
import { DueKeys } from '../../../src/state/cold/key-log.js';
import { MemoryScratch } from '../../contract/memory-scratch.js';

const BYTES = RECORD_HEADER + 100;

function opened(disk = new MemoryScratch()) {
  const log = new DueKeys({
    disk,
    directory: '',
    write(entry, out) {
      const start = out.length;
      out.reserve(BYTES);
      out.view.setUint32(start + RECORD_LENGTH, BYTES | TOMBSTONE, true);
      out.view.setInt32(start + RECORD_HEADER, entry, true);
      out.length += BYTES;
    },
    find: ({ view, at }) => view.getInt32(at + RECORD_HEADER, true),
  });
  return { disk, log };
}

describe('keys with times', () => {
  it('are given once each when their time has come, though most are on disk and some are added meanwhile', () => {
    const { disk, log } = opened();
    const seen: number[] = [];
    const takeUpTo = (timeMs: number): void => {
      while (log.firstMs <= timeMs) log.take(timeMs, 7, (entry) => seen.push(entry));
    };
    for (let key = 0; key < 5000; key++) log.add(key, (key * 7919) % 5000);
    expect(disk.open).toBe(1);
    expect(log.firstMs).toBe(0);
    takeUpTo(-1);
    expect(seen).toEqual([]);
    takeUpTo(1999);
    expect(seen).toHaveLength(2000);
    expect(seen.every((key) => (key * 7919) % 5000 < 2000)).toBe(true);
    log.take(2500, 7, (entry) => seen.push(entry));
    log.add(9000, 2100);
    takeUpTo(9999);
    expect(seen.toSorted((a, b) => a - b)).toEqual([...Array(5000).keys(), 9000]);
    expect(log.firstMs).toBe(Number.POSITIVE_INFINITY);
    log.close();
    expect(disk.open).toBe(0);
  });

  it('fail by name when what was written has changed', () => {
    const disk = new MemoryScratch();
    const createScratch = disk.createScratch.bind(disk);
    disk.createScratch = () => {
      const file = createScratch();
      const read: typeof file.read = (target, offset, length, position) => {
        const count = file.read(target, offset, length, position);
        target[offset + 40] ^= 1;
        return count;
      };
      return { ...file, read };
    };
    const { log } = opened(disk);
    for (let key = 0; key < 1000; key++) log.add(key, key);
    const corrupt = expect.objectContaining({ code: 'RUN_CORRUPT' });
    expect(() => log.take(10, 1, () => undefined)).toThrow(corrupt);
    log.close();
  });
});
