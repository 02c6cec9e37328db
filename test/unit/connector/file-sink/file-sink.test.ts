import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import type { SinkConnector } from '../../../../src/connector/contract.js';
import { csvSink } from '../../../../src/connector/file-sink/csv-sink.js';
import { ndjsonSink } from '../../../../src/connector/file-sink/ndjson-sink.js';
import { parquetSink } from '../../../../src/connector/file-sink/parquet-sink.js';
import { textSink } from '../../../../src/connector/file-sink/text-sink.js';
import { KIND_DELETE } from '../../../../src/record/batch.js';
import {
  batchesOf,
  openSink,
  removeDirectories,
  temporaryDirectory,
  writeAll,
} from '../connector-harness.js';
import { SimDisk } from '../../../simulation/sim-disk.js';
import { duckRows } from '../duckdb.js';

afterAll(removeDirectories);

const visible = (directory: string): string[] =>
  readdirSync(directory).filter((name) => !name.startsWith('.'));
const hidden = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith('.'));
const rows = (count: number): { id: number; name: string }[] =>
  Array.from({ length: count }, (_, id) => ({ id, name: `n${id}` }));

async function failure(action: () => unknown): Promise<any> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

describe('commit', () => {
  it('shows nothing before the commit, and whole files after it', async () => {
    const directory = join(temporaryDirectory(), 'out');
    const sink = csvSink(directory);
    const run = await openSink(sink);
    await run.write(batchesOf(rows(50_000)));
    const committables = await run.prepare();
    expect(visible(directory)).toEqual([]);
    await run.commit(committables);
    expect(readdirSync(directory)).toEqual(['part-00000-0.csv']);
    expect(readFileSync(join(directory, 'part-00000-0.csv'), 'utf8').split('\n')).toHaveLength(
      50_002,
    );
    run.writer.close();
  });

  it('leaves nothing visible after a crash, and nothing at all after an abort', async () => {
    const directory = temporaryDirectory();
    const run = await openSink(ndjsonSink(directory, { rollSize: '10kb' }));
    await run.write(batchesOf(rows(5000)));
    run.writer.close();
    expect(visible(directory)).toEqual([]);
    expect(hidden(directory).length).toBeGreaterThan(2);
    writeFileSync(join(directory, '.part-00000-0.csv.pending-other-1'), 'of another run');
    await run.abort();
    expect(readdirSync(directory)).toEqual(['.part-00000-0.csv.pending-other-1']);
  });

  it('can be made after the power went, of what was prepared before', async () => {
    const disk = new SimDisk();
    const run = await openSink(csvSink('/deep/out'), { disk });
    await run.write(batchesOf(rows(3)));
    const committables = await run.prepare();
    disk.restart({ kind: 'all' });
    await run.commit(committables);
    expect([...disk.files().keys()]).toEqual(['/deep/out/part-00000-0.csv']);
    disk.restart({ kind: 'all' });
    const bytes = disk.files().get('/deep/out/part-00000-0.csv');
    expect(new TextDecoder().decode(bytes)).toBe('id,name\n0,n0\n1,n1\n2,n2\n');
  });

  it('may be repeated, as after a crash in its middle', async () => {
    const directory = temporaryDirectory();
    const run = await openSink(ndjsonSink(directory, { rollSize: '10kb' }));
    await run.write(batchesOf(rows(2000)));
    const committables = await run.prepare();
    await run.commit(committables.slice(0, 1));
    await run.commit(committables);
    await run.commit(committables);
    const lines = visible(directory).flatMap((name) =>
      readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'),
    );
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(rows(2000).map((row) => row.id));
  });

  it('keeps the parts of subtasks and attempts apart', async () => {
    const directory = temporaryDirectory();
    const sink = csvSink(directory);
    const first = await openSink(sink, { subtask: 0 });
    await first.write(batchesOf(rows(10)));
    const again = await openSink(sink, { subtask: 0, attempt: '2', plan: first.plan });
    const second = await openSink(sink, { subtask: 1, attempt: '2', plan: first.plan });
    await again.write(batchesOf(rows(10)));
    await second.write(batchesOf(rows(10)));
    await again.commit([...(await again.prepare()), ...(await second.prepare())]);
    expect(visible(directory)).toEqual(['part-00000-0.csv', 'part-00001-0.csv']);
  });
});

