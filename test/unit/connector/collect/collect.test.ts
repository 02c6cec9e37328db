import { describe, expect, it } from 'vitest';
import { collectSink } from '../../../../src/connector/collect/collect.js';
import { discard } from '../../../../src/connector/discard/discard.js';
import { batchesOf, openSink, writeAll } from '../connector-harness.js';

describe('collectSink', () => {
  it('gathers records as they are, and begins anew with each run', async () => {
    const sink = collectSink();
    const records = [
      { a: 1, d: new Date(5), n: { x: [1, null] } },
      { a: -0, d: new Date(6), n: { x: [] } },
    ];
    await writeAll(sink, records);
    expect(sink.rows).toEqual(records);
    await writeAll(sink, ['other']);
    expect(sink.rows).toEqual(['other']);
  });

  it('fails rather than dropping rows when there are more than its bound', async () => {
    const sink = collectSink({ rowsMax: 1500 });
    const run = await openSink(sink);
    const batches = batchesOf(Array.from({ length: 2000 }, (_, i) => i));
    await expect(run.write(batches)).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' });
    expect(() => collectSink({ rowsMax: -1 })).toThrow(/rowsMax/);
  });
});

describe('discard', () => {
  it('takes every row at once', async () => {
    const run = await openSink(discard());
    const [batch] = batchesOf([1, 2, 3]);
    expect(run.writer.write(batch, 1)).toBe(2);
    expect(run.writer.flush()).toBe(true);
    expect(await run.prepare()).toEqual([]);
  });
});
