/** Values on their way through `migrated-entries.ts`: between all forms, out of snapshots that build on each other. */
import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../src/record/schema.js';
import type { KeyedStateStore } from '../../../src/state/keyed-state.js';
import type { StateDescriptor } from '../../../src/state/state-handles.js';
import type { StateSource } from '../../../src/state/table-snapshot.js';
import { openStore, written } from './state-fixtures.js';

/** A type of each form, and its nth value. */
const FORMS: Readonly<Record<string, readonly [DataType | undefined, (n: number) => unknown]>> = {
  number: [{ kind: 'number' }, (n) => n / 4],
  int64: [{ kind: 'int64' }, (n) => BigInt(n)],
  bool: [{ kind: 'bool' }, (n) => n % 2 === 1],
  utf8: [{ kind: 'utf8' }, (n) => `ein Wört ${n}`.repeat(n % 5)],
  date: [{ kind: 'date' }, (n) => new Date(n * 86_400_000)],
  none: [undefined, (n) => ({ n })],
};
/** Lists keep elements of these types one by one, and others by the chunk. */
const SINGLE = ['number', 'int64', 'bool', 'utf8'];
const pairs = Object.keys(FORMS).flatMap((was) => Object.keys(FORMS).map((is) => [was, is]));

function statesOf(store: KeyedStateStore, descriptor: Omit<StateDescriptor, 'name'>) {
  return {
    value: store.value<unknown>({ ...descriptor, name: 'value' }),
    lasting: store.value<unknown>({ ...descriptor, name: 'lasting', ttl: '1h' }),
    lastingList: store.list<unknown>({ ...descriptor, name: 'lastingList', ttl: '1h' }),
    map: store.map<string, unknown>({ ...descriptor, name: 'map' }),
  };
}

describe('values that are migrated', () => {
  it.each(pairs)('from %s to %s', (was, is) => {
    const [oldType, oldValue] = FORMS[was] ?? [];
    const [newType, newValue] = FORMS[is] ?? [];
    if (oldValue === undefined || newValue === undefined) throw new Error('There is no such form.');
    const { key, store } = openStore();
    const old = oldType === undefined ? {} : { type: oldType };
    const before = statesOf(store, old);
    const list = store.list<unknown>({ ...old, name: 'list' });
    const fill = (from: number, to: number): void => {
      for (let n = from; n < to; n++) {
        key.set([`key ${n}`]);
        before.value.update(oldValue(n));
        before.lasting.update(oldValue(n));
        before.lastingList.addAll([oldValue(n), oldValue(n + 1)]);
        list.addAll(Array.from({ length: 20 }, (_, at) => oldValue(n + at)));
        before.map.put('n', oldValue(n));
      }
    };
    fill(0, 60);
    const writers = store.beginSnapshot({ full: true, isConfirmable: true });
    const base = written(writers);
    for (const writer of writers) writer.confirm();
    fill(60, 90);
    key.set(['key 3']);
    before.value.clear();
    const changes = written(store.beginSnapshot({ full: false, isConfirmable: true }));
    const source: StateSource = {
      get: (uid, name) => [...base.get(uid, name), ...changes.get(uid, name)],
    };

    const other = openStore();
    other.store.restore(source);
    let count = 0;
    const texts = new Map(
      Array.from({ length: 120 }, (_, n) => [JSON.stringify(oldValue(n), big), n]),
    );
    const migrate = (value: unknown): unknown => {
      count++;
      if (was === 'bool' || was === 'utf8') return newValue(7);
      return newValue(texts.get(JSON.stringify(value, big)) ?? -1);
    };
    const rules = newType === undefined ? {} : { type: newType, migrate };
    const after = statesOf(other.store, rules);
    const expected = (n: number): unknown => {
      if (was === is || newType === undefined) return oldValue(n);
      return was === 'bool' || was === 'utf8' ? newValue(7) : newValue(n);
    };
    for (let n = 0; n < 90; n++) {
      other.key.set([`key ${n}`]);
      expect(after.value.value()).toEqual(n === 3 ? undefined : expected(n));
      expect(after.lasting.value()).toEqual(expected(n));
      expect([...after.lastingList.get()]).toEqual([expected(n), expected(n + 1)]);
      expect([...after.map.entries()]).toEqual([['n', expected(n)]]);
    }
    const listed = (): readonly unknown[] => {
      const declared = other.store.list<unknown>({ ...rules, name: 'list' });
      other.key.set(['key 70']);
      return [...declared.get()];
    };
    if (was === is || SINGLE.includes(was) === SINGLE.includes(is)) {
      expect(listed()).toEqual(Array.from({ length: 20 }, (_, at) => expected(70 + at)));
    } else {
      expect(listed).toThrow(expect.objectContaining({ code: 'STATE_INCOMPATIBLE' }));
    }
    const isMigrated = was !== is && newType !== undefined;
    if (!isMigrated) expect(count).toBe(0);
    else expect(count).toBeGreaterThanOrEqual(90 * 5 - 1);
  });

  it('are refused when migrate gives nothing, or something of another type', () => {
    for (const given of [null, undefined, 'text']) {
      const { key, store } = openStore();
      const state = store.value<number>({ name: 'v', type: { kind: 'number' } });
      key.set(['a']);
      state.update(1);
      const pieces = written(store.beginSnapshot({ full: true, isConfirmable: false }));
      const other = openStore();
      other.store.restore(pieces);
      const declare = (): unknown => {
        const value = other.store.value({
          name: 'v',
          type: { kind: 'int64' },
          migrate: () => given,
        });
        other.key.set(['a']);
        return value.value();
      };
      expect(declare).toThrow(expect.objectContaining({ code: 'STATE_INCOMPATIBLE' }));
    }
  });
});

function big(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
