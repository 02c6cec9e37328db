import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parquetSink } from '../../src/connector/file-sink/parquet-sink.js';
import { parquetSource } from '../../src/connector/parquet/parquet-source.js';
import {
  readAll,
  removeDirectories,
  temporaryDirectory,
  writeAll,
} from '../unit/connector/connector-harness.js';

afterAll(removeDirectories);

const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(value, { nil: null });
const name = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((s) => s.isWellFormed());

/** A record type with lists, structs and maps inside of each other, and nulls everywhere. */
const record = fc.record({
  number: nullable(fc.double({ noNaN: true })),
  text: nullable(name),
  flag: nullable(fc.boolean()),
  list: nullable(fc.array(nullable(name), { maxLength: 4 })),
  structs: nullable(
    fc.array(
      nullable(
        fc.record({
          a: nullable(fc.integer()),
          b: nullable(fc.array(fc.integer(), { maxLength: 3 })),
        }),
      ),
      { maxLength: 3 },
    ),
  ),
  map: nullable(
    fc
      .dictionary(fc.string({ minLength: 1, maxLength: 3 }), nullable(fc.integer()), { maxKeys: 3 })
      .map((object) => new Map(Object.entries(object))),
  ),
});

/** Objects, which are read in part too. */
const nested = fc.record({
  id: fc.integer(),
  s: nullable(
    fc.record({
      a: nullable(fc.integer()),
      list: nullable(fc.array(nullable(name), { maxLength: 3 })),
      in: nullable(fc.record({ x: nullable(name), y: fc.boolean() })),
    }),
  ),
});
const wholeNested = { id: 0, s: { a: 1, list: ['a', null], in: { x: 'b', y: true } } };
const FIELDS = ['a', 'list', 'in', 'in.x', 'in.y'];

/** Values of every field, so that inference sees no field of nulls only. */
const whole = {
  number: 1,
  text: 'x',
  flag: true,
  list: ['a', null],
  structs: [{ a: 1, b: [1] }, null, { a: null, b: null }],
  map: new Map<string, number | null>([
    ['k', 1],
    ['n', null],
  ]),
};
const empty = { number: null, text: null, flag: null, list: null, structs: null, map: null };

describe('parquet', () => {
  it('gives back the records that were written, whatever they are', async () => {
    const property = fc.asyncProperty(
      fc.array(record, { maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 15 }),
      async (records, rowGroupRows, batchRows) => {
        const directory = temporaryDirectory();
        const all = [whole, empty, ...records];
        await writeAll(parquetSink(directory, { rowGroupRows, sync: false }), all);
        const path = join(directory, 'part-00000-0.parquet');
        expect(await readAll(parquetSource(path), { batchRows })).toEqual(all);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('gives of objects the fields that are asked for', async () => {
    const property = fc.asyncProperty(
      fc.array(nested, { maxLength: 30 }),
      fc.subarray(FIELDS, { minLength: 1 }),
      fc.integer({ min: 1, max: 15 }),
      async (records, wanted, batchRows) => {
        const directory = temporaryDirectory();
        const nulls = { id: 1, s: { a: null, list: null, in: null } };
        const all = [wholeNested, nulls, { id: 2, s: null }, ...records];
        await writeAll(parquetSink(directory, { sync: false }), all);
        const source = parquetSource(join(directory, 'part-00000-0.parquet'));
        const paths = wanted.map((path) => ['s', ...path.split('.')]);
        const columns = ['id', 's'];
        const got = await readAll(source, { batchRows, columns, paths });
        expect(got).toEqual(all.map(({ id, s }) => ({ id, s: s && partOf(s, wanted) })));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

function partOf(record: Readonly<Record<string, unknown>>, wanted: readonly string[]): unknown {
  const entries = Object.entries(record).flatMap(([key, value]) => {
    if (wanted.includes(key)) return [[key, value]];
    const within = wanted.flatMap((path) => (path.startsWith(`${key}.`) ? [path.slice(3)] : []));
    if (within.length === 0) return [];
    return [[key, value === null ? null : partOf(Object(value), within)]];
  });
  return Object.fromEntries(entries);
}
