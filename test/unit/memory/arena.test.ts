import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { Arena, type ArenaPiece, sharedBuffer } from '../../../src/memory/arena.js';
import { Ledger, type LedgerOwner } from '../../../src/memory/ledger.js';

const OWNER: LedgerOwner = { job: 'j', operator: 'sum', subtask: 3, purpose: 'state' };

function newArena(bytes: number, segmentBytesMax = 1024): { arena: Arena; ledger: Ledger } {
  const ledger = new Ledger();
  const arena = new Arena({ bytes, setting: 'slot.managedFraction', ledger, segmentBytesMax });
  return { arena, ledger };
}

describe('Arena', () => {
  it('gives aligned, zeroed pieces of fixed buffers and enters them in the ledger', () => {
    const { arena, ledger } = newArena(4096);
    const a = arena.allocate(100, OWNER);
    const b = arena.allocate(64, OWNER);
    expect([a.byteOffset, a.byteLength, b.byteOffset]).toEqual([0, 100, 128]);
    expect(Reflect.get(a.buffer, 'growable')).not.toBe(true);
    expect(ledger.totals().reservedBytes).toBe(192);
    arena.touch(a, 50);
    expect(ledger.totals().touchedBytes).toBe(50);
    expect(arena.buffers.map((buffer) => buffer.byteLength)).toEqual([1024, 1024, 1024, 1024]);
  });

  it('zeroes memory that is handed out again', () => {
    const { arena, ledger } = newArena(1024);
    const first = arena.allocate(512, OWNER);
    new Uint8Array(first.buffer, first.byteOffset, 512).fill(9);
    arena.release(first);
    expect(ledger.rows()).toEqual([]);
    const second = arena.allocate(1024, OWNER);
    expect(second.byteOffset).toBe(0);
    expect(new Uint8Array(second.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('fails by name when it is full, and when no segment is large enough', () => {
    const { arena } = newArena(2048);
    arena.allocate(1000, OWNER);
    let failure: unknown;
    try {
      arena.allocate(1025, OWNER);
    } catch (error) {
      failure = error;
    }
    if (!MillraceError.is(failure)) throw new Error('It did not fail with a code.');
    expect(failure.code).toBe('MEMORY_EXHAUSTED');
    expect(failure.message).toContain('sum[3] state');
    expect(failure.where).toEqual({ job: 'j', operator: 'sum', subtask: 3 });
    expect(failure.advice).toContain('slot.managedFraction');
  });

  it('refuses a piece it does not have', () => {
    const { arena } = newArena(1024);
    const piece = arena.allocate(64, OWNER);
    arena.release(piece);
    expect(() => arena.release(piece)).toThrow('until it is released');
    expect(() => newArena(1024).arena.touch(piece, 1)).toThrow('with its own arena');
    expect(() => arena.allocate(0, OWNER)).toThrow('at least one byte');
  });

  it('never overlaps pieces and gets everything back', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 700 }), release: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { arena, ledger } = newArena(4096);
        const pieces: ArenaPiece[] = [];
        for (const { bytes, release } of steps) {
          if (release < 4 && pieces.length > 0) {
            const [piece] = pieces.splice(release % pieces.length, 1);
            if (piece !== undefined) arena.release(piece);
            continue;
          }
          try {
            pieces.push(arena.allocate(bytes, OWNER));
          } catch (error) {
            expect(MillraceError.is(error) && error.code).toBe('MEMORY_EXHAUSTED');
          }
          expectDisjoint(pieces);
          expect(arena.freeBytes + ledger.totals().reservedBytes).toBe(4096);
        }
        for (const piece of pieces) arena.release(piece);
        for (let segment = 0; segment < 4; segment++) arena.allocate(1024, OWNER);
      }),
      { numRuns: 200 },
    );
  });
});

function expectDisjoint(pieces: readonly ArenaPiece[]): void {
  for (const a of pieces) {
    expect(a.byteOffset % 64).toBe(0);
    expect(a.byteOffset + a.byteLength).toBeLessThanOrEqual(a.buffer.byteLength);
    for (const b of pieces) {
      if (a === b || a.buffer !== b.buffer) continue;
      const apart =
        a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset;
      expect(apart).toBe(true);
    }
  }
}

describe('sharedBuffer', () => {
  it('makes a buffer and enters it', () => {
    const ledger = new Ledger();
    expect(sharedBuffer(100, OWNER, ledger).byteLength).toBe(100);
    expect(ledger.totals().reservedBytes).toBe(100);
    expect(sharedBuffer(8, OWNER)).toBeInstanceOf(SharedArrayBuffer);
  });

  it('fails with a code when the system refuses', () => {
    expect(() => sharedBuffer(2 ** 60, OWNER)).toThrow('The system refuses');
  });
});
