import { expect, it } from 'vitest';
import { everyOperation } from '../crash/every-operation.mjs';

/** Some operations in every `npm test`; all of them by `npm run crash -- --every-op`. */
const SOME = { stride: 97, offset: 11 };

it('a process that is killed at an operation of the disk, in its recovery and in the recovery from that loses and repeats nothing', async () => {
  const { points, kills, restores, faults } = await everyOperation(SOME);
  expect(faults).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(12);
  expect(kills).toBeGreaterThanOrEqual(10);
  expect(restores).toBeGreaterThan(5);
});
