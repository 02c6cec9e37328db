import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../src/record/schema.js';
import type { StateTable } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import { SharedEntries, type SharedPart } from '../../../src/state/shared-entries.js';
import { stateColumn } from '../../../src/state/state-column.js';
import { WHOLE, written } from './state-fixtures.js';

const NUMBER: DataType = { kind: 'number' };
const TEXT: DataType = { kind: 'utf8' };
const KINDS: readonly (DataType | undefined)[] = [NUMBER, TEXT, { kind: 'int64' }, undefined];
const VALUES = [1.5, 'ü', 7n, { a: [1] }];

function open(types: readonly DataType[]) {
  const key = new CurrentKey(types, 16);
  const tables: StateTable[] = [];
  const shared = new SharedEntries({
    uid: 'op',
    context: key,
    openTable: (spec) => {
      tables.push(createHotTable(spec, { keyGroups: { start: 0, end: 16 } }));
      return tables[0];
    },
  });
  const parts = KINDS.map((type, at) => {
    const part = shared.part({ name: `part ${at}`, column: stateColumn('s', type) });
    if (part === null) throw new Error('A part is declared before the first look-up.');
    return part;
  });
  return { key, shared, parts, tables };
}

function write(part: SharedPart, value: unknown): number {
  const entry = part.upsert();
  part.column.write(part.table, entry, value);
  return entry;
}

function read(part: SharedPart): unknown {
  const entry = part.find();
  return entry < 0 ? undefined : part.column.read(part.table, entry);
}

describe('SharedEntries', () => {
  it.each([
    ['numbers', [NUMBER], [3]],
    ['texts and numbers', [TEXT, NUMBER], ['long enough to be out of line', -0]],
  ])('keeps parts of keys of %s apart, and an entry as long as it has one', (_, types, tuple) => {
    const { key, parts, tables } = open(types);
    key.set(tuple);
    expect(parts.map(read)).toEqual([undefined, undefined, undefined, undefined]);
    const entries = parts.map((part, at) => write(part, VALUES[at]));
    expect(new Set(entries).size).toBe(1);
    expect(parts.map(({ created }) => created)).toEqual([true, true, true, true]);
    parts[0].upsert();
    expect(parts[0].created).toBe(false);
    key.unset();
    parts[0].enter(entries[0]);
    expect(key.key).toEqual(tuple.map((value) => (Object.is(value, -0) ? 0 : value)));
    expect(parts.map(read)).toEqual(VALUES);
    for (const [at, part] of parts.entries()) {
      part.remove(entries[0]);
      expect(part.has(entries[0])).toBe(false);
      expect(parts.map(read)).toEqual(VALUES.map((value, of) => (of > at ? value : undefined)));
    }
    expect(tables[0].entries).toBe(0);
    // Nothing of what was there comes back with a new entry of the key.
    write(parts[1], '');
    expect(parts.map(read)).toEqual([undefined, '', undefined, undefined]);
  });

  it('writes what changes behind a snapshot into the next one only, and brings all of it back', () => {
    const { key, shared, parts } = open([NUMBER]);
    const pieces = () => written([shared.beginSnapshot(WHOLE)].flatMap((writer) => writer ?? []));
    key.set([1]);
    write(parts[0], 1);
    write(parts[1], 'one');
    const first = pieces();
    write(parts[0], 2);
    parts[1].remove(parts[1].find());
    key.set([2]);
    write(parts[3], 'js');
    const second = pieces();
    const restored = [first, second].map((snapshot) => {
      const other = open([NUMBER]);
      other.shared.restore(snapshot);
      return [[1], [2]].map((tuple) => {
        other.key.set(tuple);
        return other.parts.map(read);
      });
    });
    expect(restored).toEqual([
      [[1, 'one', undefined, undefined], Array(4).fill(undefined)],
      [
        [2, undefined, undefined, undefined],
        [undefined, undefined, undefined, 'js'],
      ],
    ]);
  });

  it('takes no parts once it is laid out, nor more than it has bits for', () => {
    const { key, shared, parts } = open([NUMBER]);
    for (let more = parts.length; more < 31; more++) {
      expect(shared.part({ name: `${more}`, column: stateColumn('s', NUMBER) })).not.toBeNull();
    }
    const one = { name: 'one', column: stateColumn('s', NUMBER) };
    expect(shared.part(one)).toBeNull();
    const other = open([NUMBER]);
    expect(() => other.parts[0].find()).toThrow(/no key is current/);
    other.key.set([1]);
    other.parts[0].find();
    expect(other.shared.part(one)).toBeNull();
    key.unset();
    expect(() => parts[0].upsert()).toThrow(/no key is current/);
  });
});
