/**
 * Turns UTF-16 (little endian) into UTF-8 on the way to the scanners. Offsets therefore count bytes
 * of the UTF-8 text, and such files are read from their start. Callers: `open-feed.ts`. Runs on:
 * worker.
 */
import { MillraceError } from '../../base/errors.js';
import { type ByteFeed, FEED_END, FEED_WAIT } from './byte-feed.js';

const CHUNK_BYTES = 64 * 1024;
/** What the mark of a file in big endian is in little endian: no character at all. */
const MARK_OF_OTHER_ORDER = '\ufffe';

/** UTF-16 in big endian, which is not read. */
export function otherOrder(path: string): MillraceError {
  return new MillraceError(
    'FORMAT_INVALID',
    'The file is UTF-16 in big endian, which is not read.',
    {
      where: { file: path, byteOffset: 0 },
      advice: 'Convert it, as by: iconv -f utf-16 -t utf-8.',
    },
  );
}

/** The UTF-8 text of a UTF-16 feed, without its byte order mark. */
export class TranscodeFeed implements ByteFeed {
  readonly #source: ByteFeed;
  readonly #path: string;
  readonly #decoder = new TextDecoder('utf-16le', { fatal: true });
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #ready: Uint8Array = new Uint8Array(0);
  #taken = 0;
  #decoded = 0;
  #ended = false;

  constructor(source: ByteFeed, path: string) {
    this.#source = source;
    this.#path = path;
  }

  get fileBytesRead(): number {
    return this.#source.fileBytesRead;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    while (this.#taken === this.#ready.byteLength) {
      if (this.#ended) return FEED_END;
      const bytes = this.#source.read(this.#chunk, 0, CHUNK_BYTES);
      if (bytes === FEED_WAIT) return FEED_WAIT;
      this.#ended = bytes === FEED_END;
      const text = this.#decode(this.#chunk.subarray(0, bytes));
      if (this.#decoded === 0 && text.startsWith(MARK_OF_OTHER_ORDER)) throw otherOrder(this.#path);
      this.#ready = Buffer.from(text);
      this.#taken = 0;
      this.#decoded += bytes;
    }
    const end = Math.min(this.#taken + length, this.#ready.byteLength);
    target.set(this.#ready.subarray(this.#taken, end), offset);
    const bytes = end - this.#taken;
    this.#taken = end;
    return bytes;
  }

  close(): void {
    this.#source.close();
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: !this.#ended });
    } catch (cause) {
      throw new MillraceError(
        'FORMAT_INVALID',
        `The file is not valid UTF-16 after byte ${this.#decoded}.`,
        {
          cause,
          where: { file: this.#path, byteOffset: this.#decoded },
          advice: 'Check the encoding of the file.',
        },
      );
    }
  }
}
