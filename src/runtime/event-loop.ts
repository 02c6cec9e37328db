/**
 * The event loop of the caller's thread, for the parts of a run that live on it. Callers: host slot, in-thread
 * run. Runs on: the thread that calls it.
 */

/** Holds the event loop open until the returned function is called; `Atomics.waitAsync` alone holds nothing. */
export function eventLoopHold(): () => void {
  const timer = setInterval(() => {}, 1 << 30);
  return () => clearInterval(timer);
}

/** Resolves after the event loop has served what is waiting. */
export function nextEventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
