import { describe, expect, it } from 'vitest';
import { type Col, col, lit } from '../../../src/operator/expression-builder.js';
import { expressionText } from '../../../src/operator/expression-text.js';

const [a, b, c] = [col('a'), col('b'), col('c')];

const CASES: readonly (readonly [Col, string])[] = [
  [a.add(b).mul(c), '(a + b) * c'],
  [a.mul(b).add(c), 'a * b + c'],
  [a.sub(b.sub(c)), 'a - (b - c)'],
  [a.sub(b).sub(c), 'a - b - c'],
  [a.div(b.mul(c)), 'a / (b * c)'],
  [a.neg().add(1), '-a + 1'],
  [a.add(1).neg(), '-(a + 1)'],
  [a.gt(1).and(b.lt(2), c.eq(3)), 'a > 1 and b < 2 and c = 3'],
  [a.gt(1).or(b.lt(2)).and(c.eq(3)), '(a > 1 or b < 2) and c = 3'],
  [a.gt(1).and(b.lt(2)).not(), 'not (a > 1 and b < 2)'],
  [a.not().and(b), 'not a and b'],
  [a.isNull().or(b.isNotNull()), 'a is null or b is not null'],
  [a.in(1, 2).and(b), 'a in (1, 2) and b'],
  [a.upper().concat('x'), 'concat(upper(a), "x")'],
  [col('the "field"').eq(lit('q"')), '`the "field"` = "q\\""'],
  [lit(-0).add(2n), '-0 + 2n'],
  [a.gt(new Date(0)), 'a > 1970-01-01T00:00:00.000Z'],
];

describe('expression text', () => {
  for (const [column, text] of CASES) {
    it(text, () => expect(expressionText(column.expression)).toBe(text));
  }
});
