import { describe, expect, it } from 'vitest';
import {
  alignMessage,
  MESSAGE_HEADER_BYTES,
  ANNOUNCED_BYTES,
  RING_BARRIER_OFFSET,
  RING_HEADER_BYTES,
  RING_WORDS,
  ringLayout,
  SEGMENT_FIRST,
  SEGMENT_LAST,
  SEGMENT_MIDDLE,
  SEGMENT_WHOLE,
  TAG_KIND_MASK,
  TAG_PADDING,
} from '../../../src/ring/ring-layout.js';

describe('ring layout', () => {
  it('keeps what the two sides write two cache lines apart', () => {
    const { published, released, dataBytes, barrierVersion, barrierPosition } = RING_WORDS;
    const producer = [published, barrierVersion, barrierPosition, RING_BARRIER_OFFSET / 4];
    for (const word of producer) {
      expect(Math.abs(released - word) * 4).toBeGreaterThanOrEqual(128 - 32);
      expect(Math.floor((word * 4) / 128)).toBe(1);
    }
    expect(Math.floor((released * 4) / 128)).toBe(2);
    expect(Math.floor((dataBytes * 4) / 128)).toBe(0);
    expect(RING_HEADER_BYTES).toBe(384);
  });

  it('gives every header word a place of its own', () => {
    const words = [
      ...Object.values(RING_WORDS),
      ...Array.from({ length: ANNOUNCED_BYTES / 4 }, (_, word) => RING_BARRIER_OFFSET / 4 + word),
    ];
    expect(new Set(words).size).toBe(words.length);
  });

  it('has tags that cannot be taken for one another', () => {
    const marks = [SEGMENT_WHOLE, SEGMENT_FIRST, SEGMENT_MIDDLE, SEGMENT_LAST, TAG_PADDING];
    expect(new Set(marks).size).toBe(5);
    for (const mark of marks) expect(mark & TAG_KIND_MASK).toBe(0);
  });

  it('always grants the largest claim to a producer whose consumer has taken everything', () => {
    for (let dataBytes = 256; dataBytes < 4096; dataBytes += 8) {
      const { claimBytesMax, creditBatchBytes } = ringLayout(RING_HEADER_BYTES + dataBytes);
      const needed = MESSAGE_HEADER_BYTES + alignMessage(claimBytesMax);
      const paddingMax = needed - 8;
      expect(paddingMax + needed + creditBatchBytes).toBeLessThanOrEqual(dataBytes);
    }
  });

  it('refuses sizes that a ring cannot have', () => {
    expect(() => ringLayout(RING_HEADER_BYTES + 248)).toThrow('between 256 bytes and 1 GiB');
    expect(() => ringLayout(RING_HEADER_BYTES + 2 ** 30 + 8)).toThrow('between 256 bytes');
    expect(() => ringLayout(RING_HEADER_BYTES + 260)).toThrow('multiple of eight');
  });
});
