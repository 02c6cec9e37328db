import { describe, expect, it } from 'vitest';
import { collection } from '../../../../src/connector/collection/collection.js';
import { openReader, readAll, recordsOf } from '../connector-harness.js';

describe('collection', () => {
  it('gives every record as it is, in order', async () => {
    const items = Array.from({ length: 5000 }, (_, i) => ({
      id: i,
      name: `n${i}`,
      tags: i % 2 === 0 ? ['a'] : [],
      when: new Date(i),
      note: i % 3 === 0 ? null : 'x',
      ...(i % 7 === 0 ? { extra: 1n } : {}),
    }));
    expect(await readAll(collection(items))).toEqual(items);
    expect(await readAll(collection(['a', 'b']))).toEqual(['a', 'b']);
    expect(await readAll(collection([[1, 'x']]))).toEqual([[1, 'x']]);
    expect(await readAll(collection([]))).toEqual([]);
  });

  it('knows its schema, and that it lives on the caller’s thread', async () => {
    const source = collection([{ a: 1 }, { a: null, b: 'x' }]);
    const { plan, reader } = await openReader(source);
    reader.close();
    expect(source).toMatchObject({ host: true, maxParallelism: 1, bounded: true });
    expect(plan.schema?.fields).toEqual([
      { name: 'a', type: { kind: 'number' }, nullable: true, optional: false },
      { name: 'b', type: { kind: 'utf8' }, nullable: false, optional: true },
    ]);
    expect(plan.rows).toBe(2);
  });

  it('reads on from any position', async () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const { reader, plan } = await openReader(collection(items), { batchRows: 30 });
    reader.addSplit(plan.splits[0], null);
    reader.poll();
    reader.poll();
    const [{ position }] = reader.positions(7);
    expect(position).toBe(37);
    reader.addSplit(plan.splits[0], position);
    reader.poll();
    expect(reader.batch === null ? [] : recordsOf(reader.batch)).toEqual(items.slice(37, 67));
  });

  it('names the record and field that do not fit a declared schema', async () => {
    const schema = {
      shape: 'object',
      fields: [{ name: 'a', type: { kind: 'int32' }, nullable: false, optional: false }],
    } as const;
    const items = Array.from({ length: 2000 }, (_, i) => ({ a: i === 1500 ? 'no' : i }));
    const error: any = await readAll(collection(items, { schema })).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'SCHEMA_CONFLICT', where: { record: 1500, field: 'a' } });
    expect(error.message).toContain('"no"');
  });

  it('refuses what no record can carry', async () => {
    const source = collection([{ f: () => 1 }]);
    await expect(readAll(source)).rejects.toMatchObject({ code: 'VALUE_UNSUPPORTED' });
  });
});
