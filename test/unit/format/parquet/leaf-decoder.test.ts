import { describe, expect, it } from 'vitest';
import { decodeValues, isBinary, type Leaf } from '../../../../src/format/parquet/leaf-decoder.js';
import { leafTypeOf } from '../../../../src/format/parquet/leaf-type.js';
import type { LogicalType, SchemaElement } from '../../../../src/format/parquet/parquet-types.js';
import * as types from '../../../../src/format/parquet/parquet-types.js';
import { encodeDelta } from './delta-encoder.js';

function leafOf(type: number, parts: Partial<SchemaElement> = {}, bigint = false): Leaf {
  const element = {
    name: 'x',
    type,
    typeLength: 0,
    repetition: 0,
    children: 0,
    converted: null,
    scale: 0,
    precision: 0,
    logical: null,
    ...parts,
  };
  const options = { isBigint: () => bigint, binaryAsText: false };
  const { typeLength } = element;
  return { name: 'x', physical: type, typeLength, ...leafTypeOf(element, 'x', options) };
}

const logical = (id: number, parts: Partial<LogicalType> = {}): LogicalType => ({
  id,
  scale: 0,
  precision: 0,
  unit: 'us',
  bits: 0,
  signed: true,
  ...parts,
});

function decoded(
  leaf: Leaf,
  hex: string,
  count: number,
  encoding = types.ENCODING_PLAIN,
): unknown[] {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const values = decodeValues(leaf, encoding, bytes, 0, count);
  if (!isBinary(values)) return [...values];
  const { offsets } = values;
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(values.bytes.subarray(offsets[i], offsets[i + 1])).toString('latin1'),
  );
}

const int64 = (...values: bigint[]): string =>
  values
    .map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      return bytes.toString('hex');
    })
    .join('');

describe('values of the less usual types', () => {
  it('cuts instants to milliseconds, exactly, before and after the epoch', () => {
    const instants = [0n, 1n, -1n, 1_700_000_000_123_456_789n, -62_135_596_800_000_001n];
    for (const [unit, divisor] of [
      ['ms', 1n],
      ['us', 1000n],
      ['ns', 1_000_000n],
    ] as const) {
      const leaf = leafOf(types.INT64, { logical: logical(types.LOGICAL_TIMESTAMP, { unit }) });
      const floor = (v: bigint): number =>
        Number((v - (((v % divisor) + divisor) % divisor)) / divisor);
      expect(decoded(leaf, int64(...instants), 5)).toEqual(instants.map(floor));
    }
  });

  it('reads the twelve-byte instants of Impala', () => {
    const leaf = leafOf(types.INT96);
    const nanos = Buffer.alloc(8);
    nanos.writeBigInt64LE(3_661_001_999_999n);
    const day = Buffer.alloc(4);
    day.writeInt32LE(2_440_588 + 19_782);
    const hex = Buffer.concat([nanos, day]).toString('hex');
    expect(decoded(leaf, hex, 1)).toEqual([Date.UTC(2024, 1, 29, 1, 1, 1, 1)]);
  });

  it('reads UUIDs as text, half floats, and decimals of any width', () => {
    const uuid = leafOf(types.FIXED_LEN_BYTE_ARRAY, {
      typeLength: 16,
      logical: logical(types.LOGICAL_UUID),
    });
    expect(decoded(uuid, '00112233445566778899aabbccddeeff', 1)).toEqual([
      '00112233-4455-6677-8899-aabbccddeeff',
    ]);
    const half = leafOf(types.FIXED_LEN_BYTE_ARRAY, {
      typeLength: 2,
      logical: logical(types.LOGICAL_FLOAT16),
    });
    expect(decoded(half, '003c 00c0 0100 007c 007e 0000', 6)).toEqual([
      1,
      -2,
      2 ** -24,
      Infinity,
      NaN,
      0,
    ]);
    const decimal = (precision: number, scale: number): Partial<SchemaElement> => ({
      typeLength: 3,
      logical: logical(types.LOGICAL_DECIMAL, { precision, scale }),
    });
    expect(decoded(leafOf(types.FIXED_LEN_BYTE_ARRAY, decimal(6, 2)), 'ffff9c 000064', 2)).toEqual([
      -100n,
      100n,
    ]);
    expect(decoded(leafOf(types.FIXED_LEN_BYTE_ARRAY, decimal(20, 2)), 'ffff9c 000005', 2)).toEqual(
      ['-1.00', '0.05'],
    );
    expect(decoded(leafOf(types.INT32, decimal(6, 2)), '9cffffff', 1)).toEqual([-100n]);
  });

  it('never rounds 64-bit integers', () => {
    const max = 2n ** 53n - 1n;
    expect(decoded(leafOf(types.INT64), int64(max, -max, -1n), 3)).toEqual([
      Number(max),
      -Number(max),
      -1,
    ]);
    expect(() => decoded(leafOf(types.INT64), int64(max + 1n), 1)).toThrow(/beyond 2\^53/);
    expect(decoded(leafOf(types.INT64, {}, true), int64(max + 2n), 1)).toEqual([max + 2n]);
    const unsigned = { converted: types.CONVERTED_UINT_64 };
    expect(() => decoded(leafOf(types.INT64, unsigned), int64(-1n), 1)).toThrow(/beyond 2\^53/);
    expect(() => decoded(leafOf(types.INT64, unsigned, true), int64(-1n), 1)).toThrow(
      /beyond 2\^63/,
    );
  });

  it('undoes the encodings that share beginnings or split bytes', () => {
    const bytes = leafOf(types.BYTE_ARRAY);
    const texts = ['', 'prefix', 'prefer', 'prefer more', 'x'];
    const shared = [0, 0, 4, 6, 0];
    const suffixes = texts.map((text, i) => text.slice(shared[i]));
    const lengths = encodeDelta(suffixes.map((text) => BigInt(text.length)));
    const hex = Buffer.concat([
      encodeDelta(shared.map(BigInt)),
      lengths,
      Buffer.from(suffixes.join('')),
    ]).toString('hex');
    expect(decoded(bytes, hex, 5, types.ENCODING_DELTA_BYTE_ARRAY)).toEqual(texts);
    expect(() => decoded(bytes, hex.slice(0, -2), 5, types.ENCODING_DELTA_BYTE_ARRAY)).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID' }),
    );
    const split = '0000 0000 80 00 3f 40'.replaceAll(' ', '');
    expect(decoded(leafOf(types.FLOAT), split, 2, types.ENCODING_BYTE_STREAM_SPLIT)).toEqual([
      1, 2,
    ]);
    expect(() => decoded(bytes, '00', 1, 99)).toThrow(
      expect.objectContaining({ code: 'FEATURE_UNSUPPORTED' }),
    );
  });
});
