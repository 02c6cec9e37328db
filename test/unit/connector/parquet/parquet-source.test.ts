import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parquetSource } from '../../../../src/connector/parquet/parquet-source.js';
import type { Batch } from '../../../../src/record/batch.js';
import { BinaryColumn, FixedColumn } from '../../../../src/record/column.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../../../src/record/frame-codec.js';
import { textAt } from '../../../../src/record/text.js';
import {
  openReader,
  readAll,
  readBatches,
  recordsOf,
  removeDirectories,
  temporaryDirectory,
} from '../connector-harness.js';
import { duckRows, duckRun } from '../duckdb.js';

// The package exports only its code, so the data file is found through the folder it lies in.
const packages = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
const flights = join(packages, 'vega-datasets/data/flights-3m.parquet');

let directory = '';
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(removeDirectories);

describe('parquetSource on three million flights', () => {
  it('gives every group of flights per origin and day as DuckDB does', async () => {
    const groups = new Map<string, { flights: number; sum: number; worst: number }>();
    const columns = ['date', 'delay', 'origin'];
    await readBatches(parquetSource(flights), { columns }, (batch) => {
      const [date, delay, origin] = batch.columns;
      if (!(date instanceof FixedColumn) || !(delay instanceof FixedColumn)) throw new Error();
      if (!(origin instanceof BinaryColumn)) throw new Error();
      for (let row = 0; row < batch.rows; row++) {
        const day = Math.floor(date.values[row] / 86_400_000);
        const key = `${textAt(origin, row)} ${day}`;
        const group = groups.get(key) ?? { flights: 0, sum: 0, worst: -Infinity };
        group.flights++;
        group.sum += delay.values[row];
        group.worst = Math.max(group.worst, delay.values[row]);
        groups.set(key, group);
      }
    });
    const expected = await duckRows(
      `select origin || ' ' || (epoch_ms(date) // 86400000)::varchar, count(*)::int,
         sum(delay)::double, max(delay)::int from '${flights}' group by 1`,
    );
    expect(groups.size).toBe(expected.length);
    const wrong = expected.filter(([key, count, sum, worst]) => {
      const group = groups.get(key);
      return group?.flights !== count || group?.sum !== Number(sum) || group?.worst !== worst;
    });
    expect(wrong).toEqual([]);
  });

  it('keeps repeated text as a dictionary and reads only the wanted columns', async () => {
    const { reader, plan } = await openReader(parquetSource(flights), { columns: ['origin'] });
    reader.addSplit(plan.splits[3], null);
    reader.poll();
    const column = reader.batch?.columns[0];
    expect(reader.batch?.columns).toHaveLength(1);
    expect(column instanceof BinaryColumn && column.isDictionary).toBe(true);
    expect(reader.bytesRead).toBeLessThan((plan.splits[3].bytes ?? 0) / 3);
    reader.close();
  });

  it('counts rows without reading a column', async () => {
    let rows = 0;
    await readBatches(parquetSource(flights), { columns: [] }, (batch, reader) => {
      rows += batch.rows;
      expect(reader.bytesRead).toBe(0);
    });
    expect(rows).toBe(3_000_000);
  });
});

