/**
 * Memory that threads share. An arena reserves all it will ever have when it is made; the system commits pages
 * on first touch, so a reservation costs address space only. This file is the only creator of
 * SharedArrayBuffers, and none of them grows: growable ones are several times slower to access. Callers: deploy,
 * state. Runs on: the thread that made the arena allocates; the pieces go to any thread. Invariant: pieces do
 * not overlap, start at multiples of 64 and are zero when they are handed out.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import { type Ledger, type LedgerEntry, type LedgerOwner, ownerText } from './ledger.js';

/** Keeps byte offsets below 2^31, so that indices are small integers in V8. */
export const SEGMENT_BYTES_MAX = 2 ** 30;
/** One cache line. */
const ALIGNMENT_BYTES = 64;

/** A piece of shared memory. */
export interface ArenaPiece {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What an arena is made of. */
export interface ArenaOptions {
  readonly bytes: number;
  /** The setting that a full arena's error says to raise, such as 'slot.managedFraction'. */
  readonly setting: string;
  readonly ledger: Ledger;
  /** Tests use small segments. */
  readonly segmentBytesMax?: number;
}

interface Gap {
  start: number;
  end: number;
}

interface Segment {
  readonly buffer: SharedArrayBuffer;
  /** Free ranges in order of address, never touching each other. */
  readonly gaps: Gap[];
  /** Bytes below were handed out at least once and may hold old content. */
  usedEnd: number;
}

interface Lease {
  readonly segment: Segment;
  readonly bytes: number;
  readonly entry: LedgerEntry;
}

/** Reserved shared memory, given out in pieces. */
export class Arena {
  readonly #segments: readonly Segment[];
  readonly #leases = new Map<ArenaPiece, Lease>();
  readonly #options: ArenaOptions;
  #freeBytes: number;

  constructor(options: ArenaOptions) {
    this.#options = options;
    const segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    const total = alignUp(options.bytes);
    const segments: Segment[] = [];
    for (let reserved = 0; reserved < total; reserved += segmentBytesMax) {
      const bytes = Math.min(segmentBytesMax, total - reserved);
      const buffer = newShared(bytes, 'an arena');
      segments.push({ buffer, gaps: [{ start: 0, end: bytes }], usedEnd: 0 });
    }
    this.#segments = segments;
    this.#freeBytes = total;
  }

  /** Every buffer of the arena, in the order of reservation. */
  get buffers(): readonly SharedArrayBuffer[] {
    return this.#segments.map((segment) => segment.buffer);
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A zeroed piece of at least `bytes`; throws `MEMORY_EXHAUSTED` naming the owner when there is none. */
  allocate(bytes: number, owner: LedgerOwner): ArenaPiece {
    assert(Number.isSafeInteger(bytes) && bytes > 0, 'A piece of an arena has at least one byte.');
    const size = alignUp(bytes);
    for (const segment of this.#segments) {
      const byteOffset = takeGap(segment, size);
      if (byteOffset < 0) continue;
      const piece = { buffer: segment.buffer, byteOffset, byteLength: bytes };
      const entry = this.#options.ledger.add(owner, size);
      this.#leases.set(piece, { segment, bytes: size, entry });
      this.#freeBytes -= size;
      return piece;
    }
    throw this.#exhausted(bytes, owner);
  }

  /** Says how much of a piece its owner has written, for the ledger. */
  touch(piece: ArenaPiece, touchedBytes: number): void {
    this.#options.ledger.touch(this.#leaseOf(piece).entry, touchedBytes);
  }

  /** Takes a piece back. Nobody may use it any more, on any thread. */
  release(piece: ArenaPiece): void {
    const lease = this.#leaseOf(piece);
    this.#leases.delete(piece);
    this.#options.ledger.release(lease.entry);
    this.#freeBytes += lease.bytes;
    returnGap(lease.segment.gaps, piece.byteOffset, piece.byteOffset + lease.bytes);
  }

  #leaseOf(piece: ArenaPiece): Lease {
    const lease = this.#leases.get(piece);
    assert(lease !== undefined, 'A piece is used only until it is released, with its own arena.');
    return lease;
  }

  #exhausted(bytes: number, owner: LedgerOwner): MillraceError {
    const { operator, subtask, job } = owner;
    return new MillraceError(
      'MEMORY_EXHAUSTED',
      `${ownerText(owner)} asks for ${formatBytes(bytes)} of shared memory; of ` +
        `${formatBytes(this.#options.bytes)} there are ${formatBytes(this.#freeBytes)} free.`,
      {
        where: {
          job,
          ...(operator === null ? {} : { operator }),
          ...(subtask === null ? {} : { subtask }),
        },
        advice: `Raise slot.memory or ${this.#options.setting}.`,
      },
    );
  }
}

/** A shared buffer of its own, for structures that live as long as a run: counters, control words, registry. */
export function sharedBuffer(
  bytes: number,
  owner: LedgerOwner,
  ledger: Ledger | null = null,
): SharedArrayBuffer {
  const buffer = newShared(bytes, ownerText(owner));
  ledger?.add(owner, bytes);
  return buffer;
}

function newShared(bytes: number, what: string): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new MillraceError(
      'MEMORY_EXHAUSTED',
      `The system refuses ${formatBytes(bytes)} of shared memory for ${what}.`,
      { cause, advice: 'Lower slot.memory or the number of slots.' },
    );
  }
}

/** First fit: the lowest range that is large enough. -1 when there is none. */
function takeGap(segment: Segment, size: number): number {
  const { gaps } = segment;
  const index = gaps.findIndex((gap) => gap.end - gap.start >= size);
  const gap = gaps[index];
  if (gap === undefined) return -1;
  const start = gap.start;
  gap.start += size;
  if (gap.start === gap.end) gaps.splice(index, 1);
  const dirtyEnd = Math.min(start + size, segment.usedEnd);
  if (dirtyEnd > start) new Uint8Array(segment.buffer, start, dirtyEnd - start).fill(0);
  segment.usedEnd = Math.max(segment.usedEnd, start + size);
  return start;
}

/** Puts a range back and joins it with the free neighbours it touches. */
function returnGap(gaps: Gap[], start: number, end: number): void {
  const found = gaps.findIndex((gap) => gap.start >= end);
  const index = found < 0 ? gaps.length : found;
  const before = gaps[index - 1];
  const after = gaps[index];
  const joinsBefore = before !== undefined && before.end === start;
  const joinsAfter = after !== undefined && after.start === end;
  if (joinsBefore && joinsAfter) {
    before.end = after.end;
    gaps.splice(index, 1);
  } else if (joinsBefore) {
    before.end = end;
  } else if (joinsAfter) {
    after.start = start;
  } else {
    gaps.splice(index, 0, { start, end });
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
