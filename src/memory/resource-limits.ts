/**
 * The limits V8 is given for the thread of a slot. Callers: the creators of worker threads. Runs on: any thread;
 * pure. Invariant: young and old generation together are the slot's heap, and the heap guard, which fails a job
 * by name at 85 % of it, acts before V8 does.
 */
import { slotBudgetOf, type SlotMemorySettings } from './slot-budget.js';

const MIB = 1024 ** 2;
/** Above this a longer pause of every scavenge costs more than fewer scavenges save. */
const YOUNG_MB_MAX = 48;
const YOUNG_MB_MIN = 2;
/** Deep enough for recursive user code; Node.js's own default. */
const STACK_MB = 4;

/** The `resourceLimits` of a worker. */
export interface SlotResourceLimits {
  readonly maxOldGenerationSizeMb: number;
  readonly maxYoungGenerationSizeMb: number;
  readonly stackSizeMb: number;
}

/** Limits of a thread with `heapBytes` of heap. An eighth is young: short-lived records die there cheaply. */
export function resourceLimitsFor(heapBytes: number): SlotResourceLimits {
  const heapMb = Math.floor(heapBytes / MIB);
  const young = Math.max(YOUNG_MB_MIN, Math.min(YOUNG_MB_MAX, Math.floor(heapMb / 8)));
  return {
    maxOldGenerationSizeMb: Math.max(1, heapMb - young),
    maxYoungGenerationSizeMb: young,
    stackSizeMb: STACK_MB,
  };
}

/** Limits of a slot's thread under the settings of its run. */
export function resourceLimitsOf(settings: SlotMemorySettings): SlotResourceLimits {
  return resourceLimitsFor(slotBudgetOf(settings).heapBytes);
}
