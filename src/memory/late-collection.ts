/**
 * Has the threads of slots with much memory collect all of their heap seldom while it is small. V8 allows a thread a
 * few times what was alive at its last full collection, which with a few megabytes of objects is 30 MB, and counts the
 * buffers in which state is kept: a state that grows would have it mark the same objects once for every 25 MB. Nothing
 * is lost by waiting: the heap was granted, and the heap guard collects before it fails a job. A thread takes 25 ms
 * longer to start, because V8 refuses code that was compiled under other flags, Node's own too: little for jobs that
 * are given much memory, a third of the start of others. Callers: who starts the threads. Runs on: the caller's thread.
 * Invariant: only threads that are started meanwhile are concerned.
 */
import { setFlagsFromString } from 'node:v8';
import type { SlotResourceLimits } from './resource-limits.js';

/** Of the objects that a thread may hold: V8 takes no more than half of its limit. */
const SHARE = 0.5;
/** Slots with smaller heaps start as fast as they can; in megabytes. */
const HEAP_MIN_MB = 512;

/** Threads that are about to start: V8 looks at its flags when they do, on the thread itself. */
let starting = 0;

/** Say so before a thread of these limits is started, and call what is given once it runs, or never will. */
export function collectsLate({ maxOldGenerationSizeMb }: SlotResourceLimits): () => void {
  if (maxOldGenerationSizeMb < HEAP_MIN_MB) return () => {};
  starting++;
  setFlagsFromString(`--initial-old-space-size=${Math.floor(maxOldGenerationSizeMb * SHARE)}`);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--starting === 0) setFlagsFromString('--initial-old-space-size=0');
  };
}
