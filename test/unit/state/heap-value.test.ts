import { describe, expect, it } from 'vitest';
import {
  freezeHeapValue,
  frozenBytes,
  heapValueBytes,
  thawHeapValue,
} from '../../../src/state/heap-value.js';

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

  it('keep what is not plain, small and a tree when they are frozen', () => {
    const twice = { n: 1 };
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const holes: number[] = [1];
    holes[2] = 3;
    const named = Object.assign([1], { name: 'x' });
    const values = [
      { a: twice, b: twice },
      cycle,
      holes,
      named,
      new Map([['a', new Set([1n])]]),
      Array.from({ length: 100 }, (_, n) => ({ n })),
      JSON.parse('{ "__proto__": { "x": 1 } }') as unknown,
      { deep: [[{ bytes: new Uint8Array([1, 2]) }], undefined, null, 'text', -0] },
    ];
    for (const value of values) {
      const thawed = thawHeapValue(freezeHeapValue(value));
      expect(thawed).toEqual(value);
      expect(thawed).not.toBe(value);
    }
    const { a, b } = thawHeapValue(freezeHeapValue(values[0])) as Record<string, unknown>;
    expect(a).toBe(b);
    expect(1 in (thawHeapValue(freezeHeapValue(holes)) as unknown[])).toBe(false);
    expect(Object.keys(thawHeapValue(freezeHeapValue(named)) as object)).toEqual(['0', 'name']);
    expect(() => freezeHeapValue({ fn: () => 1 })).toThrow();
    expect(frozenBytes(freezeHeapValue(values[5]))).toBeGreaterThan(100);
    expect(frozenBytes(freezeHeapValue({ text: 'x'.repeat(500) }))).toBeGreaterThan(500);
  });
});
