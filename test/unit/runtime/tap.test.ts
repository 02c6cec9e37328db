/** A tap as its reader sees it: what a reader who comes late still finds. */
import { describe, expect, it } from 'vitest';
import {
  Tap,
  type TapObserver,
  type TapOptions,
  type TapRecord,
} from '../../../src/runtime/tap.js';

/** What a reader finds who comes when three chunks of 500 records have been told, and the end. */
async function readLate(options: Pick<TapOptions, 'limit'>): Promise<readonly unknown[]> {
  let told: TapObserver | null = null;
  const tap = new Tap(options, (observer) => {
    told = observer;
    return () => {};
  });
  const observer = told as TapObserver | null;
  for (let from = 0; from < 1500; from += 500) {
    const records = Array.from({ length: 500 }, (_, index) => seen(from + index));
    const count = from + 500;
    observer?.chunk({ records, counts: { shown: count, passed: count, looked: count } });
  }
  observer?.end(null);
  const found: unknown[] = [];
  for await (const { record } of tap) found.push(record);
  return found;
}

function seen(record: number): TapRecord {
  return { record, timeMs: null, kind: '+I', at: 'numbers', subtask: 0 };
}

describe('a reader who comes late', () => {
  it('finds all that its limit asks for', async () => {
    expect(await readLate({ limit: 1500 })).toEqual(Array.from({ length: 1500 }, (_, n) => n));
  });

  it('finds the last thousand where no limit was given', async () => {
    expect(await readLate({})).toEqual(Array.from({ length: 1000 }, (_, n) => n + 500));
  });
});