describe('parquetSource on files of DuckDB', () => {
  const everyType = `
    select i::tinyint as int8, i::smallint as int16, i::integer as int32, i::bigint as int64,
      (i % 200)::utinyint as uint8, i::usmallint as uint16, (4000000000 + i)::uinteger as uint32,
      i / 7.0::float as float32, i / 7.0::double as float64, i % 3 = 0 as bool,
      'text ' || i as utf8, ('a' || i)::blob as bytes, date '1969-12-30' + i::int as date,
      timestamp '1969-12-31 23:59:59.5' + to_milliseconds(i * 1001) as timestamp,
      (i * 1.01)::decimal(9,2) as dec9, (i * 100000.00001)::decimal(18,5) as dec18,
      (i * 12345678901234567890.123)::decimal(38,3) as dec38,
      '5f2b0c0e-0000-4000-8000-00000000000' || (i % 10) as id
    from range(100) r(i)`;

  async function expectEqual(path: string, sql: string, toSql: string): Promise<void> {
    const records = await readAll(parquetSource(path), { batchRows: 37 });
    const expected = await duckRows(`select ${toSql} from (${sql})`);
    expect(records).toHaveLength(expected.length);
    const actual = records.map((r) => JSON.parse(JSON.stringify(Object.values(r), jsonPart)));
    expect(actual).toEqual(expected);
  }

  const sameTypes = `int8, int16, int32, int64::double, uint8, uint16, uint32, float32::double,
    float64, bool, utf8, hex(bytes), date::varchar, epoch_ms(timestamp)::double, dec9::varchar,
    dec18::varchar, dec38::varchar, id`;

  for (const [codec, version, nulls] of [
    ['snappy', 'V1', false],
    ['gzip', 'V2', true],
    ['zstd', 'V1', true],
    ['lz4_raw', 'V2', false],
    ['brotli', 'V1', true],
    ['uncompressed', 'V2', true],
  ] as const) {
    it(`reads every type, ${codec}, ${version}${nulls ? ', with nulls' : ''}`, async () => {
      const path = join(directory, `${codec}-${version}.parquet`);
      const calls = sameTypes.split(',').map((text) => text.trim());
      const names = calls.map((text) => /^(?:\w+\()?(\w+)/.exec(text)?.[1] ?? '');
      const holes = names.map(
        (n, k) => `case when hash(${n}) % ${k + 2} = 0 then null else ${n} end as ${n}`,
      );
      const sql = nulls ? `select ${holes.join(', ')} from (${everyType})` : everyType;
      await duckRun(
        `copy (${sql}) to '${path}' (format parquet, compression ${codec}, parquet_version ${version})`,
      );
      await expectEqual(path, sql, sameTypes);
    });
  }

  it('reads columns of many pages and row groups, nulls, dictionaries and plain values', async () => {
    const path = join(directory, 'large.parquet');
    const sql = `select i, case when i % 11 = 0 then null else i * 3 end as n,
      'entry ' || (i % 97) as few, md5(i::varchar) as many,
      case when i % 5 = 0 then null else 'x' || (i % 13) end as holes
      from range(300000) r(i)`;
    await duckRun(`copy (${sql}) to '${path}' (format parquet, row_group_size 100000)`);
    let row = 0;
    await readBatches(parquetSource(path), {}, (batch) => {
      for (const record of recordsOf(batch) as any[]) {
        const i = row++;
        if (record.i !== i) throw new Error(`row ${i}`);
        if (record.n !== (i % 11 === 0 ? null : i * 3)) throw new Error(`n of ${i}`);
        if (record.few !== `entry ${i % 97}`) throw new Error(`few of ${i}`);
        if (record.many.length !== 32) throw new Error(`many of ${i}`);
        if (record.holes !== (i % 5 === 0 ? null : `x${i % 13}`)) throw new Error(`holes of ${i}`);
      }
    });
    expect(row).toBe(300_000);
  });

  it('reads lists, structs and maps, with nulls at every level', async () => {
    const path = join(directory, 'nested.parquet');
    const sql = `select i,
      case when i % 7 = 0 then null when i % 5 = 0 then [] else
        [case when j % 3 = 0 then null else j end for j in range(i % 4)] end as list,
      case when i % 3 = 0 then null else
        {'a': i, 'b': case when i % 2 = 0 then null else 'b' || i end} end as struct,
      case when i % 4 = 0 then null else map(['k' || i, 'z'], [i, null]) end as map,
      [[{'x': i}], [], null, [{'x': null}, null]] as deep
      from range(5000) r(i)`;
    await duckRun(`copy (${sql}) to '${path}' (format parquet, row_group_size 2048)`);
    const records = await readAll(parquetSource(path), { batchRows: 100 });
    const wrong = records.filter((record, i) => {
      const items = Array.from({ length: i % 4 }, (_, j) => (j % 3 === 0 ? null : j));
      const expected = {
        i,
        list: i % 7 === 0 ? null : i % 5 === 0 ? [] : items,
        struct: i % 3 === 0 ? null : { a: i, b: i % 2 === 0 ? null : `b${i}` },
        map: i % 4 === 0 ? null : { [`k${i}`]: i, z: null },
        deep: [[{ x: i }], [], null, [{ x: null }, null]],
      };
      return JSON.stringify(record, jsonPart) !== JSON.stringify(expected);
    });
    expect(wrong).toEqual([]);
    expect(records).toHaveLength(5000);
  });

  it('gives batches that cross threads unchanged', async () => {
    const paths = ['nested', 'large', 'lz4_raw-V2'].map((name) =>
      join(directory, `${name}.parquet`),
    );
    const source = paths.map((path) => parquetSource(path));
    const check = (batch: Batch): void => {
      const target = new Uint8Array(frameBytes(batch) + 16);
      const bytes = encodeFrame(batch, target, 0);
      const known = { schema: batch.schema, version: 1 };
      const schemas = { current: () => known, propose: () => known, get: () => batch.schema };
      expect(recordsOf(decodeFrame(target, 0, bytes, schemas))).toEqual(recordsOf(batch));
    };
    await readBatches(source[0], { batchRows: 300 }, check);
    const { reader, plan } = await openReader(source[1]);
    reader.addSplit(plan.splits[1], null);
    for (let polls = 0; polls < 5 && reader.poll() === 0; polls++)
      if (reader.batch) check(reader.batch);
    reader.close();
    await readBatches(source[2], { batchRows: 33 }, check);
  });

  it('reads 64-bit integers as bigints when told to, and refuses to round them', async () => {
    const path = join(directory, 'big.parquet');
    await duckRun(`copy (select 9007199254740993 as id, 1 as n) to '${path}' (format parquet)`);
    await expect(readAll(parquetSource(path))).rejects.toMatchObject({
      code: 'NUMBER_INEXACT',
      where: { field: 'id', file: path },
    });
    expect(await readAll(parquetSource(path, { bigint: ['id'] }))).toEqual([
      { id: 9007199254740993n, n: 1 },
    ]);
    await expect(readAll(parquetSource(path, { bigint: ['id', 'di'] }))).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      where: { field: 'di' },
      advice: expect.stringContaining('id'),
    });
  });

  it('merges files: a column that one of them lacks is missing there', async () => {
    const folder = temporaryDirectory();
    await duckRun(
      `copy (select 1 as a, 'x' as b) to '${folder}/1.parquet' (format parquet)`,
      `copy (select 2 as a, 2.5::double as c) to '${folder}/2.parquet' (format parquet)`,
    );
    expect(await readAll(parquetSource(`${folder}/*.parquet`))).toEqual([
      { a: 1, b: 'x' },
      { a: 2, c: 2.5 },
    ]);
    await duckRun(`copy (select 'two' as a) to '${folder}/3.parquet' (format parquet)`);
    await expect(readAll(parquetSource(folder))).rejects.toMatchObject({ code: 'SCHEMA_CONFLICT' });
  });
});

