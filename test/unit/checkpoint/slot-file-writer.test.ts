import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PieceLocation } from '../../../src/checkpoint/contract.js';
import { FilePieceReader } from '../../../src/checkpoint/piece-reader.js';
import {
  inlineBytesMax,
  type SlotFileOptions,
  SlotFileWriter,
} from '../../../src/checkpoint/slot-file-writer.js';
import { SimDisk } from '../../simulation/sim-disk.js';

function options(disk: SimDisk, changes: Partial<SlotFileOptions> = {}): SlotFileOptions {
  disk.makeDirectory('/job/chk-7');
  const identity = { checkpoint: 7, slot: 3, attempt: 2 };
  return { disk, root: '/job', directory: 'chk-7', ...identity, ...changes };
}

const piece = (keyGroup: number) => ({ uid: 'sums', name: 'totals', keyGroup });

describe('SlotFileWriter', () => {
  it('gives back every piece, whatever the sizes of pieces, buffer and answer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 0, max: 400 }),
        (pieces, bufferBytes, inline) => {
          const disk = new SimDisk();
          const writer = new SlotFileWriter(options(disk, { bufferBytes, inlineBytesMax: inline }));
          const kept: { at: PieceLocation; bytes: Uint8Array; keyGroup: number }[] = [];
          for (const [keyGroup, bytes] of pieces.entries()) {
            const lent = bytes.slice();
            const at = writer.write(piece(keyGroup), lent);
            lent.fill(99);
            kept.push({ at, bytes, keyGroup });
          }
          const file = writer.seal();
          const reader = new FilePieceReader(disk, '/job');
          let inFile = 0;
          let inAnswer = 0;
          for (const { at, bytes, keyGroup } of kept) {
            const read = reader.read({ ...piece(keyGroup), isChanges: false, at });
            expect([...read]).toEqual([...bytes]);
            if ('file' in at) inFile += bytes.length;
            else inAnswer += bytes.length;
          }
          expect(inAnswer).toBeLessThanOrEqual(inline);
          expect(file?.path ?? null).toBe(inFile > 0 ? 'chk-7/state-7-3-2' : null);
          expect(disk.list('/job/chk-7')).toEqual(file === null ? [] : ['state-7-3-2']);
          if (file !== null) {
            expect(disk.stat(`/job/${file.path}`)?.bytes).toBe(file.bytes);
            expect(file.bytes).toBe(40 + inFile);
          }
        },
      ),
    );
  });

  it('refuses a piece under another name, key group, offset or file', () => {
    const disk = new SimDisk();
    const writer = new SlotFileWriter(options(disk, { inlineBytesMax: 0 }));
    const bytes = new Uint8Array(30).fill(1);
    const at = writer.write(piece(1), bytes);
    writer.write(piece(2), bytes);
    writer.seal();
    if (!('file' in at)) throw new Error('it is in the file');
    const reader = new FilePieceReader(disk, '/job');
    const good = { ...piece(1), isChanges: false, at };
    expect(reader.read(good)).toEqual(bytes);
    for (const wrong of [
      { ...good, uid: 'sum' },
      { ...good, name: 'other' },
      { ...good, keyGroup: 2 },
      { ...good, at: { ...at, offset: at.offset + 30 } },
      { ...good, at: { ...at, offset: at.offset + 1 } },
      { ...good, at: { ...at, length: 29 } },
      { ...good, at: { ...at, length: 1_000_000 } },
      { ...good, at: { ...at, file: 'chk-7/state-7-3-1' } },
      { ...good, at: { ...at, file: 'chk-7/other' } },
    ]) {
      expect(() => reader.read(wrong)).toThrow(
        expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' }),
      );
    }
    // The same bytes under the name of another slot are not its state.
    const stolen = disk.createNew('/job/chk-7/state-7-4-2');
    stolen.write(disk.files().get('/job/chk-7/state-7-3-2')!);
    expect(() => reader.read({ ...good, at: { ...at, file: 'chk-7/state-7-4-2' } })).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' }),
    );
  });

  it('removes its file when it gives up, also after a write that failed', () => {
    for (const at of [3, 4]) {
      const disk = new SimDisk();
      const writer = new SlotFileWriter(options(disk, { inlineBytesMax: 0, bufferBytes: 64 }));
      disk.restart({ kind: 'kill' }, [{ at, kind: 'ENOSPC' }]);
      const write = (): unknown => {
        for (let keyGroup = 0; keyGroup < 9; keyGroup++) {
          writer.write(piece(keyGroup), new Uint8Array(50));
        }
        return writer.seal();
      };
      expect(write).toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
      writer.abort();
      writer.abort();
      expect(disk.list('/job/chk-7')).toEqual([]);
    }
  });

  it('reads from more files than it keeps open', () => {
    const disk = new SimDisk();
    const pieces = Array.from({ length: 80 }, (_, slot) => {
      const writer = new SlotFileWriter(options(disk, { slot, inlineBytesMax: 0 }));
      const at = writer.write(piece(slot), new Uint8Array(8).fill(slot));
      writer.seal();
      return { ...piece(slot), isChanges: false, at };
    });
    const reader = new FilePieceReader(disk, '/job');
    for (const round of [1, 2]) {
      for (const each of pieces) {
        expect([round, ...reader.read(each)]).toEqual([round, ...Array(8).fill(each.keyGroup)]);
      }
    }
    reader.close();
  });

  it('shares out what may be within the metadata', () => {
    expect(inlineBytesMax(1)).toBe(20 * 1024);
    expect(inlineBytesMax(51)).toBe(20 * 1024);
    expect(inlineBytesMax(1024)).toBe(1024);
    expect(inlineBytesMax(1, true)).toBe(1280);
    expect(inlineBytesMax(1024, true)).toBe(64);
  });
});
