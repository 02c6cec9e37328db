import { describe, expect, it } from 'vitest';
import { ByteArena } from '../../../src/state/byte-arena.js';
import type { TableSpec } from '../../../src/state/contract.js';
import {
  type BytesColumn,
  EntryBlock,
  keyColumns,
  valueColumns,
} from '../../../src/state/entry-block.js';
import { compileAppend } from '../../../src/state/entry-code.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { KeyTexts } from '../../../src/state/key-texts.js';
import { tableShape } from '../../../src/state/table-shape.js';
import { TableDriver } from '../../contract/state-table-model.js';

const KEY_GROUPS = 4;
const SPEC: TableSpec = {
  name: 's',
  keys: [{ kind: 'utf8' }],
  columns: [
    { name: 'a', form: 'f64' },
    { name: 'b', form: 'utf8' },
    { name: 'c', form: 'js' },
    { name: 'parts', form: 'i32' },
  ],
  ttlMs: null,
  isPacked: true,
};
const open = () =>
  new TableDriver(createHotTable(SPEC, { keyGroups: { start: 0, end: KEY_GROUPS } }), KEY_GROUPS);
const PART = {
  spec: { ...SPEC, name: 'part', columns: [{ name: 'value', form: 'f64' }] },
  columns: [0],
  bit: 2,
} as const;

describe('generated code between tables and blocks', () => {
  it('appends some columns of the entries asked for', () => {
    const shape = tableShape(SPEC, 2);
    const arena = new ByteArena(
      () => false,
      () => {},
    );
    const { table } = open();
    const parts = { table, pages: table.pages, arena, keyTexts: new KeyTexts(arena), hashOf: null };
    const code = compileAppend(shape, parts, PART);
    const words = new Int32Array(16);
    const bytes = new Uint8Array(words.buffer);
    words[4] = 2;
    bytes.set([104, 105], 20);
    const page = { f64: new Float64Array(12).map((_, at) => at), k0: words, k0b: bytes } as never;
    const block = new EntryBlock([...keyColumns(SPEC), ...valueColumns(PART.spec)], 's');
    code.append(block, page, Int32Array.of(9, 1, 0), 1, 3, new Float64Array(3));
    expect(block.rows).toBe(2);
    const { k0, c0 } = block.columns as never as { k0: BytesColumn; c0: Float64Array };
    expect([...k0.lengths.subarray(0, 2), ...k0.bytes.subarray(0, 2)]).toEqual([2, 0, 104, 105]);
    // Two numbers of a packed entry lie side by side, the second of which holds parts and a text's place.
    expect([...c0.subarray(0, 2)]).toEqual([2, 0]);
    code.appendKeys(block, page, Int32Array.of(1), 0, 1);
    expect([block.rows, k0.lengths[2]]).toEqual([3, 2]);
  });

  it('places parts of entries beside what others have, and takes them out again', () => {
    const driver = open();
    const { table } = driver;
    driver.write(driver.upsert(['both']), [undefined, 'text', { js: 1 }, 4], 12);
    const keys = (texts: readonly string[]) => {
      const block = new EntryBlock(keyColumns(SPEC), 's');
      for (const text of texts) {
        const bytes = new TextEncoder().encode(text);
        (block.columns.k0 as BytesColumn).add(bytes, 0, bytes.length);
        block.rows++;
      }
      return block;
    };
    const group = driver.keyGroupOf(['both']);
    const other = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].find(
      (text) => driver.keyGroupOf([text]) === group,
    ) as string;
    const view = (texts: readonly string[]) => {
      const { rows, columns } = keys(texts);
      return { rows, columns: { ...columns, c0: Float64Array.of(1.5, 2.5) } };
    };
    const loader = table.loader(PART, new Set(['k0', 'c0']));
    loader.load(view(['both', other]), group, false);
    loader.finish();
    expect(driver.read(driver.find(['both']), 12)).toEqual([1.5, 'text', { js: 1 }, 6]);
    expect(driver.read(driver.find([other]), 12)).toEqual([2.5, '', undefined, 2]);
    loader.remove(keys(['both', other, 'never there']), group);
    expect(driver.read(driver.find(['both']), 12)).toEqual([0, 'text', { js: 1 }, 4]);
    expect(driver.find([other])).toBe(-1);
    expect(table.entries).toBe(1);
  });
});
