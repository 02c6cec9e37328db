import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../src/record/schema.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import { KeyedStateStore } from '../../../src/state/keyed-state.js';
import type { MapState } from '../../../src/state/state-handles.js';
import type { StateSource } from '../../../src/state/table-snapshot.js';

const MAX_PARALLELISM = 16;

/** Pieces by uid and name, as a checkpoint would keep them. */
class Pieces implements StateSource {
  readonly #pieces = new Map<string, { keyGroup: number; bytes: Uint8Array }[]>();

  put(uid: string, name: string, keyGroup: number, bytes: Uint8Array): void {
    const id = `${uid}/${name}`;
    this.#pieces.set(id, [...(this.#pieces.get(id) ?? []), { keyGroup, bytes }]);
  }

  get(uid: string, name: string) {
    return this.#pieces.get(`${uid}/${name}`) ?? [];
  }
}

function openStore(types: readonly DataType[] = [{ kind: 'utf8' }]) {
  const key = new CurrentKey(types, MAX_PARALLELISM);
  const store = new KeyedStateStore({
    uid: 'op',
    context: key,
    openTable: (spec) => createHotTable(spec, { keyGroups: { start: 0, end: MAX_PARALLELISM } }),
  });
  return { key, store };
}

describe('value state', () => {
  it.each([
    ['any', undefined, { a: 1 }, ['b']],
    ['number', { kind: 'number' }, 1.5, Number.NaN],
    ['int64', { kind: 'int64' }, 5n, -(2n ** 63n)],
    ['bool', { kind: 'bool' }, true, false],
    ['utf8', { kind: 'utf8' }, 'ä', ''],
  ] as const)('keeps a value of type %s per key', (_, type, first, second) => {
    const { key, store } = openStore();
    const state = store.value<unknown>({ name: 'v', ...(type === undefined ? {} : { type }) });
    key.set(['a']);
    expect(state.value()).toBeUndefined();
    state.update(first);
    key.set(['b']);
    expect(state.value()).toBeUndefined();
    state.update(second);
    expect(state.value()).toEqual(second);
    key.set(['a']);
    expect(state.value()).toEqual(first);
    state.clear();
    expect(state.value()).toBeUndefined();
    key.set(['b']);
    state.update(null);
    expect(state.value()).toBeUndefined();
  });

  it('refuses values of another type', () => {
    const { key, store } = openStore();
    key.set(['a']);
    const wrong: readonly (readonly [string, DataType | undefined, unknown])[] = [
      ['n', { kind: 'number' }, '1'],
      ['l', { kind: 'int64' }, 2n ** 63n],
      ['b', { kind: 'bool' }, 1],
      ['t', { kind: 'utf8' }, 1],
      ['f', undefined, () => 1],
    ];
    for (const [name, type, value] of wrong) {
      const state = store.value({ name, ...(type === undefined ? {} : { type }) });
      expect(() => state.update(value)).toThrow(
        expect.objectContaining({ code: 'VALUE_UNSUPPORTED' }),
      );
    }
  });

  it('refuses to work without a key', () => {
    const { key, store } = openStore();
    const state = store.value({ name: 'v' });
    expect(() => state.value()).toThrow(expect.objectContaining({ code: 'STATE_WITHOUT_KEY' }));
    key.set(['a']);
    state.update(1);
    key.unset();
    expect(() => state.update(2)).toThrow(expect.objectContaining({ code: 'STATE_WITHOUT_KEY' }));
  });

  it('gives one handle per name and refuses another kind', () => {
    const { store } = openStore();
    expect(store.value({ name: 'v' })).toBe(store.value({ name: 'v' }));
    expect(() => store.list({ name: 'v' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});

describe('list state', () => {
  it('keeps elements in order, per key', () => {
    const { key, store } = openStore([{ kind: 'number' }, { kind: 'utf8' }]);
    const list = store.list<number>({ name: 'l', type: { kind: 'number' } });
    key.set([1, 'a']);
    list.add(3);
    list.addAll([1, 2]);
    key.set([1, 'b']);
    expect([...list.get()]).toEqual([]);
    list.add(9);
    key.set([1, 'a']);
    expect([...list.get()]).toEqual([3, 1, 2]);
    list.update(list.get());
    expect([...list.get()]).toEqual([3, 1, 2]);
    list.clear();
    expect([...list.get()]).toEqual([]);
    list.add(7);
    expect([...list.get()]).toEqual([7]);
    key.set([1, 'b']);
    expect([...list.get()]).toEqual([9]);
  });

  it('lets elements expire one by one', () => {
    const { key, store } = openStore();
    const list = store.list<string>({ name: 'l', ttlMs: 100 });
    key.set(['a']);
    for (let now = 0; now < 1000; now += 30) {
      store.advanceTo(now);
      list.add(`at ${now}`);
      const times = [...Array(1 + now / 30).keys()].map((n) => n * 30);
      expect([...list.get()]).toEqual(times.filter((t) => t + 100 > now).map((t) => `at ${t}`));
    }
    store.advanceTo(5000);
    expect([...list.get()]).toEqual([]);
    list.add('new');
    expect([...list.get()]).toEqual(['new']);
  });
});

describe('map state', () => {
  it('tells keys apart by type and value', () => {
    const { key, store } = openStore();
    const map = store.map<any, number>({ name: 'm' });
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
                const pieces = new Pieces();
                store.snapshot(pieces);
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
      { numRuns: 40 },
    );
  });
});

describe('folding states', () => {
  it('reduces values per key', () => {
    const { key, store } = openStore();
    const longest = store.reducing<string>({ name: 'r' }, (a, b) => (b.length > a.length ? b : a));
    for (const [name, text] of [
      ['a', 'xx'],
      ['a', 'y'],
      ['b', 'q'],
      ['a', 'zzz'],
    ] as const) {
      key.set([name]);
      longest.add(text);
    }
    expect(longest.get()).toBe('zzz');
    key.set(['b']);
    expect(longest.get()).toBe('q');
    longest.clear();
    expect(longest.get()).toBeUndefined();
  });

  it('aggregates in place without disturbing a snapshot under way', () => {
    const { key, store } = openStore();
    const mean = store.aggregating<number, number[], number>(
      { name: 'm' },
      {
        create: () => [0, 0],
        add: (accumulator, value) => {
          accumulator[0] = (accumulator[0] ?? 0) + value;
          accumulator[1] = (accumulator[1] ?? 0) + 1;
          return undefined;
        },
        result: ([sum = 0, count = 0]) => sum / count,
      },
    );
    key.set(['a']);
    expect(mean.get()).toBeUndefined();
    for (const value of [1, 2, 6]) mean.add(value);
    expect(mean.get()).toBe(3);
    mean.clear();
    mean.add(8);
    expect(mean.get()).toBe(8);
  });
});

describe('KeyedStateStore', () => {
  it('brings back states of all kinds, also those declared after the restore', () => {
    const { key, store } = openStore();
    const declare = (from: KeyedStateStore) => ({
      value: from.value<object>({ name: 'v' }),
      list: from.list<string>({ name: 'l' }),
      map: from.map<string, number>({ name: 'm' }),
    });
    const states = declare(store);
    for (let n = 0; n < 40; n++) {
      key.set([`key ${n}`]);
      states.value.update({ n });
      states.list.addAll(['x', `${n}`]);
      states.map.put('n', n);
    }
    const pieces = new Pieces();
    store.snapshot(pieces);
    const other = openStore();
    other.store.restore(pieces);
    const restored = declare(other.store);
    for (let n = 0; n < 40; n++) {
      other.key.set([`key ${n}`]);
      expect(restored.value.value()).toEqual({ n });
      expect([...restored.list.get()]).toEqual(['x', `${n}`]);
      expect([...restored.map.entries()]).toEqual([['n', n]]);
    }
    other.store.close();
    expect(restored.value.value()).toBeUndefined();
  });
});
