/** Asynchronous functions against a model: whoever answers when, results and watermarks leave as they should. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResultFuture } from '../../src/operator/async/async-function.js';
import type { AsyncOrder } from '../../src/operator/async/async-queue.js';
import { STEP_DONE, STEP_OUT_OF_CALLS } from '../../src/operator/contract.js';
import { WATERMARK_MIN } from '../../src/time/watermark.js';
import {
  batchOf,
  type ChainParts,
  type ChainUnderTest,
  chainOf,
  line,
  MemorySnapshot,
  op,
  untilDone,
} from '../unit/operator/chain-harness.js';

const RETRIES = 2;
const DELAY_MS = 3;
const TIMEOUT_MS = 7;

/** What happens; `which` picks one of the calls that are open. */
type Event =
  | { readonly does: 'push'; readonly records: number }
  | { readonly does: 'watermark' }
  | { readonly does: 'complete'; readonly which: number; readonly results: number }
  | { readonly does: 'reject'; readonly which: number }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'move' };

interface World {
  readonly order: AsyncOrder;
  readonly capacity: number;
  readonly budgetRows: number;
  readonly isFull: boolean;
  readonly events: readonly Event[];
}

/** What leaves: results by record and number, and watermarks. */
type Left = string;

interface ModelCall {
  readonly id: number;
  attempt: number;
  isOpen: boolean;
  repeatAt: number;
  readonly deadline: number;
  results: readonly Left[] | null;
}
type Entry = ModelCall | { mark: number };
const isCall = (entry: Entry): entry is ModelCall => 'id' in entry;

/** What should happen. */
class Model {
  readonly left: Left[] = [];
  input: (number | { mark: number })[] = [];
  #entries: Entry[] = [];
  /** In the order in which their results came. */
  #done: ModelCall[] = [];
  #now = 0;

  get calls(): readonly ModelCall[] {
    return this.#entries.filter(isCall);
  }

  complete(call: ModelCall, results: readonly Left[]): void {
    Object.assign(call, { results, isOpen: false });
    this.#done.push(call);
  }

