import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parquetSink } from '../../../../src/connector/file-sink/parquet-sink.js';
import { parquetSource } from '../../../../src/connector/parquet/parquet-source.js';
import type { Schema, SimpleKind } from '../../../../src/record/schema.js';
import { readAll, removeDirectories, temporaryDirectory, writeAll } from '../connector-harness.js';
import { duckRows } from '../duckdb.js';

afterAll(removeDirectories);

const field = (name: string, kind: SimpleKind, nullable = false): Schema['fields'][number] => ({
  name,
  type: { kind },
  nullable,
  optional: false,
});

async function written(
  records: readonly unknown[],
  schema?: Schema,
  options: Parameters<typeof parquetSink>[1] = {},
): Promise<string> {
  const directory = temporaryDirectory();
  await writeAll(parquetSink(directory, options), records, schema);
  return join(directory, 'part-00000-0.parquet');
}

describe('parquetSink', () => {
  const schema: Schema = {
    shape: 'object',
    fields: [
      field('number', 'number', true),
      field('int8', 'int8'),
      field('int16', 'int16', true),
      field('int32', 'int32'),
      field('int64', 'int64', true),
      field('uint8', 'uint8'),
      field('uint16', 'uint16'),
      field('uint32', 'uint32', true),
      field('float32', 'float32'),
      field('bool', 'bool', true),
      field('few', 'utf8', true),
      field('many', 'utf8'),
      field('bytes', 'bytes', true),
      field('date', 'date'),
      field('timestamp', 'timestamp', true),
      { ...field('dec', 'any'), type: { kind: 'decimal', precision: 12, scale: 2 } },
      { ...field('wide', 'any', true), type: { kind: 'decimal', precision: 38, scale: 5 } },
    ],
  };
  const records = Array.from({ length: 6000 }, (_, i) => ({
    number: i % 9 === 0 ? null : i / 3,
    int8: (i % 256) - 128,
    int16: i % 4 === 0 ? null : -i,
    int32: (i - 3000) * 7919,
    int64: i % 5 === 0 ? null : (i % 2 === 0 ? 1n : -1n) * (2n ** 63n - BigInt(i) - 1n),
    uint8: i % 256,
    uint16: i,
    uint32: i % 2 === 0 ? null : 4_000_000_000 + i,
    float32: Math.fround(i / 7),
    bool: i % 3 === 0 ? null : i % 2 === 0,
    few: i % 8 === 0 ? null : `value ${i % 20}`,
    many: `ünique ${i * 31}`,
    bytes: i % 6 === 0 ? null : Uint8Array.of(i & 255, 0, 255),
    date: new Date(Date.UTC(1969, 11, (i % 500) - 100)),
    timestamp: i % 7 === 0 ? null : new Date(-1_000_000 + i * 86_400_017),
    dec: `${i % 2 === 0 ? '' : '-'}${i}.${String(i % 100).padStart(2, '0')}`,
    wide: i % 10 === 0 ? null : `-${i}${'1234567890'.repeat(2)}.${String(i).padStart(5, '0')}`,
  }));
  records[1].dec = '-1.01';
  records[0].dec = '0.00';

  for (const compression of ['snappy', 'gzip', 'none'] as const) {
    it(`writes every type so that DuckDB reads the same, ${compression}`, async () => {
      const path = await written(records, schema, { compression, rowGroupRows: 1300 });
      const answers = await duckRows(`select number, int8, int16, int32, int64::varchar, uint8,
        uint16, uint32, float32::double, bool, few, many, hex(bytes), date::varchar,
        epoch_ms(timestamp)::double, dec::varchar, wide::varchar from '${path}'`);
      const wrong = answers.filter((row, i) => {
        const r = records[i];
        const expected = [
          r.number,
          r.int8,
          r.int16,
          r.int32,
          r.int64?.toString() ?? null,
          r.uint8,
          r.uint16,
          r.uint32,
          r.float32,
          r.bool,
          r.few,
          r.many,
          r.bytes === null ? null : Buffer.from(r.bytes).toString('hex').toUpperCase(),
          r.date.toISOString().slice(0, 10),
          r.timestamp?.getTime() ?? null,
          r.dec,
          r.wide,
        ];
        return JSON.stringify(row) !== JSON.stringify(expected);
      });
      expect(wrong.slice(0, 2)).toEqual([]);
      expect(answers).toHaveLength(records.length);
      const groups = await duckRows(
        `select num_row_groups::int from parquet_file_metadata('${path}')`,
      );
      expect(groups).toEqual([[5]]);
    });
  }

  it('writes what parquetSource reads as the same records', async () => {
    const path = await written(records, schema);
    const back = await readAll(parquetSource(path, { bigint: ['int64'] }));
    expect(back.slice(0, 200)).toEqual(records.slice(0, 200));
    expect(back.at(-1)).toEqual(records.at(-1));
    expect(back).toHaveLength(records.length);
  });

  it('writes lists, structs and maps that DuckDB and parquetSource read the same', async () => {
    const nested = Array.from({ length: 1000 }, (_, i) => ({
      id: i,
      list: i % 5 === 0 ? null : Array.from({ length: i % 4 }, (_, j) => (j === 1 ? null : j)),
      inner: i % 3 === 0 ? null : { a: `a${i}`, b: i % 2 === 0 ? null : { c: i } },
      map:
        i % 4 === 0
          ? null
          : new Map([
              ['x', i],
              [`k${i}`, i % 2],
            ]),
      deep: [[{ x: i }], [], [{ x: 1 }, { x: 2 }]],
    }));
    const path = await written(nested, undefined, { rowGroupRows: 300 });
    expect(await readAll(parquetSource(path), { batchRows: 77 })).toEqual(nested);
    const answers = await duckRows(`select id, to_json(list)::varchar, to_json(inner_)::varchar,
      to_json(deep)::varchar, map['x'] from (select * rename ("inner" as inner_) from '${path}')`);
    const wrong = answers.filter(([id, list, inner, deep, x], i) => {
      const r = nested[i];
      const parsed = [list, inner, deep].map((text) => JSON.parse(text ?? 'null'));
      const found = JSON.stringify([id, ...parsed, x ?? null]);
      return found !== JSON.stringify([i, r.list, r.inner, r.deep, r.map?.get('x') ?? null]);
    });
    expect(wrong.slice(0, 2)).toEqual([]);
  });

  it('writes fields that are sometimes missing as null, and values without a type as JSON', async () => {
    const path = await written([{ a: 1, v: 'x' }, { v: [1, { b: 2 }] }, { a: 3, v: 7 }]);
    expect(await duckRows(`select a, v::varchar from '${path}'`)).toEqual([
      [1, '"x"'],
      [null, '[1,{"b":2}]'],
      [3, '7'],
    ]);
  });

  it('stores repeated text once', async () => {
    const repeated = Array.from({ length: 20_000 }, (_, i) => ({
      t: 'a rather long text '.repeat(5) + (i % 3),
    }));
    const path = await written(repeated, undefined, { compression: 'none' });
    expect(readFileSync(path).length).toBeLessThan(20_000);
  });

  it('refuses what the format does not have, and leaves no file behind', async () => {
    const directory = temporaryDirectory();
    await expect(
      writeAll(parquetSink(directory), [{ t: new Date(Number.NaN) }]),
    ).rejects.toMatchObject({
      code: 'VALUE_UNSUPPORTED',
    });
    await expect(writeAll(parquetSink(directory), [{ inner: {} }])).rejects.toMatchObject({
      code: 'FEATURE_UNSUPPORTED',
    });
    expect(readdirSync(directory).filter((name) => !name.startsWith('.'))).toEqual([]);
  });
});
