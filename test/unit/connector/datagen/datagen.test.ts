import { describe, expect, it } from 'vitest';
import type { SourceReader } from '../../../../src/connector/contract.js';
import { POLL_BATCH, POLL_WAIT } from '../../../../src/connector/contract.js';
import { datagen, type DatagenSplit } from '../../../../src/connector/datagen/datagen.js';
import {
  booleans,
  choice,
  floats,
  integers,
  normal,
  randomText,
  sequence,
  timestamps,
} from '../../../../src/connector/datagen/generators.js';
import { openReader, readAll, readBatches, recordsOf } from '../connector-harness.js';

const fields = {
  id: sequence(10, 2),
  n: integers(-5, 5),
  big: integers(0, 2 ** 40),
  x: floats(1, 2),
  g: normal(100, 15),
  ok: booleans(0.25),
  city: choice(['Rome', 'Oslo', 'Łódź']),
  rare: choice(['yes', 'no', 'never'], [1, 99, 0]),
  text: randomText(0, 12),
  at: timestamps({ start: new Date('2024-01-01'), every: '10s', jitter: '2s' }),
};

const byId = (a: any, b: any): number => a.id - b.id;

describe('datagen', () => {
  it('makes the same records whatever the parallelism, batch size and columns', async () => {
    const source = datagen({ fields, rows: 8000, seed: 7 });
    const one = await readAll(source);
    const three = await readAll(source, { parallelism: 3, batchRows: 100 });
    expect(three.sort(byId)).toEqual(one.sort(byId));
    expect(one).toHaveLength(8000);
    const two = await readAll(source, { columns: ['id', 'text', 'n'], parallelism: 2 });
    expect(two.sort(byId)).toEqual(one.map(({ id, n, text }) => ({ id, n, text })));
    const other = await readAll(datagen({ fields, rows: 100, seed: 8 }));
    expect(other.sort(byId).map((r) => r.n)).not.toEqual(one.slice(0, 100).map((r) => r.n));
  });

  it('draws from the distributions asked for', async () => {
    const records = await readAll(datagen({ fields, rows: 50_000, seed: 1 }));
    const mean = (of: (r: any) => number): number =>
      records.reduce((s, r) => s + of(r), 0) / records.length;
    expect(records.every((r) => Number.isInteger(r.n) && r.n >= -5 && r.n <= 5)).toBe(true);
    expect(new Set(records.map((r) => r.n)).size).toBe(11);
    expect(Math.abs(mean((r) => r.n))).toBeLessThan(0.1);
    expect(mean((r) => r.big) / 2 ** 40).toBeCloseTo(0.5, 1);
    expect(records.every((r) => r.x >= 1 && r.x < 2)).toBe(true);
    expect(mean((r) => r.g)).toBeCloseTo(100, 0);
    expect(Math.sqrt(mean((r) => (r.g - 100) ** 2))).toBeCloseTo(15, 0);
    expect(mean((r) => Number(r.ok))).toBeCloseTo(0.25, 1);
    expect(mean((r) => Number(r.rare === 'yes'))).toBeCloseTo(0.01, 2);
    expect(records.some((r) => r.rare === 'never')).toBe(false);
    expect(mean((r) => r.text.length)).toBeCloseTo(6, 0);
    expect(records.every((r) => /^[a-z0-9]{0,12}$/.test(r.text))).toBe(true);
    const late = records.map((r) => r.at - Date.UTC(2024, 0, 1) - ((r.id - 10) / 2) * 10_000);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(2000);
    expect(new Set(late).size).toBeGreaterThan(1000);
  });

  it('makes values by functions of the row and its own random numbers', async () => {
    const source = datagen({
      rows: 3000,
      seed: 3,
      fields: {
        id: sequence(),
        v: (row, random) => (row % 100 === 99 ? null : random.below(10)),
        s: (row) => `s${row}`,
      },
    });
    const one = await readAll(source);
    const two = await readAll(source, { parallelism: 2, batchRows: 64 });
    expect(two.sort(byId)).toEqual(one.sort(byId));
    expect(one[199]).toEqual({ id: 199, v: null, s: 's199' });
    expect(new Set(one.map((r) => r.v)).size).toBe(11);
    const broken = datagen({
      rows: 5,
      fields: {
        v: () => {
          throw new Error('no');
        },
      },
    });
    await expect(readAll(broken)).rejects.toMatchObject({
      code: 'USER_FUNCTION_FAILED',
      where: { field: 'v' },
    });
  });

  it('reads on from any position', async () => {
    const source = datagen({ fields, rows: 10_000, seed: 5 });
    const { reader, plan } = await openReader(source, { parallelism: 2, batchRows: 200 });
    const whole: unknown[] = [];
    const parts: unknown[] = [];
    for (const split of plan.splits) {
      reader.addSplit(split, null);
      while (reader.poll() === POLL_BATCH) if (reader.batch) whole.push(...recordsOf(reader.batch));
      let position: unknown = null;
      for (;;) {
        reader.addSplit(split, position);
        if (reader.poll() !== POLL_BATCH || reader.batch === null) break;
        const rows = Math.min(77, reader.batch.rows);
        parts.push(...recordsOf(reader.batch).slice(0, rows));
        position = reader.positions(rows)[0].position;
      }
    }
    expect(parts).toEqual(whole);
    expect(parts).toHaveLength(10_000);
  });

  it('cuts rows into ranges in order, so that values that rise do so in every subtask', async () => {
    const source = datagen({ fields: { id: sequence() }, rows: 20_000, seed: 5 });
    const ids = (await readAll(source, { parallelism: 2 })).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 20_000 }, (_, id) => id));
  });

  it('keeps its rate, for all subtasks together', async () => {
    let now = 1000;
    const clock = { epochMs: () => now, monotonicMs: () => now };
    const source = datagen({ fields: { id: sequence() }, rows: 'unbounded', rowsPerSecond: 1000 });
    expect(source.bounded).toBe(false);
    const readers: SourceReader[] = [];
    for (const index of [0, 1]) {
      const { reader, plan } = await openReader(source, { clock, parallelism: 2 });
      reader.addSplit(plan.splits[index], null);
      readers.push(reader);
    }
    const ids: number[] = [];
    const drain = (): void => {
      for (const reader of readers) {
        while (reader.poll() === POLL_BATCH) {
          if (reader.batch) ids.push(...recordsOf(reader.batch).map((r: any) => r.id));
        }
        expect(reader.poll()).toBe(POLL_WAIT);
      }
    };
    drain();
    expect(ids).toHaveLength(0);
    for (let step = 0; step < 20; step++) {
      now += 100;
      drain();
    }
    expect(ids.length).toBeGreaterThan(1950);
    expect(ids.length).toBeLessThan(2050);
    expect(new Set(ids).size).toBe(ids.length);
    for (const reader of readers) reader.close();
  });

  it('goes on past row 2^32 with fresh values', async () => {
    const { reader, plan } = await openReader(
      datagen({ fields: { id: sequence(), n: integers(0, 2 ** 31) }, rows: 2 ** 33, seed: 1 }),
      { columns: ['id', 'n'] },
    );
    const { firstBlock, blockRows } = plan.splits[4].data as DatagenSplit;
    const seen: any[] = [];
    for (const [split, given] of [
      [plan.splits[0], 0],
      [plan.splits[4], 2 ** 32 - firstBlock * blockRows],
    ] as const) {
      reader.addSplit(split, given);
      reader.poll();
      if (reader.batch) seen.push(...recordsOf(reader.batch));
    }
    expect(seen[1024].id).toBe(2 ** 32);
    expect(seen.slice(0, 1024).map((r) => r.n)).not.toEqual(seen.slice(1024).map((r) => r.n));
    reader.close();
  });

  it('refuses options that generate nothing', () => {
    const wrong = [
      () => datagen({ fields: {}, rows: 1 }),
      () => datagen({ fields: { a: sequence() }, rows: -1 }),
      () => datagen({ fields: { a: sequence() }, rows: 1, rowsPerSecond: 0 }),
      () => datagen({ fields: { a: sequence() }, rows: 1, seed: 0.5 }),
      () => integers(2, 1),
      () => choice([]),
      () => choice(['a'], [-1]),
      () => floats(Number.NaN),
      () => randomText(-1),
      () => booleans(2),
    ];
    for (const make of wrong)
      expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('makes no more rows than asked for, in batches of at most what is asked for', async () => {
    let rows = 0;
    await readBatches(datagen({ fields, rows: 2500 }), { batchRows: 300, columns: [] }, (batch) => {
      expect(batch.rows).toBeLessThanOrEqual(300);
      rows += batch.rows;
    });
    expect(rows).toBe(2500);
  });
});
