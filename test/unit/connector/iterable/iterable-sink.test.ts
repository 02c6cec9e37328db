import { describe, expect, it } from 'vitest';
import { iterableSink } from '../../../../src/connector/iterable/iterable-sink.js';
import { batchesOf, openSink } from '../connector-harness.js';

const records = Array.from({ length: 10_000 }, (_, i) => ({ i }));

describe('iterableSink', () => {
  it('gives every record once, in order, and ends', async () => {
    const sink = iterableSink<{ i: number }>({ queueRows: 100 });
    const run = await openSink(sink);
    const producer = run.write(batchesOf(records)).then(() => run.prepare());
    const seen: { i: number }[] = [];
    for await (const record of sink) seen.push(record);
    await producer;
    expect(seen).toEqual(records);
  });

  it('takes no more than its queue holds until the loop goes on', async () => {
    let woken = 0;
    const sink = iterableSink<{ i: number }>({ queueRows: 100 });
    const writer = await sink.open({ wake: () => woken++ } as never);
    const [batch] = batchesOf(records);
    expect(writer.write(batch, 0)).toBe(100);
    expect(writer.write(batch, 100)).toBe(0);
    const iterator = sink[Symbol.asyncIterator]();
    for (let i = 0; i < 49; i++) await iterator.next();
    expect(woken).toBe(0);
    await iterator.next();
    expect(woken).toBe(1);
    expect(writer.write(batch, 100)).toBe(50);
  });

  it('throws in the loop when the job fails, after what came before', async () => {
    const sink = iterableSink<{ i: number }>();
    const run = await openSink(sink);
    await run.write(batchesOf(records.slice(0, 3)));
    await run.abort();
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const record of sink) seen.push(record);
    })();
    await expect(loop).rejects.toMatchObject({ code: 'JOB_CANCELED' });
    expect(seen).toEqual(records.slice(0, 3));
    const cause = new Error('because');
    const other = iterableSink();
    const next = other[Symbol.asyncIterator]().next();
    other.fail(cause);
    await expect(next).rejects.toBe(cause);
  });

  it('lets the job go on when the loop is left', async () => {
    let left = 0;
    const sink = iterableSink<{ i: number }>({ queueRows: 10, onLeave: () => left++ });
    const run = await openSink(sink);
    const producer = run.write(batchesOf(records));
    for await (const record of sink) if (record.i === 25) break;
    await producer;
    expect(left).toBe(1);
    expect(() => iterableSink({ queueRows: 0 })).toThrow(/queueRows/);
  });
});
