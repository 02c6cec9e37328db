import { describe, expect, it } from 'vitest';
import { LastingListState, TableListState } from '../../../src/state/list-state.js';
import { openStore, WHOLE, written } from './state-fixtures.js';

describe('list state', () => {
  it('keeps values of any type in chunks, which a snapshot has as they were', () => {
    const { key, store } = openStore();
    const list = store.list<{ n: number }>({ name: 'l' });
    const elements = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ({ n: from + index }));
    key.set(['a']);
    list.addAll(elements(0, 70));
    key.set(['b']);
    list.add({ n: -1 });
    const pieces = written(store.beginSnapshot(WHOLE));
    key.set(['a']);
    list.addAll(elements(70, 100));
    expect([...list.get()]).toEqual(elements(0, 100));
    list.update(elements(3, 40));
    expect([...list.get()]).toEqual(elements(3, 40));
    expect(() => list.add((() => 1) as never)).toThrow(/is given a function/);
    list.clear();
    list.clear();
    expect([...list.get()]).toEqual([]);
    const other = openStore();
    other.store.restore(pieces);
    const restored = other.store.list<{ n: number }>({ name: 'l' });
    other.key.set(['a']);
    restored.add({ n: 70 });
    expect([...restored.get()]).toEqual(elements(0, 71));
    other.key.set(['b']);
    expect([...restored.get()]).toEqual([{ n: -1 }]);
  });

  it('keeps elements in order, per key', () => {
    const { key, store } = openStore([{ kind: 'number' }, { kind: 'utf8' }]);
    const list = store.list<number>({ name: 'l', type: { kind: 'number' } });
    expect(list).toBeInstanceOf(LastingListState);
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
    const list = store.list<string>({ name: 'l', ttl: 100 });
    expect(list).toBeInstanceOf(TableListState);
    key.set(['a']);
    for (let now = 0; now < 1000; now += 30) {
      store.advanceTo(now, now);
      list.add(`at ${now}`);
      const times = [...Array(1 + now / 30).keys()].map((n) => n * 30);
      expect([...list.get()]).toEqual(times.filter((t) => t + 100 > now).map((t) => `at ${t}`));
    }
    store.advanceTo(5000, 0);
    expect([...list.get()]).toEqual([]);
    list.add('new');
    expect([...list.get()]).toEqual(['new']);
  });
});
