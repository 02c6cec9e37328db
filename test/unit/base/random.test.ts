import { describe, expect, it } from 'vitest';
import { freshSeed, SeededRandom } from '../../../src/base/random.js';

const drawn = (seed: number, count: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.nextUint32());
};

describe('SeededRandom', () => {
  it('repeats from its seed and differs between seeds', () => {
    expect(drawn(7, 100)).toEqual(drawn(7, 100));
    expect(drawn(7, 100)).not.toEqual(drawn(8, 100));
    expect(drawn(0, 1)).not.toEqual([0]);
  });

  it('never changes, so that seeds of old runs still tell', () => {
    expect(drawn(1, 3)).toEqual([393288148, 2174103013, 3814759091]);
  });

  it('fills its range evenly', () => {
    const random = new SeededRandom(3);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) counts[random.below(10)] += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('stays below its bounds', () => {
    const random = new SeededRandom(5);
    for (let draw = 0; draw < 1000; draw++) {
      expect(random.below(1)).toBe(0);
      const share = random.next();
      expect(share >= 0 && share < 1).toBe(true);
    }
  });
});

describe('freshSeed', () => {
  it('is a whole number of 32 bits that nobody chose', () => {
    const seeds = Array.from({ length: 20 }, freshSeed);
    for (const seed of seeds) expect(seed).toBe(seed >>> 0);
    expect(new Set(seeds).size).toBeGreaterThan(15);
  });
});
