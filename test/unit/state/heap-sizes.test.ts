import { expect, it } from 'vitest';
import { HeapSizes } from '../../../src/state/heap-sizes.js';

it('counts the values that there are, until they are dropped', () => {
  const columns = [
    { name: 'n', form: 'f64' },
    { name: 'v', form: 'js' },
  ] as const;
  const sizes = new HeapSizes({ name: 't', keys: [], columns, ttlMs: null }, 2);
  sizes.addPage();
  expect(sizes.count).toBe(1);
  sizes.put(1, 0, 5);
  expect(sizes.bytes).toBe(0);
  sizes.put(1, 1, 'a text of some length');
  const one = sizes.bytes;
  expect(one).toBeGreaterThan(0);
  sizes.put(2, 1, 'a text of some length');
  expect(sizes.bytes).toBe(2 * one);
  sizes.measure(1, 1, 'x'.repeat(1000));
  expect(sizes.bytes).toBeGreaterThan(1000);
  sizes.drop(1);
  expect(sizes.bytes).toBe(one);
  sizes.empty();
  expect(sizes.bytes).toBe(0);
});
