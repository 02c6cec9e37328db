/**
 * The first bytes of a file, decoded, as many as planning turns out to need: for headers, byte
 * order marks and the sample from which schemas are inferred. Callers: the planner and formats.
 * Runs on: the caller's thread, at plan time.
 */
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { type ByteFeed, FEED_END, FEED_WAIT } from './byte-feed.js';
import { type Codec, type CodecLibraries, type Encoding, openFeed } from './open-feed.js';
import type { InputFile } from './resolve-files.js';
import { otherOrder } from './transcode-feed.js';

/** Bytes asked for first; one read of a header and a few hundred rows. */
const FIRST_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** How prefixes are opened. */
export interface PrefixOptions {
  readonly disk: Disk;
  readonly codec: Codec;
  readonly encoding: Encoding;
  readonly libraries: CodecLibraries;
}

/**
 * A growing prefix of one file. Nothing is opened before it grows, and `close` lets everything go.
 */
export class FilePrefix {
  readonly file: InputFile;
  readonly codec: Codec;
  /** Whether the prefix is the whole file. */
  isWhole = false;
  readonly #options: PrefixOptions;
  #feed: ByteFeed | null = null;
  #buffer: Buffer = Buffer.alloc(0);
  #filled = 0;
  #wake: () => void = ignore;

  constructor(file: InputFile, options: PrefixOptions) {
    this.file = file;
    this.codec = options.codec;
    this.#options = options;
  }

  /**
   * The bytes there are, up to and with the last newline; at the end of the file one is added if
   * need be.
   */
  lines(): Buffer {
    const filled = this.#buffer.subarray(0, this.#filled);
    const isEnded = this.#filled === 0 || filled[this.#filled - 1] === NEWLINE;
    if (!this.isWhole || isEnded) return filled.subarray(0, filled.lastIndexOf(NEWLINE) + 1);
    return Buffer.concat([filled, Buffer.of(NEWLINE)]);
  }

  /** Length of a UTF-8 byte order mark at the start. */
  get markBytes(): number {
    const [a, b, c] = this.#buffer;
    return this.#filled >= 3 && a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
  }

  /** Bytes in the prefix so far. */
  get bytes(): number {
    return this.#filled;
  }

  /** Reads until the prefix has `bytes` bytes or is the whole file; by default doubles it. */
  async grow(bytes: number = Math.max(FIRST_BYTES, this.#filled * 2)): Promise<void> {
    if (this.#buffer.length < bytes) {
      const grown = Buffer.allocUnsafe(bytes);
      this.#buffer.copy(grown, 0, 0, this.#filled);
      this.#buffer = grown;
    }
    this.#feed ??= this.#open();
    while (!this.isWhole && this.#filled < bytes) {
      const read = this.#feed.read(this.#buffer, this.#filled, bytes - this.#filled);
      if (read === FEED_END) this.isWhole = true;
      else if (read !== FEED_WAIT) this.#filled += read;
      else await this.#woken();
    }
    if (this.#options.encoding === 'utf8') this.#refuseWideMark();
  }

  /** Forgets the bytes and closes the file; safe to call twice. */
  close(): void {
    this.#feed?.close();
    this.#feed = null;
    this.#buffer = Buffer.alloc(0);
    this.#filled = 0;
    this.isWhole = false;
  }

  /** No UTF-8 begins with a mark of UTF-16; read as such, the file would have one long row, or none. */
  #refuseWideMark(): void {
    if (this.#filled < 2) return;
    const { path } = this.file;
    const mark = this.#buffer.readUInt16BE(0);
    if (mark === 0xfeff) throw otherOrder(path);
    if (mark !== 0xfffe) return;
    throw new MillraceError('FORMAT_INVALID', 'The file is UTF-16, but is read as UTF-8.', {
      where: { file: path, byteOffset: 0 },
      advice: "Set encoding: 'utf16le'.",
    });
  }

  #open(): ByteFeed {
    const { path, bytes } = this.file;
    const wake = (): void => this.#wake();
    return openFeed({ ...this.#options, path, start: 0, end: bytes, wake });
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function ignore(): void {}