describe('resume', () => {
  const names = (disk: SimDisk): readonly string[] =>
    [...disk.files().keys()].map((path) => path.replace('/out/', ''));

  /** A part that is visible, one that a savepoint holds, and one that nobody holds. */
  async function leftBehind() {
    const disk = new SimDisk();
    const sink = csvSink('/out');
    const first = await openSink(sink, { disk });
    await first.write(batchesOf(rows(1)));
    await first.commit(await first.prepare());
    await first.write(batchesOf(rows(2)));
    const saved = await first.prepare();
    await first.write(batchesOf(rows(3)));
    const context = { plan: first.plan, kept: saved, disk, baseDirectory: '/' };
    return { disk, sink, first, saved, context };
  }

  it('throws away what nobody holds, and takes no name of what a savepoint holds', async () => {
    const { disk, sink, saved, context } = await leftBehind();
    const plan = await sink.resume?.({ ...context, isOwn: true });
    expect(names(disk)).toEqual([
      expect.stringMatching(/^\.part-00000-1\.csv\.pending-/),
      'part-00000-0.csv',
    ]);
    const again = await openSink(sink, { disk, attempt: '2', plan: plan ?? null });
    await again.write(batchesOf(rows(4)));
    await again.commit(await again.prepare());
    await sink.commit?.(saved, context);
    expect(names(disk)).toEqual(['part-00000-0.csv', 'part-00000-1.csv', 'part-00000-2.csv']);
    const lines = Buffer.from(disk.files().get('/out/part-00000-2.csv') ?? []).toString();
    expect(lines.trimEnd().split('\n')).toHaveLength(5);
  });

  it('touches nothing that others may go on from as well, then or when it is aborted', async () => {
    const { disk, sink, context } = await leftBehind();
    const before = names(disk);
    const plan = (await sink.resume?.({ ...context, kept: [], isOwn: false })) ?? null;
    const fork = await openSink(sink, { disk, attempt: '2', plan });
    await fork.write(batchesOf(rows(4)));
    expect(names(disk)).toHaveLength(before.length + 1);
    await fork.abort();
    expect(names(disk)).toEqual(before);
  });
});

describe('ifExists', () => {
  it('refuses a directory with results, and names them', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory), rows(3));
    const error = await failure(() => writeAll(csvSink(directory), rows(3)));
    expect(error).toMatchObject({ code: 'OUTPUT_EXISTS', where: { file: directory } });
    expect(error.message).toContain('part-00000-0.csv');
    expect(error.advice).toContain("'replace'");
    const other = temporaryDirectory();
    writeFileSync(join(other, 'README.md'), 'not a part');
    await writeAll(csvSink(other), rows(3));
    const file = join(other, 'README.md');
    expect(await failure(() => writeAll(csvSink(file), rows(3)))).toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
  });

  it('replaces its own parts only, and only at the commit', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory, { rollSize: 100 }), rows(2000));
    const before = visible(directory);
    expect(before.length).toBeGreaterThan(1);
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    const run = await openSink(csvSink(directory, { ifExists: 'replace' }));
    await run.write(batchesOf(rows(5)));
    const committables = await run.prepare();
    expect(visible(directory)).toEqual(['notes.txt', ...before]);
    await run.commit(committables);
    await run.commit(committables);
    expect(visible(directory)).toEqual(['notes.txt', 'part-00000-0.csv']);
    expect(readFileSync(join(directory, 'part-00000-0.csv'), 'utf8')).toContain('\n4,n4\n');
  });

  it('never removes a part that the same run committed before', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory, { rollSize: 1 }), rows(3000));
    const sink = csvSink(directory, { ifExists: 'replace', rollSize: 1 });
    const run = await openSink(sink);
    for (const count of [1, 1, 1]) {
      await run.write(batchesOf([{ id: 'longer than before', name: `${count}` }]));
      await run.commit(await run.prepare());
    }
    expect(visible(directory)).toEqual([
      'part-00000-0.csv',
      'part-00000-1.csv',
      'part-00000-2.csv',
    ]);
  });

  it('appends under new numbers', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory), rows(3));
    await writeAll(ndjsonSink(directory, { ifExists: 'append' }), rows(3));
    await writeAll(csvSink(directory, { ifExists: 'append' }), rows(3));
    expect(visible(directory)).toEqual([
      'part-00000-0.csv',
      'part-00000-1.ndjson',
      'part-00000-2.csv',
    ]);
  });

  it('refuses options that do not exist or make no sense', () => {
    const wrong: [string, () => SinkConnector][] = [
      ['OPTION_UNKNOWN', () => csvSink('x', { ifExist: 'fail' } as object)],
      ['OPTION_UNKNOWN', () => ndjsonSink('x', { header: true } as object)],
      ['OPTION_INVALID', () => csvSink('x', { ifExists: 'overwrite' } as object)],
      ['OPTION_INVALID', () => textSink('x', { compression: 'zip' } as object)],
      ['OPTION_INVALID', () => csvSink('x', { separator: '1' })],
      ['OPTION_INVALID', () => csvSink('x', { nullText: '0' })],
      ['OPTION_INVALID', () => parquetSink('x', { rowGroupRows: 0 })],
      ['OPTION_INVALID', () => parquetSink('x', { compression: 'lzo' } as object)],
      ['UNIT_INVALID', () => csvSink('x', { rollSize: 'big' })],
    ];
    for (const [code, make] of wrong) expect(make, code).toThrow(expect.objectContaining({ code }));
  });
});

