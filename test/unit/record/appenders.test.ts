import { describe, expect, it } from 'vitest';
import { BinaryAppender, createAppender, FixedAppender } from '../../../src/record/appenders.js';
import type { BatchBuilder } from '../../../src/record/batch-builder.js';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import {
  BinaryColumn,
  FixedColumn,
  TEXT_ASCII,
  TEXT_UTF8,
  TEXT_WTF8,
} from '../../../src/record/column.js';
import { valueAt } from '../../../src/record/row-codec.js';
import type { DataType, Field } from '../../../src/record/schema.js';
import { textAt } from '../../../src/record/text.js';

function fieldOf(type: DataType, more: Partial<Field> = {}): Field {
  return { name: 'x', type, nullable: false, optional: false, ...more };
}

function builderOf(field: Field, capacity = 1024): BatchBuilder {
  const schema = { shape: 'object' as const, fields: [field] };
  return createBatchBuilder(schema, 1, { capacity, times: false, kinds: false });
}

function textAppender(builder: BatchBuilder): BinaryAppender {
  const [appender] = builder.columns;
  if (!(appender instanceof BinaryAppender)) throw new TypeError('A text field has text.');
  return appender;
}

function textColumn(builder: BatchBuilder): BinaryColumn {
  const [column] = builder.take().columns;
  if (!(column instanceof BinaryColumn)) throw new TypeError('A text field has text.');
  return column;
}

function textsOf(builder: BatchBuilder): string[] {
  const column = textColumn(builder);
  return Array.from({ length: builder.rows }, (_, row) => textAt(column, row));
}

describe('checked values', () => {
  it.each<[DataType, unknown[], unknown[]]>([
    [{ kind: 'int8' }, [-128, 127], [128, -129, 1.5, '1', 1n, Number.NaN]],
    [{ kind: 'uint16' }, [0, 65535], [65536, -1]],
    [{ kind: 'uint32' }, [0, 4294967295], [4294967296, -1]],
    [{ kind: 'int32' }, [-2147483648], [2147483648]],
    [{ kind: 'float32' }, [0.5, Number.NaN, Number.POSITIVE_INFINITY], [1e39, '1']],
    [{ kind: 'int64' }, [2n ** 63n - 1n], [2n ** 63n, 1]],
    [{ kind: 'bool' }, [true, false], [1, 'true']],
    [{ kind: 'date' }, [new Date(86_400_000)], [new Date(1), new Date(Number.NaN), 5]],
    [{ kind: 'timestamp' }, [new Date(1), new Date(Number.NaN)], [5, '2020-01-01']],
    [{ kind: 'decimal', precision: 4, scale: 2 }, ['12.50', '-0.01'], ['123.00', '1.001', 'x', 1]],
    [{ kind: 'decimal', precision: 30, scale: 1 }, [`${'9'.repeat(29)}.5`], ['9'.repeat(30)]],
    [{ kind: 'bytes' }, [new Uint8Array([7])], ['x', [7]]],
    [
      { kind: 'list', item: { type: { kind: 'number' }, nullable: false } },
      [[1, 2], []],
      [[1, 'x'], [null], {}],
    ],
  ])('of type %o are stored exactly or refused', (type, good, bad) => {
    const appender = createAppender(fieldOf(type), 16);
    for (const value of bad) expect(appender.appendValue(0, value)).toBe(false);
    for (const [row, value] of good.entries()) expect(appender.appendValue(row, value)).toBe(true);
    const column = appender.column(good.length);
    expect(good.map((_, row) => valueAt(column, row))).toStrictEqual(good);
  });

  it('are stored as canonical decimals', () => {
    const appender = createAppender(fieldOf({ kind: 'decimal', precision: 6, scale: 2 }), 4);
    for (const [row, text] of ['1.5', '+2', '-0', '007.10'].entries()) {
      expect(appender.appendValue(row, text)).toBe(true);
    }
    const column = appender.column(4);
    expect([0, 1, 2, 3].map((row) => valueAt(column, row))).toStrictEqual([
      '1.50',
      '2.00',
      '0.00',
      '7.10',
    ]);
  });
});

describe('marks', () => {
  it('tell null from missing, and are gone after a reset', () => {
    const builder = builderOf(fieldOf({ kind: 'number' }, { nullable: true, optional: true }));
    const [column] = builder.columns;
    column.setNull(0);
    column.setMissing(1);
    column.appendValue(2, 5);
    builder.rows = 3;
    const [taken] = builder.take().columns;
    expect([0, 1, 2].map((row) => valueAt(taken, row))).toStrictEqual([null, undefined, 5]);
    if (taken instanceof FixedColumn)
      expect([...taken.values.subarray(0, 2)]).toStrictEqual([0, 0]);
    builder.reset();
    const [fresh] = builder.take().columns;
    expect([fresh.validity, fresh.presence]).toStrictEqual([null, null]);
  });

  it('fail the builder when the field does not allow them', () => {
    const builder = builderOf(fieldOf({ kind: 'number' }));
    builder.columns[0].setNull(0);
    builder.rows = 1;
    expect(() => builder.take()).toThrow(/not nullable/);
  });
});

