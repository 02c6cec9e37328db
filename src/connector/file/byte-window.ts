/**
 * The one buffer a reader parses from: keeps the bytes of rows not yet complete, fills up from a
 * feed, and hands out regions that end with a newline. Callers: the file reader. Runs on: worker.
 * Invariant: `SLACK_BYTES` of the buffer behind every region may be read.
 */
import { isUtf8 } from 'node:buffer';
import { countNewlines } from '../../format/bytes/line-start.js';
import { type ParseCursor, SLACK_BYTES } from '../../format/bytes/row-parser.js';
import { createScanMemory, type ScanMemory } from '../../format/structural/scan-memory.js';
import { type ByteFeed, FEED_END, FEED_WAIT } from './byte-feed.js';

/** There is a region to parse. */
export const FILL_READY = 0;
/** The feed has nothing now. */
export const FILL_WAIT = 1;
/** The feed has ended and all of it was handed out. */
export const FILL_END = 2;
/** One row fills the buffer, which may not grow any more. */
export const FILL_TOO_LONG = 3;
export type FillResult =
  | typeof FILL_READY
  | typeof FILL_WAIT
  | typeof FILL_END
  | typeof FILL_TOO_LONG;

/** Fits the second-level cache, so that bytes are parsed where the read has put them. */
const BUFFER_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** Bytes of one feed at a time. */
export class ByteWindow {
  buffer: Buffer;
  view: DataView;
  readonly #rowBytesMax: number;
  /** Holds the buffer where there is a row scanner. */
  #memory: ScanMemory | null;
  #feed: ByteFeed | null = null;
  #filled = 0;
  #skip = 0;
  #countsLines = false;
  /** Newlines before the buffer's first byte; counted for streams only. */
  #linesBefore = 0;
  #discarding = false;

  constructor(rowBytesMax: number) {
    this.#rowBytesMax = rowBytesMax;
    this.#memory = createScanMemory(BUFFER_BYTES);
    this.buffer = this.#memory?.buffer ?? Buffer.allocUnsafe(BUFFER_BYTES);
    this.view = viewOf(this.buffer);
  }

  /** File bytes taken from the current feed. */
  get fileBytesRead(): number {
    return this.#feed?.fileBytesRead ?? 0;
  }

  /** Starts at offset `start`; a stream is a feed that begins before that, at offset 0. */
  open(feed: ByteFeed, start: number, isStream: boolean, cursor: ParseCursor): void {
    this.close();
    this.#feed = feed;
    this.#filled = 0;
    this.#skip = isStream ? start : 0;
    this.#countsLines = isStream;
    this.#discarding = false;
    this.#linesBefore = 0;
    cursor.base = isStream ? 0 : start;
    cursor.position = 0;
    cursor.end = 0;
    cursor.final = false;
  }

  /** Gets the next region: from `cursor.position` on, and beyond the one handed out before. */
  fill(cursor: ParseCursor): FillResult {
    const feed = this.#feed;
    if (feed === null || cursor.final) return FILL_END;
    this.#drop(cursor, cursor.position);
    for (;;) {
      const room = this.#room();
      if (room === 0) return FILL_TOO_LONG;
      const wanted = this.#skip > 0 ? Math.min(room, this.#skip) : room;
      const bytes = feed.read(this.buffer, this.#filled, wanted);
      if (bytes === FEED_WAIT) return FILL_WAIT;
      if (bytes === FEED_END) return this.#finish(cursor);
      const from = this.#filled;
      this.#filled += bytes;
      const end = this.#regionEnd(cursor, from);
      if (end === 0) continue;
      this.#handOut(cursor, end);
      return FILL_READY;
    }
  }

  /** After `FILL_TOO_LONG`: forgets the row, up to and with its newline. */
  discardLine(cursor: ParseCursor): void {
    this.#drop(cursor, this.#filled);
    this.#discarding = true;
  }

  /** Bytes of the row that is too long, as far as they are here. */
  unread(cursor: ParseCursor): Buffer {
    return this.buffer.subarray(cursor.position, this.#filled);
  }

  /** The line, from 1 on, of a place in the buffer of a stream. */
  lineAt(position: number): number {
    return this.#linesBefore + countNewlines(this.buffer, 0, position) + 1;
  }

  close(): void {
    this.#feed?.close();
    this.#feed = null;
  }

  #handOut(cursor: ParseCursor, end: number): void {
    cursor.end = end;
    cursor.memory = this.#memory;
    cursor.validUtf8 = isUtf8(this.buffer.subarray(cursor.position, end));
  }

  /**
   * Index after the last newline among the bytes from `from` on, or 0; forgets what is to be
   * skipped.
   */
  #regionEnd(cursor: ParseCursor, from: number): number {
    if (this.#skip > 0) {
      this.#skip -= this.#filled;
      this.#drop(cursor, this.#filled);
      return 0;
    }
    if (this.#discarding) {
      const newline = this.buffer.subarray(0, this.#filled).indexOf(NEWLINE);
      this.#discarding = newline < 0;
      this.#drop(cursor, newline < 0 ? this.#filled : newline + 1);
      return this.buffer.subarray(0, this.#filled).lastIndexOf(NEWLINE) + 1;
    }
    const newline = this.buffer.subarray(from, this.#filled).lastIndexOf(NEWLINE);
    return newline < 0 ? 0 : from + newline + 1;
  }

  /** The feed has ended: hands out what is left, with a newline behind it. */
  #finish(cursor: ParseCursor): FillResult {
    cursor.final = true;
    if (this.#filled === 0 || this.#discarding) {
      cursor.position = this.#filled;
      cursor.end = this.#filled;
      return FILL_END;
    }
    const isEnded = this.buffer[this.#filled - 1] === NEWLINE;
    if (!isEnded) this.buffer[this.#filled] = NEWLINE;
    this.#handOut(cursor, isEnded ? this.#filled : this.#filled + 1);
    return FILL_READY;
  }

  /** Room for more bytes; grows the buffer when a row fills it. */
  #room(): number {
    const room = this.buffer.length - SLACK_BYTES - 1 - this.#filled;
    if (room > 0) return room;
    if (this.buffer.length >= this.#rowBytesMax) return 0;
    this.#memory = createScanMemory(this.buffer.length * 2);
    const grown = this.#memory?.buffer ?? Buffer.allocUnsafe(this.buffer.length * 2);
    this.buffer.copy(grown, 0, 0, this.#filled);
    this.buffer = grown;
    this.view = viewOf(grown);
    return grown.length - SLACK_BYTES - 1 - this.#filled;
  }

  /** Forgets the first `bytes` bytes of the buffer; what is left awaits a new region. */
  #drop(cursor: ParseCursor, bytes: number): void {
    if (this.#countsLines) this.#linesBefore += countNewlines(this.buffer, 0, bytes);
    this.buffer.copyWithin(0, bytes, this.#filled);
    this.#filled -= bytes;
    cursor.base += bytes;
    cursor.position = 0;
    cursor.end = 0;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
