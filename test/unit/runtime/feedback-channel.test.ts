import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { FRAME_WATERMARK } from '../../../src/ring/contract.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { FeedbackChannel } from '../../../src/runtime/feedback-channel.js';
import { watermarkPayload } from '../../../src/runtime/time-sender.js';
import { WATERMARK_MIN } from '../../../src/time/watermark.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import { builderOf } from './runtime-harness.js';

function channel(): FeedbackChannel {
  const schemas = new MemorySchemas();
  schemas.propose(builderOf([{ v: 1 }]).schema);
  return new FeedbackChannel('loop', schemas, silentWaker);
}

describe('FeedbackChannel', () => {
  it('takes any number of batches at once, and gives copies of them in order', () => {
    const feedback = channel();
    const batches = [0, 1, 2].map((v) => builderOf([{ v }]).take());
    const count = 3000;
    for (let v = 0; v < count; v++) expect(feedback.send(batches[v % 3])).toBe(true);
    expect(feedback.frames).toBe(count);
    expect(feedback.bytes).toBeGreaterThan(count * 8);
    const values = Array.from({ length: count }, () => feedback.take().batch.columns[0]);
    expect(values.map((column) => (column as { values: Float64Array }).values[0])).toEqual(
      values.map((_, v) => v % 3),
    );
    expect([feedback.frames, feedback.bytes]).toEqual([0, 0]);
  });

  it('remembers the last watermark', () => {
    const feedback = channel();
    expect(feedback.watermarkMs).toBe(WATERMARK_MIN);
    expect(feedback.sendControl(FRAME_WATERMARK, watermarkPayload(4))).toBe(true);
    expect(feedback.watermarkMs).toBe(4);
    expect(feedback.settle()).toBe(true);
  });

  it('refuses what comes after the end, unless the loop had all its iterations', () => {
    const batch = builderOf([{ v: 1 }]).take();
    const full = channel();
    full.send(batch);
    full.end(true);
    expect(full.send(batch)).toBe(true);
    expect([full.frames, full.bytes]).toEqual([0, 0]);
    const fed = channel();
    fed.end(false);
    try {
      fed.send(batch);
      expect.unreachable();
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
      expect(error.code).toBe('LOOP_ENDED');
      expect(error.where.operator).toBe('loop');
    }
  });
});