describe('positions and splits', () => {
  it('reads on from any position in a split, and splits cover each row once', async () => {
    const path = join(directory, 'positions.parquet');
    const sql = `select i, 'e' || (i % 50) as s, case when i % 3 = 0 then null else i end as n
      from range(200000) r(i)`;
    await duckRun(`copy (${sql}) to '${path}' (format parquet, row_group_size 200000)`);
    const { reader, plan } = await openReader(parquetSource(path), { parallelism: 3 });
    expect(plan.splits).toHaveLength(3);
    const seen: number[] = [];
    for (const split of plan.splits) {
      let position: unknown = null;
      for (let restarts = 0; restarts < 3; restarts++) {
        reader.addSplit(split, position);
        for (let batches = 0; batches < 5 && reader.poll() === 0; batches++) {
          const batch = reader.batch;
          if (batch === null) throw new Error();
          const rows = batches === 4 ? Math.floor(batch.rows / 3) : batch.rows;
          for (const record of recordsOf(batch).slice(0, rows) as any[]) {
            if (record.s !== `e${record.i % 50}`) throw new Error(`s of ${record.i}`);
            if (record.n !== (record.i % 3 === 0 ? null : record.i)) throw new Error('n');
            seen.push(record.i);
          }
          position = structuredClone(reader.positions(rows)[0].position);
        }
      }
      const given = Number(position);
      const first = seen.at(-given) ?? -1;
      expect(seen.slice(-given).findIndex((i, k) => i !== first + k)).toBe(-1);
    }
    reader.close();
    expect(new Set(seen).size).toBe(seen.length);
    const all = await readAll(parquetSource(path), { parallelism: 3, columns: ['i'] });
    expect(all.every((record, i) => record.i === i)).toBe(true);
    expect(all).toHaveLength(200_000);
  });
});

