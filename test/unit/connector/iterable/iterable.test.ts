import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { POLL_WAIT } from '../../../../src/connector/contract.js';
import { fromAsync } from '../../../../src/connector/iterable/iterable.js';
import { openReader, readAll } from '../connector-harness.js';

async function* counting(count: number, state: { pulled: number; returned: boolean }) {
  try {
    for (let i = 0; i < count; i++) {
      state.pulled++;
      yield { i };
    }
  } finally {
    state.returned = true;
  }
}

const numbered = (count: number): { i: number }[] =>
  Array.from({ length: count }, (_, i) => ({ i }));

describe('fromAsync', () => {
  it('reads every kind of iterable to its end', async () => {
    const state = { pulled: 0, returned: false };
    expect(await readAll(fromAsync(counting(5000, state)))).toEqual(numbered(5000));
    expect(state.returned).toBe(true);
    expect(await readAll(fromAsync(new Set([1, 2])))).toEqual([1, 2]);
    expect(await readAll(fromAsync(numbered(3).values()))).toEqual(numbered(3));
    expect(await readAll(fromAsync(Readable.from(numbered(2000))))).toEqual(numbered(2000));
    const web = new ReadableStream({
      start(controller) {
        for (const record of numbered(10)) controller.enqueue(record);
        controller.close();
      },
    });
    expect(await readAll(fromAsync(web))).toEqual(numbered(10));
    expect(await readAll(fromAsync(() => [1, 2]))).toEqual([1, 2]);
    expect(await readAll(fromAsync(Readable.from([Buffer.from('ab')])))).toEqual([
      Uint8Array.from(Buffer.from('ab')),
    ]);
  });

  it('pulls a batch ahead and no more', async () => {
    const state = { pulled: 0, returned: false };
    const source = fromAsync(counting(100_000, state));
    const { reader, plan, woken } = await openReader(source, { batchRows: 100 });
    reader.addSplit(plan.splits[0], null);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(state.pulled).toBe(0);
    expect(reader.poll()).toBe(POLL_WAIT);
    await woken();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(state.pulled).toBe(100);
    reader.poll();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(state.pulled).toBeLessThanOrEqual(200);
    reader.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(state.returned).toBe(true);
  });

  it('gives slow records as they come', async () => {
    const stream = new PassThrough({ objectMode: true });
    const { reader, plan, woken } = await openReader(fromAsync(stream));
    reader.addSplit(plan.splits[0], null);
    expect(reader.poll()).toBe(POLL_WAIT);
    stream.write({ a: 1 });
    await woken();
    reader.poll();
    expect(reader.batch?.rows).toBe(1);
    expect(reader.positions()[0].position).toBe(1);
    reader.close();
    expect(stream.destroyed).toBe(true);
  });

  it('widens the schema when later records need it, and loses none', async () => {
    const records = [
      ...numbered(10),
      ...numbered(10).map(({ i }) => ({ i, s: `s${i}` })),
      { i: null },
      { i: 'text' },
    ];
    for (const batchRows of [1, 3, 1000]) {
      expect(await readAll(fromAsync(records.values()), { batchRows })).toEqual(records);
    }
  });

  it('fails with SOURCE_FAILED and the cause, after the records before it', async () => {
    const cause = new Error('connection lost');
    async function* failing() {
      yield { i: 0 };
      throw cause;
    }
    const error: any = await readAll(fromAsync(failing(), { name: 'feed' })).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', cause });
    expect(error.message).toContain('feed');
    function* sync() {
      yield 1;
      throw cause;
    }
    await expect(readAll(fromAsync(sync()))).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    const make = (): Iterable<number> => {
      throw cause;
    };
    await expect(readAll(fromAsync(make))).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await expect(readAll(fromAsync((() => 5) as never))).rejects.toThrow();
  });

  it('tells the producer when the job ends early, even while it waits', async () => {
    let signal: AbortSignal | null = null;
    let canceled: unknown = null;
    const web = new ReadableStream({ cancel: (reason) => void (canceled = reason ?? 'canceled') });
    for (const input of [
      (context: { signal: AbortSignal }) => {
        signal = context.signal;
        return (async function* () {
          await new Promise(() => {});
          yield 1;
        })();
      },
      () => web,
    ]) {
      const { reader, plan } = await openReader(fromAsync(input));
      reader.addSplit(plan.splits[0], null);
      reader.poll();
      reader.close();
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
    expect(canceled).toBe('canceled');
  });
});
