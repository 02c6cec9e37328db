/**
 * The clock contract and its real implementation. Nothing else in the engine reads the time, so a whole job
 * can run under a simulated clock. Callers: runtime, api, cli; operators get it injected. Runs on: any thread.
 */

/** Where time comes from. */
export interface Clock {
  /** Wall clock, in milliseconds since the epoch. */
  epochMs(): number;
  /** Monotonic time, in milliseconds with fractions; only differences mean something. */
  monotonicMs(): number;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  epochMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
