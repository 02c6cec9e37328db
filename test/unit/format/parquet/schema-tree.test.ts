import { describe, expect, it } from 'vitest';
import type { SchemaElement } from '../../../../src/format/parquet/parquet-types.js';
import * as types from '../../../../src/format/parquet/parquet-types.js';
import { leavesOf, schemaOfTree, schemaTree } from '../../../../src/format/parquet/schema-tree.js';
import { schemaName } from '../../../../src/record/schema.js';

const element = (
  name: string,
  repetition: number,
  parts: Partial<SchemaElement>,
): SchemaElement => ({
  name,
  repetition,
  type: null,
  typeLength: 0,
  children: 0,
  converted: null,
  scale: 0,
  precision: 0,
  logical: null,
  ...parts,
});
const group = (
  name: string,
  repetition: number,
  children: number,
  converted: number | null = null,
) => element(name, repetition, { children, converted });
const value = (name: string, repetition: number) =>
  element(name, repetition, { type: types.INT32 });

function described(...elements: SchemaElement[]): string {
  const tree = schemaTree([group('root', types.REQUIRED, 1), ...elements], {
    isBigint: () => false,
    binaryAsText: false,
  });
  const levels = tree.flatMap(leavesOf).map((leaf) => `${leaf.definition}/${leaf.repetition}`);
  return `${schemaName(schemaOfTree(tree))} ${levels.join(' ')}`;
}

describe('schemaTree', () => {
  it('understands lists as they are written today and were written before', () => {
    const { OPTIONAL, REPEATED, REQUIRED, CONVERTED_LIST } = types;
    expect(
      described(
        group('l', OPTIONAL, 1, CONVERTED_LIST),
        group('list', REPEATED, 1),
        value('element', OPTIONAL),
      ),
    ).toBe('{ l: list<int32?>? } 3/1');
    expect(described(group('l', REQUIRED, 1, CONVERTED_LIST), value('element', REPEATED))).toBe(
      '{ l: list<int32> } 1/1',
    );
    expect(
      described(
        group('l', OPTIONAL, 1, CONVERTED_LIST),
        group('element', REPEATED, 2),
        value('a', REQUIRED),
        value('b', OPTIONAL),
      ),
    ).toBe('{ l: list<struct<a: int32, b: int32?>>? } 2/1 3/1');
    expect(
      described(
        group('l', OPTIONAL, 1, CONVERTED_LIST),
        group('array', REPEATED, 1),
        value('a', REQUIRED),
      ),
    ).toBe('{ l: list<struct<a: int32>>? } 2/1');
    expect(
      described(
        group('l', OPTIONAL, 1, CONVERTED_LIST),
        group('l_tuple', REPEATED, 1),
        value('a', REQUIRED),
      ),
    ).toBe('{ l: list<struct<a: int32>>? } 2/1');
    expect(described(value('bare', REPEATED))).toBe('{ bare: list<int32> } 1/1');
  });

  it('understands maps under both of their names', () => {
    for (const converted of [types.CONVERTED_MAP, types.CONVERTED_MAP_KEY_VALUE]) {
      expect(
        described(
          group('m', types.OPTIONAL, 1, converted),
          group('key_value', types.REPEATED, 2),
          value('key', types.REQUIRED),
          value('value', types.OPTIONAL),
        ),
      ).toBe('{ m: map<int32, int32?>? } 2/1 3/1');
    }
  });

  it('refuses schemas that end early', () => {
    expect(() => described(group('g', types.OPTIONAL, 2), value('a', types.REQUIRED))).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
  });
});