describe('parts', () => {
  it('begins a new part for records of another type', async () => {
    const directory = temporaryDirectory();
    const run = await openSink(csvSink(directory));
    await run.write(batchesOf([{ a: 1 }]));
    await run.write(batchesOf([{ a: 2, b: 'x' }]));
    await run.commit(await run.prepare());
    const texts = visible(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
    expect(texts).toEqual(['a\n1\n', 'a,b\n2,x\n']);
  });

  it('packs whole files as gzip that other readers understand', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory, { compression: 'gzip' }), rows(100_000));
    const [name] = visible(directory);
    expect(name).toBe('part-00000-0.csv.gz');
    const path = join(directory, name);
    expect(gunzipSync(readFileSync(path)).toString().split('\n')).toHaveLength(100_002);
    const sql = `select count(*)::int, sum(id)::double from read_csv('${path}')`;
    expect(await duckRows(sql)).toEqual([[100_000, 4999950000]]);
  });

  it('writes no file when there is no record', async () => {
    const directory = join(temporaryDirectory(), 'deep', 'out');
    await writeAll(csvSink(directory), []);
    expect(existsSync(directory)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses streams that take rows back', async () => {
    const run = await openSink(csvSink(temporaryDirectory()));
    const [batch] = batchesOf(rows(2));
    const kinds = Uint8Array.of(0, KIND_DELETE);
    const error = await failure(() => run.write([{ ...batch, kinds }]));
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
  });

  it('fails by name when the directory cannot be written', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'a'));
    writeFileSync(join(directory, 'a/file'), '');
    const error = await failure(() => writeAll(csvSink(join(directory, 'a/file/below')), rows(1)));
    expect(['FILE_UNWRITABLE', 'FILE_NOT_FOUND', 'FILE_UNREADABLE']).toContain(error.code);
  });
});

