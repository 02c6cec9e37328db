import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotPool } from '../../../src/server/slot-pool.js';

describe('SlotPool', () => {
  it('serves jobs in the order in which they asked', async () => {
    const pool = new SlotPool(4);
    expect(pool.take('a', 3)).toBe(true);
    const wide = pool.wait('b', 4);
    const narrow = pool.wait('c', 1);
    // One slot is free, but it is the wide one's turn.
    expect(pool.take('d', 1)).toBe(false);
    expect(pool.waiting).toEqual(['b', 'c']);
    pool.leave('a');
    expect(await wide).toBe(true);
    pool.leave('b');
    expect(await narrow).toBe(true);
    expect(pool.free).toBe(3);
  });

  it('lets a job leave the queue', async () => {
    const pool = new SlotPool(1);
    pool.take('a', 1);
    const waiting = pool.wait('b', 1);
    pool.leave('b');
    expect(await waiting).toBe(false);
    pool.leave('a');
    expect(pool.free).toBe(1);
  });

  it('is like a list of who asked', async () => {
    const step = fc.record({
      job: fc.nat(9),
      slots: fc.integer({ min: 1, max: 5 }),
      isResized: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const pool = new SlotPool(5);
        let asked: { job: string; slots: number }[] = [];
        const granted = new Set<string>();
        for (const { job: number, slots, isResized } of steps) {
          const job = `job-${number}`;
          const has = asked.find((one) => one.job === job);
          if (has !== undefined && isResized) {
            const doesWait = asked.some((one) => !granted.has(one.job));
            const isMore = slots > has.slots;
            const fits = !isMore || (!doesWait && slots - has.slots <= pool.free);
            const expected = !granted.has(job) || fits;
            expect(pool.resize(job, slots)).toBe(expected);
            if (granted.has(job) && fits) has.slots = slots;
          } else if (has !== undefined) {
            asked = asked.filter((one) => one.job !== job);
            pool.leave(job);
            granted.delete(job);
          } else {
            asked.push({ job, slots });
            void pool.wait(job, slots).then((isGranted) => isGranted && granted.add(job));
          }
          await Promise.resolve();
          await Promise.resolve();
          // Whoever was served stays served; of the others, the first that fit in their order are.
          let free = 5;
          for (const one of asked) if (granted.has(one.job)) free -= one.slots;
          expect(pool.free).toBe(free);
          expect(free).toBeGreaterThanOrEqual(0);
          const next = asked.find((one) => !granted.has(one.job));
          expect(next === undefined || next.slots > free).toBe(true);
        }
      }),
    );
  });
});
