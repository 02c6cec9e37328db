/**
 * A wait that can be cut short. Callers: what waits before it starts a job again. Runs on: any thread. Invariant: its
 * timer is gone when it is over.
 */

/** A wait under way. */
export interface Pause {
  /** Settles when the time has passed or the wait was ended. */
  readonly over: Promise<void>;
  /** Ends the wait; does nothing when it is over. */
  end(): void;
}

/** Begins to wait. */
export function pauseFor(delayMs: number): Pause {
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    end = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { over, end };
}
