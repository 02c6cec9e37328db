import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/runtime/event-stream.js';

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}

describe('EventStream', () => {
  it('gives every listener what happens after it came, and then ends', async () => {
    const stream = new EventStream<number>();
    const first = stream.subscribe();
    stream.push(1);
    const second = stream.subscribe();
    stream.push(2);
    stream.end();
    expect(await all(first)).toEqual([1, 2]);
    expect(await all(second)).toEqual([2]);
    expect(await all(stream.subscribe())).toEqual([]);
  });

  it('answers every call of next, also when several wait at once', async () => {
    const stream = new EventStream<number>();
    const events = stream.subscribe();
    const waiting = [events.next(), events.next(), events.next()];
    stream.push(1);
    stream.push(2);
    stream.end();
    const answers = await Promise.all(waiting);
    expect(answers.map((answer) => answer.value)).toEqual([1, 2, undefined]);
    expect(answers.map((answer) => answer.done)).toEqual([false, false, true]);
  });

  it('carries events that are undefined', async () => {
    const stream = new EventStream<undefined>();
    const events = stream.subscribe();
    stream.push(undefined);
    expect(await events.next()).toEqual({ value: undefined, done: false });
  });

  it('forgets a listener that leaves, with what it had not read', async () => {
    const stream = new EventStream<number>();
    const events = stream.subscribe();
    stream.push(1);
    stream.push(2);
    for await (const event of events) {
      expect(event).toBe(1);
      break;
    }
    stream.push(3);
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  it('keeps the newest events for a listener that does not keep up', async () => {
    const stream = new EventStream<number>();
    const events = stream.subscribe();
    for (let index = 0; index < 10_005; index++) stream.push(index);
    stream.end();
    const kept = await all(events);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([10_000, 5, 10_004]);
  });
});
