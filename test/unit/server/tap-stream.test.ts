/** What a client of a tap is told, and how much a slow one holds. */
import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import type { TapEvent } from '../../../src/rest/tap-event.js';
import type { TapObserver, TapRecord } from '../../../src/runtime/tap.js';
import { vertexId } from '../../../src/runtime/vertex-id.js';
import type { ServedJob } from '../../../src/server/served-job.js';
import { streamTap, tapOptionsOf } from '../../../src/server/tap-stream.js';
import { fakePlan } from './fake-world.js';

const RECORD: TapRecord = { record: { n: 1n }, timeMs: null, kind: '+I', at: 'a -> b', subtask: 1 };
const NONE = { shown: 0, passed: 0, looked: 0 };

class Client {
  writableLength = 0;
  readonly written: string[] = [];
  status = 0;
  hasEnded = false;
  isClosed = false;
  observer: TapObserver | null = null;
  #onClose: () => void = () => {};
  readonly done: Promise<void>;

  constructor() {
    const job = {
      openTap: (_options: unknown, observer: TapObserver) => {
        this.observer = observer;
        return () => {
          this.isClosed = true;
        };
      },
    };
    this.done = streamTap(job as never as ServedJob, { operator: 'a' }, () => this);
  }

  writeHead(status: number): void {
    this.status = status;
  }
  write(text: string): void {
    this.written.push(text);
  }
  end(): void {
    this.hasEnded = true;
    this.#onClose();
  }
  destroy(): void {}
  once(_event: 'close', listener: () => void): void {
    this.#onClose = listener;
  }

  get events(): readonly TapEvent[] {
    return this.written
      .filter((text) => text.startsWith('event: records'))
      .map((text) => JSON.parse(text.split('data: ')[1] ?? ''));
  }
}

describe('a tap over REST', () => {
  it('tells records as JSON, then the end', async () => {
    const client = new Client();
    client.observer?.chunk({ records: [], counts: NONE });
    await client.done;
    client.observer?.chunk({ records: [RECORD], counts: { shown: 1, passed: 9, looked: 9 } });
    client.observer?.end(null);
    expect(client.status).toBe(200);
    expect(client.events.at(-1)).toEqual({
      ...{ shown: 1, passed: 9, looked: 9 },
      records: [{ ...RECORD, record: { n: { $bigint: '1' } } }],
    });
    expect(client.written.at(-1)).toBe('event: end\ndata: null\n\n');
    expect([client.hasEnded, client.isClosed]).toEqual([true, true]);
  });

  it('answers as any wrong request what cannot be looked at', async () => {
    const client = new Client();
    const error = new MillraceError('TAP_UNAVAILABLE', 'It is one loop.', {
      advice: 'Look there.',
    });
    client.observer?.end(toWire(error));
    await expect(client.done).rejects.toMatchObject({ code: 'TAP_UNAVAILABLE' });
    expect(client.status).toBe(0);
  });

  it('passes over records that a client is too slow for, and counts them as not shown', async () => {
    const client = new Client();
    client.observer?.chunk({ records: [], counts: NONE });
    client.writableLength = 2 ** 21;
    client.observer?.chunk({ records: [RECORD], counts: { shown: 1, passed: 5, looked: 1 } });
    client.writableLength = 0;
    client.observer?.chunk({ records: [RECORD], counts: { shown: 2, passed: 9, looked: 2 } });
    client.observer?.end(null);
    expect(client.events.map(({ shown, passed }) => [shown, passed])).toEqual([
      [0, 0],
      [1, 9],
    ]);
  });

  it('is refused by a server that shows no records', () => {
    const plan = fakePlan(1);
    const job = { record: { plan } } as never as ServedJob;
    const vertexid = vertexId(plan.vertices[0]?.uid ?? '');
    const params = { jobid: 'j', vertexid };
    expect(() => tapOptionsOf(job, params, {}, false)).toThrow(
      expect.objectContaining({ code: 'TAPS_DISABLED' }),
    );
    expect(tapOptionsOf(job, params, { limit: '3', filter: 'a = 1' }, true)).toEqual({
      operator: plan.vertices[0]?.uid,
      filter: 'a = 1',
      limit: 3,
    });
  });
});
