import { describe, expect, it } from 'vitest';
import { explore, type Scenario } from './schedule-explorer.js';
import {
  type Mutation,
  privateState,
  ringSource,
  type SteppedParker,
  type SteppedReader,
  type SteppedWriter,
  type Steps,
  type StepWorld,
  steppedModule,
  steppedSource,
} from './stepped-ring.js';

const DATA = 0;
const BARRIER = 1;
const RING_OFFSET = 256;
const RING_BYTES = 384 + 256;

/** Lengths of data messages; 'barrier' is an announced one, a length above 104 is sent in segments. */
type Message = number | 'barrier';

function* produce(
  world: StepWorld,
  writer: SteppedWriter,
  parker: SteppedParker,
  messages: readonly Message[],
): Steps<void> {
  let barriers = 0;
  let sent = 0;
  const settle = (): void => world.settled(`${sent} ${barriers} ${privateState(writer)}`);
  for (const bytes of messages) {
    if (bytes === 'barrier') {
      settle();
      const payload = Float64Array.of(++barriers, sent, barriers);
      yield* writer.announce(new Uint8Array(payload.buffer));
      continue;
    }
    if (bytes > 104) {
      const whole = new Uint8Array(bytes).fill(sent + 1);
      yield* until(
        settle,
        parker,
        () => writer.writeLarge(DATA, whole),
        (done) => done,
      );
    } else {
      const at = yield* until(
        settle,
        parker,
        () => writer.claim(bytes),
        (offset) => offset >= 0,
      );
      writer.memory.fill(sent + 1, at, at + bytes);
      yield* writer.commit(DATA, bytes);
    }
    sent++;
  }
}

function* consume(
  world: StepWorld,
  reader: SteppedReader,
  parker: SteppedParker,
  messages: readonly Message[],
  taken: number[],
): Steps<void> {
  const data = messages.filter((message) => message !== 'barrier');
  const last = messages.length - data.length;
  let barrier = 0;
  const settle = (): void => world.settled(`${taken} ${barrier} ${privateState(reader)}`);
  while (taken.length < data.length || barrier < last) {
    yield* until(
      settle,
      parker,
      () => reader.poll(),
      (found) => found,
    );
    if (reader.kind === BARRIER) {
      barrier = checkBarrier(reader, barrier, taken.length);
    } else {
      checkMessage(reader, data, taken.length);
      yield null;
      checkMessage(reader, data, taken.length);
      taken.push(reader.bytes);
    }
    yield* reader.release();
  }
}

/** A barrier comes behind exactly what was sent before it; one may have been overtaken by a newer one. */
function checkBarrier({ memory, offset }: SteppedReader, before: number, taken: number): number {
  const [id = 0, sent, again] = new Float64Array(memory.slice(offset, offset + 24).buffer);
  if (id <= before || again !== id) throw new Error(`Barrier ${id}/${again} after ${before}.`);
  if (sent !== taken) throw new Error(`Barrier ${id} came behind ${taken} of ${sent} messages.`);
  return id;
}

function checkMessage(reader: SteppedReader, data: readonly number[], index: number): void {
  const bytes = reader.memory.subarray(reader.offset, reader.offset + reader.bytes);
  if (reader.bytes !== data[index]) {
    throw new Error(`Message ${index} has ${reader.bytes} bytes.`);
  }
  if (bytes.some((byte) => byte !== index + 1)) {
    throw new Error(`Message ${index} is damaged.`);
  }
}

/** The parking protocol of every slot: try, announce, try again, park. */
function* until<T>(
  settle: () => void,
  parker: SteppedParker,
  attempt: () => Steps<T>,
  isEnough: (result: T) => boolean,
): Steps<T> {
  for (;;) {
    settle();
    const result = yield* attempt();
    if (isEnough(result)) return result;
    const ticket = yield* parker.announce();
    const again = yield* attempt();
    if (isEnough(again)) {
      yield* parker.withdraw();
      return again;
    }
    yield* parker.park(ticket, Number.POSITIVE_INFINITY);
  }
}

function exploreRing(
  messages: readonly Message[],
  mutations: readonly Mutation[] = [],
  firstPosition = 0,
) {
  const load = steppedModule(steppedSource(ringSource(mutations)));
  return explore((world: StepWorld): Scenario => {
    const ring = load(world);
    const memory = new SharedArrayBuffer(RING_OFFSET + RING_BYTES);
    ring.createRing(memory, RING_OFFSET, RING_BYTES, { firstPosition });
    const producerWord = ring.createParkerWord(memory, 0);
    const consumerWord = ring.createParkerWord(memory, 128);
    const wakeProducer = ring.wakerFor(producerWord);
    const wakeConsumer = ring.wakerFor(consumerWord);
    const writer = ring.openRingWriter(memory, RING_OFFSET, RING_BYTES, wakeConsumer);
    const reader = ring.openRingReader(memory, RING_OFFSET, RING_BYTES, wakeProducer);
    const taken: number[] = [];
    return {
      memory,
      threads: [
        produce(world, writer, new ring.BlockingParker(producerWord), messages),
        consume(world, reader, new ring.BlockingParker(consumerWord), messages, taken),
      ],
      finished: () => {
        const data = messages.filter((message) => message !== 'barrier');
        if (taken.length !== data.length) throw new Error('Messages are missing.');
      },
    };
  });
}

