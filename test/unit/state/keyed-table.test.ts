import { describe, expect, it } from 'vitest';
import { hashNumber } from '../../../src/record/key-hash.js';
import type { DataType } from '../../../src/record/schema.js';
import type { StateTable } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import { KeyedTable, type MoreKeys, NamedKey } from '../../../src/state/keyed-table.js';

const NUMBER: DataType = { kind: 'number' };
const TEXT: DataType = { kind: 'utf8' };

function tableOf(keys: readonly DataType[]): StateTable {
  const columns = [{ name: 'value', form: 'f64' }] as const;
  const spec = { name: 'table', keys, columns, ttlMs: null };
  return createHotTable(spec, { keyGroups: { start: 0, end: 16 } });
}

function bound(types: readonly DataType[], more: MoreKeys, moreTypes: readonly DataType[]) {
  const key = new CurrentKey(types, 16);
  const keyed = new KeyedTable(key);
  const table = tableOf([...types, ...moreTypes]);
  keyed.bind(table, key, more, { numbers: moreTypes.length });
  return { key, keyed, table };
}

describe('keyed table', () => {
  it('finds what it made, by the current key alone', () => {
    const { key, keyed } = bound([TEXT, NUMBER], 'nothing', []);
    key.set(['a', 1]);
    expect(keyed.find()).toBe(-1);
    const entry = keyed.upsert();
    key.set(['a', 2]);
    expect(keyed.find()).toBe(-1);
    key.set(['a', 1]);
    expect(keyed.find()).toBe(entry);
    expect(keyed.table.keyOf(entry)).toEqual(['a', 1]);
  });

  it('finds by texts and numbers behind the key, under the hashes that a restored table has', () => {
    const named = bound([NUMBER], 'text', [TEXT]);
    named.key.set([7]);
    const one = named.keyed.upsert(new NamedKey('ä'));
    expect(named.keyed.find(new NamedKey('b'))).toBe(-1);
    const numbered = bound([NUMBER, NUMBER], 'numbers', [NUMBER, NUMBER]);
    numbered.key.set([7, 8]);
    const two = numbered.keyed.upsert(3, [2]);
    expect(numbered.keyed.find(2, [3])).toBe(-1);
    for (const [{ table, keyed, key }, entry] of [
      [named, one],
      [numbered, two],
    ] as const) {
      const copy = tableOf(table.spec.keys);
      for (let group = 0; group < 16; group++) {
        for (const each of table.entriesOf(group)) copy.load(each);
      }
      keyed.bind(copy, key, keyed === named.keyed ? 'text' : 'numbers', { numbers: 2 });
      const found = keyed === named.keyed ? keyed.find(new NamedKey('ä')) : keyed.find(3, [2]);
      expect(found).toBeGreaterThanOrEqual(0);
      expect(copy.keyOf(found)).toEqual(table.keyOf(entry));
    }
  });

  it('refuses to work while no key is current, also before it is bound', () => {
    const key = new CurrentKey(null, 16);
    const keyed = new KeyedTable(key);
    const refused = expect.objectContaining({ code: 'STATE_WITHOUT_KEY' });
    expect(() => keyed.find()).toThrow(refused);
    expect(() => keyed.upsert()).toThrow(refused);
    expect(keyed.isBound).toBe(false);
    key.bind([NUMBER]);
    keyed.bind(tableOf([NUMBER]), key, 'nothing');
    expect(() => keyed.find()).toThrow(refused);
    key.flat[0] = 5;
    key.enter(hashNumber(5), 3);
    expect(key.key).toEqual([5]);
    expect(keyed.find()).toBe(-1);
    key.unset();
    expect(() => keyed.find()).toThrow(refused);
    expect(() => key.key).toThrow(refused);
  });
});