describe('damaged files', () => {
  it('names the file and the place', async () => {
    const good = join(directory, 'snappy-V1.parquet');
    const bytes = readFileSync(good);
    const cases: [string, Buffer, string][] = [
      ['empty', Buffer.alloc(0), 'is no Parquet file'],
      ['text', Buffer.from('this is a text and no parquet file'), 'PAR1'],
      ['truncated', bytes.subarray(0, bytes.length - 100), 'PAR1'],
      [
        'footer',
        Buffer.concat([bytes.subarray(0, -8), Buffer.from('ffffff7f', 'hex'), Buffer.from('PAR1')]),
        'footer',
      ],
    ];
    for (const [name, content, message] of cases) {
      const path = join(directory, `${name}.bad`);
      writeFileSync(path, content);
      const error: any = await readAll(parquetSource(path)).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'FORMAT_INVALID', where: { file: path } });
      expect(error.message).toContain(message);
    }
  });

  it('fails with a code or gives rows, whatever byte is damaged', async () => {
    const good = join(directory, 'gzip-V2.parquet');
    const bytes = readFileSync(good);
    const codes = new Set<string>();
    for (let at = 4; at < bytes.length - 8; at += 41) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 0x55;
      const path = join(directory, 'damaged.parquet');
      writeFileSync(path, damaged);
      try {
        await readAll(parquetSource(path));
      } catch (error: any) {
        codes.add(error.code ?? String(error.stack));
      }
    }
    const allowed = [
      'FORMAT_INVALID',
      'FEATURE_UNSUPPORTED',
      'NUMBER_INEXACT',
      'CODEC_UNAVAILABLE',
    ];
    expect([...codes].filter((code) => !allowed.includes(code))).toEqual([]);
    expect(codes).toContain('FORMAT_INVALID');
  });

  it('notices that a file was replaced after planning', async () => {
    const path = join(directory, 'replaced.parquet');
    copyFileSync(join(directory, 'large.parquet'), path);
    const { reader, plan } = await openReader(parquetSource(path));
    copyFileSync(join(directory, 'big.parquet'), path);
    expect(() => reader.addSplit(plan.splits[0], null)).toThrow(/not the one/);
    reader.close();
  });

  it('refuses unknown options and absent files', async () => {
    expect(() => parquetSource('x', { bigints: true } as object)).toThrow(/Did you mean|no option/);
    await expect(readAll(parquetSource('no/such/*.parquet'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});

/** Values as DuckDB's answers have them. */
function jsonPart(this: any, key: string, value: unknown): unknown {
  const original = this[key];
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === 'bigint') return Number(value);
  if (original instanceof Uint8Array) return Buffer.from(original).toString('hex').toUpperCase();
  if (!(original instanceof Date)) return value;
  const ms = original.getTime();
  return ms % 86_400_000 === 0 ? original.toISOString().slice(0, 10) : ms;
}
