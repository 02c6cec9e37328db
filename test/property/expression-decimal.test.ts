/** Decimal calculations against exact fractions of bigints, over random precisions and scales. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { col, lit } from '../../src/operator/expression-builder.js';
import { decimalText } from '../../src/record/decimal.js';
import type { DataType } from '../../src/record/schema.js';
import { line, op, recordsOf } from '../unit/operator/chain-harness.js';
import { compileValue, schemaOf } from '../unit/operator/expression-harness.js';

interface Operand {
  readonly precision: number;
  readonly scale: number;
  readonly unscaled: bigint;
}

const operands: fc.Arbitrary<Operand> = fc.integer({ min: 1, max: 24 }).chain((precision) =>
  fc.record({
    precision: fc.constant(precision),
    scale: fc.integer({ min: 0, max: precision }),
    unscaled: fc.bigInt({ min: 1n - 10n ** BigInt(precision), max: 10n ** BigInt(precision) - 1n }),
  }),
);

const decimal = ({ precision, scale }: Operand): DataType => ({
  kind: 'decimal',
  precision,
  scale,
});
const held = ({ precision, scale, unscaled }: Operand): bigint | string =>
  precision > 18 ? decimalText(unscaled, scale) : unscaled;

/** A fraction rounded half away from zero, as canonical text. */
function rounded(numerator: bigint, denominator: bigint, scale: number): string {
  const [n, d] = denominator < 0n ? [-numerator, -denominator] : [numerator, denominator];
  const doubled = 2n * (n < 0n ? -n : n) * 10n ** BigInt(scale) + d;
  const magnitude = doubled / (2n * d);
  return decimalText(n < 0n ? -magnitude : magnitude, scale);
}

const OPERATIONS = ['add', 'sub', 'mul', 'div'] as const;

function exact(name: (typeof OPERATIONS)[number], a: Operand, b: Operand): [bigint, bigint] {
  const [an, ad] = [a.unscaled, 10n ** BigInt(a.scale)];
  const [bn, bd] = [b.unscaled, 10n ** BigInt(b.scale)];
  switch (name) {
    case 'add':
      return [an * bd + bn * ad, ad * bd];
    case 'sub':
      return [an * bd - bn * ad, ad * bd];
    case 'mul':
      return [an * bn, ad * bd];
    case 'div':
      return [an * bd, ad * bn];
  }
}

describe('decimals', () => {
  it('are exact, rounded half away from zero to the scale of their type, or fail', () => {
    const property = fc.property(
      operands,
      operands,
      fc.constantFrom(...OPERATIONS),
      (a, b, name) => {
        const schema = schemaOf({ a: decimal(a), b: decimal(b) });
        const compiled = compileValue(col('a')[name](col('b')), schema, [
          { a: held(a), b: held(b) },
        ]);
        const type = compiled.value?.type;
        if (type?.kind !== 'decimal') throw new Error('no decimal');
        if (name === 'div' && b.unscaled === 0n) {
          expect(compiled.run()).toEqual([null]);
          return;
        }
        const wanted = rounded(...exact(name, a, b), type.scale);
        const digits = wanted.replace(/[-.]/g, '').replace(/^0+/, '');
        if (digits.length > 38) {
          expect(() => compiled.run()).toThrowError(/its type has 38/);
          return;
        }
        const [result] = compiled.run();
        expect(typeof result === 'bigint' ? decimalText(result, type.scale) : result).toBe(wanted);
        expect(digits.length).toBeLessThanOrEqual(type.precision);
      },
    );
    fc.assert(property, { numRuns: 1500 });
  });

  it('of whole numbers and literals are exact to 15 digits, in records and in conditions', () => {
    const whole = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const literal = fc.record({
      unscaled: fc.integer({ min: -99_999, max: 99_999 }),
      scale: fc.integer({ min: 0, max: 5 }),
    });
    const schema = schemaOf({ n: 'int32', m: 'int32?' });
    const property = fc.property(
      fc.array(fc.record({ n: whole, m: fc.option(whole) }), { minLength: 1 }),
      literal,
      literal,
      (rows, rate, fee) => {
        const [rateText, feeText] = [rate, fee].map((each) =>
          decimalText(BigInt(each.unscaled), each.scale),
        );
        const product = col('n').mul(lit(rateText).cast(`decimal(5,${rate.scale})`));
        const sum = product.sub(lit(feeText).cast(`decimal(5,${fee.scale})`));
        const [scale, finest] = [rate.scale, Math.max(rate.scale, fee.scale)];
        const unit = (from: number, to: number): bigint => 10n ** BigInt(to - from);
        const productOf = (n: number): bigint => BigInt(n) * BigInt(rate.unscaled);
        const sumOf = (n: number): bigint =>
          productOf(n) * unit(scale, finest) - BigInt(fee.unscaled) * unit(fee.scale, finest);
        const records = recordsOf(
          {
            operators: line(
              op.select({ product, sum, withNull: col('m').add(product), isAbove: sum.gt(0) }),
            ),
          },
          rows,
          schema,
        );
        expect(records).toEqual(
          rows.map(({ n, m }) => ({
            product: decimalText(productOf(n), scale),
            sum: decimalText(sumOf(n), finest),
            withNull:
              m === null ? null : decimalText(productOf(n) + BigInt(m) * unit(0, scale), scale),
            isAbove: sumOf(n) > 0n,
          })),
        );
      },
    );
    fc.assert(property, { numRuns: 300 });
  });
});
