/**
 * The harness: drives an operator, or a part of a flow, step by step in the test's thread, as Flink's test harnesses
 * do. It plays the subtasks before and behind the part; the part itself is planned, compiled and stepped as in a
 * job. Callers: users' tests. Runs on: the test's thread. Invariant: nothing happens between two calls.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Stream } from '../api/stream.js';
import { settingsOf } from '../api/run-options.js';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { type Duration, formatDuration, parseDurationMs } from '../base/units.js';
import type { OutputTag, TimeDomain } from '../operator/process-function.js';
import { checkHarnessOptions, type HarnessOptions } from './harness-options.js';
import { readState, type StateKey } from './held-state.js';
import { ManualClock } from './test-clock.js';
import { TestFeed } from './test-feed.js';
import { TestInput } from './test-input.js';
import { type InstanceParts, TestInstance, type TestSnapshot } from './test-instance.js';
import type { TestOutput } from './test-output.js';
import { type BuildPart, planPart, type TestPart } from './test-part.js';

/** A timer that waits in the part under test. */
export interface RegisteredTimer {
  readonly timestamp: number;
  readonly domain: TimeDomain;
  /** The key it belongs to, by name of its fields. */
  readonly key: StateKey;
}

const BATCH_ROWS = 1024;

/** What harnesses with one and with two inputs have in common. */
export class TestHarness<Out> {
  /** What the part has given. */
  readonly output: TestOutput<Out>;
  readonly #part: TestPart;
  readonly #parts: InstanceParts;
  readonly #feeds: readonly TestFeed[];
  readonly #clock: ManualClock;
  readonly #restoresEachStep: boolean;
  #instance: TestInstance;
  /** Why nothing more can be done; null while it can. */
  #ended: string | null = null;
  #isBusy = false;

  /** Made by `testHarness` and `twoInputTestHarness`. */
  protected constructor(start: HarnessStart) {
    this.#part = start.part;
    this.#parts = start.parts;
    this.#feeds = start.feeds;
    this.#clock = start.clock;
    this.#instance = start.instance;
    this.#restoresEachStep = start.options.restoreEachStep ?? false;
    this.output = start.part.output as TestOutput<Out>;
  }

  protected inputOf<T>(index: number): TestInput<T> {
    return new TestInput(this.#feeds[index], (send) => this.#step(send));
  }

  /** What the part has given to a tag, which has to be one of the option `tags`. */
  sideOutput<T>(tag: OutputTag<T>): TestOutput<T> {
    const { sideOutputs } = this.#part;
    const output = sideOutputs.get(tag.id);
    if (output !== undefined) return output as TestOutput<T>;
    const known = didYouMean(tag.id, sideOutputs.keys());
    throw new MillraceError('TEST_MISUSED', `The harness does not read the tag "${tag.id}".`, {
      advice: `Name it in the options: { tags: [...] }. ${known}`,
    });
  }

  /** How far event time has come behind the part; null before the first watermark. */
  get outputWatermark(): number | null {
    return this.#instance.outputTime.watermarkMs;
  }

  /** Whether nothing is to be expected behind the part for now. */
  get isOutputIdle(): boolean {
    return this.#instance.outputTime.isIdle;
  }

  /** What the clock shows, in milliseconds since the epoch. */
  get processingTime(): number {
    return this.#clock.epochMs();
  }

  /**
   * Moves the clock on: timers of processing time fire once it is past them, and operators that assign event times
   * bring their watermarks up to date when `pipeline.autoWatermarkInterval` (200 ms) has passed.
   *
   * @example
   * await harness.advanceProcessingTime('5m');
   */
  advanceProcessingTime(by: Duration): Promise<void> {
    return this.setProcessingTime(this.#clock.epochMs() + parseDurationMs(by, 'by'));
  }

  /** Sets the clock to a time, which is not before the one it shows. */
  setProcessingTime(timeMs: number): Promise<void> {
    return this.#step(() => {
      if (!Number.isSafeInteger(timeMs) || timeMs < this.#clock.epochMs()) {
        throw new MillraceError(
          'TEST_MISUSED',
          `The clock cannot be set from ${this.#clock.epochMs()} to ${timeMs}.`,
          { advice: 'Give whole milliseconds that are not in the past.' },
        );
      }
      this.#clock.set(timeMs);
    });
  }

