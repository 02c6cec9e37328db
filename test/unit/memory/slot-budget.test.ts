import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { resourceLimitsFor, resourceLimitsOf } from '../../../src/memory/resource-limits.js';
import {
  preAggregateKeysMax,
  RING_BYTES_MAX,
  RING_BYTES_MIN,
  ringBytes,
  splitSlotMemory,
} from '../../../src/memory/slot-budget.js';

const MIB = 1024 ** 2;

function failureOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('It did not fail with a code.');
}

describe('splitSlotMemory', () => {
  it('divides by the default fractions without losing a byte', () => {
    const budget = splitSlotMemory(512 * MIB);
    expect(budget).toEqual({
      networkBytes: 64 * MIB,
      managedBytes: 192 * MIB,
      heapBytes: 256 * MIB,
    });
    const odd = splitSlotMemory(100_000_001, { network: 0.1, managed: 0.33 });
    expect(odd.networkBytes + odd.managedBytes + odd.heapBytes).toBe(100_000_001);
  });

  it('accepts the smallest slot that can be configured', () => {
    expect(splitSlotMemory(32 * MIB).heapBytes).toBe(16 * MIB);
  });

  it.each([
    [16 * MIB, { network: 0.125, managed: 0.375 }, 'the heap', '28mb'],
    [64 * MIB, { network: 0.0001, managed: 0.4 }, 'rings', 'slot.networkFraction'],
    [64 * MIB, { network: 0.4, managed: 0.001 }, 'state', 'slot.managedFraction'],
  ])('refuses %d bytes with %o and says what to raise', (bytes, fractions, what, advice) => {
    const error = failureOf(() => splitSlotMemory(bytes, fractions));
    expect(error.code).toBe('MEMORY_BUDGET_TOO_SMALL');
    expect(error.message).toContain(what);
    expect(error.advice).toContain(advice);
  });

  it('refuses fractions that leave no heap', () => {
    const error = failureOf(() => splitSlotMemory(512 * MIB, { network: 0.5, managed: 0.5 }));
    expect(error.code).toBe('OPTION_INVALID');
    expect(() => splitSlotMemory(512 * MIB, { network: Number.NaN, managed: 0.5 })).toThrow();
  });
});

describe('ringBytes', () => {
  it('shares the network memory, within bounds and aligned', () => {
    expect(ringBytes(64 * MIB, 1)).toBe(RING_BYTES_MAX);
    expect(ringBytes(64 * MIB, 64)).toBe(MIB);
    expect(ringBytes(64 * MIB, 0)).toBe(RING_BYTES_MAX);
    const share = ringBytes(10_000_001, 7);
    expect(share % 128).toBe(0);
    expect(share * 7).toBeLessThanOrEqual(10_000_001);
    expect(ringBytes(RING_BYTES_MIN * 5, 5)).toBe(RING_BYTES_MIN);
  });

  it('refuses more channels than fit, with the memory that would do', () => {
    const error = failureOf(() => ringBytes(64 * MIB, 1025));
    expect(error.code).toBe('MEMORY_BUDGET_TOO_SMALL');
    expect(error.message).toContain('1025 rings');
    expect(error.advice).toContain('slot.memory to 513mb');
    const { networkBytes } = splitSlotMemory(513 * MIB);
    expect(ringBytes(networkBytes, 1025)).toBeGreaterThanOrEqual(RING_BYTES_MIN);
  });
});

describe('resource limits', () => {
  it('divide the heap into young and old', () => {
    const limits = resourceLimitsFor(256 * MIB);
    expect(limits.maxYoungGenerationSizeMb).toBe(32);
    expect(limits.maxOldGenerationSizeMb).toBe(224);
    expect(resourceLimitsFor(8 * 1024 * MIB).maxYoungGenerationSizeMb).toBe(48);
  });

  it('follow from the settings of a run', () => {
    const limits = resourceLimitsOf({
      'slot.memory': 512 * MIB,
      'slot.networkFraction': 0.125,
      'slot.managedFraction': 0.375,
    });
    expect(limits).toEqual(resourceLimitsFor(256 * MIB));
  });
});

it('bounds the keys of a pre-aggregation by the setting and by an eighth of the managed memory', () => {
  const keysOf = (bytes: number): number =>
    preAggregateKeysMax(262_144, splitSlotMemory(bytes).managedBytes);
  expect(keysOf(512 * MIB)).toBe(262_144);
  expect(keysOf(64 * MIB)).toBe(49_152);
  expect(preAggregateKeysMax(100, 2 * MIB)).toBe(100);
});
