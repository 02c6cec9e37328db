/**
 * One input of a part under test, as the test sees it: records, watermarks, idleness and the end. Callers: tests.
 * Runs on: the test's thread. Invariant: when a call has resolved, everything that it set off has been done.
 */
import { MillraceError } from '../base/errors.js';
import { WATERMARK_MAX } from '../time/watermark.js';
import type { TestFeed } from './test-feed.js';
import { CHANGE_KINDS, type ChangeKind } from './test-output.js';

/** Has something sent, and everything done that comes of it. */
export type TakeStep = (send: () => void) => Promise<void>;

/** A record to push, with what belongs to it. */
export interface TimedRecord<T> {
  readonly record: T;
  /** Event time in milliseconds since the epoch. */
  readonly timestamp?: number;
  /** Default `'insert'`. */
  readonly kind?: ChangeKind;
}

/** What `input.push(record, marks)` takes beside the record. */
export type RecordMarks = Omit<TimedRecord<unknown>, 'record'>;

/** An input. */
export class TestInput<T> {
  readonly #feed: TestFeed;
  readonly #step: TakeStep;

  /** Made by the harness. */
  constructor(feed: TestFeed, step: TakeStep) {
    this.#feed = feed;
    this.#step = step;
  }

  /**
   * Pushes a record, with its event time when it has one.
   *
   * @example
   * await input.push({ user: 'ann' }, 1_000);
   * await input.push({ user: 'ann' }, { timestamp: 1_000, kind: 'delete' });
   */
  push(record: T, timestamp?: number | RecordMarks): Promise<void> {
    const marks = typeof timestamp === 'number' ? { timestamp } : timestamp;
    return this.pushAll([{ record, ...marks }]);
  }

  /** Pushes records that arrive together, as one frame. */
  async pushAll(records: readonly TimedRecord<T>[]): Promise<void> {
    const fed = records.map(({ record, timestamp = null, kind = 'insert' }) => {
      if (timestamp !== null && !Number.isSafeInteger(timestamp)) {
        throw invalid(`A record was pushed with the event time ${timestamp}.`, MILLISECONDS);
      }
      const number = CHANGE_KINDS.indexOf(kind);
      if (number < 0) {
        throw invalid(`A record was pushed as ${JSON.stringify(kind)}.`, KINDS);
      }
      return { record, timestamp, kind: number };
    });
    let from = 0;
    while (from < fed.length) {
      await this.#send('push', () => {
        this.#wakeUp();
        from += this.#feed.sendRecords(fed, from);
      });
    }
  }

  /** No record up to this time is to come any more; timers and windows that waited for it fire. */
  watermark(timeMs: number): Promise<void> {
    return this.#send('watermark', () => {
      if (!Number.isSafeInteger(timeMs)) {
        throw invalid(`The watermark ${timeMs} is no time.`, MILLISECONDS);
      }
      if (timeMs < this.#feed.watermarkMs) {
        throw invalid(
          `The watermark ${timeMs} comes after ${this.#feed.watermarkMs}.`,
          'Watermarks only rise; push a late record instead.',
        );
      }
      this.#wakeUp();
      this.#feed.sendWatermark(timeMs);
    });
  }

  /** Nothing is to be expected here for now: the other input alone tells the time. The next push ends it. */
  idle(): Promise<void> {
    return this.#send('idle', () => {
      if (!this.#feed.isIdle) this.#feed.sendIdle(true);
    });
  }

  /** Ends `idle` without a record. */
  active(): Promise<void> {
    return this.#send('active', () => this.#wakeUp());
  }

  /** The input ends: event time is over here, and what operators held back for the end is emitted. */
  end(): Promise<void> {
    return this.#send('end', () => {
      this.#wakeUp();
      this.#feed.sendEnd();
    });
  }

  /** A subtask upstream becomes active before it sends anything. */
  #wakeUp(): void {
    if (this.#feed.isIdle) this.#feed.sendIdle(false);
  }

  #send(verb: string, send: () => void): Promise<void> {
    return this.#step(() => {
      if (this.#feed.hasEnded) {
        throw invalid(`${verb}(...) was called on an input that has ended.`, 'End it last.');
      }
      send();
    });
  }
}

const MILLISECONDS = `Give whole milliseconds since the epoch, at most ${WATERMARK_MAX}.`;
const KINDS = `Known: ${CHANGE_KINDS.join(', ')}.`;

function invalid(message: string, advice: string): MillraceError {
  return new MillraceError('TEST_MISUSED', message, { advice });
}
