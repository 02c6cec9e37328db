/** Random expressions are read from what they print as expressions that print the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression } from '../../src/operator/expression.js';
import { EXPRESSION_FUNCTIONS } from '../../src/operator/expression-functions.js';
import { parseExpression } from '../../src/operator/expression-parser.js';
import { expressionText } from '../../src/operator/expression-text.js';

const literal: fc.Arbitrary<Expression> = fc.oneof(
  fc
    .oneof(
      fc.double(),
      fc.integer(),
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.constant(null),
    )
    .map((value): Expression => ({ node: 'literal', value })),
  fc.bigInt({ min: 0n }).map((value): Expression => ({ node: 'literal', value })),
  fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T00:00:00Z') })
    .map((at): Expression => ({ node: 'literal', value: at.getTime(), timestamp: true })),
);
const column = fc
  .oneof(
    fc.constantFrom('a', 'b_2', '$key', 'Länge'),
    fc.string().map((name) => ` ${name}`),
  )
  .map((name): Expression => ({ node: 'column', name }));

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    column,
    literal,
    fc
      .tuple(
        fc.constantFrom(...EXPRESSION_FUNCTIONS),
        fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
      )
      .map(([{ name, infix }, args]): Expression => {
        const isOne = infix?.position === 'prefix' || infix?.position === 'suffix';
        const isTwo = infix?.position === 'between' && infix.associative !== true;
        const count = isOne ? 1 : isTwo ? 2 : args.length;
        return { node: 'call', fn: name, args: args.slice(0, count) };
      }),
    fc.tuple(tie('expression'), tie('expression'), fc.option(tie('expression'))).map(
      ([test, then, otherwise]): Expression => ({
        node: 'case',
        branches: [{ when: test, then }],
        otherwise,
      }),
    ),
  ),
}));

describe('expressions as text', () => {
  it('are read as what prints the same', () => {
    const property = fc.property(expression, (made) => {
      const text = expressionText(made);
      expect(expressionText(parseExpression(text))).toBe(text);
    });
    fc.assert(property, { numRuns: 1500 });
  });
});
