import { describe, expect, it } from 'vitest';
import type { KeyedStateStore } from '../../../src/state/keyed-state.js';
import { openStore, WHOLE, written } from './state-fixtures.js';

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
    const pieces = written(store.beginSnapshot(WHOLE));
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