  /** The timers that wait, in order of their times. */
  timers(domain?: TimeDomain): readonly RegisteredTimer[] {
    return this.#instance
      .inspect()
      .flatMap((fn) =>
        fn.timers().map((timer) => ({
          timestamp: timer.timeMs,
          domain: timer.domain,
          key: Object.fromEntries(fn.keyNames.map((name, at) => [name, timer.key[at]])),
        })),
      )
      .filter((timer) => domain === undefined || timer.domain === domain)
      .toSorted((a, b) => a.timestamp - b.timestamp);
  }

  /**
   * What a state holds: a value, an array for a list, a Map for a map; undefined for nothing. `key` names the fields
   * of the key, as `context.key` does; without it, the state is one that belongs to no key.
   *
   * @example
   * harness.state('visits', { user: 'ann' })
   */
  state<T = unknown>(name: string, key?: StateKey): T | undefined {
    return readState(this.#instance.inspect(), name, key) as T | undefined;
  }

  /** All state, as a checkpoint would hold it. */
  snapshot(): Promise<TestSnapshot> {
    return this.#exclusively(() => {
      if (this.#feeds.some((feed) => feed.hasEnded)) {
        throw new MillraceError('TEST_MISUSED', 'A snapshot was asked for after the end.', {
          advice: 'Take it before end() is called.',
        });
      }
      return Promise.resolve(this.#instance.snapshot());
    });
  }

  /** Goes on with a new instance that has the state of a snapshot; inputs keep their watermarks. */
  restore(snapshot: TestSnapshot): Promise<void> {
    return this.#exclusively(() => this.#restore(snapshot));
  }

  /** Records whose calls of asynchronous functions are under way, those included that wait to be called again. */
  get callsInFlight(): number {
    return this.#instance.calls.inFlight;
  }

  /**
   * Waits until all calls of asynchronous functions have been answered that are under way, and those that their answers
   * set off. A call that waits to be repeated, or to be given up, waits for the clock: move it. Throws TEST_MISUSED
   * when calls are not answered within a time by the clock of the machine, 5 s unless it is given.
   *
   * @example
   * await harness.input.push({ url: 'https://example.com' });
   * await harness.settle();
   */
  async settle(within: Duration = '5s'): Promise<void> {
    const withinMs = parseDurationMs(within, 'within');
    const untilMs = systemClock.monotonicMs() + withinMs;
    let unanswered = 0;
    await this.#stepAsync(async () => {
      for (;;) {
        await this.#instance.rest();
        ({ unanswered } = this.#instance.calls);
        if (unanswered === 0 || systemClock.monotonicMs() >= untilMs) return;
        await pause(1);
      }
    });
    if (unanswered > 0) throw notAnswered(unanswered, withinMs);
  }

  /** Closes the functions of the part; at the end of every test. Await it where clients are let go of by a promise. */
  close(): Promise<unknown> {
    if (this.#ended === CLOSED) return Promise.resolve();
    this.#ended = CLOSED;
    return this.#instance.close();
  }

  #step(send: () => void): Promise<void> {
    return this.#stepAsync(() => this.#instance.rest(), send);
  }

  /** Sends something, has what it sets off done, and goes on with a new instance where that is asked for. */
  #stepAsync(rest: () => Promise<void>, send: () => void = () => {}): Promise<void> {
    return this.#exclusively(async () => {
      // What was answered before is heard before.
      if (this.#instance.calls.unanswered > 0) await this.#guarded(() => this.#instance.rest());
      // What is refused before anything was sent has changed nothing.
      send();
      await this.#guarded(async () => {
        await rest();
        const hasEnded = this.#feeds.some((feed) => feed.hasEnded);
        if (this.#restoresEachStep && !hasEnded) await this.#restore(this.#instance.snapshot());
      });
    });
  }

  async #guarded(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#ended = 'has failed before';
      throw error;
    }
  }

  async #restore(snapshot: TestSnapshot): Promise<void> {
    await this.#instance.close();
    this.#instance = await TestInstance.start(this.#parts, snapshot);
    for (const feed of this.#feeds) feed.resume();
    await this.#instance.rest();
  }

  async #exclusively<R>(call: () => Promise<R>): Promise<R> {
    if (this.#ended !== null) {
      throw new MillraceError('TEST_MISUSED', `The harness ${this.#ended}.`, {
        advice: 'Make a new one for each test.',
      });
    }
    if (this.#isBusy) {
      throw new MillraceError('TEST_MISUSED', 'The harness is in the middle of a step.', {
        advice: 'Await every call before the next one.',
      });
    }
    this.#isBusy = true;
    try {
      return await call();
    } finally {
      this.#isBusy = false;
    }
  }
}

