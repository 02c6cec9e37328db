/**
 * Rows selected from a batch, by number, against a list of the same records: through frames, through chains that read
 * a selection, and dealt by a partitioner whose port refuses now and then.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/record/batch.js';
import { decodeFrame, encodeFrame, frameBytes } from '../../src/record/frame-codec.js';
import { compileRowReader } from '../../src/record/row-codec.js';
import { batchAs, batchOfRows } from '../../src/record/row-selection.js';
import { BinaryColumn, FixedColumn, TEXT_ASCII } from '../../src/record/column.js';
import type { Field, Schema } from '../../src/record/schema.js';
import {
  batchOf,
  chainOf,
  line,
  MemorySchemas,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

const SCHEMA: Schema = {
  shape: 'object',
  fields: [
    { name: 'n', type: { kind: 'number' }, nullable: false, optional: false },
    { name: 'i', type: { kind: 'int32' }, nullable: true, optional: false },
    { name: 'b', type: { kind: 'bool' }, nullable: false, optional: true },
    { name: 'big', type: { kind: 'int64' }, nullable: true, optional: true },
    { name: 't', type: { kind: 'utf8' }, nullable: true, optional: false },
    { name: 'same', type: { kind: 'utf8' }, nullable: false, optional: false },
    {
      name: 's',
      type: {
        kind: 'struct',
        fields: [{ name: 'x', type: { kind: 'utf8' }, nullable: true, optional: false }],
      },
      nullable: false,
      optional: false,
    },
  ],
};

const record = fc.record(
  {
    n: fc.double(),
    i: fc.option(fc.integer({ min: -1000, max: 1000 })),
    b: fc.boolean(),
    big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    t: fc.option(fc.string({ maxLength: 40 })),
    same: fc.constantFrom('a', 'bb', 'ccc'),
    s: fc.record({ x: fc.option(fc.string({ maxLength: 5 })) }),
  },
  { requiredKeys: ['n', 'i', 't', 'same', 's'] },
);

/** Records, and which of them are selected. */
const selected = fc
  .array(fc.tuple(record, fc.boolean()), { minLength: 1, maxLength: 60 })
  .map((pairs) => ({
    records: pairs.map(([given]) => given),
    rows: Int32Array.from(pairs.flatMap(([, isTaken], row) => (isTaken ? [row] : []))),
  }));

function readAll(batch: Batch): unknown[] {
  const read = compileRowReader(batch.schema, null);
  return Array.from({ length: batch.rows }, (_, row) => read(batch, row));
}

/** The batch with its texts moved, as a source's views of its own memory lie. */
function shifted(batch: Batch, by: number): Batch {
  const columns = batch.columns.map((column) => {
    if (!('codes' in column)) return column;
    const bytes = new Uint8Array(column.bytes.length + by).subarray(by);
    bytes.set(column.bytes);
    return { ...column, bytes };
  });
  return { ...batch, columns };
}

