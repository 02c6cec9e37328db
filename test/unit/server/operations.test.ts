import { describe, expect, it } from 'vitest';
import { Operations } from '../../../src/server/operations.js';

function clock() {
  const time = { nowMs: 0 };
  return { time, clock: { epochMs: () => time.nowMs, monotonicMs: () => time.nowMs } };
}

describe('Operations', () => {
  it('tells how an operation stands', async () => {
    const operations = new Operations<string>(clock().clock);
    let done = (_: string): void => {};
    const id = operations.start('job', undefined, () => new Promise((resolve) => (done = resolve)));
    expect(operations.outcome('job', id)).toEqual({ state: 'IN_PROGRESS' });
    done('there');
    await Promise.resolve();
    expect(operations.outcome('job', id)).toEqual({ state: 'COMPLETED', value: 'there' });
    expect(() => operations.outcome('other', id)).toThrow(
      expect.objectContaining({ code: 'TRIGGER_UNKNOWN' }),
    );
  });

  it('starts one of the same id once', async () => {
    const operations = new Operations<number>(clock().clock);
    let runs = 0;
    const run = async (): Promise<number> => ++runs;
    expect(operations.start('job', 'mine', run)).toBe('mine');
    expect(operations.start('job', 'mine', run)).toBe('mine');
    expect(runs).toBe(1);
    operations.start('other', 'mine', run);
    expect(runs).toBe(2);
  });

  it('keeps an outcome for a while', async () => {
    const { clock: at, time } = clock();
    const operations = new Operations<null>(at);
    const failed = operations.start('job', undefined, () => Promise.reject(new Error('no')));
    await Promise.resolve();
    await Promise.resolve();
    time.nowMs = 299_999;
    expect(operations.outcome('job', failed)).toMatchObject({ state: 'FAILED' });
    time.nowMs = 300_001;
    expect(() => operations.outcome('job', failed)).toThrow(/no operation/);
  });

  it('keeps no more than a thousand', async () => {
    const operations = new Operations<number>(clock().clock);
    const ids = Array.from({ length: 1500 }, (_, number) =>
      operations.start('job', undefined, () => Promise.resolve(number)),
    );
    await Promise.resolve();
    expect(operations.outcome('job', ids.at(-1) ?? '')).toMatchObject({ value: 1499 });
    expect(() => operations.outcome('job', ids[0] ?? '')).toThrow(/no operation/);
  });
});
