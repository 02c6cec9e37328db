import { describe, expect, it } from 'vitest';
import { FRAME_DATA, type RingReader, type RingWriter } from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { createRing } from '../../../src/ring/make-ring.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { QueueLimit } from '../../../src/runtime/queue-limit.js';
import { StillClock } from './runtime-harness.js';

const RING_BYTES = 1024 * 1024;
const FRAME_BYTES = 1000;

function ringOf(): { writer: RingWriter; reader: RingReader } {
  const memory = new SharedArrayBuffer(RING_BYTES);
  createRing(memory, 0, RING_BYTES);
  return {
    writer: openRingWriter(memory, 0, RING_BYTES, silentWaker),
    reader: openRingReader(memory, 0, RING_BYTES, silentWaker),
  };
}

/** A producer without a pause and a consumer of so many frames per millisecond, for a while. */
function flow(framesPerMs: (ms: number) => number, ms: number): number[] {
  const { writer, reader } = ringOf();
  const clock = new StillClock();
  const limit = new QueueLimit(writer, clock, 100);
  const queued: number[] = [];
  let credit = 0;
  for (clock.nowMs = 1; clock.nowMs <= ms; clock.nowMs++) {
    while (writer.claim(FRAME_BYTES) >= 0) {
      writer.commit(FRAME_DATA, FRAME_BYTES);
      limit.sent(FRAME_BYTES);
    }
    for (credit += framesPerMs(clock.nowMs); credit >= 1 && reader.poll(); credit--)
      reader.release();
    queued.push(writer.queuedBytes());
  }
  return queued;
}

describe('QueueLimit', () => {
  it('keeps what is queued near what the consumer takes within the target', () => {
    const queued = flow(() => 3, 3000);
    const later = queued.slice(2000);
    // 3 frames of 1 KB per ms and a target of 100 ms make 300 KB; the reader keeps back an eighth of the ring.
    expect(Math.max(...later)).toBeLessThan(RING_BYTES * 0.55);
    expect(Math.max(...later)).toBeGreaterThan(RING_BYTES * 0.15);
  });

  it('never stops the flow, however long the consumer stood still', () => {
    const queued = flow((ms) => (ms < 1500 ? 0.002 : 5), 6000);
    expect(Math.min(...queued.slice(0, 100))).toBeGreaterThan(0);
    expect(Math.max(...queued.slice(4000))).toBeGreaterThan(RING_BYTES * 0.3);
  });

  it('limits nothing while the producer is the slow side', () => {
    const { writer, reader } = ringOf();
    const clock = new StillClock();
    const limit = new QueueLimit(writer, clock, 100);
    for (clock.nowMs = 1; clock.nowMs < 2000; clock.nowMs += 10) {
      expect(writer.claim(FRAME_BYTES)).toBeGreaterThanOrEqual(0);
      writer.commit(FRAME_DATA, FRAME_BYTES);
      limit.sent(FRAME_BYTES);
      while (reader.poll()) reader.release();
    }
    let frames = 0;
    for (; writer.claim(FRAME_BYTES) >= 0; frames++) writer.commit(FRAME_DATA, FRAME_BYTES);
    expect(frames * FRAME_BYTES).toBeGreaterThan(RING_BYTES * 0.9);
  });
});