describe('rows selected from a batch', () => {
  it('come out of a frame as they are, times and kinds too', () => {
    fc.assert(
      fc.property(selected, fc.nat(7), ({ records, rows }, by) => {
        const times = records.map((_, row) => row * 10);
        const kinds = records.map((_, row) => row % 4);
        const batch = batchOf(records, { schema: SCHEMA, times, kinds });
        const columns = SCHEMA.fields.map((_, index) => index);
        const some = batchOfRows(
          batchAs(SCHEMA, 1, shifted(batch, by), columns),
          rows,
          rows.length,
        );
        const schemas = new MemorySchemas();
        schemas.propose(SCHEMA);
        const memory = new Uint8Array(frameBytes(some));
        const decoded = decodeFrame(memory, 0, encodeFrame(some, memory, 0), schemas);
        expect(readAll(decoded)).toEqual([...rows].map((row) => readAll(batch)[row]));
        expect([...(decoded.times ?? [])]).toEqual([...rows].map((row) => times[row]));
        expect([...(decoded.kinds ?? [])]).toEqual([...rows].map((row) => kinds[row]));
        // What was selected may be sent on as it was received.
        const again = batchAs(SCHEMA, 1, decoded, columns);
        const copy = new Uint8Array(frameBytes(again));
        const twice = decodeFrame(copy, 0, encodeFrame(again, copy, 0), schemas);
        expect(readAll(twice)).toEqual(readAll(decoded));
      }),
    );
  });

  it('pass a chain as if they were a batch of their own', () => {
    fc.assert(
      fc.property(selected, fc.integer({ min: 1, max: 9 }), ({ records, rows }, budgetRows) => {
        const batch = batchOf(records, { schema: SCHEMA });
        const chain = chainOf({ operators: line(op.filter((r: { n: number }) => r.n >= 0)) });
        const some = batchOfRows(batch, rows, rows.length);
        untilDone((cursor) => chain.task.step(0, some, cursor, budgetRows));
        untilDone(() => (chain.task.flush() ? 0 : 1));
        const all = readAll(batch) as { n: number }[];
        const expected = [...rows].map((row) => all[row]).filter(({ n }) => n >= 0);
        expect(chain.ports[0].left.map((left) => left.record)).toEqual(expected);
      }),
    );
  });

  it('are dealt once each and in order, however often the port refuses', () => {
    const refusals = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
    const batches = fc.array(selected, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(batches, refusals, fc.integer({ min: 2, max: 40 }), (given, takes, capacity) => {
        let looks = 0;
        const chain = chainOf({
          operators: [],
          outputs: [{ after: -1, partitioner: { kind: 'hash', keys: ['same'] }, channels: 3 }],
          capacity,
          // Refuses for good only when nothing is ever taken.
          mayTake: () => takes[looks++ % takes.length] || looks % 7 === 0,
        });
        const expected: unknown[] = [];
        for (const { records, rows } of given) {
          const batch = batchOf(records, { schema: SCHEMA });
          expected.push(...[...rows].map((row) => readAll(batch)[row]));
          const some = batchOfRows(batch, rows, rows.length);
          untilDone((cursor) => chain.task.step(0, some, cursor, 16));
        }
        untilDone(() => (chain.task.flush() ? 0 : 1));
        const { left } = chain.ports[0];
        const keyOf = (value: unknown): string => (value as { same: string }).same;
        for (const key of ['a', 'bb', 'ccc']) {
          const mine = left.filter((row) => keyOf(row.record) === key);
          expect(mine.map((row) => row.record)).toEqual(expected.filter((r) => keyOf(r) === key));
          expect(new Set(mine.map((row) => row.channel)).size).toBeLessThanOrEqual(1);
        }
        expect(left.length).toBe(expected.length);
      }),
    );
  });

  it('are lent with their texts where they are, and have left before those change', () => {
    const refusals = fc.array(fc.boolean(), { minLength: 1, maxLength: 20 });
    const codes = fc.array(fc.nat(MANY_TEXTS - 1), { minLength: 1, maxLength: 60 });
    const batches = fc.array(fc.tuple(codes, fc.boolean()), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(batches, refusals, fc.integer({ min: 2, max: 80 }), (given, takes, capacity) => {
        let looks = 0;
        const chain = chainOf({
          operators: [],
          outputs: [{ after: -1, partitioner: { kind: 'hash', keys: ['n'] }, channels: 2 }],
          capacity,
          mayTake: () => takes[looks++ % takes.length] || looks % 7 === 0,
        });
        const [port] = chain.ports;
        port.isLent = true;
        const expected: { n: number; t: string }[] = [];
        for (const [numbers, isDictionary] of given) {
          const batch = batchOfManyTexts(numbers, isDictionary);
          expected.push(...numbers.map((n) => ({ n, t: manyText(n) })));
          untilDone((cursor) => chain.task.step(0, batch, cursor, 1000));
          // Its memory is filled anew.
          const [numbersColumn, texts] = batch.columns as [FixedColumn, BinaryColumn];
          numbersColumn.values.fill(-1);
          texts.bytes.fill(0x21);
          texts.codes.fill(0);
        }
        untilDone(() => (chain.task.flush() ? 0 : 1));
        for (const n of new Set(expected.map((record) => record.n))) {
          const mine = port.left.filter(({ record }) => (record as { n: number }).n === n);
          expect(mine.map(({ record }) => record)).toEqual(expected.filter((r) => r.n === n));
          expect(new Set(mine.map(({ channel }) => channel)).size).toBe(1);
        }
        expect(port.left.length).toBe(expected.length);
      }),
    );
  });
});

const MANY_TEXTS = 300;

function manyText(number: number): string {
  return `text ${number} `.padEnd(40, 'x');
}

/** Rows whose texts are few of many: `n` is the number of `t`. */
function batchOfManyTexts(numbers: readonly number[], isDictionary: boolean): Batch {
  const [number, text] = ['n', 't'].map((name): Field => {
    const type = name === 'n' ? ({ kind: 'number' } as const) : ({ kind: 'utf8' } as const);
    return { name, type, nullable: false, optional: false };
  });
  const texts = Array.from({ length: MANY_TEXTS }, (_, index) => manyText(index));
  const bytes = new TextEncoder().encode(texts.join(''));
  const column = new BinaryColumn({
    field: text,
    codes: Int32Array.from(numbers),
    offsets: Int32Array.from({ length: MANY_TEXTS + 1 }, (_, index) => index * 40),
    bytes,
    entries: MANY_TEXTS,
    textKind: TEXT_ASCII,
    validity: null,
    presence: null,
    isDictionary,
    isSelected: !isDictionary,
  });
  return {
    schema: { shape: 'object', fields: [number, text] },
    schemaVersion: 0,
    rows: numbers.length,
    columns: [new FixedColumn(number, Float64Array.from(numbers), null, null), column],
    times: null,
    kinds: null,
  };
}
