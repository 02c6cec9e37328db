import { describe, expect, it } from 'vitest';
import {
  CHANNEL_BLOCK_BYTES,
  CHANNEL_VALUES,
  channelOffset,
  channelValues,
  metricsBytes,
  TASK_BLOCK_BYTES,
  TASK_STATES,
  TASK_VALUES,
  TASK_VALUES_OFFSET,
  TASK_WORDS,
  taskOffset,
  taskValues,
  taskWords,
} from '../../../src/metrics/metrics-layout.js';

describe('metrics layout', () => {
  it('keeps the blocks of different writers two cache lines apart', () => {
    expect(TASK_BLOCK_BYTES % 128).toBe(0);
    expect(CHANNEL_BLOCK_BYTES % 128).toBe(0);
    expect(TASK_VALUES_OFFSET + Object.keys(TASK_VALUES).length * 8).toBeLessThanOrEqual(
      TASK_BLOCK_BYTES,
    );
    expect(Object.keys(TASK_WORDS).length * 4).toBeLessThanOrEqual(TASK_VALUES_OFFSET);
    expect(Object.keys(CHANNEL_VALUES).length * 8).toBeLessThanOrEqual(CHANNEL_BLOCK_BYTES);
  });

  it('numbers its fields without gaps', () => {
    for (const table of [TASK_WORDS, TASK_VALUES, CHANNEL_VALUES]) {
      expect(Object.values(table)).toEqual(Object.keys(table).map((_, index) => index));
    }
    expect(TASK_STATES.length).toBe(9);
  });

  it('fills its memory exactly and refuses blocks outside', () => {
    const memory = new SharedArrayBuffer(metricsBytes(3, 2));
    expect(channelOffset(3, 2)).toBe(memory.byteLength);
    expect(taskOffset(3)).toBe(channelOffset(3, 0));
    expect(channelValues(memory, 3, 1).byteOffset).toBe(channelOffset(3, 1));
    expect(taskWords(memory, 2).byteOffset).toBe(taskOffset(2));
    expect(taskValues(memory, 2).byteOffset).toBe(taskOffset(2) + TASK_VALUES_OFFSET);
    expect(() => channelValues(memory, 3, 2)).toThrow('within the metrics');
    expect(() => taskWords(memory, -1)).toThrow('within the metrics');
    expect(() => taskValues(new SharedArrayBuffer(0), 0)).toThrow('within the metrics');
  });
});
