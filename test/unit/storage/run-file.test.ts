import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf, type RunCursor, valueOf } from '../../../src/storage/run-cursor.js';
import { compareBytes, runKey } from '../../../src/storage/run-key.js';
import { MergeCursor, mergeStep } from '../../../src/storage/run-merge.js';
import { RunReader } from '../../../src/storage/run-reader.js';
import { RunWriter, type RunWriterOptions } from '../../../src/storage/run-writer.js';
import { Crash, SimDisk } from '../../simulation/sim-disk.js';

type Entry = readonly [string, string | null];

/** Text with one unit for each byte, so that it compares as its bytes do. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

const key = fc
  .tuple(fc.integer({ min: -1, max: 3 }), fc.nat({ max: 2 }), fc.uint8Array({ maxLength: 6 }))
  .map(([keyGroup, state, bytes]) => textOf(runKey(keyGroup, state, bytes)));
const value = fc.option(fc.uint8Array({ maxLength: 40 }).map(textOf), { freq: 4 });
const content = fc.dictionary(key, value, { maxKeys: 120 }).map(sorted);
const settings = fc.record({
  blockBytes: fc.constantFrom(1, 40, 200, 65_536),
  compression: fc.constantFrom('lz4' as const, 'none' as const),
  hasFilter: fc.boolean(),
});

function sorted(entries: Readonly<Record<string, string | null>>): readonly Entry[] {
  return Object.entries(entries).toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function write(
  disk: SimDisk,
  path: string,
  entries: readonly Entry[],
  options: Partial<RunWriterOptions> = {},
): void {
  const writer = new RunWriter({ disk, path, ...options });
  for (const [each, text] of entries) {
    writer.add(bytesOf(each), text === null ? null : bytesOf(text));
  }
  writer.finish({ isDurable: true });
}

function entriesFrom(cursor: RunCursor): readonly Entry[] {
  const found: Entry[] = [];
  for (; !cursor.isDone; cursor.next()) {
    const bytes = valueOf(cursor);
    found.push([textOf(keyOf(cursor)), bytes === null ? null : textOf(bytes)]);
  }
  return found;
}

describe('a run file', () => {
  it('gives what was written, in order, from any key on, and by key', () => {
    fc.assert(
      fc.property(content, settings, fc.array(key), (entries, options, probes) => {
        const disk = new SimDisk();
        write(disk, '/a.run', entries, options);
        const run = new RunReader(disk, '/a.run');
        expect(run.info.entries).toBe(entries.length);
        expect(run.info.tombstones).toBe(entries.filter(([, text]) => text === null).length);
        run.verify();
        expect(entriesFrom(run.cursor())).toEqual(entries);
        const known = new Map(entries);
        const cursor = run.cursor();
        for (const probe of [...probes, ...known.keys()]) {
          const rest = entries.filter(([each]) => each >= probe);
          cursor.seek(bytesOf(probe));
          expect(entriesFrom(cursor)).toEqual(rest);
          const found = run.get(bytesOf(probe));
          expect(found == null ? found : textOf(found)).toBe(known.get(probe));
        }
        run.close();
      }),
    );
  });

  it('holds entries of any size', () => {
    const disk = new SimDisk();
    const entries: Entry[] = [0, 127, 128, 200, 16_383, 16_384, 300_000].map((bytes, index) => [
      `${index}${'k'.repeat(bytes)}`,
      'v'.repeat(bytes),
    ]);
    write(disk, '/a.run', entries);
    const run = new RunReader(disk, '/a.run');
    expect(entriesFrom(run.cursor())).toEqual(entries);
    expect(run.info.bytes).toBeLessThan(20_000);
  });

  it('takes keys only as they rise', () => {
    const writer = new RunWriter({ disk: new SimDisk(), path: '/a.run' });
    writer.add(bytesOf('b'), null);
    for (const wrong of ['b', 'a', '']) {
      expect(() => writer.add(bytesOf(wrong), null)).toThrow(
        expect.objectContaining({ code: 'ASSERTION' }),
      );
    }
    writer.add(bytesOf('b\0'), null);
  });

  it('reads no block for a key that the filter does not know', () => {
    const disk = new SimDisk();
    const entries = Array.from(
      { length: 2000 },
      (_, index): Entry => [`key ${String(index).padStart(5, '0')}`, 'value'],
    );
    write(disk, '/a.run', entries, { hasFilter: true, blockBytes: 1000 });
    const run = new RunReader(disk, '/a.run');
    disk.restart({ kind: 'kill' });
    for (let probe = 0; probe < 2000; probe++) {
      expect(run.get(bytesOf(`key ${String(probe).padStart(5, '0')}.`))).toBeUndefined();
    }
    // One in a hundred is looked for in vain.
    expect(disk.journal.length).toBeLessThan(60);
    for (const [each] of entries) expect(run.get(bytesOf(each))).toEqual(bytesOf('value'));
  });

  it('removes its file when it is given up', () => {
    const disk = new SimDisk();
    const writer = new RunWriter({ disk, path: '/a.run' });
    writer.add(bytesOf('a'), null);
    writer.abort();
    expect([...disk.files()]).toEqual([]);
  });
});

describe('the keys of a run file', () => {
  it('sort by key group, then state, then bytes', () => {
    const part = fc.tuple(
      fc.integer({ min: -1, max: 65_534 }),
      fc.nat({ max: 65_535 }),
      fc.uint8Array({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(part, part, (left, right) => {
        const [a, b] = [runKey(...left), runKey(...right)];
        const wanted =
          left[0] - right[0] || left[1] - right[1] || Buffer.compare(left[2], right[2]);
        const got = compareBytes(a, 0, a.length, b, 0, b.length);
        expect(Math.sign(got)).toBe(Math.sign(wanted));
      }),
    );
  });
});

describe('merged runs', () => {
  it('are a map that was written to run by run', () => {
    fc.assert(
      fc.property(
        fc.array(content, { maxLength: 6 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        fc.array(key, { maxLength: 5 }),
        (runs, isBase, entriesMax, probes) => {
          const disk = new SimDisk();
          const model: Record<string, string | null> = {};
          runs.forEach((entries, index) => {
            write(disk, `/${index}.run`, entries, { blockBytes: 60 });
            Object.assign(model, Object.fromEntries(entries));
          });
          const open = (): MergeCursor =>
            new MergeCursor(
              runs.map((_, index) => new RunReader(disk, `/${index}.run`).cursor()).toReversed(),
            );
          const all = sorted(model);
          expect(entriesFrom(open())).toEqual(all);
          const cursor = open();
          for (const probe of probes) {
            cursor.seek(bytesOf(probe));
            expect(entriesFrom(cursor)).toEqual(all.filter(([each]) => each >= probe));
          }
          const writer = new RunWriter({ disk, path: '/merged.run' });
          const merged = open();
          while (!mergeStep(merged, writer, { entriesMax, isBase }));
          writer.finish({ isDurable: false });
          const kept = isBase ? all.filter(([, text]) => text !== null) : all;
          expect(entriesFrom(new RunReader(disk, '/merged.run').cursor())).toEqual(kept);
        },
      ),
    );
  });
});

describe('damage to a run file', () => {
  const entries = Array.from(
    { length: 60 },
    (_, index): Entry => [
      `key ${String(index).padStart(3, '0')}`,
      index % 7 === 0 ? null : `v${index}`,
    ],
  );
  const disk = new SimDisk();
  write(disk, '/a.run', entries, { blockBytes: 200, hasFilter: true });
  write(disk, '/b.run', entries, { blockBytes: 200, hasFilter: true });
  const bytes = disk.files().get('/a.run')!;
  const corrupt = expect.objectContaining({
    code: 'RUN_CORRUPT',
    where: { file: '/a.run', byteOffset: expect.any(Number) },
  });
  const readAll = (damaged: SimDisk) => (): void => {
    const run = new RunReader(damaged, '/a.run');
    run.verify();
    expect(entriesFrom(run.cursor())).toEqual(entries);
  };

  it('is found for a bit flipped in any byte', () => {
    expect(bytes.length).toBeGreaterThan(800);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = disk.copy();
      damaged.damage('/a.run', (each) => each.fill((each[at] ?? 0) ^ (1 << (at % 8)), at, at + 1));
      expect(readAll(damaged)).toThrow(corrupt);
    }
  });

  it('is found for a file cut off at any length, and for bytes at its end', () => {
    for (let at = 0; at < bytes.length; at++) {
      const damaged = disk.copy();
      damaged.damage('/a.run', (each) => each.subarray(0, at));
      expect(readAll(damaged)).toThrow(corrupt);
    }
    const grown = disk.copy();
    grown.damage('/a.run', (each) => new Uint8Array([...each, 1]));
    expect(readAll(grown)).toThrow(corrupt);
  });

  it('is found for blocks of another file or place', () => {
    const other = disk.copy();
    other.damage('/a.run', () => disk.files().get('/b.run')!);
    expect(readAll(other)).toThrow(corrupt);
    // Two blocks of one length, changed over.
    const same = new SimDisk();
    const equal = ['a', 'b'].map((each): Entry => [each, 'v'.repeat(100)]);
    write(same, '/a.run', equal, { blockBytes: 50, compression: 'none' });
    const start = 'MLRSRUNF'.length + 12 + 'a.run'.length;
    const length = 20 + 2 + 1 + 100 + 8;
    same.damage('/a.run', (each) => {
      const first = each.slice(start, start + length);
      each.copyWithin(start, start + length, start + 2 * length);
      each.set(first, start + length);
      return each;
    });
    expect(() => new RunReader(same, '/a.run').verify()).toThrow(corrupt);
  });

  it('is not the name alone, when the id was chosen', () => {
    const moved = new SimDisk();
    write(moved, '/x.run', entries, { id: 'run 7' });
    moved.rename('/x.run', '/y.run');
    expect(entriesFrom(new RunReader(moved, '/y.run', 'run 7').cursor())).toEqual(entries);
    expect(() => new RunReader(moved, '/y.run')).toThrow(
      expect.objectContaining({ code: 'RUN_CORRUPT' }),
    );
  });

  it('is told apart from a disk that does not answer', () => {
    const clean = disk.copy();
    clean.restart({ kind: 'kill' });
    readAll(clean)();
    for (let at = 1; at <= clean.journal.length; at++) {
      const failing = disk.copy();
      failing.restart({ kind: 'kill' }, [{ at, kind: 'EIO' }]);
      expect(readAll(failing)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
    }
  });
});

describe('loss of power while a run file is written', () => {
  it('leaves it whole when it was finished, and else none that is taken for whole', () => {
    const entries = Array.from(
      { length: 40 },
      (_, index): Entry => [`${1000 + index}`, `v${index}`],
    );
    const life = (disk: SimDisk): void => {
      write(disk, '/a.run', entries, { blockBytes: 100 });
      disk.syncDirectory('/');
    };
    const clean = new SimDisk();
    life(clean);
    const outcomes = { none: 0, damaged: 0, whole: 0 };
    for (let at = 1; at <= clean.journal.length; at++) {
      for (const kind of ['kill', 'all', 'some', 'torn'] as const) {
        const disk = new SimDisk();
        disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
        expect(() => life(disk)).toThrow(Crash);
        disk.restart({ kind, seed: at });
        if (!disk.files().has('/a.run')) outcomes.none++;
        else {
          try {
            const run = new RunReader(disk, '/a.run');
            run.verify();
            expect(entriesFrom(run.cursor())).toEqual(entries);
            outcomes.whole++;
          } catch (error) {
            expect(error).toMatchObject({ code: 'RUN_CORRUPT' });
            outcomes.damaged++;
          }
        }
      }
    }
    expect(Object.values(outcomes).filter((count) => count === 0)).toEqual([]);
  });
});
