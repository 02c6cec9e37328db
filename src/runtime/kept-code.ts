/**
 * The hook by which the threads of a run keep the code that they have compiled: the loader of code is a file of its own
 * in the built package, which sources do not import. Callers: `code-loader.ts` sets it; `slot-thread.ts` and
 * `coordinate.ts` call it. Runs on: any thread.
 */

const HOOK = Symbol.for('millrace.keepCode');

type Hooked = typeof globalThis & { [HOOK]?: () => void };

/** Called by the loader of code. */
export function onKeepCode(keep: () => void): void {
  (globalThis as Hooked)[HOOK] = keep;
}

/** Keeps what was compiled in this thread, if that was not kept before. */
export function keepCode(): void {
  (globalThis as Hooked)[HOOK]?.();
}
