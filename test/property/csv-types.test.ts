/**
 * Typed CSV fields: what the generated reader reads in place is what the general one reads (a source that trims
 * has only that), and numbers are those of `Number`.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvSource } from '../../src/connector/file/csv-source.js';
import { inMemory, readSource } from '../unit/connector/file/read-source.js';

const token = fc.oneof(
  fc.constantFrom(
    '',
    '""',
    'NA',
    '"NA"',
    'x',
    '"x"',
    '"a""b"',
    'true',
    'FALSE',
    '1',
    '0',
    '-0',
    '+5',
    '007',
  ),
  fc.constantFrom(
    '.5',
    '5.',
    '"1.5"',
    'NaN',
    '-Infinity',
    '1e5',
    '1E-7',
    '-',
    '1.2.3',
    '12a',
    '1_000',
  ),
  fc.constantFrom(
    '2024-02-29',
    '2023-02-29',
    '2024-02-29T10:00:00Z',
    '"2024-02-29 10:00"',
    '9007199254740993',
  ),
  fc.double().map(String),
  fc.integer().map(String),
);

describe('typed CSV fields', () => {
  it('mean the same to the generated and the general reader', async () => {
    const types = {
      n: 'number',
      t: 'timestamp',
      d: 'date',
      b: 'bool',
      i: 'int32',
      l: 'int64',
      s: 'utf8',
    } as const;
    const names = Object.keys(types);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(token, { minLength: 7, maxLength: 7 }), { maxLength: 12 }),
        fc.subarray(names, { minLength: 1 }),
        fc.subarray(['', 'NA']),
        fc.constantFrom('projected' as const, 'full' as const),
        fc.boolean(),
        async (rows, columns, nulls, validate, declared) => {
          // One column is sound in every row, so that rows are not all bad for the same reason.
          const text = [names, ...rows].map((row) => `${row.join(',')}\n`).join('');
          const files = inMemory({ 't.csv': text });
          const schema = {
            shape: 'object' as const,
            fields: names.map((name) => ({
              name,
              type: { kind: types[name as keyof typeof types] },
              nullable: name !== 's',
              optional: false,
            })),
          };
          const options = {
            ...(declared ? { schema } : { types }),
            nulls,
            validate,
            onError: 'skip' as const,
          };
          const read = { ...files, columns, batchRows: 3 };
          const fast = await readSource(csvSource('t.csv', options), read);
          const slow = await readSource(csvSource('t.csv', { ...options, trim: true }), read);
          expect(fast.records).toEqual(slow.records);
          expect(fast.bad.map(({ byteOffset }) => byteOffset)).toEqual(
            slow.bad.map(({ byteOffset }) => byteOffset),
          );
          expect(fast.bad.map(({ error }) => error.message)).toEqual(
            slow.bad.map(({ error }) => error.message),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are the numbers that Number gives, bit for bit', async () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 });
    const spelled = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.integer({ min: 1, max: 9 }),
        digits,
        digits,
        fc.integer({ min: -330, max: 330 }),
      )
      .map(([sign, lead, whole, fraction, exponent]) => [
        `${sign}${lead}${whole}`,
        `${sign}${lead}${whole}.${fraction}0`,
        `${sign}0.${fraction}1`,
        `${sign}${lead}${whole}.${fraction}1e${exponent}`,
      ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(spelled, { minLength: 1, maxLength: 20 }),
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 }),
        async (forms, doubles) => {
          const numbers = [
            ...forms.flat(),
            ...doubles.flatMap((double) => [
              String(double),
              double.toExponential(),
              ...(Math.abs(double) < 1e21 ? [double.toFixed(3)] : []),
            ]),
          ];
          const text = `a,b\n${numbers.map((number) => `${number},"${number}"\n`).join('')}`;
          const types = { a: 'number', b: 'number' } as const;
          const { records } = await readSource(
            csvSource('t.csv', { types }),
            inMemory({ 't.csv': text }),
          );
          numbers.forEach((number, index) => {
            const { a, b } = records[index] as { a: number; b: number };
            expect(Object.is(a, Number(number)), number).toBe(true);
            expect(Object.is(b, Number(number)), number).toBe(true);
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});
