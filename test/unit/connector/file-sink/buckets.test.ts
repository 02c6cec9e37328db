/** Sinks that divide their files among directories: which record goes where, what is refused, what a commit makes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SinkConnector } from '../../../../src/connector/contract.js';
import type { BucketOptions } from '../../../../src/connector/file-sink/buckets.js';
import { csvSink } from '../../../../src/connector/file-sink/csv-sink.js';
import { ndjsonSink } from '../../../../src/connector/file-sink/ndjson-sink.js';
import { parquetSink } from '../../../../src/connector/file-sink/parquet-sink.js';
import type { Schema } from '../../../../src/record/schema.js';
import {
  batchesOf,
  openSink,
  removeDirectories,
  temporaryDirectory,
  writeAll,
} from '../connector-harness.js';
import { duckRows } from '../duckdb.js';

afterAll(removeDirectories);

interface Row {
  readonly id: number;
  readonly day: string | null;
}

/** Rows that change the bucket all the time. */
const mixed = (count: number, buckets: number): Row[] =>
  Array.from({ length: count }, (_, id) => ({ id, day: `d${(id * 7) % buckets}` }));

/** Paths of all files below a directory, with `/`. */
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();

const linesOf = (directory: string, path: string): Row[] =>
  readFileSync(join(directory, path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function bucketsOf(
  records: readonly unknown[],
  options: BucketOptions<unknown>,
  schema?: Schema,
): Promise<string[]> {
  const directory = temporaryDirectory();
  await writeAll(ndjsonSink(directory, options), records, schema);
  return filesBelow(directory).map((path) => path.replace(/\/?part-.*/, ''));
}

describe('buckets', () => {
  it('hold their records in order, whole, and with all fields', async () => {
    for (const buckets of [1, 2, 13]) {
      const directory = temporaryDirectory();
      const rows = mixed(2500, buckets);
      await writeAll(ndjsonSink(directory, { bucketBy: 'day' }), rows);
      const files = filesBelow(directory);
      expect(files.map((path) => path.split('/')[0])).toEqual(
        Array.from({ length: buckets }, (_, at) => `day=d${at}`).sort(),
      );
      for (const path of files) {
        const day = path.slice('day='.length, path.indexOf('/'));
        expect(linesOf(directory, path)).toEqual(rows.filter((row) => row.day === day));
      }
    }
  });

  it('are what DuckDB and Spark take for partitions, in Parquet too', async () => {
    const directory = temporaryDirectory();
    const rows = mixed(500, 3).map((row) => ({ ...row, day: row.id % 5 === 0 ? null : row.day }));
    await writeAll(parquetSink(directory, { bucketBy: 'day' }), rows);
    const read = await duckRows(
      `SELECT id, day FROM read_parquet('${directory}/**/*.parquet', hive_partitioning = true) ORDER BY id`,
    );
    expect(read.map(([id, day]) => ({ id: Number(id), day }))).toEqual(rows);
  });

  it.each([
    ['text', 'a/b:c=d%', 'f=a%2Fb%3Ac%3Dd%25'],
    ['nothing', null, 'f=__HIVE_DEFAULT_PARTITION__'],
    ['the empty text', '', 'f=__HIVE_DEFAULT_PARTITION__'],
    ['two dots', '..', 'f=..'],
    ['a number', 7, 'f=7'],
    ['minus zero', -0, 'f=0'],
    ['a bigint', 2n ** 60n, `f=${2n ** 60n}`],
    ['a boolean', false, 'f=false'],
    ['an instant', new Date(0), 'f=1970-01-01T00%3A00%3A00.000Z'],
  ])('are named by %s', async (_, value, name) => {
    expect(await bucketsOf([{ f: value }], { bucketBy: 'f' })).toEqual([name]);
  });

  it('are named by dates, by several fields, and by names of fields that need care', async () => {
    const date = { name: 'on/off', type: { kind: 'date' }, nullable: false, optional: false };
    const schema = { fields: [date], isPrimitive: false } as unknown as Schema;
    const records = [{ 'on/off': new Date('2024-05-01T00:00:00Z') }];
    expect(await bucketsOf(records, { bucketBy: 'on/off' }, schema)).toEqual([
      'on%2Foff=2024-05-01',
    ]);
    expect(await bucketsOf([{ a: 1, b: 'x' }], { bucketBy: ['b', 'a'] })).toEqual(['b=x/a=1']);
  });

  it('are named by a function of the record', async () => {
    const byHalf = ({ id }: Row) => (id < 2 ? '' : `2024/${id}`);
    const options = { bucketBy: byHalf } as BucketOptions<unknown>;
    expect(await bucketsOf(mixed(4, 4), options)).toEqual(['2024/2', '2024/3', '']);
  });

  it('are closed when too many are open, least recently written first', async () => {
    const directory = temporaryDirectory();
    const sink = ndjsonSink(directory, { bucketBy: 'day', maxOpenBuckets: 2 });
    const run = await openSink(sink);
    for (const day of ['a', 'b', 'a', 'c', 'a', 'b']) await run.write(batchesOf([{ day }]));
    await run.commit(await run.prepare());
    run.writer.close();
    // `c` closes `b`, and when `b` comes again, it closes `c`, as `a` was written to since.
    expect(filesBelow(directory).map((path) => [path, linesOf(directory, path).length])).toEqual([
      ['day=a/part-00000-0.ndjson', 3],
      ['day=b/part-00000-1.ndjson', 1],
      ['day=b/part-00000-3.ndjson', 1],
      ['day=c/part-00000-2.ndjson', 1],
    ]);
  });

  it('roll their parts by size, each for itself', async () => {
    const directory = temporaryDirectory();
    await writeAll(ndjsonSink(directory, { bucketBy: 'day', rollSize: '2kb' }), mixed(5000, 2));
    const files = filesBelow(directory);
    expect(files.length).toBeGreaterThan(4);
    expect(files.flatMap((path) => linesOf(directory, path))).toHaveLength(5000);
  });
});

describe('a commit of buckets', () => {
  it('makes their directories, and nothing before it or after an abort', async () => {
    const directory = temporaryDirectory();
    const sink = csvSink(directory, { bucketBy: 'day' });
    const run = await openSink(sink);
    await run.write(batchesOf(mixed(10, 3)));
    const committables = await run.prepare();
    expect(readdirSync(directory).every((name) => name.startsWith('.part-'))).toBe(true);
    await run.abort();
    expect(readdirSync(directory)).toEqual([]);
    const again = await openSink(sink);
    await again.write(batchesOf(mixed(10, 3)));
    const parts = await again.prepare();
    await again.commit(parts.slice(0, 1));
    await again.commit(parts);
    await again.commit(parts);
    expect(filesBelow(directory)).toHaveLength(3);
    expect(committables).toHaveLength(3);
  });

  it('goes by the parts of all buckets, and of nothing else', async () => {
    const directory = temporaryDirectory();
    const sink = (ifExists?: 'append' | 'replace'): SinkConnector =>
      csvSink(directory, { bucketBy: 'day', ...(ifExists && { ifExists }) });
    await writeAll(sink(), mixed(10, 3));
    mkdirSync(join(directory, 'other'));
    writeFileSync(join(directory, 'other', 'part-00000-9.csv'), 'mine');
    await expect(writeAll(sink(), mixed(1, 1))).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    await writeAll(sink('append'), mixed(1, 1));
    expect(filesBelow(join(directory, 'day=d0'))).toEqual(['part-00000-0.csv', 'part-00000-3.csv']);
    await writeAll(sink('replace'), mixed(2, 2));
    expect(filesBelow(directory)).toEqual([
      'day=d0/part-00000-0.csv',
      'day=d1/part-00000-1.csv',
      'other/part-00000-9.csv',
    ]);
    // A bucket without parts is gone, unless somebody else has put something there.
    expect(existsSync(join(directory, 'day=d2'))).toBe(false);
    writeFileSync(join(directory, 'day=d1', 'notes.txt'), 'mine');
    await writeAll(sink('replace'), mixed(1, 1));
    expect(filesBelow(directory)).toEqual([
      'day=d0/part-00000-0.csv',
      'day=d1/notes.txt',
      'other/part-00000-9.csv',
    ]);
  });

  it('leaves no empty buckets within buckets behind, and none that it fills again', async () => {
    const directory = temporaryDirectory();
    const sink = csvSink(directory, { bucketBy: ['day', 'id'], ifExists: 'replace' });
    await writeAll(sink, mixed(6, 3));
    const before = readdirSync(directory);
    expect(before).toEqual(['day=d0', 'day=d1', 'day=d2']);
    await writeAll(sink, mixed(1, 1));
    expect(readdirSync(directory, { recursive: true }).map(String).toSorted()).toEqual([
      'day=d0',
      join('day=d0', 'id=0'),
      join('day=d0', 'id=0', 'part-00000-0.csv'),
    ]);
  });
});

describe('buckets that cannot be', () => {
  it.each([
    [{ bucketBy: [] }, /names no fields/],
    [{ bucketBy: ['day', 'day'] }, /names no fields/],
    [{ bucketBy: 7 }, /names no fields/],
    [{ bucketBy: 'day', maxOpenBuckets: 0 }, /maxOpenBuckets cannot be 0/],
    [{ maxOpenBuckets: 3 }, /needs bucketBy/],
    [{ bucketsBy: 'day' }, /no option "bucketsBy"/],
  ])('are refused when the sink is made: %j', (options, message) => {
    expect(() => csvSink('out', options as never)).toThrow(message);
  });

  it.each([
    [{ bucketBy: 'dy' }, { code: 'FIELD_UNKNOWN', advice: expect.stringContaining('day') }],
    [{ bucketBy: 'tags' }, { code: 'VALUE_UNSUPPORTED', where: { field: 'tags' } }],
    [{ bucketBy: 'long' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => '../up' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => '/root' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => 'a//b' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => '_hidden' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => 'a\\b' }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => 7 }, { code: 'VALUE_UNSUPPORTED' }],
    [{ bucketBy: () => 'x'.repeat(300) }, { code: 'VALUE_UNSUPPORTED' }],
    [
      {
        bucketBy: () => {
          throw new Error('no');
        },
      },
      { code: 'USER_FUNCTION_FAILED', message: 'bucketBy threw: no' },
    ],
  ])('fail with their record: %j', async (options, error) => {
    const sink = ndjsonSink(temporaryDirectory(), options as BucketOptions<unknown>);
    const records = [{ day: 'a', tags: ['x'], long: 'y'.repeat(255) }];
    await expect(writeAll(sink, records)).rejects.toMatchObject(error);
  });
});
