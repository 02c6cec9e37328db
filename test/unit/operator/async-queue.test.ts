import { describe, expect, it } from 'vitest';
import {
  AsyncQueue,
  type QueuedCall,
  type Segment,
} from '../../../src/operator/async/async-queue.js';
import { CallTimers } from '../../../src/operator/async/call-timers.js';
import { CallContext } from '../../../src/operator/async/call-context.js';
import { retryDelayMs } from '../../../src/operator/async/async-function.js';
import { MillraceError } from '../../../src/base/errors.js';

class Call implements QueuedCall {
  isDone = false;
  isTaken = false;
  segment: Segment | null = null;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

describe('the queue of calls', () => {
  it('keeps little when calls are answered out of order for ever', () => {
    const queue = new AsyncQueue<Call>('unordered');
    const slow = new Call(-1);
    queue.add(slow);
    let most = 0;
    for (let id = 0; id < 100_000; id++) {
      const call = new Call(id);
      queue.add(call);
      queue.done(call);
      queue.take();
      most = Math.max(most, queue.entries);
    }
    expect(most).toBeLessThan(100);
    expect(queue.calls()).toEqual([slow]);
    expect(queue.size).toBe(1);
  });

  it('gives nothing past a watermark, and watermarks only when all before them is given', () => {
    const queue = new AsyncQueue<Call>('unordered');
    const [a, b, c] = [1, 2, 3].map((id) => new Call(id));
    queue.add(a);
    queue.add(b);
    queue.mark(10);
    queue.mark(20);
    queue.add(c);
    queue.done(c);
    queue.done(b);
    expect([queue.take(), queue.take(), queue.isMarkDue]).toEqual([b, null, false]);
    queue.done(a);
    expect([queue.take(), queue.isReady, queue.isMarkDue]).toEqual([a, false, true]);
    expect([queue.release(), queue.take(), queue.isMarkDue]).toEqual([20, c, false]);
  });
});

describe('the timers of calls', () => {
  it('fire once, in order of time, unless they are canceled', () => {
    const timers = new CallTimers<string>();
    const [a, b, c] = [timers.set('a', 30), timers.set('b', 10), timers.set('c', 20)];
    timers.cancel(b);
    expect(timers.nextMs).toBe(20);
    expect(timers.take(19)).toBeNull();
    expect(timers.take(40)).toEqual({ call: 'c', id: c });
    expect(timers.take(40)).toEqual({ call: 'a', id: a });
    expect([timers.take(40), timers.nextMs]).toEqual([null, Infinity]);
    timers.cancel(a);
  });

  it('forget canceled timers although an earlier one is still set', () => {
    const timers = new CallTimers<number>();
    timers.set(-1, 0);
    for (let call = 0; call < 100_000; call++) timers.cancel(timers.set(call, 1e9 + call));
    expect(timers.take(1)).toMatchObject({ call: -1 });
    expect(timers.nextMs).toBe(Infinity);
  });
});

describe('the signal of a call', () => {
  const reason = new MillraceError('JOB_CANCELED', 'over');

  it('is aborted when it was asked for before, and when it is asked for later', () => {
    const [before, later] = [1, 2].map((attempt) => new CallContext(null, attempt, null));
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    for (const context of [before, later]) CallContext.abort(context, reason);
    expect([signal.reason, later.signal.reason]).toEqual([reason, reason]);
    expect(before.signal).toBe(signal);
  });
});

describe('the delay before a repetition', () => {
  const retry = { maxAttempts: 9, ifResult: null, ifException: () => true };

  it('grows from that of the same record only, up to its bound', () => {
    const growing = { ...retry, delay: '100ms', multiplier: 2, maxDelayMs: 500 };
    expect([1, 2, 3, 4].map((at) => retryDelayMs(growing, at))).toEqual([100, 200, 400, 500]);
    expect(retryDelayMs(growing, 1)).toBe(100);
  });

  it('is what a function says', () => {
    const delay = (repetition: number): string => `${repetition}s`;
    const own = { ...retry, delay, multiplier: 1, maxDelayMs: Infinity };
    expect(retryDelayMs(own, 3)).toBe(3000);
  });
});