describe('text', () => {
  it('keeps its order when texts and bytes alternate', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    const appender = textAppender(builder);
    const bytes = new TextEncoder().encode('--ü--');
    for (let row = 0; row < 100; row += 2) {
      appender.appendText(row, `t${row}`);
      appender.appendBytes(row + 1, bytes, 2, 4);
    }
    builder.rows = 100;
    const expected = Array.from({ length: 100 }, (_, row) => (row % 2 === 0 ? `t${row}` : 'ü'));
    expect(textsOf(builder)).toStrictEqual(expected);
  });

  it.each<[string, string[], number]>([
    ['ASCII', ['abc', '', 'x'.repeat(100)], TEXT_ASCII],
    ['UTF-8', ['abc', 'ü', '😀'], TEXT_UTF8],
    ['WTF-8', ['abc', '\ud83d', '\ude00', '😀'], TEXT_WTF8],
  ])('knows that it is %s', (_, texts, kind) => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    for (const [row, text] of texts.entries()) textAppender(builder).appendText(row, text);
    builder.rows = texts.length;
    expect(textColumn(builder).textKind).toBe(kind);
    expect(textsOf(builder)).toStrictEqual(texts);
  });

  it('shares the entries of repeated texts, also with rows of null among them', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }, { nullable: true }));
    const appender = textAppender(builder);
    for (let row = 0; row < 1000; row++) {
      if (row % 7 === 0) appender.setNull(row);
      else appender.appendText(row, `city${row % 20}`);
    }
    builder.rows = 1000;
    const column = textColumn(builder);
    expect(column.isDictionary).toBe(true);
    expect(column.entries).toBeLessThan(30);
    expect([valueAt(column, 700), valueAt(column, 705)]).toStrictEqual([null, 'city5']);
    expect(textAt(column, 705)).toBe(textAt(column, 725));
  });

  it('has no dictionary when texts hardly repeat', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    for (let round = 0; round < 3; round++) {
      builder.reset();
      for (let row = 0; row < 1000; row++) textAppender(builder).appendText(row, `id${row}`);
      builder.rows = 1000;
      expect(textColumn(builder).isDictionary).toBe(false);
    }
    expect(textsOf(builder)[999]).toBe('id999');
  });

  it('passes the dictionary of a source on', () => {
    const source = builderOf(fieldOf({ kind: 'utf8' }));
    for (let row = 0; row < 500; row++) textAppender(source).appendText(row, `city${row % 5}`);
    source.rows = 500;
    const column = textColumn(source);
    const target = builderOf(fieldOf({ kind: 'utf8' }));
    for (let row = 0; row < 500; row++) textAppender(target).appendFrom(row, column, 499 - row);
    target.rows = 500;
    expect(textColumn(target).entries).toBe(5);
    expect(textsOf(target)).toStrictEqual(textsOf(source).toReversed());
  });

  it('keeps texts apart when rows come from dictionaries, plain columns and bytes in turn', () => {
    const words = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heath'];
    const sources = [3, 5].map((step) => {
      const builder = builderOf(fieldOf({ kind: 'utf8' }));
      for (let row = 0; row < 64; row++) {
        textAppender(builder).appendText(row, words[(row * step) % words.length] ?? '');
        builder.rows++;
      }
      return textColumn(builder);
    });
    expect(sources.every((source) => source.isDictionary)).toBe(true);
    const target = builderOf(fieldOf({ kind: 'utf8' }));
    const expected: string[] = [];
    for (let row = 0; row < 300; row++) {
      const source = sources[row % 2] as BinaryColumn;
      if (row % 3 === 0) {
        const bytes = Buffer.from(words[row % words.length] ?? '');
        textAppender(target).appendBytes(row, bytes, 0, bytes.length);
        expected.push(bytes.toString());
      } else {
        textAppender(target).appendFrom(row, source, row % 64);
        expected.push(textAt(source, row % 64));
      }
      target.rows++;
    }
    expect(textsOf(target)).toEqual(expected);
  });

  it('gives strings that own their characters', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    const texts = ['short', 'x'.repeat(12), 'y'.repeat(13), 'ü'.repeat(12), '€'.repeat(13)];
    for (const [row, text] of texts.entries()) textAppender(builder).appendText(row, text);
    builder.rows = texts.length;
    expect(textsOf(builder)).toStrictEqual(texts);
  });

  it('grows for values far larger than its first buffer', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }), 3);
    const texts = ['a'.repeat(1_000_000), 'ü'.repeat(300_000), ''];
    for (const [row, text] of texts.entries()) textAppender(builder).appendText(row, text);
    builder.rows = 3;
    expect(textsOf(builder)).toStrictEqual(texts);
    expect(builder.estimatedBytes()).toBeGreaterThan(1_600_000);
  });
});

describe('a batch', () => {
  it('can be taken repeatedly while rows are added', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    for (let row = 0; row < 10; row++) {
      textAppender(builder).appendText(row, `t${row}`);
      builder.rows = row + 1;
      expect(textsOf(builder).at(-1)).toBe(`t${row}`);
    }
    expect(textsOf(builder)[0]).toBe('t0');
  });

  it('fails when a column was not written for every row', () => {
    const builder = builderOf(fieldOf({ kind: 'utf8' }));
    textAppender(builder).appendText(0, 'x');
    builder.rows = 2;
    expect(() => builder.take()).toThrow(/once/);
  });

  it('keeps the array of a fixed column for as long as the builder lives', () => {
    const builder = builderOf(fieldOf({ kind: 'number' }));
    const [column] = builder.columns;
    if (!(column instanceof FixedAppender)) throw new TypeError('A number field is fixed.');
    const { values } = column;
    values[0] = 4;
    builder.rows = 1;
    builder.take();
    builder.reset();
    expect(column.values).toBe(values);
  });
});
