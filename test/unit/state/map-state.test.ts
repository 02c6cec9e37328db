import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TableMapState } from '../../../src/state/map-state.js';
import type { MapState } from '../../../src/state/state-handles.js';
import type { StateTable } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import { KeyedStateStore } from '../../../src/state/keyed-state.js';
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

  it('lists what is past its time as long as that can be seen, and anew once it is put', () => {
    const tables = new Map<string, StateTable>();
    const context = new CurrentKey([{ kind: 'number' }], 16);
    const store = new KeyedStateStore({
      uid: 'op',
      context,
      openTable: (spec) => {
        const table = createHotTable(spec, { keyGroups: { start: 0, end: 16 } });
        tables.set(spec.name, table);
        return table;
      },
      eventTimeMs: () => 0,
    });
    const ttl = { after: 10, visibility: 'returnExpiredIfNotCleanedUp' } as const;
    const map = store.map<string, number>({ name: 'm', ttl });
    context.set([1]);
    for (const [n, name] of ['a', 'b', 'c'].entries()) map.put(name, n);
    for (const table of tables.values()) table.stampMs = 100;
    map.put('d', 3);
    expect([...map.keys()]).toEqual(['a', 'b', 'c', 'd']);
    // What lists them is cleaned up before they are.
    tables.get('m.order')?.expire?.(64, 50);
    expect(map.get('a')).toBe(0);
    expect([...map.keys()]).toEqual(['d']);
    map.put('e', 4);
    map.put('b', 5);
    expect([...map.entries()]).toEqual([
      ['d', 3],
      ['e', 4],
      ['b', 5],
    ]);
    store.advanceTo(60, 0);
    expect([map.get('a'), map.get('b')]).toEqual([undefined, 5]);
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
          const descriptor = { name: 'm', ...(ttlMs === null ? {} : { ttl: ttlMs }) };
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
                store.advanceTo(now, 0);
                for (const [mapKey, { at }] of model) {
                  if (ttlMs !== null && at + ttlMs <= now) model.delete(mapKey);
                }
                break;
              default: {
                const pieces = written(store.beginSnapshot(WHOLE));
                ({ key, store } = openStore());
                store.advanceTo(now, 0);
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
