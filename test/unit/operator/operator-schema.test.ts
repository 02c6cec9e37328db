import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { col } from '../../../src/operator/expression-builder.js';
import { namesOf, treeOf } from '../../../src/record/field-tree.js';
import { fieldsNeeded } from '../../../src/operator/operator-fields.js';
import { planResults } from '../../../src/operator/aggregate-plan.js';
import { outputSchemaOf } from '../../../src/operator/operator-schema.js';
import { splitAggregate } from '../../../src/operator/pre-aggregate.js';
import type { DataType, Field, Schema } from '../../../src/record/schema.js';
import { schemaName } from '../../../src/record/schema.js';
import { aggregatesOf, op } from './chain-harness.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';

const field = (name: string, type: DataType, nullable = false): Field => ({
  name,
  type,
  nullable,
  optional: false,
});
const input: Schema = {
  shape: 'object',
  fields: [
    field('user', { kind: 'utf8' }),
    field('price', { kind: 'number' }, true),
    field('qty', { kind: 'int32' }),
    field('f', { kind: 'float32' }),
    field('big', { kind: 'int64' }),
    field('cost', { kind: 'decimal', precision: 6, scale: 2 }),
    field('at', { kind: 'timestamp' }),
    field('list', { kind: 'list', item: { type: { kind: 'utf8' }, nullable: false } }),
  ],
};

function named(spec: Parameters<typeof outputSchemaOf>[0], from: Schema | null = input): string {
  const schema = outputSchemaOf(spec, from);
  return schema === null ? 'unknown' : schemaName(schema);
}

describe('schemas behind operators', () => {
  it('pass, change, or are unknown', () => {
    expect(
      outputSchemaOf(
        op.filter(() => true),
        input,
      ),
    ).toBe(input);
    expect(outputSchemaOf(op.where(col('qty').gt(1)), input)).toBe(input);
    expect(outputSchemaOf(op.distinct('user'), input)).toBe(input);
    expect(named(op.map(() => 1))).toBe('unknown');
    expect(
      outputSchemaOf(
        op.map(() => 1, input),
        null,
      ),
    ).toBe(input);
    const windows = {
      ...op.process(['user'], () => ({ processElement: () => undefined })),
      aggregation: {
        name: 'aggregate',
        keys: ['user'],
        phase: 'single',
        window: { allowedLatenessMs: 5 },
        aggregates: aggregatesOf({
          cost: { fn: 'sum', of: col('cost'), filter: col('qty').gt(1) },
        }),
      },
    } as OperatorSpec;
    expect(named(windows)).toBe(
      '{ user: utf8, windowStart: number, windowEnd: number, lateFiring: bool, cost: decimal(18,2)? }',
    );
    expect(named(windows, null)).toBe('unknown');
    expect(() => named(windows, { ...input, fields: input.fields.slice(0, 2) })).toThrow(
      'no field "cost"',
    );
    expect(named(op.computeKey(() => 1))).toBe('unknown');
    expect(named(op.reduce(['user'], (a) => a))).toBe('unknown');
    expect(named(op.select({ a: col('qty').add(1), b: col('price'), c: col('user') }))).toBe(
      '{ a: number, b: number?, c: utf8 }',
    );
    expect(named(op.select({ a: col('qty') }), null)).toBe('unknown');
  });

  it('have types by aggregate', () => {
    const spec = op.aggregate(['user', 'at'], {
      n: { fn: 'count' },
      a: { fn: 'sum', of: col('price') },
      b: { fn: 'sum', of: col('qty') },
      c: { fn: 'sum', of: col('f') },
      d: { fn: 'sum', of: col('big') },
      e: { fn: 'sum', of: col('cost') },
      f: { fn: 'avg', of: col('cost') },
      g: { fn: 'min', of: col('at') },
      h: { fn: 'max', of: col('qty'), filter: col('qty').gt(1) },
      i: { fn: 'first', of: col('list') },
      j: { fn: 'countDistinct', of: col('user') },
      k: { fn: 'collect', of: col('price') },
      l: { fn: 'sum', of: col('f'), exact: true },
    });
    expect(named(spec)).toBe(
      '{ user: utf8, at: timestamp, n: number, a: number?, b: number, c: float64, d: int64, ' +
        'e: decimal(18,2), f: number, g: timestamp, h: int32?, i: list<utf8>, j: number, ' +
        'k: list<number>, l: number }',
    );
    const user = op.aggregate(['user'], { u: { create: () => 0, add: () => 0, result: () => 0 } });
    expect(named(user)).toBe('unknown');
  });

  it('are the same in two phases', () => {
    const spec = op.aggregate(['user'], {
      n: { fn: 'count' },
      a: { fn: 'sum', of: col('price') },
      c: { fn: 'avg', of: col('cost') },
      d: { fn: 'sum', of: col('big') },
      e: { fn: 'max', of: col('qty'), filter: col('qty').gt(1) },
      l: { fn: 'sum', of: col('qty'), exact: true },
    });
    const { partial, merge } = splitAggregate(spec);
    expect(named(merge, planResults(partial, input).output)).toBe(named(spec));
  });

  it('call a computed key by its name', () => {
    const keyed: Schema = {
      shape: 'object',
      fields: [...input.fields, field('$key', { kind: 'bool' })],
    };
    expect(named(op.aggregate(['$key'], { n: { fn: 'count' } }), keyed)).toBe(
      '{ key: bool, n: number }',
    );
    expect(outputSchemaOf(op.distinct('$key'), keyed)).toEqual(input);
  });

  it('refuse what does not fit', () => {
    const codeOf = (spec: Parameters<typeof outputSchemaOf>[0]): string => {
      try {
        outputSchemaOf(spec, input);
        return 'none';
      } catch (error) {
        return MillraceError.is(error) ? error.code : 'other';
      }
    };
    expect(codeOf(op.where(col('nothing').eq(1)))).toBe('FIELD_UNKNOWN');
    expect(codeOf(op.where(col('qty')))).toBe('TYPE_MISMATCH');
    expect(codeOf(op.select({ a: col('user').mul(2) }))).toBe('TYPE_MISMATCH');
    expect(codeOf(op.distinct('nothing'))).toBe('FIELD_UNKNOWN');
    expect(codeOf(op.distinct('list'))).toBe('KEY_UNSUPPORTED');
    expect(codeOf(op.aggregate([], { a: { fn: 'sum', of: col('user') } }))).toBe('TYPE_MISMATCH');
    expect(codeOf(op.aggregate([], { a: { fn: 'min', of: col('list') } }))).toBe('TYPE_MISMATCH');
    expect(codeOf(op.aggregate([], { a: { fn: 'sum' } }))).toBe('TYPE_MISMATCH');
    expect(codeOf(op.aggregate([], { a: { fn: 'countDistinct', of: col('list') } }))).toBe(
      'KEY_UNSUPPORTED',
    );
  });
});

