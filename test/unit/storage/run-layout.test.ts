import { describe, expect, it } from 'vitest';
import * as layout from '../../../src/storage/run-layout.js';
import { runKey } from '../../../src/storage/run-key.js';
import { RunWriter } from '../../../src/storage/run-writer.js';
import { SimDisk } from '../../simulation/sim-disk.js';

describe('the layout of run files', () => {
  it('has no gaps and no overlaps', () => {
    expect([
      layout.RUN_MAGIC.length,
      layout.HEADER_VERSION + 4,
      layout.HEADER_ID_BYTES + 4,
      layout.HEADER_CHECKSUM + 4,
    ]).toEqual([
      layout.HEADER_VERSION,
      layout.HEADER_ID_BYTES,
      layout.HEADER_CHECKSUM,
      layout.HEADER_ID,
    ]);
    expect([
      layout.BLOCK_STORED_BYTES + 4,
      layout.BLOCK_CONTENT_BYTES + 4,
      layout.BLOCK_ENTRIES + 4,
      layout.BLOCK_CODEC + 4,
      layout.BLOCK_CHECKSUM + 4,
    ]).toEqual([
      layout.BLOCK_CONTENT_BYTES,
      layout.BLOCK_ENTRIES,
      layout.BLOCK_CODEC,
      layout.BLOCK_CHECKSUM,
      layout.BLOCK_HEADER_BYTES,
    ]);
    expect([
      layout.FOOTER_INDEX_OFFSET + 8,
      layout.FOOTER_FILTER_OFFSET + 8,
      layout.FOOTER_ENTRIES + 8,
      layout.FOOTER_TOMBSTONES + 8,
      layout.FOOTER_BLOCKS + 4,
      layout.FOOTER_CHECKSUM + 4,
    ]).toEqual([
      layout.FOOTER_FILTER_OFFSET,
      layout.FOOTER_ENTRIES,
      layout.FOOTER_TOMBSTONES,
      layout.FOOTER_BLOCKS,
      layout.FOOTER_CHECKSUM,
      layout.FOOTER_BYTES,
    ]);
  });

  it('is what a writer writes, byte for byte, for ever', () => {
    const disk = new SimDisk();
    const writer = new RunWriter({ disk, path: '/a.run', compression: 'none' });
    writer.add(runKey(3, 1, Buffer.from('k')), Buffer.from('value'));
    writer.add(runKey(3, 1, Buffer.from('l')), null);
    const info = writer.finish({ isDurable: true });
    const bytes = Buffer.from(disk.files().get('/a.run') ?? []);
    expect(info).toEqual({ bytes: bytes.length, entries: 2, tombstones: 1, blocks: 1 });
    expect(bytes.toString('hex')).toMatchInlineSnapshot(
      `"4d4c525352554e4601000000050000006548cbb9612e72756e1b0000001b0000000200000000000000f1e291830506000400016b76616c75650500000400016c00000000010000001b0000001b00000001000000000000001d514629050d000400016c00000000000039402f0000000000000001000000000000000000524000000000000000000000000000000040000000000000f03f01000000e91396e4"`,
    );
  });
});
