/**
 * Puts something between the end of a promise and those who wait for it. Callers: handles on runs. Runs on: any thread.
 */

/** Settles as the promise does, when `action` has been done after it; nobody has to listen. */
export function settledAfter<T>(promise: Promise<T>, action: () => Promise<void>): Promise<T> {
  const after = promise.finally(action);
  after.catch(() => {});
  return after;
}