  reject(call: ModelCall): void {
    Object.assign(call, { isOpen: false, repeatAt: this.#now + DELAY_MS });
  }

  tick(): void {
    this.#now++;
    for (const call of this.calls.filter(({ results }) => results === null)) {
      if (call.deadline === this.#now) this.complete(call, [`${call.id} late`]);
      else if (call.repeatAt === this.#now) call.isOpen = ++call.attempt > 0;
    }
  }

  /** All calls are made again, in order, and the last watermark comes behind them. */
  move(mark: number): void {
    this.input.unshift(...this.calls.map(({ id }) => id), ...(mark > 0 ? [{ mark }] : []));
    this.#entries = [];
    this.#done = [];
  }

  take(capacity: number): boolean {
    const [next] = this.input;
    const last = this.#entries.at(-1);
    const isRecord = typeof next === 'number';
    if (next === undefined || (isRecord && this.calls.length >= capacity)) return false;
    this.input.shift();
    const call = { attempt: 1, isOpen: true, repeatAt: -1, deadline: this.#now + TIMEOUT_MS };
    if (isRecord) this.#entries.push({ ...call, id: next, results: null });
    else if (last === undefined || isCall(last)) this.#entries.push({ ...next });
    else last.mark = next.mark;
    return true;
  }

  /** Gives what is at the front; unordered, what is done before the first watermark. */
  give(isOrdered: boolean): boolean {
    const [first] = this.#entries;
    const mark = this.#entries.findIndex((entry) => !isCall(entry));
    const before = mark < 0 ? this.#entries : this.#entries.slice(0, mark);
    const next = this.#done.find((call) => (isOrdered ? call === first : before.includes(call)));
    if (first !== undefined && !isCall(first)) this.left.push(`watermark ${first.mark}`);
    else if (next === undefined) return false;
    else this.left.push(...(next.results ?? []));
    this.#entries = this.#entries.filter((entry) => entry !== (next ?? first));
    this.#done = this.#done.filter((call) => call !== next);
    return true;
  }
}

interface OpenCall {
  readonly id: number;
  readonly attempt: number;
  readonly result: ResultFuture;
}

/** The operator, driven as a subtask drives it. */
class Driven {
  readonly left: Left[] = [];
  #open: OpenCall[] = [];
  #chain: ChainUnderTest;
  #input: (number | { mark: number })[] = [];
  /** The last watermark that the operator was given, and the last one behind it. */
  #seen = 0;
  #behind = 0;
  #nowMs = 0;
  #attempts = 0;
  #read = 0;
  readonly #world: World;
  readonly #parts: ChainParts;

  constructor(world: World) {
    this.#world = world;
    this.#parts = {
      operators: line(
        op.asyncWait(
          () => ({
            asyncInvoke: (record, { attempt }, result) => {
              this.#open.push({ id: idOf(record), attempt, result });
            },
            timeout: (record, _call, result) => result.complete([textOf(record, 'late')]),
          }),
          {
            order: world.order,
            capacity: world.capacity,
            timeoutMs: TIMEOUT_MS,
            retry: {
              maxAttempts: RETRIES,
              delay: DELAY_MS,
              multiplier: 1,
              maxDelayMs: Infinity,
              ifResult: null,
              ifException: () => true,
            },
          },
        ),
        seesTime('first'),
        seesTime('second'),
      ),
      capacity: world.isFull ? 2 : 1024,
      mayTake: () => !world.isFull || this.#attempts++ % 2 === 1,
      clock: { epochMs: () => this.#nowMs, monotonicMs: () => this.#nowMs },
    };
    this.#chain = chainOf(this.#parts);
  }

  get open(): readonly OpenCall[] {
    this.#open = this.#open.filter(({ result }) => !result.isOver);
    return this.#open.toSorted((a, b) => a.id - b.id);
  }

  get inFlight(): number {
    return this.#chain.task.callsInFlight ?? Number.NaN;
  }

  /** The next watermark that the input would bring after a restart. */
  get seen(): number {
    return this.#seen;
  }

  push(entry: number | { mark: number }): void {
    this.#input.push(entry);
  }

  tick(): void {
    this.#nowMs++;
  }

  settle(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      if (!this.#workOnTime() && !this.#takeInput()) return this.#collect();
    }
    throw new Error('It never comes to rest.');
  }

  move(): void {
    const { task } = this.#chain;
    untilDone((cursor) => task.prepareBarrier(cursor, this.#world.budgetRows));
    this.#collect();
    const snapshot = new MemorySnapshot();
    task.snapshot(snapshot);
    task.close();
    this.#chain = chainOf({ ...this.#parts, from: this.#chain });
    this.#chain.task.restore(snapshot);
    this.#behind = 0;
    if (this.#seen > 0) this.#advance();
  }

  #workOnTime(): boolean {
    const { task } = this.#chain;
    if (task.isTimeDue) {
      this.#advance();
    } else if (task.nextProcessingTimer <= this.#nowMs) {
      untilDone((cursor) =>
        task.advanceProcessingTime(this.#nowMs, cursor, this.#world.budgetRows),
      );
    } else return false;
    return true;
  }

  #advance(): void {
    const { task } = this.#chain;
    untilDone((cursor) => task.advance(this.#watermark, cursor, this.#world.budgetRows));
    const behind = task.outputWatermark(0);
    if (behind === WATERMARK_MIN || behind === this.#behind) return;
    this.#behind = behind;
    this.#collect();
    this.left.push(`watermark ${behind}`);
  }

  get #watermark(): number {
    return this.#seen === 0 ? WATERMARK_MIN : this.#seen;
  }

  #takeInput(): boolean {
    const [next] = this.#input;
    if (next === undefined) return false;
    if (typeof next !== 'number') {
      this.#input.shift();
      this.#seen = next.mark;
      this.#advance();
      return true;
    }
    const { task } = this.#chain;
    const cursor = { position: 0 };
    for (;;) {
      const result = task.step(0, batchOf([{ id: next }]), cursor, this.#world.budgetRows);
      if (cursor.position === 1) this.#input.shift();
      if (result === STEP_OUT_OF_CALLS || result === STEP_DONE) return result === STEP_DONE;
      if (cursor.position === 1) return true;
    }
  }

  /** Takes what has left since the last time. */
  #collect(): void {
    untilDone(() => (this.#chain.task.flush() ? STEP_DONE : 1));
    const [port] = this.#chain.ports;
    for (const { record } of port.left.slice(this.#read)) {
      const { id, text, first, second } = record as Seen;
      // All that is behind has the same time.
      expect(first).toBe(second);
      this.left.push(text === 'late' ? `${id} late` : `${id}.${text}`);
    }
    this.#read = port.left.length;
  }
}

/** A result on its way, with the watermark that each function behind had for it. */
interface Seen {
  readonly id: number;
  readonly text: string;
  readonly first?: number;
  readonly second?: number;
}

function seesTime(name: 'first' | 'second'): ReturnType<typeof op.process> {
  return op.process<Seen, Seen>(['id'], () => ({
    processElement(result, { collect, timers }) {
      collect({ ...result, [name]: timers.currentWatermark });
    },
  }));
}

function textOf(record: unknown, text: string): Seen {
  return { id: idOf(record), text };
}

function idOf(record: unknown): number {
  return (record as { id: number }).id;
}

function check(world: World): void {
  const model = new Model();
  const driven = new Driven(world);
  let ids = 0;
  let mark = 0;
  const push = (entry: number | { mark: number }): void => {
    model.input.push(entry);
    driven.push(entry);
  };
  const act = (event: Event): void => {
    if (event.does === 'push') for (let at = 0; at < event.records; at++) push(ids++);
    if (event.does === 'watermark') push({ mark: ++mark });
    if (event.does === 'move') {
      driven.move();
      model.move(driven.seen);
    }
    const { open } = driven;
    if (open.length === 0 || !('which' in event)) return;
    const { id, attempt, result } = open[event.which % open.length];
    const call = model.calls.find((each) => each.id === id);
    if (call === undefined) throw new Error(`The model has no call ${id}.`);
    if (event.does === 'reject' && attempt <= RETRIES) {
      result.completeExceptionally(new Error('no'));
      model.reject(call);
    } else {
      const results = event.does === 'complete' ? event.results : 1;
      const numbers = Array.from({ length: results }, (_, at) => at);
      result.complete(numbers.map((at) => ({ id, text: `${at}` })));
      model.complete(
        call,
        numbers.map((at) => `${id}.${at}`),
      );
    }
  };
  const settle = (): void => {
    while (model.take(world.capacity) || model.give(world.order === 'ordered'));
    driven.settle();
    const open = model.calls.filter(({ isOpen }) => isOpen);
    expect(driven.left).toEqual(model.left);
    expect(driven.open.map(({ id, attempt }) => [id, attempt])).toEqual(
      open.map(({ id, attempt }) => [id, attempt]).toSorted(([a], [b]) => a - b),
    );
    expect(driven.inFlight).toBe(model.calls.length);
    expect(driven.open.length).toBeLessThanOrEqual(world.capacity);
  };
  for (const event of world.events) {
    act(event);
    settle();
    for (let ms = 0; event.does === 'wait' && ms < event.ms; ms++) {
      model.tick();
      driven.tick();
      settle();
    }
  }
  // Everything ends in the end.
  for (let left = 0; left < 1000 && driven.inFlight > 0; left++) {
    act({ does: 'complete', which: 0, results: 1 });
    model.tick();
    driven.tick();
    settle();
  }
  expect(driven.inFlight).toBe(0);
}

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('push'), records: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.constant({ does: 'watermark' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('complete'),
      which: fc.nat(20),
      results: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('reject'), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('wait'), ms: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ does: 'move' }) },
) as fc.Arbitrary<Event>;

const world = (isFull: boolean): fc.Arbitrary<World> =>
  fc.record({
    order: fc.constantFrom<AsyncOrder>('ordered', 'unordered'),
    capacity: fc.integer({ min: 1, max: 5 }),
    budgetRows: fc.constantFrom(1, 2, 1024),
    isFull: fc.constant(isFull),
    events: fc.array(event, { maxLength: 40, size: 'max' }),
  });

describe('asynchronous functions', () => {
  it('give results and watermarks as the model does, whoever answers when', () => {
    fc.assert(fc.property(world(false), check), { numRuns: 40 });
  });

  it('give the same when outputs are full every other time', () => {
    fc.assert(fc.property(world(true), check), { numRuns: 25 });
  });
});
