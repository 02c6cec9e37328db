/**
 * The newest of what this process prints, for `/jobmanager/stdout` of a server: results and errors go on to where they
 * went. Callers: `main.ts`, before a command has a hook of its own on these streams. Runs on: the main thread.
 * Invariant: what is kept is bounded, so that a server that runs for months does not grow.
 */
import type { HookedStream } from './write-hook.js';

/** Bytes that are kept. */
const KEPT_BYTES = 1024 * 1024;

/** What is kept. */
export class PrintedTail {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax = KEPT_BYTES) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps what is written to a stream from now on. */
  follow(stream: HookedStream): void {
    const write = stream.write.bind(stream);
    stream.write = (chunk, ...rest) => {
      this.#add(Buffer.from(chunk));
      return write(chunk, ...rest);
    };
  }

  /** The end of it, at most so many bytes, in whole characters. */
  end(bytesMax: number): string {
    const all = Buffer.concat(this.#chunks);
    let from = Math.max(0, all.length - Math.min(bytesMax, this.#bytesMax));
    while (from < all.length && isWithin(all[from] ?? 0)) from++;
    return all.subarray(from).toString();
  }

  #add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Seldom, so that what is kept is not moved for every line.
    if (this.#bytes < 2 * this.#bytesMax) return;
    const kept = Buffer.concat(this.#chunks).subarray(-this.#bytesMax);
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.length;
  }
}

/** Whether a byte of UTF-8 goes on with a character. */
function isWithin(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

let tail: PrintedTail | null = null;

/** Keeps what this process prints from now on. */
export function keepPrinted(): void {
  if (tail !== null) return;
  tail = new PrintedTail();
  tail.follow(process.stdout);
  tail.follow(process.stderr);
}

/** The end of what was kept, at most so many bytes. */
export function printedEnd(bytesMax: number): string {
  return tail?.end(bytesMax) ?? '';
}
