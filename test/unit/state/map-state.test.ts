import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TableMapState } from '../../../src/state/map-state.js';
import type { MapState } from '../../../src/state/state-handles.js';
import { openStore, WHOLE, written } from './state-fixtures.js';

describe('map state', () => {
  it('tells keys apart by type and value', () => {
    const { key, store } = openStore();
    const map = store.map<any, number>({ name: 'm' });
    expect(map).toBeInstanceOf(TableMapState);
    key.set(['a']);
    const keys = [
      '1',
      1,
      1n,
      true,
      null,
      new Date(1),
      ['1'],
      [1],
      [['1']],
      '',
      Number.NaN,
      's1',
      '\ud800',
    ];
    keys.forEach((mapKey, index) => map.put(mapKey, index));
    expect([...map.keys()]).toEqual(keys);
    expect(keys.map((mapKey) => map.get(mapKey))).toEqual([...keys.keys()]);
    map.put(0, 100);
    expect(map.get(-0)).toBe(100);
    expect(() => map.get({} as never)).toThrow(
      expect.objectContaining({ code: 'KEY_UNSUPPORTED' }),
    );
  });

  it('may change while it is iterated', () => {
    const { key, store } = openStore();
    const map = store.map<number, string>({ name: 'm' });
    key.set(['a']);
    for (let n = 0; n < 50; n++) map.put(n, `v${n}`);
    const seen: number[] = [];
    for (const [n] of map.entries()) {
      seen.push(n);
      map.remove(n);
      map.remove(n + 1);
      map.put(1000 + n, 'new');
    }
    expect(seen).toEqual([...Array(25).keys()].map((n) => 2 * n));
    expect([...map.keys()]).toEqual(seen.map((n) => 1000 + n));
  });

  it('agrees with a Map over random operations, expiry and restarts', () => {
    const operation = fc.record({
      kind: fc.constantFrom('put', 'put', 'put', 'remove', 'clear', 'restart', 'wait'),
      key: fc.nat(2),
      mapKey: fc.nat(25),
    });
    const ttl = fc.constantFrom(null, 40);
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 50, maxLength: 300 }),
        ttl,
        (operations, ttlMs) => {
          let { key, store } = openStore();
          const descriptor = { name: 'm', ...(ttlMs === null ? {} : { ttlMs }) };
          let map: MapState<number, number> = store.map(descriptor);
          const models = [0, 1, 2].map(() => new Map<number, { value: number; at: number }>());
          let now = 0;
          operations.forEach((step, counter) => {
            key.set([`key ${step.key}`]);
            const model = models[step.key] ?? new Map();
            for (const [mapKey, { at }] of model) {
              if (ttlMs !== null && at + ttlMs <= now) model.delete(mapKey);
            }
            switch (step.kind) {
              case 'put':
                map.put(step.mapKey, counter);
                model.set(step.mapKey, { value: counter, at: now });
                break;
              case 'remove':
                map.remove(step.mapKey);
                model.delete(step.mapKey);
                break;
              case 'clear':
                if (step.mapKey < 5) {
                  map.clear();
                  model.clear();
                }
                break;
              case 'wait':
                now += step.mapKey;
                store.advanceTo(now);
                for (const [mapKey, { at }] of model) {
                  if (ttlMs !== null && at + ttlMs <= now) model.delete(mapKey);
                }
                break;
              default: {
                const pieces = written(store.beginSnapshot(WHOLE));
                ({ key, store } = openStore());
                store.advanceTo(now);
                store.restore(pieces);
                map = store.map(descriptor);
                key.set([`key ${step.key}`]);
              }
            }
            expect([...map.entries()]).toEqual(
              [...model].map(([mapKey, { value }]) => [mapKey, value]),
            );
            expect(map.isEmpty()).toBe(model.size === 0);
            expect(map.contains(step.mapKey)).toBe(model.has(step.mapKey));
          });
        },
      ),
      { numRuns: 12 },
    );
  });
});
