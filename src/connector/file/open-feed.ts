/**
 * Chooses how the bytes of a file are read: compression is recognised by magic numbers, not by
 * names. Callers: the planner and the reader of file sources. Runs on: worker, and the caller's
 * thread at plan time.
 */
import * as zlib from 'node:zlib';
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { type ByteFeed, PlainFeed } from './byte-feed.js';
import { type Decompressor, InflateFeed } from './inflate-feed.js';
import { type BlockDecompressor, Lz4Feed } from './lz4-feed.js';
import { TranscodeFeed } from './transcode-feed.js';

/** How a file is compressed. */
export type Codec = 'none' | 'gzip' | 'lz4' | 'zstd';

/** How the text of a file is encoded. */
export type Encoding = 'utf8' | 'latin1' | 'utf16le';

/** Decoded bytes that a stream hands on at once. */
const STREAM_CHUNK_BYTES = 256 * 1024;

/** What has to be loaded before feeds of some codecs can be opened. */
export interface CodecLibraries {
  readonly lz4: BlockDecompressor | null;
}

/** What a feed reads. */
export interface FeedOptions {
  readonly disk: Disk;
  readonly path: string;
  readonly codec: Codec;
  readonly encoding: Encoding;
  /** Bytes of a plain file to read; streams are read whole. */
  readonly start: number;
  readonly end: number;
  readonly libraries: CodecLibraries;
  /** Called when a feed that asked to wait has more. */
  readonly wake: () => void;
}

/**
 * Whether a file is read from its start only, because offsets in it are not offsets in the file.
 */
export function isStream(codec: Codec, encoding: Encoding): boolean {
  return codec !== 'none' || encoding === 'utf16le';
}

/** Opens a feed. */
export function openFeed(options: FeedOptions): ByteFeed {
  const feed = openBytes(options);
  return options.encoding === 'utf16le' ? new TranscodeFeed(feed, options.path) : feed;
}

function openBytes(options: FeedOptions): ByteFeed {
  const { disk, path, codec, libraries, wake } = options;
  switch (codec) {
    case 'gzip':
      return new InflateFeed(
        disk,
        path,
        codec,
        zlib.createGunzip({ chunkSize: STREAM_CHUNK_BYTES }),
        wake,
      );
    case 'zstd':
      return new InflateFeed(disk, path, codec, createZstd(path), wake);
    case 'lz4':
      if (libraries.lz4 === null) throw unavailable(codec, path);
      return new Lz4Feed(disk, path, libraries.lz4);
    case 'none': {
      const whole = options.encoding === 'utf16le';
      const start = whole ? 0 : options.start;
      const end = whole ? (disk.stat(path)?.bytes ?? 0) : options.end;
      return new PlainFeed(disk, path, start, end);
    }
  }
}

/**
 * Loads what these codecs need; throws `CODEC_UNAVAILABLE` for one that this Node does not have.
 */
export async function loadCodecs(codecs: ReadonlySet<Codec>): Promise<CodecLibraries> {
  if (!codecs.has('lz4')) return { lz4: null };
  const { decompressLz4Block } = await import('../../../native-bindings/lz4.js');
  return { lz4: decompressLz4Block };
}

/** Throws when files of a codec cannot be read here, before a job starts for nothing. */
export function checkCodec(codec: Codec, path: string): void {
  if (codec === 'zstd' && zstdFactory() === null) throw unavailable(codec, path);
}

/** The compression that the first bytes of a file tell. */
export function detectCodec(disk: Disk, path: string): Codec {
  const magic = new Uint8Array(4);
  const file = disk.openRead(path);
  let bytes: number;
  try {
    bytes = file.read(magic, 0, 4, 0);
  } finally {
    file.close();
  }
  const [a, b, c, d] = magic;
  if (bytes >= 2 && a === 0x1f && b === 0x8b) return 'gzip';
  if (bytes < 4) return 'none';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  const isFrame = a === 0x04 && b === 0x22 && c === 0x4d && d === 0x18;
  const isSkippable = a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18;
  return isFrame || isSkippable ? 'lz4' : 'none';
}

type ZstdFactory = (options: { readonly chunkSize: number }) => Decompressor;

/** Node has zstd since 22.15; its types of an older version do not say so. */
function zstdFactory(): ZstdFactory | null {
  const factory: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof factory === 'function' ? (factory as ZstdFactory) : null;
}

function createZstd(path: string): Decompressor {
  const factory = zstdFactory();
  if (factory === null) throw unavailable('zstd', path);
  return factory({ chunkSize: STREAM_CHUNK_BYTES });
}

function unavailable(codec: Codec, path: string): MillraceError {
  return new MillraceError(
    'CODEC_UNAVAILABLE',
    `${path} is compressed with ${codec}, which Node ${process.versions.node} cannot read.`,
    {
      where: { file: path },
      advice: 'Use Node 22.15 or newer, or compress with gzip or lz4.',
    },
  );
}
