import { describe, expect, it } from 'vitest';
import {
  learnLayout,
  mergeLayouts,
  type LayoutNames,
  type LayoutStep,
  type NdjsonLayout,
} from '../../../../src/format/ndjson/ndjson-layout.js';

/** Columns `a`, `b`, and `o` of objects with a field `x`; others are not wanted. */
const within: LayoutNames = {
  columnOf: (key) => (key.toString() === 'x' ? 0 : -1),
  within: () => null,
};
const columns = ['a', 'b', 'o'];
const names: LayoutNames = {
  columnOf: (key) => columns.indexOf(key.toString()),
  within: (column) => (column === 2 ? within : null),
};

function learn(row: string): NdjsonLayout | null {
  const bytes = Buffer.from(`${row}\n`);
  return learnLayout(bytes, 0, bytes.length - 1, names);
}

function keys(layout: NdjsonLayout | null): readonly string[] | null {
  return layout?.steps.map(keyText) ?? null;
}

function keyText({ key, optional, fields }: LayoutStep): string {
  const inside = fields === null ? '' : `(${fields.map(keyText).join()})`;
  return key + inside + (optional ? '?' : '');
}

function merged(first: string, second: string): readonly string[] | null {
  const a = learn(first);
  const b = learn(second);
  return a === null || b === null ? null : keys(mergeLayouts(a, b));
}

describe('learnLayout', () => {
  it('keeps keys, blanks and columns', () => {
    expect(learn('{"a": 1, "x":{"b":[2]}}')).toEqual({
      steps: [
        { key: 'a', lead: '"a": ', column: 0, optional: false, fields: null },
        { key: 'x', lead: ' "x":', column: -1, optional: false, fields: null },
      ],
      tail: '}\n',
    });
  });

  it('looks into objects that are columns, and only into those', () => {
    expect(keys(learn('{"o":{"x":1,"y":{"x":2}},"p":{"x":1}}'))).toEqual(['o(x,y)', 'p']);
    expect(keys(learn('{"o":null}'))).toEqual(['o()']);
    expect(keys(learn('{"o":{}}'))).toEqual(['o()']);
    expect(learn('{"o":{"x":1 }}')).toBeNull();
    expect(learn('{"o":{"x":1,"x":2}}')).toBeNull();
  });

  it('gives up on rows that a layout cannot say', () => {
    for (const row of [
      '{}',
      '[1]',
      '{"a":1,"a":2}',
      '{"a":1 ,"b":2}',
      '{"\\u0061":1}',
      '{"a":}',
      ' {"a":1}',
    ]) {
      expect(learn(row), row).toBeNull();
    }
  });
});

describe('mergeLayouts', () => {
  it('makes keys optional that one of the rows lacks', () => {
    expect(merged('{"a":1,"b":2,"c":3}', '{"a":1,"c":3,"d":4}')).toEqual(['a', 'b?', 'c', 'd?']);
    expect(merged('{"b":1}', '{"a":1,"b":2}')).toEqual(['a?', 'b']);
  });

  it('does the same within objects', () => {
    expect(merged('{"o":{"x":1,"y":2}}', '{"o":{"x":1}}')).toEqual(['o(x,y?)']);
    expect(merged('{"o":null}', '{"o":{"x":1}}')).toEqual(['o(x)']);
    expect(merged('{"a":1}', '{"o":{"x":1}}')).toEqual(['o(x)?', 'a?']);
    expect(merged('{"o":{"x":1,"y":2}}', '{"o":{"y":1,"x":2}}')).toBeNull();
  });

  it('refuses rows whose keys come in another order or with other blanks', () => {
    expect(merged('{"a":1,"b":2}', '{"b":2,"a":1}')).toBeNull();
    expect(merged('{"a":1}', '{"a": 1}')).toBeNull();
  });
});
