import { describe, expect, it } from 'vitest';
import {
  learnLayout,
  mergeLayouts,
  type NdjsonLayout,
} from '../../../../src/format/ndjson/ndjson-layout.js';

const columns = new Map([
  ['a', 0],
  ['b', 1],
]);

function learn(row: string): NdjsonLayout | null {
  const bytes = Buffer.from(`${row}\n`);
  return learnLayout(bytes, 0, bytes.length - 1, (key) => columns.get(key.toString()) ?? -1);
}

function keys(layout: NdjsonLayout | null): readonly string[] | null {
  return layout?.steps.map((step) => step.key + (step.optional ? '?' : '')) ?? null;
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
        { key: 'a', lead: '"a": ', column: 0, optional: false },
        { key: 'x', lead: ' "x":', column: -1, optional: false },
      ],
      tail: '}\n',
    });
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

  it('refuses rows whose keys come in another order or with other blanks', () => {
    expect(merged('{"a":1,"b":2}', '{"b":2,"a":1}')).toBeNull();
    expect(merged('{"a":1}', '{"a": 1}')).toBeNull();
  });
});
