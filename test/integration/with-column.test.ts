import { col, collectSink, type Flow, job, ndjson, run, type Stream } from 'millrace';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-with-column-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Item {
  readonly id: number;
  readonly price?: number | null;
  readonly name?: string;
}

const ITEMS: readonly Item[] = [
  { id: 1, price: 5, name: 'a' },
  { id: 2, price: null },
  { id: 3 },
  { id: 4, name: 'd', price: -1 },
];

function* each(): Generator<Item> {
  yield* ITEMS;
}

/** What a stream gives, in order, whether its input comes as an array, an iterable or a file. */
async function outcomes(build: (items: Stream<Item>) => Stream<unknown>): Promise<unknown[][]> {
  const file = join(directory, 'items.ndjson');
  writeFileSync(file, ITEMS.map((item) => `${JSON.stringify(item)}\n`).join(''));
  const inputs: ((flow: Flow) => Stream<Item>)[] = [
    (flow) => flow.from(ITEMS),
    (flow) => flow.from(each()),
    (flow) => flow.from(ndjson<Item>(file)),
    (flow) => flow.from(ITEMS).map((item) => item),
    (flow) => flow.from(ITEMS).flatMap((item) => [item]),
  ];
  const results: unknown[][] = [];
  for (const input of inputs) {
    const rows = collectSink();
    const definition = job('with-column', (flow) => build(input(flow)).to(rows));
    await run(definition, { runtime: 'in-thread', parallelism: 1 });
    results.push([...rows.rows]);
  }
  return results;
}

describe('withColumn', () => {
  it('adds a field and leaves the others as they are, missing ones missing', async () => {
    const expected = ITEMS.map((item) => ({
      ...item,
      twice: (item.price ?? null) && Number(item.price) * 2,
    }));
    for (const rows of await outcomes((items) => items.withColumn('twice', col('price').mul(2)))) {
      expect(rows).toEqual(expected);
      expect(rows.map((row) => Object.keys(Object(row)).toSorted())).toEqual(
        expected.map((row) => Object.keys(row).toSorted()),
      );
    }
  });

  it('replaces a field, and sees what columns before it made', async () => {
    const expected = ITEMS.map(({ id, name }) => ({
      id: id + 1,
      ten: (id + 1) * 10,
      ...(name === undefined ? {} : { name }),
    }));
    const all = await outcomes((items) =>
      items
        .withColumn('id', col('id').add(1))
        .withColumn('ten', col('id').mul(10))
        .map(({ id, ten, name }) => (name === undefined ? { id, ten } : { id, ten, name })),
    );
    for (const rows of all) expect(rows).toEqual(expected);
  });

  it('takes values as records with one field', async () => {
    const rows = collectSink();
    const definition = job('letters', (flow) => {
      flow.from(['x', 'yz']).withColumn('size', col('value').length()).to(rows);
    });
    await run(definition, { runtime: 'in-thread', parallelism: 1 });
    expect(rows.rows).toEqual([
      { value: 'x', size: 1 },
      { value: 'yz', size: 2 },
    ]);
  });

  it('names the nearest field when there is none, at the first record if not before', async () => {
    const error = expect.objectContaining({
      code: 'FIELD_UNKNOWN',
      advice: expect.stringContaining('price'),
      where: expect.objectContaining({ field: 'prise', operator: 'withColumn' }),
    });
    await expect(
      outcomes((items) => items.withColumn('twice', col('prise' as 'price').mul(2))),
    ).rejects.toEqual(error);
    await expect(
      outcomes((items) =>
        items
          .map((item) => ({ price: item.id }))
          .withColumn('twice', col('prise' as 'price').mul(2)),
      ),
    ).rejects.toEqual(error);
  });

  it('works a thousand times in a row', async () => {
    const rows = collectSink();
    const definition = job('deep', (flow) => {
      let stream: Stream<{ n: number }> = flow.from([{ n: 0 }]);
      for (let step = 0; step < 1000; step++) stream = stream.withColumn('n', col('n').add(1));
      stream.to(rows);
    });
    await run(definition, { runtime: 'in-thread', parallelism: 1 });
    expect(rows.rows).toEqual([{ n: 1000 }]);
  });

  it('reads only the columns that are used behind it', async () => {
    const [rows] = await outcomes((items) =>
      items.withColumn('price', col('id')).select({ sum: col('price').add(1) }),
    );
    expect(rows).toEqual(ITEMS.map(({ id }) => ({ sum: id + 1 })));
  });
});
