import { compileFunction } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { call, Col, col, columns, lit, when } from '../../../src/operator/expression-builder.js';
import { expressionFields } from '../../../src/operator/expression-fields.js';
import { EXPRESSION_FUNCTIONS, functionNamed } from '../../../src/operator/expression-functions.js';
import { FUNCTION_MEANINGS } from '../../../src/operator/expression-function-meanings.js';
import { arityOf } from '../../../src/operator/expression-signature.js';

describe('expression builder', () => {
  it('builds frozen plain data', () => {
    const { expression } = col('price').add(1).gt(col('limit'));
    expect(structuredClone(expression)).toEqual({
      node: 'call',
      fn: 'gt',
      args: [
        {
          node: 'call',
          fn: 'add',
          args: [
            { node: 'column', name: 'price' },
            { node: 'literal', value: 1 },
          ],
        },
        { node: 'column', name: 'limit' },
      ],
    });
    expect(Object.isFrozen(expression)).toBe(true);
    expect(expression.node === 'call' && Object.isFrozen(expression.args)).toBe(true);
  });

  it('takes dates as moments and patterns as text', () => {
    const date = new Date('2024-02-29T00:00:00Z');
    expect(lit(date).expression).toEqual({
      node: 'literal',
      value: date.getTime(),
      timestamp: true,
    });
    expect(String(col('t').matches(/a\/b/gi))).toBe('matches(t, "/a\\\\/b/gi")');
    expect(String(col('t').matches('a/b'))).toBe('matches(t, "/a\\\\/b/")');
  });

  it('builds cases', () => {
    const size = when(col('n').gt(9)).then('big').when(col('n').gt(4)).then('middle');
    expect(String(size.otherwise('small'))).toBe(
      'case when n > 9 then "big" when n > 4 then "middle" else "small" end',
    );
    expect(String(size.end())).toBe('case when n > 9 then "big" when n > 4 then "middle" end');
    expect(String(col('n').nullIf(0))).toBe('case when n = 0 then null else n end');
  });

  it('names columns for select', () => {
    const total = col('price').mul(2).as('total');
    expect(total.name).toBe('total');
    expect(Object.isFrozen(total)).toBe(true);
  });

  it('gives typed columns of a record', () => {
    const { price, origin } = columns<{ price: number; origin: string }>();
    expect(String(price.gt(1).and(origin.in(['ATL', 'ORD'])))).toBe(
      'price > 1 and origin in ("ATL", "ORD")',
    );
  });

  it('knows which fields an expression reads', () => {
    const expression = when(col('a').gt(1))
      .then(col('b'))
      .otherwise(col('c').add(col('a')));
    expect(expressionFields(expression.expression)).toEqual(
      new Map([
        ['a', null],
        ['b', null],
        ['c', null],
      ]),
    );
    expect(expressionFields(lit(1).expression)).toEqual(new Map());
  });

  it('refuses what no expression can hold', () => {
    const bad: unknown = { a: 1 };
    expect(() => col('a').eq(bad as string)).toThrowError(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(() => col('a').matches('(')).toThrowError(
      expect.objectContaining({ code: 'OPTION_INVALID', message: '"(" is no regular expression.' }),
    );
    expect(() => call('uper', col('a'))).toThrowError(
      expect.objectContaining({ code: 'FUNCTION_UNKNOWN', advice: 'Did you mean "upper"?' }),
    );
    expect(String(call('upper', col('a')))).toBe('upper(a)');
  });

  // The table is what the documentation prints, so every function in it must be there to call.
  for (const fn of EXPRESSION_FUNCTIONS) {
    it(`runs the example of ${fn.name}`, () => {
      const built: unknown = compileFunction(`return ${FUNCTION_MEANINGS[fn.name].example};`, [
        'col',
      ])(col);
      expect(built).toBeInstanceOf(Col);
      if (!(built instanceof Col) || built.expression.node !== 'call') throw new Error('no call');
      expect(built.expression.fn).toBe(fn.name);
      const [least, greatest] = arityOf(fn);
      expect(built.expression.args.length).toBeGreaterThanOrEqual(least);
      expect(built.expression.args.length).toBeLessThanOrEqual(greatest);
      expect(FUNCTION_MEANINGS[fn.name].doc).toMatch(/\.$/);
      expect(functionNamed(fn.name)).toBe(fn);
    });
  }

  it('has each function once', () => {
    const names = EXPRESSION_FUNCTIONS.map((fn) => fn.name);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(FUNCTION_MEANINGS).toSorted()).toEqual(names.toSorted());
  });
});
