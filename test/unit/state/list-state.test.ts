import { describe, expect, it } from 'vitest';
import { TableListState } from '../../../src/state/list-state.js';
import { openStore } from './state-fixtures.js';

describe('list state', () => {
  it('keeps elements in order, per key', () => {
    const { key, store } = openStore([{ kind: 'number' }, { kind: 'utf8' }]);
    const list = store.list<number>({ name: 'l', type: { kind: 'number' } });
    expect(list).toBeInstanceOf(TableListState);
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