describe('fields needed', () => {
  const needed = (spec: Parameters<typeof fieldsNeeded>[0], wanted: readonly string[] | null) => {
    return namesOf(fieldsNeeded(spec, treeOf(wanted)));
  };

  it('are those a function touches', () => {
    expect(
      needed(
        op.map((r: { a: number; b: number }) => r.a + r.b),
        ['x'],
      ),
    ).toEqual(['a', 'b']);
    expect(
      needed(
        op.map((r: object) => ({ ...r })),
        ['x'],
      ),
    ).toBeNull();
    expect(
      needed(
        op.filter((r: { a: number }) => r.a > 1),
        ['x'],
      ),
    ).toEqual(['a', 'x']);
    expect(
      needed(
        op.filter((r: { a: number }) => r.a > 1),
        null,
      ),
    ).toBeNull();
    expect(
      needed(
        op.computeKey((r: { a: number }) => r.a),
        ['$key', 'x'],
      ),
    ).toEqual(['a', 'x']);
  });

  it('are those an expression reads, and only for what is wanted', () => {
    expect(needed(op.where(col('a').gt(col('b'))), ['x'])).toEqual(['a', 'b', 'x']);
    const select = op.select({ a: col('x').add(col('y')), b: col('z') });
    expect(needed(select, ['a'])).toEqual(['x', 'y']);
    expect(needed(select, null)).toEqual(['x', 'y', 'z']);
  });

  it('are keys and inputs of aggregates', () => {
    const spec = op.aggregate(['k'], {
      s: { fn: 'sum', of: col('a'), filter: col('b').gt(1) },
      m: { fn: 'avg', of: col('c') },
    });
    expect(needed(spec, ['s'])).toEqual(['a', 'b', 'c', 'k']);
    const { partial, merge } = splitAggregate(spec);
    expect(needed(partial, null)).toEqual(['a', 'b', 'c', 'k']);
    expect(needed(merge, null)).toEqual(['$0', '$0.state', '$1', '$1.count', 'k']);
    expect(
      needed(
        op.reduce(['k'], (a) => a),
        ['k'],
      ),
    ).toBeNull();
    expect(needed(op.distinct('k'), ['x'])).toEqual(['k', 'x']);
  });
});
