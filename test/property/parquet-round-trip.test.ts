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
});
