import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../src/record/schema.js';
import {
  FoldedAggregatingState,
  FoldedReducingState,
  PartValueState,
} from '../../../src/state/value-state.js';
import { openStore } from './state-fixtures.js';

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
    expect(state).toBeInstanceOf(PartValueState);
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

describe('folding states', () => {
  it('reduces values per key', () => {
    const { key, store } = openStore();
    const longest = store.reducing<string>({ name: 'r' }, (a, b) => (b.length > a.length ? b : a));
    expect(longest).toBeInstanceOf(FoldedReducingState);
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

  it('aggregates in place, per key, and starts afresh when cleared', () => {
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
    expect(mean).toBeInstanceOf(FoldedAggregatingState);
    key.set(['a']);
    expect(mean.get()).toBeUndefined();
    for (const value of [1, 2, 6]) mean.add(value);
    expect(mean.get()).toBe(3);
    mean.clear();
    mean.add(8);
    expect(mean.get()).toBe(8);
  });
});
