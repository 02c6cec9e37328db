import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { Col, call, col, lit, when } from '../../../src/operator/expression-builder.js';
import { typeOfExpression } from '../../../src/operator/expression-type.js';
import { typeName } from '../../../src/record/schema.js';
import { field, schemaOf } from './expression-harness.js';

const SCHEMA = schemaOf({
  ...{ price: 'number', discount: 'number?', count: 'int32', id: 'int64', ratio: 'float32' },
  ...{ name: 'utf8', note: 'utf8??', late: 'bool', day: 'date', at: 'timestamp?', raw: 'bytes' },
  ...{ money: { kind: 'decimal', precision: 10, scale: 2 }, thing: 'any?', big: 'uint32' },
  bid: { kind: 'struct', fields: [field('price', 'number'), field('channel', 'utf8??')] },
});

function typeText(column: Col): string {
  const slot = typeOfExpression(column.expression, SCHEMA);
  return `${typeName(slot.type)}${slot.nullable ? '?' : ''}`;
}

function problem(column: Col): MillraceError {
  try {
    typeOfExpression(column.expression, SCHEMA);
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error(`${column} has a type`);
}

const TYPES: readonly (readonly [Col, string])[] = [
  [col('price').add(1), 'number'],
  [col('bid').get('price'), 'number?'],
  [col('bid').get('channel').upper(), 'utf8?'],
  [col('price').add(col('discount')), 'number?'],
  [col('count').div(col('count')), 'number'],
  [col('id').add(1), 'int64'],
  [col('id').add(col('count')), 'int64'],
  [col('id').div(2), 'int64?'],
  [col('money').add(col('money')), 'decimal(11,2)?'],
  [col('money').mul(1.5), 'decimal(12,3)?'],
  [col('money').add(col('id')), 'decimal(22,2)?'],
  [col('money').div(3), 'decimal(14,6)?'],
  [col('money').round(1), 'decimal(10,1)?'],
  [col('money').floor(), 'decimal(9,0)?'],
  [col('price').gt(col('count')), 'bool'],
  [col('id').eq(1.5), 'bool'],
  [col('id').lt(col('price')), 'bool'],
  [col('money').gt(col('price')), 'bool?'],
  [col('day').eq(col('at')), 'bool?'],
  [col('at').gt('2024-01-31'), 'bool?'],
  [col('note').eq('x'), 'bool?'],
  [col('note').isNull(), 'bool'],
  [col('thing').isNotNull(), 'bool'],
  [col('discount').coalesce(0), 'number'],
  [col('note').coalesce(col('note')), 'utf8?'],
  [col('count').coalesce(1.5), 'number'],
  [col('count').coalesce(1), 'int32'],
  [col('id').coalesce(0), 'int64'],
  [col('count').least(col('big')), 'number'],
  [col('day').greatest(col('at')), 'timestamp?'],
  [when(col('late')).then(col('id')).otherwise(0), 'int64'],
  [when(col('late')).then(1).end(), 'number?'],
  [col('name').splitPart('-', 0), 'utf8?'],
  [col('name').split('-'), 'list<utf8>'],
  [col('note').words(), 'list<utf8>?'],
  [col('name').length(), 'number'],
  [col('raw').length(), 'number'],
  [col('day').truncate('month'), 'date'],
  [col('at').truncate('1h'), 'timestamp?'],
  [col('name').cast('decimal(12, 3)'), 'decimal(12,3)'],
  [col('name').tryCast('int32'), 'int32?'],
  [col('count').tryCast('int64'), 'int64'],
  [col('thing').cast('number'), 'number?'],
  // Which number it would be depends on what the null turns out to be.
  [lit(null).add(1), 'null?'],
  [lit(null).upper(), 'utf8?'],
  [lit(null).isNull(), 'bool'],
  [lit(2n ** 64n), 'decimal(20,0)'],
];

const PROBLEMS: readonly (readonly [Col, string, string])[] = [
  [col('id').add(col('price')), 'id + price', `.cast('int64')`],
  [col('id').mul(1.5), 'id * 1.5', 'Cast one side'],
  [col('money').add(col('price')), 'money + price', 'Cast one side'],
  [col('name').gt(5), 'name > 5', 'Cast one of them'],
  [col('at').gt('soon'), 'at > "soon"', 'ISO text'],
  [col('day').add(1), 'day + 1', 'addDuration'],
  [col('thing').add(1), 'thing + 1', 'cast first'],
  [col('price').and(true), 'price and true', 'Compare it'],
  [col('name').add(1), 'name + 1', 'It takes (number, number)'],
  [col('raw').least(col('raw')), 'least(raw, raw)', 'Cast them'],
  [col('name').coalesce(1), 'coalesce(name, 1)', 'Cast one'],
  [call('eq', col('name').matches(/a/), 1), 'matches(name, "/a/") = 1', 'Cast one of them'],
  [call('matches', col('name'), 'a'), 'matches(name, "a")', 'a regular expression'],
  [col('name').regexpExtract(/a/, 0.5), 'regexpExtract', 'It takes'],
  [col('at').truncate('fortnight'), 'truncate(at, "fortnight")', 'a duration such as'],
  [col('day').truncate('1h'), 'whole days', 'a duration'],
  [col('price').cast('date'), 'price (number) cannot be cast to date', 'epochMs'],
  [call('cast', col('price'), 'money'), '"money" is no type', 'decimal(p,s)'],
  [call('upper'), 'takes 1 arguments and was given 0', 'It takes (utf8)'],
  [lit(10n ** 40n), '38 digits', 'smaller'],
];

describe('types of expressions', () => {
  for (const [column, type] of TYPES) {
    it(`${column}: ${type}`, () => expect(typeText(column)).toBe(type));
  }

  for (const [column, said, advice] of PROBLEMS) {
    it(`refuses ${column}`, () => {
      const error = problem(column);
      expect(error.code).toBe('TYPE_MISMATCH');
      expect(error.message).toContain(said);
      expect(error.advice).toContain(advice);
    });
  }

  it('names the field that was meant and the fields there are', () => {
    const error = problem(col('prise').gt(1));
    expect(error.code).toBe('FIELD_UNKNOWN');
    expect(error.message).toBe('There is no field "prise", in prise > 1.');
    expect(error.advice).toMatch(/^Did you mean "price"\? The fields are: price, discount, /);
    expect(error.where.field).toBe('prise');
    expect(problem(col('zzzzzzzz')).advice).toMatch(/^Known: price, /);
  });

  it('finds fields of nested objects, and names what is meant where there is none', () => {
    const misspelt = problem(col('bid').get('prise').gt(1));
    expect(misspelt.code).toBe('FIELD_UNKNOWN');
    expect(misspelt.message).toContain('There is no field "prise" in bid');
    expect(misspelt.advice).toContain('Did you mean "price"?');
    const flat = problem(col('name').get('price'));
    expect(flat.code).toBe('TYPE_MISMATCH');
    expect(flat.message).toContain('name (utf8) has no fields');
    expect(problem(call('get', col('bid'), 1)).code).toBe('TYPE_MISMATCH');
  });

  it('refuses unknown functions with the nearest name', () => {
    const error = problem(new Col({ node: 'call', fn: 'lenght', args: [] }));
    expect(error.code).toBe('FUNCTION_UNKNOWN');
    expect(error.advice).toBe('Did you mean "length"?');
  });

  it('says which part of a larger expression is wrong', () => {
    const error = problem(col('price').gt(1).and(col('name').add(1).gt(2)));
    expect(error.message).toContain('in name + 1 of price > 1 and name + 1 > 2.');
  });
});
