import { describe, expect, it } from 'vitest';
import { defineSink } from '../../../../src/connector/custom/define-sink.js';
import { defineSource } from '../../../../src/connector/custom/define-source.js';
import { batchesOf, openReader, openSink, readAll, writeAll } from '../connector-harness.js';

const regions = defineSource<{ region: string; n: number }, string>({
  name: 'regions',
  plan: () => ['eu', 'us'].map((region) => ({ id: region, data: region, rows: 1500 })),
  async *read(split, position) {
    for (let n = position; n < 1500; n++) yield { region: split.data, n };
  },
});

describe('defineSource', () => {
  it('reads all splits and reads on from positions', async () => {
    const records = await readAll(regions);
    expect(records).toHaveLength(3000);
    expect(records[1499]).toEqual({ region: 'eu', n: 1499 });
    const { reader, plan, woken } = await openReader(regions);
    expect(plan).toMatchObject({ rows: 3000, bytes: null });
    reader.addSplit(plan.splits[1], 1400);
    reader.poll();
    await woken();
    while (reader.poll() !== 2) {
      if (reader.batch !== null) break;
      await woken();
    }
    expect(reader.positions(50)[0]).toMatchObject({ position: 1450, split: { id: 'us' } });
    reader.close();
  });

  it('wraps what plan and read throw, and refuses splits of one id', async () => {
    const failing = (part: object) =>
      defineSource({ name: 'bad', read: () => [], ...part } as never);
    const fail = (): never => {
      throw new Error('down');
    };
    await expect(readAll(failing({ plan: fail }))).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    await expect(readAll(failing({ read: fail }))).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
    const twice = {
      plan: () => [
        { id: 'a', data: 1 },
        { id: 'a', data: 2 },
      ],
    };
    await expect(readAll(failing(twice))).rejects.toThrow(/same id/);
  });
});

describe('defineSink', () => {
  it('hands records over one call at a time, flushes and closes', async () => {
    const log: string[] = [];
    let running = 0;
    const sink = defineSink<{ i: number }>({
      name: 'log',
      open: () => ({
        write: async (records) => {
          expect(++running).toBe(1);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running--;
          log.push(`write ${records.length} from ${records[0].i}`);
        },
        flush: () => void log.push('flush'),
        close: () => void log.push('close'),
      }),
    });
    await writeAll(
      sink,
      Array.from({ length: 2500 }, (_, i) => ({ i })),
    );
    expect(log).toEqual([
      'write 1000 from 0',
      'write 1000 from 1000',
      'write 500 from 2000',
      'flush',
      'close',
    ]);
  });

  it('fails the job with SINK_FAILED, at once or later', async () => {
    const cause = new Error('disk full');
    const throwing = defineSink({
      name: 'throwing',
      open: () => ({
        write: () => {
          throw cause;
        },
      }),
    });
    await expect(writeAll(throwing, [1])).rejects.toMatchObject({ code: 'SINK_FAILED', cause });
    const rejecting = defineSink({
      name: 'later',
      open: () => ({ write: () => Promise.reject(cause) }),
    });
    const run = await openSink(rejecting);
    await expect(run.write(batchesOf([1])).then(() => run.prepare())).rejects.toMatchObject({
      cause,
    });
    const closed = defineSink({ name: 'no', open: () => Promise.reject(cause) });
    await expect(openSink(closed)).rejects.toMatchObject({ code: 'SINK_FAILED' });
  });
});
