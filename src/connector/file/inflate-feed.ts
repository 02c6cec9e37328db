/**
 * Reads gzip and zstd files through the streams of `node:zlib`, concatenated members included.
 * Decompression runs in libuv's pool beside the slot's thread; the feed keeps a bounded number of
 * decoded bytes ahead and asks to wait when it has none. Callers: `open-feed.ts`. Runs on: worker,
 * whose event loop must turn while the feed waits.
 */
import type { Transform } from 'node:stream';
import type { Disk, FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { type ByteFeed, FEED_END, FEED_WAIT } from './byte-feed.js';

/** Compressed bytes handed to the decompressor at once. */
const FILE_CHUNK_BYTES = 128 * 1024;
/**
 * Decoded bytes kept ahead of the reader before more input is given; a bound, as one chunk may
 * expand.
 */
const AHEAD_BYTES = 2 * 1024 * 1024;

/** The decompressor: a stream that says how many bytes of its input it has used. */
export type Decompressor = Transform & { readonly bytesWritten: number };

/** The decoded bytes of a gzip or zstd file. */
export class InflateFeed implements ByteFeed {
  readonly #path: string;
  readonly #codec: string;
  readonly #file: FileHandle;
  readonly #stream: Decompressor;
  readonly #wake: () => void;
  readonly #ready: Buffer[] = [];
  #readyBytes = 0;
  #taken = 0;
  #at = 0;
  #writing = false;
  #ended = false;
  #closed = false;
  #failure: MillraceError | null = null;

  constructor(disk: Disk, path: string, codec: string, stream: Decompressor, wake: () => void) {
    this.#path = path;
    this.#codec = codec;
    this.#file = disk.openRead(path);
    this.#stream = stream;
    this.#wake = wake;
    stream.on('data', (chunk: Buffer) => this.#arrived(chunk));
    stream.on('end', () => this.#finished());
    stream.on('error', (cause) => this.#failed(cause));
    this.#feed();
  }

  get fileBytesRead(): number {
    return this.#at;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const [chunk] = this.#ready;
    if (chunk === undefined) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return FEED_END;
      this.#feed();
      return FEED_WAIT;
    }
    const end = Math.min(this.#taken + length, chunk.byteLength);
    target.set(chunk.subarray(this.#taken, end), offset);
    const bytes = end - this.#taken;
    this.#taken = end;
    this.#readyBytes -= bytes;
    if (end === chunk.byteLength) {
      this.#ready.shift();
      this.#taken = 0;
    }
    if (this.#readyBytes < AHEAD_BYTES) {
      this.#stream.resume();
      this.#feed();
    }
    return bytes;
  }

  close(): void {
    this.#closed = true;
    this.#stream.removeAllListeners();
    // A destroyed stream may still report the write that was under way.
    this.#stream.on('error', ignore);
    this.#stream.destroy();
    this.#file.close();
  }

  #arrived(chunk: Buffer): void {
    if (chunk.byteLength === 0) return;
    this.#ready.push(chunk);
    this.#readyBytes += chunk.byteLength;
    if (this.#readyBytes >= AHEAD_BYTES) this.#stream.pause();
    this.#wake();
  }

  #finished(): void {
    this.#ended = true;
    this.#wake();
  }

  #failed(cause: unknown): void {
    const byteOffset = this.#stream.bytesWritten;
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = MillraceError.is(cause)
      ? cause
      : new MillraceError(
          'FORMAT_INVALID',
          `The ${this.#codec} data is damaged or incomplete near byte ${byteOffset}: ${reason}.`,
          {
            cause,
            where: { file: this.#path, byteOffset },
            advice: 'Get a complete copy of the file.',
          },
        );
    this.#wake();
  }

  /** Hands the next piece of the file to the decompressor, unless one is under way. */
  #feed(): void {
    if (this.#writing || this.#ended || this.#closed || this.#failure !== null) return;
    this.#writing = true;
    // A fresh buffer, since the pool reads it while this thread goes on.
    const piece = Buffer.allocUnsafe(FILE_CHUNK_BYTES);
    const bytes = this.#readFile(piece);
    if (bytes === 0) {
      this.#stream.end();
    } else if (bytes > 0) {
      this.#stream.write(piece.subarray(0, bytes), () => this.#written());
    }
  }

  /** Bytes read, or -1 after a failure: this may run in a callback, where nobody would catch it. */
  #readFile(piece: Buffer): number {
    try {
      const bytes = this.#file.read(piece, 0, piece.length, this.#at);
      this.#at += bytes;
      return bytes;
    } catch (cause) {
      this.#failed(cause);
      return -1;
    }
  }

  #written(): void {
    this.#writing = false;
    if (this.#readyBytes < AHEAD_BYTES) this.#feed();
  }
}

function ignore(): void {}
