import { describe, expect, it } from 'vitest';
import { progressLine, progressText } from '../../../src/cli/progress-text.js';
import { PLAIN_STYLE } from '../../../src/cli/style.js';
import type { ProgressView } from '../../../src/runtime/view-model.js';

const progress: ProgressView = {
  elapsedMs: 3200,
  rows: 1_310_000,
  bytes: 50_000_000,
  rowsPerSecond: 410_000,
  share: 0.43,
  leftMs: 4300,
  badRecords: 0,
};
const endless: ProgressView = { ...progress, share: null, leftMs: null };

describe('progress', () => {
  it('is told in words', () => {
    const text = '1.31 M rows, 410 K rows/s, 47.7 MB, 3.20 s, about 5 s left';
    expect(progressText(progress)).toBe(text);
  });

  it('leaves out what matters least where there is no room', () => {
    expect(progressText(progress, 56)).toBe('1.31 M rows, 410 K rows/s, 3.20 s, about 5 s left');
    expect(progressText(progress, 40)).toBe('1.31 M rows, 410 K rows/s');
    expect(progressText({ ...progress, badRecords: 3 }, 40)).toBe('1.31 M rows, 410 K rows/s');
    expect(progressText(progress, 8)).toBe('1.31 M r');
  });

  it('counts long times in minutes and says when the input has been read', () => {
    expect(progressText({ ...progress, leftMs: 200_000 })).toContain('about 3 m 20 s left');
    const read = { ...progress, share: 1, leftMs: null };
    expect(progressText(read)).toContain('input read, results follow');
  });

  it('has a bar when the size of the input is known', () => {
    const { text, width } = progressLine(progress, 100, PLAIN_STYLE);
    expect(text).toBe(`${'━'.repeat(12)}${'─'.repeat(18)} 43 %  ${progressText(progress)}`);
    expect(width).toBe(text.length);
    expect(progressLine(endless, 100, PLAIN_STYLE).text).toBe(progressText(endless));
    expect(progressLine(progress, 50, PLAIN_STYLE).text).toMatch(/^ 43 % {2}1.31 M rows/);
  });
});
