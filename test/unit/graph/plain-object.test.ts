import { describe, expect, it } from 'vitest';
import { freezePlain, isPlainObject } from '../../../src/graph/plain-object.js';

class Own {
  readonly inner = { value: 1 };
}

describe('plain objects', () => {
  it('are literals and objects without prototype, not instances', () => {
    expect([{}, Object.create(null), { a: 1 }].map(isPlainObject)).toEqual([true, true, true]);
    expect([null, [], new Own(), new Map(), () => 1, 'x'].map(isPlainObject)).not.toContain(true);
  });

  it('are frozen with what is in them; connectors, aggregators and instances are not', () => {
    const own = new Own();
    const value = {
      list: [{ deep: { deeper: 1 } }],
      connector: { state: {} },
      aggregator: { state: {} },
      own,
    };
    expect(freezePlain(value)).toBe(value);
    expect(Object.isFrozen(value.list[0]?.deep)).toBe(true);
    expect(Object.isFrozen(value.connector)).toBe(false);
    expect(Object.isFrozen(value.aggregator)).toBe(false);
    expect(Object.isFrozen(own)).toBe(false);
    expect(Object.isFrozen(own.inner)).toBe(false);
  });

  it('may contain themselves', () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    expect(Object.isFrozen(freezePlain(cyclic))).toBe(true);
  });
});