describe('contents', () => {
  const records = [
    { text: 'plain', number: 1.5, when: new Date('2024-02-29T12:30:00.250Z'), flag: true, big: 2n },
    { text: 'a,b "c"\nd', number: -0.1, when: new Date(0), flag: false, big: -(2n ** 62n) },
    { text: '', number: 1e21, when: new Date(-1), flag: true, big: 0n },
    { text: null, number: null, when: null, flag: null, big: null },
    { text: 'ünï 🎉', number: 123456789.123, when: new Date('1900-01-01'), flag: true, big: 1n },
  ];

  it('writes CSV that csv-parse and DuckDB read back', async () => {
    const directory = temporaryDirectory();
    await writeAll(csvSink(directory), records);
    const path = join(directory, 'part-00000-0.csv');
    const parsed = parse(readFileSync(path), { columns: true }) as any[];
    expect(parsed).toEqual(
      records.map((r) => ({
        text: r.text ?? '',
        number: r.number === null ? '' : String(r.number),
        when: r.when === null ? '' : r.when.toISOString(),
        flag: r.flag === null ? '' : String(r.flag),
        big: r.big === null ? '' : String(r.big),
      })),
    );
    const sql = `select "text", number, epoch_ms("when")::double, flag, big::varchar
      from read_csv('${path}', types = {'number': 'double', 'when': 'timestamp'}, force_not_null = [])`;
    expect((await duckRows(sql)).map((row) => row.slice(1))).toEqual(
      records.map((r) => [r.number, r.when?.getTime() ?? null, r.flag, r.big?.toString() ?? null]),
    );
  });

  it('tells null from empty text, and quotes what would be taken for null', async () => {
    const directory = temporaryDirectory();
    const options = { nullText: 'NULL', separator: ';', newline: '\r\n', header: false } as const;
    await writeAll(csvSink(directory, options), [
      { a: 'NULL', b: 'x;y' },
      { a: null, b: '' },
    ]);
    const text = readFileSync(join(directory, 'part-00000-0.csv'), 'utf8');
    expect(text).toBe('"NULL";"x;y"\r\nNULL;\r\n');
    const plain = temporaryDirectory();
    await writeAll(csvSink(plain), [{ a: '', b: null }]);
    expect(readFileSync(join(plain, 'part-00000-0.csv'), 'utf8')).toBe('a,b\n"",\n');
  });

  it('writes NDJSON that JSON.parse reads back', async () => {
    const directory = temporaryDirectory();
    const nested = [
      {
        id: 1,
        list: [1, null, 3],
        inner: { x: 'a', y: [{ z: 'q"\\\u0001' }] },
        map: new Map([['k', 1.5]]),
      },
      { id: 2, list: [], inner: { x: '\ud800 lone', y: [] }, map: new Map() },
      { id: -0, extra: 'only here', list: null, inner: null, map: null },
    ];
    await writeAll(ndjsonSink(directory), nested);
    const lines = readFileSync(join(directory, 'part-00000-0.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      nested.map((r) => ({ ...r, map: r.map === null ? null : Object.fromEntries(r.map) })),
    );
    expect(lines[2]).toContain('"id":-0,');
    expect(lines[0]).not.toContain('extra');
  });

  it('writes what JSON does not have as null, or fails when told to', async () => {
    const directory = temporaryDirectory();
    await writeAll(ndjsonSink(directory), [{ x: Number.NaN }, { x: Infinity }, { x: 1 }]);
    const text = readFileSync(join(directory, 'part-00000-0.ndjson'), 'utf8');
    expect(text).toBe('{"x":null}\n{"x":null}\n{"x":1}\n');
    const strict = ndjsonSink(temporaryDirectory(), { nonFinite: 'fail' });
    const error = await failure(() => writeAll(strict, [{ x: Number.NaN }]));
    expect(error).toMatchObject({ code: 'VALUE_UNSUPPORTED', where: { field: 'x' } });
  });

  it('refuses text that is not Unicode where the format cannot carry it', async () => {
    for (const make of [csvSink, parquetSink, textSink]) {
      const sink = make(temporaryDirectory());
      const error = await failure(() => writeAll(sink, [{ t: '\ud800' }]));
      expect(error).toMatchObject({ code: 'VALUE_UNSUPPORTED', where: { field: 't' } });
    }
  });

  it('writes values and single fields as lines of text', async () => {
    const directory = temporaryDirectory();
    await writeAll(textSink(directory), ['to', 'be', 'ünï']);
    expect(readFileSync(join(directory, 'part-00000-0.txt'), 'utf8')).toBe('to\nbe\nünï\n');
    const error = await failure(() => writeAll(textSink(temporaryDirectory()), rows(1)));
    expect(error.code).toBe('SCHEMA_CONFLICT');
  });
});
