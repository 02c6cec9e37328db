/**
 * Checks that threads work on this machine, and how long they take to start. Callers: the `doctor` command. Runs
 * on: the caller's thread.
 */
import { Worker } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';

/** What a thread took, in milliseconds. */
export interface ThreadCheck {
  /** Until it ran its first line. */
  readonly startMs: number;
  /** Until it had ended again. */
  readonly totalMs: number;
}

/** Starts an empty thread. Rejects with what Node says when it cannot. */
export function checkThreads(): Promise<ThreadCheck> {
  const beganMs = systemClock.monotonicMs();
  return new Promise((resolve, reject) => {
    const thread = new Worker('', { eval: true });
    let startMs = 0;
    thread.once('online', () => {
      startMs = systemClock.monotonicMs() - beganMs;
    });
    thread.once('error', reject);
    thread.once('exit', () => {
      resolve({ startMs, totalMs: systemClock.monotonicMs() - beganMs });
    });
  });
}
