import { describe, expect, it } from 'vitest';
import { dealListItems, OperatorStateStore } from '../../../src/state/operator-state.js';
import type { StateSink } from '../../../src/state/state-writer.js';
import type { StateSource } from '../../../src/state/table-snapshot.js';

/** Snapshots a store into pieces by name. */
function snapshotOf(store: OperatorStateStore): Map<string, Uint8Array> {
  const pieces = new Map<string, Uint8Array>();
  const put: StateSink['put'] = (uid, name, keyGroup, bytes, isChanges) => {
    expect([uid, keyGroup, isChanges]).toEqual(['op', -1, false]);
    pieces.set(name, bytes);
  };
  for (const writer of store.beginSnapshot()) while (!writer.step({ put }, { left: 1 }));
  return pieces;
}

function sourceOf(pieces: ReadonlyMap<string, readonly Uint8Array[]>): StateSource {
  return {
    get: (_, name) => (pieces.get(name) ?? []).map((bytes) => ({ keyGroup: -1, bytes })),
  };
}

function restoredFrom(pieces: ReadonlyMap<string, readonly Uint8Array[]>): OperatorStateStore {
  const store = new OperatorStateStore('op');
  store.restore(sourceOf(pieces));
  return store;
}

describe('operator state', () => {
  it('brings lists and broadcast maps back', () => {
    const store = new OperatorStateStore('op');
    store.list<number>('positions').addAll([1, 2, 3]);
    store.unionList<string>('all').update(['a']);
    const rules = store.broadcast<string, object>('rules');
    rules.putAll([
      ['r1', { limit: 5 }],
      ['r2', { limit: 6 }],
    ]);
    rules.remove('r2');
    const pieces = new Map([...snapshotOf(store)].map(([name, bytes]) => [name, [bytes]]));
    const restored = restoredFrom(pieces);
    expect([...restored.list('positions').get()]).toEqual([1, 2, 3]);
    expect([...restored.unionList('all').get()]).toEqual(['a']);
    expect([...restored.broadcast('rules').entries()]).toEqual([['r1', { limit: 5 }]]);
    expect(restored.broadcast('rules').contains('r2')).toBe(false);
  });

  it('gives a union list all items of all subtasks', () => {
    const pieces = [['a'], ['b', 'c']].map((items) => {
      const store = new OperatorStateStore('op');
      store.unionList<string>('u').addAll(items);
      return snapshotOf(store).get('unionList/u') ?? new Uint8Array();
    });
    const restored = restoredFrom(new Map([['unionList/u', pieces]]));
    expect([...restored.unionList('u').get()]).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [1, [[0, 1, 2, 3, 4, 5, 6]]],
    [
      3,
      [
        [0, 1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    [9, [[0], [1], [2], [3], [4], [5], [6], [], []]],
  ])('deals list items to %i subtasks in contiguous shares', (parallelism, wanted) => {
    const pieces = [[0, 1, 2], [3], [4, 5, 6]].map((items) => {
      const store = new OperatorStateStore('op');
      store.list<number>('l').addAll(items);
      return snapshotOf(store).get('list/l') ?? new Uint8Array();
    });
    const dealt = dealListItems(pieces, parallelism).map((bytes) => [
      ...restoredFrom(new Map([['list/l', [bytes]]]))
        .list('l')
        .get(),
    ]);
    expect(dealt).toEqual(wanted);
  });

  it('refuses damaged pieces and names of two kinds', () => {
    const store = new OperatorStateStore('op');
    store.list('l').add(1);
    expect(() => store.broadcast('l')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    const bytes = snapshotOf(store).get('list/l') ?? new Uint8Array();
    bytes[6] = 9;
    const restored = restoredFrom(new Map([['list/l', [bytes]]]));
    expect(() => restored.list('l')).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
  });

  it('writes lists as they were when the snapshot began, in slices', () => {
    const store = new OperatorStateStore('op');
    const list = store.list<{ n: number }>('l');
    const other = store.unionList<number>('u');
    const seen = store.broadcast<string, { n: number }>('b');
    list.addAll(Array.from({ length: 100 }, (_, n) => ({ n })));
    other.addAll([1, 2, 3]);
    seen.put('a', { n: 1 });
    const writers = store.beginSnapshot();
    const pieces = new Map<string, Uint8Array>();
    const put: StateSink['put'] = (_uid, name, _group, bytes) => pieces.set(name, bytes);
    expect(writers.map((writer) => writer.step({ put }, { left: 8 }))).toEqual([
      false,
      false,
      true,
    ]);
    list.add({ n: 100 });
    other.clear();
    const value = seen.get('a');
    if (value !== undefined) value.n = 2;
    // Items that are given out may be changed in place, and are written before.
    for (const item of list.get()) item.n = -1;
    for (const writer of writers) while (!writer.step({ put }, { left: 8 }));
    expect([...pieces.keys()].toSorted()).toEqual(['broadcast/b', 'list/l', 'unionList/u']);
    const restored = restoredFrom(new Map([...pieces].map(([name, bytes]) => [name, [bytes]])));
    expect([...restored.list('l').get()]).toEqual(Array.from({ length: 100 }, (_, n) => ({ n })));
    expect([...restored.unionList('u').get()]).toEqual([1, 2, 3]);
    expect(restored.broadcast('b').get('a')).toEqual({ n: 1 });
    const [given] = store.beginSnapshot();
    given?.abort();
    expect(given?.step({ put: () => expect.unreachable() }, { left: 1 })).toBe(true);
  });
});
