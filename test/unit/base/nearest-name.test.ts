import { describe, expect, it } from 'vitest';
import { didYouMean, nearestName } from '../../../src/base/nearest-name.js';

describe('nearestName', () => {
  it.each([
    ['paralellism', 'parallelism'],
    ['origni', 'origin'],
    ['ORIGIN', 'origin'],
    ['slot.memry', 'slot.memory'],
    ['x', 'y'],
  ])('finds %s to mean %s', (name, meant) => {
    expect(nearestName(name, ['parallelism', 'origin', 'slot.memory', 'y'])).toBe(meant);
  });

  it('finds nothing when more than a third differs', () => {
    expect(nearestName('delay', ['flights', 'day'])).toBeNull();
    expect(nearestName('anything', [])).toBeNull();
  });

  it('prefers the nearest, and the first of equals', () => {
    expect(nearestName('maxs', ['mins', 'max', 'maxi'])).toBe('max');
  });
});

describe('didYouMean', () => {
  it('asks for the nearest, else lists what there is', () => {
    expect(didYouMean('orgin', ['origin'])).toBe('Did you mean "origin"?');
    expect(didYouMean('zzz', ['origin', 'delay'])).toBe('Known: origin, delay.');
    expect(didYouMean('zzz', [])).toBe('There is nothing to choose from.');
  });

  it('keeps a long list short', () => {
    const names = Array.from({ length: 30 }, (_, index) => `column${index}`);
    expect(didYouMean('zzz', names)).toMatch(/^Known: column0, .*column19, …\.$/);
  });
});
