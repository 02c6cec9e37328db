import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import { EntryArena } from '../../../src/storage/entry-arena.js';
import { keyOf, type RunCursor, valueOf } from '../../../src/storage/run-cursor.js';
import { RunSorter } from '../../../src/storage/run-sorter.js';
import { SimDisk } from '../../simulation/sim-disk.js';

type Entry = readonly [string, string];

const KIB = 1024;
const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('latin1');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Many keys alike, or alike at their beginning, or with zeros at their end. */
const key = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
  fc.nat({ max: 3 }).map((last) => Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, last])),
);

function entriesOf(cursor: RunCursor): readonly Entry[] {
  const found: Entry[] = [];
  for (; !cursor.isDone; cursor.next())
    found.push([textOf(keyOf(cursor)), textOf(valueOf(cursor))]);
  return found;
}

/** Stable, by bytes. */
const sorted = (entries: readonly Entry[]): readonly Entry[] =>
  entries.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));

/** Whether there was room. */
function add(arena: EntryArena, key: string, value: string): boolean {
  const at = arena.claim(bytesOf(key), key.length, value.length);
  if (at >= 0) arena.bytes.set(bytesOf(value), at);
  return at >= 0;
}

function sorterOn(disk: SimDisk, budgetBytes: number): RunSorter {
  disk.makeDirectory('/sort');
  return new RunSorter({ disk, directory: '/sort', budgetBytes });
}

describe('EntryArena', () => {
  it('gives entries in order, those of equal keys as they came, and finds any key', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), fc.array(key), (keys, probes) => {
        const arena = new EntryArena(64 * KIB);
        const entries = keys.map((each, index): Entry => [textOf(each), `${index}`]);
        for (const [each, text] of entries) {
          expect(add(arena, each, text)).toBe(true);
        }
        const wanted = sorted(entries);
        expect(entriesOf(arena.sorted())).toEqual(wanted);
        const cursor = arena.sorted();
        for (const probe of probes) {
          cursor.seek(probe);
          expect(entriesOf(cursor)).toEqual(wanted.filter(([each]) => each >= textOf(probe)));
        }
        arena.clear();
        expect(arena.sorted().isDone).toBe(true);
      }),
    );
  });

  it('takes what fits and no more', () => {
    const arena = new EntryArena(64 * KIB);
    let entries = 0;
    while (add(arena, String(entries), ' '.repeat(50))) entries++;
    expect(entries).toBeGreaterThan((64 * KIB) / (8 + 4 + 50 + 20) - 3);
    expect(entriesOf(arena.sorted())).toHaveLength(entries);
    expect(add(arena, String(entries), ' '.repeat(50))).toBe(false);
    expect(add(arena, '', '')).toBe(true);
  });
});

describe('RunSorter', () => {
  it.each([
    [10, 0],
    [2_000, 1],
    [110_000, 65],
  ])('sorts %d entries with at least %d files in between, and removes them', (count, filesMin) => {
    const random = new SeededRandom(count);
    const disk = new SimDisk();
    const sorter = sorterOn(disk, 64 * KIB);
    const entries = Array.from(
      { length: count },
      (_, index): Entry => [`key ${random.below(count / 2)}`, `${index}`],
    );
    let files = 0;
    for (const [each, text] of entries) {
      sorter.add(bytesOf(each), bytesOf(text));
      files = Math.max(files, disk.list('/sort').length);
    }
    expect(files).toBeGreaterThanOrEqual(filesMin);
    expect(entriesOf(sorter.sorted())).toEqual(sorted(entries));
    expect(disk.list('/sort').length).toBeLessThanOrEqual(64);
    expect(sorter.spilledBytes > 0).toBe(filesMin > 0);
    sorter.close();
    expect(disk.list('/sort')).toEqual([]);
  });

  it('refuses an entry that no memory would do for', () => {
    const sorter = sorterOn(new SimDisk(), 64 * KIB);
    sorter.add(bytesOf('a'), bytesOf('1'));
    expect(() => sorter.add(bytesOf('b'), new Uint8Array(64 * KIB))).toThrow(
      expect.objectContaining({ code: 'RECORD_TOO_LARGE' }),
    );
  });

  it('says that the disk is full, and leaves nothing behind', () => {
    const disk = new SimDisk();
    const sorter = sorterOn(disk, 64 * KIB);
    disk.capacity = 20_000;
    expect(() => {
      for (let index = 0; index < 20_000; index++) {
        sorter.add(bytesOf(String(index)), new Uint8Array(8).fill(index));
      }
    }).toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
    sorter.close();
    expect(disk.list('/sort')).toEqual([]);
  });
});
