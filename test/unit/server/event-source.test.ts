import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobFlow } from '../../../src/rest/job-schemas.js';
import { type EventSink, streamEvents, watchedIn } from '../../../src/server/event-source.js';
import { FakeWorld, settle, submissionOf } from './fake-world.js';

const ID = 'a'.repeat(32);

/** What a client has been sent. */
class FakeSink implements EventSink {
  readonly events: { type: string; data: unknown }[] = [];
  writableLength = 0;
  isDestroyed = false;
  leave: () => void = () => {};
  writeHead(): void {}
  write(text: string): void {
    const match = /^event: (.*)\ndata: (.*)\n\n$/.exec(text);
    if (match !== null) this.events.push({ type: match[1], data: JSON.parse(match[2]) });
  }
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
  }
  once(_: 'close', listener: () => void): void {
    this.leave = listener;
  }
}

describe('the stream of events', () => {
  let world: FakeWorld;
  let dispatcher: ReturnType<FakeWorld['dispatcher']>;
  let sink: FakeSink;

  beforeEach(async () => {
    world = new FakeWorld();
    dispatcher = world.dispatcher();
    await dispatcher.submit(ID, submissionOf(2), world.module);
    await settle();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    sink = new FakeSink();
  });
  afterEach(() => {
    sink.leave();
    vi.useRealTimers();
    world.release();
  });

  const follow = (watch: string) =>
    void streamEvents(sink, dispatcher, watchedIn(watch, dispatcher), world.clock);
  const of = (type: string) => sink.events.filter((event) => event.type === type);

  it('tells what flows to those who watch it, at once and when it has changed', () => {
    follow(`load,${ID}`);
    expect(sink.events.map(({ type }) => type)).toEqual(['jobs', 'load', 'flow']);
    const [{ data }] = of('flow');
    const { vertices, edges } = data as JobFlow;
    expect(vertices.map(({ name, parallelism }) => [name, parallelism])).toEqual([
      ['source', 2],
      ['sink', 2],
    ]);
    expect(edges).toMatchObject([{ strategy: 'HASH', from: vertices[0]?.id, to: vertices[1]?.id }]);
    expect(of('load')).toMatchObject([{ data: { jobs: [{ jid: ID, restarts: 0 }] } }]);
    vi.advanceTimersByTime(5000);
    expect(sink.events).toHaveLength(3);
    dispatcher.job(ID).cancel();
    vi.advanceTimersByTime(1000);
    expect(of('flow')).toHaveLength(2);
    expect(of('flow')[1]?.data).toMatchObject({ state: 'CANCELLING' });
  });

  it('tells it to nobody else, and no longer when the client has left', async () => {
    follow('');
    vi.advanceTimersByTime(3000);
    expect(sink.events.map(({ type }) => type)).toEqual(['jobs']);
    const watching = new FakeSink();
    void streamEvents(watching, dispatcher, watchedIn(ID, dispatcher), world.clock);
    watching.leave();
    dispatcher.job(ID).cancel();
    vi.advanceTimersByTime(3000);
    expect(watching.events.filter(({ type }) => type === 'flow')).toHaveLength(1);
  });

  it('refuses what is unknown, and more than anyone looks at', () => {
    expect(() => watchedIn('b'.repeat(32), dispatcher)).toThrow(
      expect.objectContaining({ code: 'JOB_UNKNOWN' }),
    );
    const many = Array.from({ length: 17 }, (_, index) => String(index)).join(',');
    expect(() => watchedIn(many, dispatcher)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });
});
