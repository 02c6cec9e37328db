import { describe, expect, it } from 'vitest';
import { freezeHeapValue, heapValueBytes, thawHeapValue } from '../../../src/state/heap-value.js';

describe('heap values', () => {
  it('are measured in proportion to what they hold', () => {
    expect(heapValueBytes(5)).toBe(0);
    expect(heapValueBytes('x'.repeat(1000))).toBeGreaterThanOrEqual(1000);
    const small = heapValueBytes(Array.from({ length: 10 }, (_, n) => ({ n, text: 'abc' })));
    const large = heapValueBytes(Array.from({ length: 1000 }, (_, n) => ({ n, text: 'abc' })));
    expect(large / small).toBeGreaterThan(50);
    expect(heapValueBytes(new Map([['a', new Uint8Array(5000)]]))).toBeGreaterThan(5000);
    expect(heapValueBytes(new Set(['abc'])) > heapValueBytes(new Set())).toBe(true);
  });

  it('are measured in bounded time and depth', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(heapValueBytes(cycle)).toBeLessThan(1000);
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f${n}`, [n]]));
    expect(heapValueBytes([wide, wide])).toBeGreaterThan(0);
  });

  it('stay as they were when frozen', () => {
    const value = { list: [1], when: new Date(5) };
    const frozen = freezeHeapValue(value);
    value.list.push(2);
    expect(thawHeapValue(frozen)).toEqual({ list: [1], when: new Date(5) });
    for (const plain of [1, 'a', 5n, null, undefined, true]) {
      expect(thawHeapValue(freezeHeapValue(plain))).toBe(plain);
    }
  });
});