const COUNTERS_ABOUT_TO_WRAP = 0x7fffff80;

describe('all interleavings of producer and consumer', () => {
  it('deliver messages that fill the ring, with padding at its end and parking on both sides', () => {
    const { failure, states, schedules } = exploreRing([104, 96, 104]);
    expect(failure).toBeNull();
    expect(states).toBeGreaterThan(1000);
    expect(schedules).toBeGreaterThan(100);
  });

  it('deliver while the counters wrap', () => {
    const { failure } = exploreRing([104, 0, 104, 104], [], COUNTERS_ABOUT_TO_WRAP);
    expect(failure).toBeNull();
  });

  it('deliver small messages whose credit is returned in batches', () => {
    expect(exploreRing([8, 8, 8, 8, 8]).failure).toBeNull();
  });

  it('deliver messages sent in segments', () => {
    expect(exploreRing([112, 48]).failure).toBeNull();
  });

  it('give announced barriers whole and in their place, or the newer one', () => {
    expect(exploreRing(['barrier', 8, 'barrier', 8]).failure).toBeNull();
    expect(exploreRing([8, 'barrier', 8, 8]).failure).toBeNull();
    expect(exploreRing([112, 'barrier', 8]).failure).toBeNull();
  });
});

describe('the exploration notices', () => {
  const publish = 'Atomics.store(this.#header, RING_WORDS.published, position);';
  const wakeConsumer = 'this.#consumer.wake();';
  const messages = [104, 96, 104, 40, 104] as const;

  it('a wake before the publication', () => {
    const { failure } = exploreRing(messages, [
      { from: wakeConsumer, to: '' },
      { from: publish, to: `${wakeConsumer} ${publish}` },
    ]);
    expect(failure).toContain('Deadlock');
  });

  it('a missing wake of the producer', () => {
    const { failure } = exploreRing(messages, [{ from: 'this.#producer.wake();', to: '' }]);
    expect(failure).toContain('Deadlock');
  });

  it('a notification that leaves the word as it is', () => {
    const { failure } = exploreRing(messages, [
      { from: 'Atomics.compareExchange(word, 0, seen, awake) === seen', to: 'awake !== seen' },
    ]);
    expect(failure).toContain('Deadlock');
  });

  it('a publication before the header of the message', () => {
    const early = publish.replace(
      'position',
      '(this.#position + padding + 8 + alignMessage(bytes)) | 0',
    );
    const { failure } = exploreRing(messages, [
      { from: publish, to: '' },
      { from: 'words[at >> 2] = bytes;', to: `${early} words[at >> 2] = bytes;` },
    ]);
    expect(failure).not.toBeNull();
  });

  it('credit that is returned while the message is in use', () => {
    const early =
      'Atomics.store(this.#header, RING_WORDS.released, this.#position + this.#currentBytes);';
    const { failure } = exploreRing(messages, [
      { from: 'this.kind = frameKind(tag);', to: `this.kind = frameKind(tag); ${early}` },
    ]);
    expect(failure).not.toBeNull();
  });

  it('a claim that takes more than there is', () => {
    const { failure } = exploreRing(messages, [
      {
        from: 'queued + bytes <= this.capacityBytes',
        to: 'queued + bytes <= this.capacityBytes + 256',
      },
    ]);
    expect(failure).not.toBeNull();
  });

  it('credit that is kept back for ever', () => {
    const { failure } = exploreRing(
      [8, 8, 8, 8, 8, 104, 104, 104],
      [{ from: 'if (this.#returned === this.#position) return;', to: 'return;' }],
    );
    expect(failure).toContain('Deadlock');
  });

  it('an announcement whose payload comes after its version', () => {
    const store = 'this.#announced.set(payload);';
    const { failure } = exploreRing(
      ['barrier', 8, 'barrier', 8],
      [
        { from: store, to: '' },
        {
          from: 'const consumer = this.#consumer;',
          to: `const consumer = this.#consumer; ${store}`,
        },
      ],
    );
    expect(failure).toContain('Barrier');
  });

  it('a reader that takes an announcement while it changes', () => {
    const { failure } = exploreRing(
      ['barrier', 8, 'barrier', 8],
      [{ from: '(version & 1) !== 0', to: 'false' }],
    );
    expect(failure).toContain('Barrier');
  });

  it('an announcement that is looked for before what is published', () => {
    const { failure } = exploreRing(
      [8, 'barrier', 8, 8],
      [
        { from: 'this.#readAnnouncement();', to: '' },
        {
          from: 'const published = Atomics.load',
          to: 'this.#readAnnouncement(); const published = Atomics.load',
        },
      ],
    );
    expect(failure).not.toBeNull();
  });
});
