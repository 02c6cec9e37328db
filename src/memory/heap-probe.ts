/**
 * Measures the memory of the calling thread. Callers: the heap guard, with simulated probes in tests. Runs on:
 * the thread it measures. Invariant: a sample of a heap covers one thread only, never the process, so that a slot is
 * never blamed for its neighbour.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The memory of one thread. */
export interface HeapSample {
  /** Objects, dead ones included until they are collected. */
  readonly usedHeapBytes: number;
  /** Pages of the heap that the system has given, and what V8 works in itself. */
  readonly heldHeapBytes: number;
  /** What V8 allows; beyond it the thread, sometimes the process, is aborted. */
  readonly heapLimitBytes: number;
  /** Buffers outside the heap that belong to the thread: ArrayBuffers and native objects, not shared ones. */
  readonly externalBytes: number;
}

/** Where a guard gets its figures. */
export interface HeapProbe {
  sample(): HeapSample;
  /** Collects all garbage now, buffers included; a pause of some milliseconds per 100 MB of live objects. */
  collect(): void;
}

function sampleThread(): HeapSample {
  const statistics = getHeapStatistics();
  return {
    usedHeapBytes: statistics.used_heap_size,
    heldHeapBytes: statistics.total_physical_size + statistics.malloced_memory,
    heapLimitBytes: statistics.heap_size_limit,
    externalBytes: statistics.external_memory,
  };
}

/** The probe of the calling thread. */
export function threadHeapProbe(): HeapProbe {
  let collectGarbage: (() => void) | null = null;
  return {
    sample: sampleThread,
    collect() {
      collectGarbage ??= exposedCollector();
      collectGarbage();
    },
  };
}

/** The process and the thread that looks at it, at one moment. */
export interface MemoryMoment {
  readonly residentBytes: number;
  readonly own: HeapSample;
}

/** The process and the calling thread as they are now. */
export function memoryNow(): MemoryMoment {
  return { residentBytes: process.memoryUsage.rss(), own: sampleThread() };
}

/**
 * V8 hands out its collector only to contexts that are made while the flag is set, so one is made for it and
 * the flag is taken back: user code sees no `gc`.
 */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  try {
    const collector: unknown = runInNewContext('gc');
    if (typeof collector !== 'function') return () => {};
    return () => {
      collector();
      // Buffers of dead objects are freed beside the thread and counted until the next collection has waited for that.
      collector({ type: 'minor' });
    };
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