function notAnswered(calls: number, withinMs: number): MillraceError {
  return new MillraceError(
    'TEST_MISUSED',
    `Calls were not answered within ${formatDuration(withinMs)}: ${calls}.`,
    { advice: 'Have the function answer, or move the clock past the timeout of its calls.' },
  );
}

const CLOSED = 'has been closed';

interface HarnessStart {
  readonly part: TestPart;
  readonly parts: InstanceParts;
  readonly feeds: readonly TestFeed[];
  readonly clock: ManualClock;
  readonly instance: TestInstance;
  readonly options: HarnessOptions;
}

async function startHarness(
  build: BuildPart,
  inputs: number,
  options: HarnessOptions,
): Promise<HarnessStart> {
  checkHarnessOptions(options);
  const batchRows = options.batchRows ?? (options.outputs === 'full' ? 1 : BATCH_ROWS);
  const values = { ...options.settings, 'exchange.batchRows': batchRows };
  const settings = settingsOf({ parallelism: 1, settings: values });
  const part = planPart(build, inputs, options, settings);
  const clock = new ManualClock(options.startTimeMs ?? 0);
  const feeds = part.inputs.map(
    (_, index) => new TestFeed(batchRows, options.schemas?.[index] ?? null),
  );
  const byUid = new Map(part.inputs.map((uid, index) => [uid, feeds[index]]));
  const outputs = [part.output, ...part.sideOutputs.values()];
  const recordsOut = (): number => outputs.reduce((sum, { count }) => sum + count, 0);
  const parts = { plan: part.plan, settings, clock, feeds: byUid, recordsOut };
  const instance = await TestInstance.start(parts, options.from ?? null);
  // Calls that a snapshot holds are made again.
  await instance.rest();
  return { part, parts, feeds, clock, instance, options };
}

/** A harness of a part with one input. */
export class OneInputTestHarness<T, Out> extends TestHarness<Out> {
  readonly input: TestInput<T> = this.inputOf<T>(0);

  /** See `testHarness`. */
  static async start<T, Out>(
    build: (input: Stream<T>) => Stream<Out>,
    options: HarnessOptions,
  ): Promise<OneInputTestHarness<T, Out>> {
    return new OneInputTestHarness(await startHarness(build as BuildPart, 1, options));
  }
}

/** A harness of a part with two inputs. */
export class TwoInputTestHarness<T1, T2, Out> extends TestHarness<Out> {
  readonly first: TestInput<T1> = this.inputOf<T1>(0);
  readonly second: TestInput<T2> = this.inputOf<T2>(1);

  /** See `twoInputTestHarness`. */
  static async start<T1, T2, Out>(
    build: (first: Stream<T1>, second: Stream<T2>) => Stream<Out>,
    options: HarnessOptions,
  ): Promise<TwoInputTestHarness<T1, T2, Out>> {
    return new TwoInputTestHarness(await startHarness(build as BuildPart, 2, options));
  }
}

/**
 * A harness of a part of a flow with one input.
 *
 * @example
 * const harness = await testHarness((visits: Stream<Visit>) =>
 *   visits.keyBy('user').process(countVisits));
 * await harness.input.push({ user: 'ann' }, 1_000);
 * await harness.input.watermark(60_000);
 * expect(harness.output.records).toEqual([{ user: 'ann', visits: 1 }]);
 * harness.close();
 */
export function testHarness<T, Out>(
  build: (input: Stream<T>) => Stream<Out>,
  options: HarnessOptions = {},
): Promise<OneInputTestHarness<T, Out>> {
  return OneInputTestHarness.start(build, options);
}

/**
 * A harness of a part of a flow with two inputs, `first` and `second`.
 *
 * @example
 * const harness = await twoInputTestHarness((orders: Stream<Order>, payments: Stream<Payment>) =>
 *   orders.keyBy('id').connect(payments.keyBy('order')).process(matchPayments));
 * await harness.first.push({ id: 7 });
 * await harness.second.push({ order: 7 });
 */
export function twoInputTestHarness<T1, T2, Out>(
  build: (first: Stream<T1>, second: Stream<T2>) => Stream<Out>,
  options: HarnessOptions = {},
): Promise<TwoInputTestHarness<T1, T2, Out>> {
  return TwoInputTestHarness.start(build, options);
}
