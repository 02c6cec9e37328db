/** Expressions as text: what is read, and what is said of what cannot be. */
import { describe, expect, it } from 'vitest';
import { col, type Col, when } from '../../../src/operator/expression-builder.js';
import { parseExpression } from '../../../src/operator/expression-parser.js';
import { expressionText } from '../../../src/operator/expression-text.js';

const READ: readonly (readonly [string, Col<never, never> | { readonly expression: unknown }])[] = [
  ['amount > 100', col('amount').gt(100)],
  ['a + b * 2 >= -3', col('a').add(col('b').mul(2)).gte(-3)],
  ['(a + b) * 2 = c', col('a').add(col('b')).mul(2).eq(col('c'))],
  ['origin IN (\'ATL\', "OR\\"D")', col('origin').in('ATL', 'OR"D')],
  ["name = 'it''s'", col('name').eq("it's")],
  ['a is null or not (b is not null)', col('a').isNull().or(col('b').isNotNull().not())],
  ['`a name` == 1', col('a name').eq(1)],
  ['big <> 12345678901234567890n', col('big').ne(12345678901234567890n)],
  ['at < 2024-05-01T00:00:00.000Z', col('at').lt(new Date('2024-05-01T00:00:00Z'))],
  ['user.city = "Turku"', col('user').get('city').eq('Turku')],
  ['upper(trim(name)) = "X"', col('name').trim().upper().eq('X')],
  ['flag = true and x = null', col('flag').eq(true).and(col('x').eq(null))],
  [
    'case when a > 1 then "big" else "small" end = "big"',
    when(col('a').gt(1)).then('big').otherwise('small').eq('big'),
  ],
];

describe('expressions as text', () => {
  it.each(READ)('%s', (text, { expression }) => {
    expect(parseExpression(text)).toEqual(expression);
  });

  it('prints what it has read as it was', () => {
    const text = 'a = 1 and b > 2 and (c or d) and not (e = 3)';
    expect(expressionText(parseExpression(text))).toBe(text);
  });

  it.each([
    ['amount >', 'The end at character 9 of "amount >" should be a value.'],
    ['a b', 'b at character 3 of "a b" should have ended.'],
    ['a = #', '# at character 5 of "a = #" begins nothing that expressions have.'],
    ['(a = 1', 'The end at character 7 of "(a = 1" should be ")".'],
    ['', 'The end at character 1 of "" should be a value.'],
    ['a = "x', '" at character 5 of "a = \\"x" begins nothing that expressions have.'],
  ])('refuses %j with its place', (text, message) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_INVALID', message }),
    );
  });

  it('refuses a function that there is not, with the nearest one', () => {
    expect(() => parseExpression('uper(name) = "X"')).toThrow(
      expect.objectContaining({ code: 'FUNCTION_UNKNOWN', advice: 'Did you mean "upper"?' }),
    );
  });

  it('refuses what is nested without end', () => {
    expect(() => parseExpression(`${'('.repeat(5000)}a`)).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_INVALID' }),
    );
  });
});
