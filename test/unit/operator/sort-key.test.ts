import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortKey } from '../../../src/operator/sort-key.js';
import { decimalText } from '../../../src/record/decimal.js';
import { encodeText } from '../../../src/record/text.js';

type Write<V> = (key: SortKey, value: V, mask: number) => void;

const DESCENDING = 255;

function bytesOf<V>(write: Write<V>, values: readonly (V | null)[], mask: number): Buffer {
  const key = new SortKey();
  for (const value of values) {
    if (value === null) key.none(mask);
    else write(key, value, mask);
  }
  return Buffer.from(key.bytes.subarray(0, key.length));
}

/** Two keys of up to two values each compare as the values do, whatever follows the first. */
function keepsOrder<V>(
  values: fc.Arbitrary<V>,
  write: Write<V>,
  compare: (a: V, b: V) => number,
): void {
  const one = fc.option(values);
  const pair = fc.tuple(one, one);
  const compareOne = (a: V | null, b: V | null): number =>
    a === null || b === null ? Number(b === null) - Number(a === null) : compare(a, b);
  fc.assert(
    fc.property(pair, pair, fc.constantFrom(0, DESCENDING), (a, b, mask) => {
      const wanted = compareOne(a[0], b[0]) || compareOne(a[1], b[1]);
      const found = Buffer.compare(bytesOf(write, a, mask), bytesOf(write, b, mask));
      expect(found).toBe(mask === 0 ? Math.sign(wanted) + 0 : 0 - Math.sign(wanted));
    }),
    { numRuns: 500 },
  );
}

const ordered = <V extends string | bigint | boolean>(a: V, b: V): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** NaN is behind all others, and -0 is 0. */
const byNumber = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b)
    ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    : a < b
      ? -1
      : a > b
        ? 1
        : 0;

/** Any units of UTF-16, pairs and halves of pairs among them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('\0', 'a', 'é', '\ud7ff', '\ud800', '\udc00', '\ue000', '\uffff', '😀'))
    .map((units) => units.join('')),
);
const few = fc.uint8Array({ maxLength: 4 });
const zeros = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 4 });
const bytes = fc.oneof(
  few,
  zeros.map((list) => Uint8Array.from(list)),
);

describe('SortKey', () => {
  it('orders numbers', () => {
    const some = fc.constantFrom(0, -0, 1, -1, NaN, Infinity, -Infinity, 5e-324);
    keepsOrder(
      fc.oneof(fc.double(), some),
      (key, value, mask) => key.number(value, mask),
      byNumber,
    );
  });

  it('orders 64-bit integers', () => {
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const near = fc.bigInt({ min: -2n, max: 2n });
    keepsOrder(fc.oneof(any, near), (key, value, mask) => key.int64(value, mask), ordered);
  });

  it('orders decimals of any width, as digits or as text', () => {
    const any = fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n });
    const values = fc.oneof(any, fc.bigInt({ min: -300n, max: 300n }));
    keepsOrder(values, (key, value, mask) => key.big(value, mask), ordered);
    fc.assert(
      fc.property(values, (value) => {
        const fromText = bytesOf<string>(
          (key, each, mask) => key.decimal(each, 38, 2, mask),
          [decimalText(value, 2)],
          0,
        );
        expect(fromText).toEqual(
          bytesOf<bigint>((key, each, mask) => key.big(each, mask), [value], 0),
        );
      }),
    );
  });

  it('orders booleans', () => {
    keepsOrder(fc.boolean(), (key, value, mask) => key.bool(value, mask), ordered);
  });

  it('orders text as JavaScript does, from strings and from bytes', () => {
    keepsOrder(text, (key, value, mask) => key.string(value, mask), ordered);
    const fromBytes: Write<string> = (key, value, mask) => {
      const encoded = encodeText(`x${value}x`);
      key.text(encoded, 1, encoded.length - 1, mask);
    };
    keepsOrder(text, fromBytes, ordered);
  });

  it('orders bytes', () => {
    keepsOrder(bytes, (key, value, mask) => key.bytesOf(value, mask), Buffer.compare);
  });

  it('has room for values of any length', () => {
    const key = new SortKey();
    key.string('😀'.repeat(10_000), 0);
    key.bytesOf(new Uint8Array(10_000), 0);
    expect(key.length).toBe(1 + 60_000 + 1 + (1 + 20_000 + 2));
  });
});
