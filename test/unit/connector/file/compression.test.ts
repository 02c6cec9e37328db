import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../../src/base/errors.js';
import { textSource } from '../../../../src/connector/file/text-source.js';
import { ndjsonSource } from '../../../../src/connector/file/ndjson-source.js';
import { xxHash32 } from '../../../../src/format/bytes/xxhash32.js';
import { directoryWith, planSource, readFrom, readSource, type ReadResult } from './read-source.js';

interface Lz4 {
  compressFrameSync(
    data: Buffer,
    options?: { contentChecksum?: boolean; blockChecksums?: boolean },
  ): Buffer;
  compressSync(data: Buffer, dictionary?: Buffer): Buffer;
}
const lz4 = createRequire(import.meta.url)('lz4-napi') as Lz4;

const lines = Array.from(
  { length: 40_000 },
  (_, index) => `line ${index} ${index % 7 === 0 ? 'ü' : 'u'}`,
);
const content = Buffer.from(`${lines.join('\n')}\n`);

async function read(bytes: Uint8Array): Promise<ReadResult> {
  const directory = await directoryWith({ 'a.txt': bytes });
  return readSource(textSource('a.txt'), { directory, batchRows: 1000 });
}

async function failure(bytes: Uint8Array): Promise<MillraceError> {
  const error: unknown = await read(bytes).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MillraceError) return error;
  throw new Error(`It should have failed with a MillraceError, not ${String(error)}.`);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** A frame with everything the format offers: linked blocks, all checksums, the size of the content. */
function fullFrame(data: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(data.length));
  const header = Buffer.concat([Buffer.of(0b0101_1100, 0x40), size]);
  const parts = [word(0x184d2204), header, Buffer.of((xxHash32(header) >>> 8) & 0xff)];
  for (let at = 0; at < data.length; at += 65536) {
    const block = data.subarray(at, at + 65536);
    const before = data.subarray(Math.max(0, at - 65536), at);
    const stored = at === 65536;
    const raw = stored ? block : lz4.compressSync(block, at === 0 ? undefined : before).subarray(4);
    parts.push(word(raw.length + (stored ? 0x8000_0000 : 0)), raw, word(xxHash32(raw)));
  }
  return Buffer.concat([...parts, word(0), word(xxHash32(data))]);
}

const skippable = Buffer.concat([word(0x184d2a53), word(5), Buffer.from('hello')]);

describe('gzip', () => {
  it('is recognised by its content and read in one split', async () => {
    const result = await read(gzipSync(content));
    expect(result.records).toEqual(lines);
    expect(result.plan.splits.length).toBe(1);
  });

  it('may have several members', async () => {
    const half = content.length / 2;
    const members = [gzipSync(content.subarray(0, half)), gzipSync(content.subarray(half))];
    expect((await read(Buffer.concat(members))).records).toEqual(lines);
  });

  it('fails with file and offset when damaged or cut off', async () => {
    const whole = gzipSync(content);
    for (const bytes of [whole.subarray(0, whole.length - 3), whole.subarray(0, 5000)]) {
      const error = await failure(bytes);
      expect(error).toMatchObject({ code: 'FORMAT_INVALID' });
      expect(error.where.file).toContain('a.txt');
      expect(error.where.byteOffset).toBeGreaterThan(0);
    }
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] ^= 0x55;
    expect(await failure(flipped)).toMatchObject({ code: 'FORMAT_INVALID' });
  });

  it('is resumed at any row, with line numbers of bad records', async () => {
    const rows = Array.from({ length: 3000 }, (_, id) => (id % 500 === 7 ? 'bad' : `{"id":${id}}`));
    const directory = await directoryWith({ 'a.gz': gzipSync(rows.join('\n')) });
    const source = ndjsonSource('a.gz', { onError: 'skip' });
    const run = await planSource(source, { directory, batchRows: 700 });
    const reader = await run.open();
    for (const split of run.plan.splits) reader.addSplit(split, null);
    let result = reader.poll();
    while (result === 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      result = reader.poll();
    }
    const rest = (await readFrom(run, reader.positions(321))) as { id: number }[];
    expect(rest[0]).toEqual({ id: 322 });
    expect(rest.at(-1)).toEqual({ id: 2999 });
    reader.close();
    const lines = new Set(run.bad.map((record) => record.line));
    expect([...lines].toSorted((a, b) => Number(a) - Number(b))).toEqual([
      8, 508, 1008, 1508, 2008, 2508,
    ]);
  });
});

describe('LZ4', () => {
  it('reads what lz4-napi writes, several frames and skippable ones included', async () => {
    expect((await read(lz4.compressFrameSync(content))).records).toEqual(lines);
    const half = content.length / 2;
    const frames = Buffer.concat([
      skippable,
      lz4.compressFrameSync(content.subarray(0, half), { contentChecksum: true }),
      skippable,
      lz4.compressFrameSync(content.subarray(half), { blockChecksums: true }),
    ]);
    expect((await read(frames)).records).toEqual(lines);
  });

  it('reads linked and stored blocks with all checksums', async () => {
    expect((await read(fullFrame(content))).records).toEqual(lines);
  });

  it('fails with the place wherever a byte is changed or the file cut', async () => {
    const small = Buffer.from(`${lines.slice(0, 400).join('\n')}\n`);
    const frame = fullFrame(small);
    for (let at = 4; at < frame.length; at += 97) {
      const damaged = Buffer.from(frame);
      damaged[at] ^= 0x10;
      expect((await failure(damaged)).code, `byte ${at}`).toMatch(
        /FORMAT_INVALID|FEATURE_UNSUPPORTED/,
      );
    }
    for (const bytes of [5, 12, 20, frame.length - 6, frame.length - 1]) {
      const error = await failure(frame.subarray(0, bytes));
      expect(error).toMatchObject({ code: 'FORMAT_INVALID' });
      expect(error.where.byteOffset).toBe(bytes);
    }
  });
});

describe('zstd', () => {
  it('is read where Node has it, else refused before the job starts', async () => {
    const compress: unknown = Reflect.get(zlib, 'zstdCompressSync');
    if (typeof compress === 'function') {
      expect((await read(compress(content) as Buffer)).records).toEqual(lines);
    } else {
      const error = await failure(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]));
      expect(error).toMatchObject({ code: 'CODEC_UNAVAILABLE' });
      expect(error.advice).toContain('gzip');
    }
  });
});

it('can be told not to look', async () => {
  const directory = await directoryWith({ 'a.txt': Buffer.from('\x1f\x8bplain\n', 'latin1') });
  const source = textSource('a.txt', { compression: 'none', encoding: 'latin1' });
  expect((await readSource(source, { directory })).records).toEqual(['\x1f\x8bplain']);
});
