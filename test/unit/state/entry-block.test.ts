import { describe, expect, it } from 'vitest';
import {
  BytesColumn,
  EntryBlock,
  isFixed,
  keyColumns,
  valueColumns,
  ValuesColumn,
  ValuesReader,
} from '../../../src/state/entry-block.js';
import { freezeHeapValue } from '../../../src/state/heap-value.js';
import type { TableSpec } from '../../../src/state/contract.js';

const SPEC: TableSpec = {
  name: 's',
  keys: [{ kind: 'utf8' }, { kind: 'int32' }],
  columns: [
    { name: 'a', form: 'f64' },
    { name: 'b', form: 'none' },
    { name: 'c', form: 'js' },
  ],
  ttlMs: null,
};

describe('blocks of entries', () => {
  it('have the columns of a table, stamps where it has them, and none of unknown form', () => {
    expect(keyColumns(SPEC)).toEqual([
      { name: 'k0', form: 'text' },
      { name: 'k1', form: 'i32' },
    ]);
    const values = [
      { name: 'c0', form: 'f64' },
      { name: 'c2', form: 'js' },
    ];
    expect(valueColumns(SPEC)).toEqual(values);
    expect(valueColumns({ ...SPEC, ttlMs: 5 })).toEqual([
      { name: 'stamps', form: 'f64' },
      ...values,
    ]);
    expect([isFixed('u8'), isFixed('text'), isFixed('js')]).toEqual([true, false, false]);
  });

  it('keep their values as they grow, and are full by rows or by bytes', () => {
    const block = new EntryBlock(keyColumns(SPEC), 's');
    const texts = block.columns.k0 as BytesColumn;
    for (let row = 0; row < 5000; row++) {
      block.reserve(1);
      (block.columns.k1 as Int32Array)[block.rows++] = row;
      expect(block.isFull).toBe(block.rows >= 4096);
    }
    expect([...(block.columns.k1 as Int32Array).subarray(0, 5000)]).toEqual([
      ...Array(5000).keys(),
    ]);
    block.reset();
    expect([block.rows, block.isFull]).toEqual([0, false]);
    const long = new Uint8Array(70_000).fill(1);
    texts.add(long, 0, long.length);
    expect(block.isFull).toBe(false);
    texts.add(long, 0, long.length);
    expect(block.isFull).toBe(true);
    expect([texts.rows, texts.used, texts.lengths[1]]).toEqual([2, 140_000, 70_000]);
  });

  it('hold heap values as they were, also frozen ones and parts of larger buffers', () => {
    const column = new ValuesColumn('s');
    const changing = { n: 1 };
    const shared = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    for (const value of [changing, freezeHeapValue({ f: 2n }), undefined, shared, 'text']) {
      column.add(value);
    }
    changing.n = 2;
    const bytes = column.take();
    expect(bytes.length).toBeLessThan(100);
    const reader = new ValuesReader(bytes);
    const read = Array.from({ length: 5 }, () => reader.next());
    expect(read).toEqual([{ n: 1 }, { f: 2n }, undefined, new Uint8Array([2, 3]), 'text']);
    for (const broken of [bytes.slice(0, 1), Uint8Array.of(255, 99, 0)]) {
      const load = () => new ValuesReader(broken).next();
      expect(load).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }));
    }
    expect(() => column.add({ fn: () => 1 })).toThrow(
      expect.objectContaining({ code: 'VALUE_UNSUPPORTED', message: expect.stringMatching(/"s"/) }),
    );
  });
});
