/**
 * Reads LZ4 frames block by block, concatenated and skippable ones included, and checks every
 * checksum they carry. Only blocks go to the native package, because its own frame function reads
 * nothing but the first of several frames and wants the whole file in memory. Callers:
 * `open-feed.ts`. Runs on: worker. Format:
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md.
 */
import type { Disk, FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { XxHash32, xxHash32 } from '../../format/bytes/xxhash32.js';
import { type ByteFeed, FEED_END } from './byte-feed.js';

const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** How far back a block may refer when blocks are linked. */
const HISTORY_BYTES = 65536;
const STORED = 0x8000_0000;

/** Decompresses one raw block; see `native-bindings/lz4.ts`. */
export type BlockDecompressor = (
  block: Uint8Array,
  outputBytesMax: number,
  dictionary: Uint8Array | null,
) => Uint8Array;

/** What the header of a frame says. */
interface FrameHeader {
  readonly linked: boolean;
  readonly blockChecksums: boolean;
  readonly contentBytes: number | null;
  readonly blockBytesMax: number;
  /** The running checksum of the content, when the frame ends in one. */
  readonly content: XxHash32 | null;
}

/** The decoded bytes of an LZ4 file. */
export class Lz4Feed implements ByteFeed {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #fileBytes: number;
  readonly #decompress: BlockDecompressor;
  #at = 0;
  #frame: FrameHeader | null = null;
  #frameBytes = 0;
  #block: Uint8Array = new Uint8Array(0);
  #taken = 0;
  #history = new Uint8Array(0);

  constructor(disk: Disk, path: string, decompress: BlockDecompressor) {
    this.#path = path;
    this.#file = disk.openRead(path);
    this.#fileBytes = this.#file.bytes();
    this.#decompress = decompress;
  }

  get fileBytesRead(): number {
    return this.#at;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    while (this.#taken === this.#block.byteLength) {
      if (!this.#nextBlock()) return FEED_END;
    }
    const end = Math.min(this.#taken + length, this.#block.byteLength);
    target.set(this.#block.subarray(this.#taken, end), offset);
    const bytes = end - this.#taken;
    this.#taken = end;
    return bytes;
  }

  close(): void {
    this.#file.close();
  }

  /** Makes the next block current; false at the end of the file. */
  #nextBlock(): boolean {
    this.#frame ??= this.#nextFrame();
    const frame = this.#frame;
    if (frame === null) return false;
    const size = this.#uint32('the size of a block');
    if (size === 0) {
      this.#endFrame(frame);
      return true;
    }
    const start = this.#at;
    const stored = size >= STORED;
    const raw = this.#take(stored ? size - STORED : size, 'a block', frame.blockBytesMax);
    if (frame.blockChecksums && this.#uint32('the checksum of a block') !== xxHash32(raw)) {
      throw this.#damaged('the checksum of a block does not match', start);
    }
    this.#block = stored ? raw : this.#decompressed(raw, frame, start);
    this.#taken = 0;
    this.#frameBytes += this.#block.byteLength;
    frame.content?.update(this.#block);
    if (frame.linked) this.#remember();
    return true;
  }

  #decompressed(raw: Uint8Array, frame: FrameHeader, start: number): Uint8Array {
    const dictionary = this.#history.byteLength > 0 ? this.#history : null;
    try {
      return this.#decompress(raw, frame.blockBytesMax, dictionary);
    } catch (cause) {
      throw this.#damaged('a block cannot be decompressed', start, cause);
    }
  }

  #remember(): void {
    if (this.#block.byteLength >= HISTORY_BYTES) {
      this.#history = this.#block.slice(this.#block.byteLength - HISTORY_BYTES);
      return;
    }
    const kept = this.#history.subarray(
      Math.max(0, this.#history.byteLength + this.#block.byteLength - HISTORY_BYTES),
    );
    const joined = new Uint8Array(kept.byteLength + this.#block.byteLength);
    joined.set(kept);
    joined.set(this.#block, kept.byteLength);
    this.#history = joined;
  }

  #endFrame(frame: FrameHeader): void {
    if (frame.content !== null && this.#uint32('the checksum') !== frame.content.digest()) {
      throw this.#damaged('the checksum of the content does not match', this.#at - 4);
    }
    if (frame.contentBytes !== null && frame.contentBytes !== this.#frameBytes) {
      throw this.#damaged(
        `a frame says it has ${frame.contentBytes} bytes but has ${this.#frameBytes}`,
        this.#at,
      );
    }
    this.#frame = null;
  }

  #nextFrame(): FrameHeader | null {
    this.#history = new Uint8Array(0);
    this.#frameBytes = 0;
    while (this.#at < this.#fileBytes) {
      const magic = this.#uint32('the magic number of a frame');
      if (magic === FRAME_MAGIC) return this.#header();
      if ((magic & 0xffff_fff0) >>> 0 !== SKIPPABLE_MAGIC) {
        throw this.#damaged('no LZ4 frame begins here', this.#at - 4);
      }
      const skipped = this.#uint32('the size of a skippable frame');
      if (skipped > this.#fileBytes - this.#at) throw this.#truncated('a skippable frame');
      this.#at += skipped;
    }
    return null;
  }

  #header(): FrameHeader {
    const start = this.#at;
    const [flags, descriptor] = this.#take(2, 'the header of a frame', 2);
    const hasSize = (flags & 0x08) !== 0;
    const hasDictionary = (flags & 0x01) !== 0;
    const sizeCode = (descriptor >> 4) & 7;
    if (flags >> 6 !== 1 || sizeCode < 4) throw this.#damaged('a frame header is invalid', start);
    if (hasDictionary) {
      throw new MillraceError(
        'FEATURE_UNSUPPORTED',
        'The LZ4 frame needs an external dictionary, which Millrace cannot be given.',
        {
          where: { file: this.#path, byteOffset: start },
          advice: 'Compress without a dictionary.',
        },
      );
    }
    const size = hasSize ? this.#take(8, 'the header of a frame', 8) : null;
    const [checksum] = this.#take(1, 'the header of a frame', 1);
    const header = Uint8Array.of(flags, descriptor, ...(size ?? []));
    if (((xxHash32(header) >>> 8) & 0xff) !== checksum) {
      throw this.#damaged('the checksum of a frame header does not match', start);
    }
    return {
      linked: (flags & 0x20) === 0,
      blockChecksums: (flags & 0x10) !== 0,
      contentBytes: size === null ? null : Number(Buffer.from(size).readBigUInt64LE()),
      blockBytesMax: 1 << (8 + 2 * sizeCode),
      content: (flags & 0x04) !== 0 ? new XxHash32() : null,
    };
  }

  #uint32(what: string): number {
    const [a, b, c, d] = this.#take(4, what, 4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  #take(length: number, what: string, lengthMax: number): Uint8Array {
    if (length > lengthMax) throw this.#damaged(`${what} is longer than allowed`, this.#at);
    const taken = new Uint8Array(length);
    let have = 0;
    while (have < length) {
      const bytes = this.#file.read(taken, have, length - have, this.#at + have);
      if (bytes === 0) throw this.#truncated(what);
      have += bytes;
    }
    this.#at += length;
    return taken;
  }

  #truncated(what: string): MillraceError {
    return this.#damaged(`the file ends within ${what}`, this.#fileBytes);
  }

  #damaged(what: string, byteOffset: number, cause?: unknown): MillraceError {
    return new MillraceError(
      'FORMAT_INVALID',
      `The LZ4 data is damaged at byte ${byteOffset}: ${what}.`,
      {
        cause,
        where: { file: this.#path, byteOffset },
        advice: 'Get a complete copy of the file.',
      },
    );
  }
}
