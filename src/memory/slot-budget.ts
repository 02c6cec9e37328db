/**
 * How one `slot.memory` number is divided, and how large a ring may be. Callers: deploy (runtime), resource
 * limits, explain. Runs on: any thread; pure. Invariant: the three shares add up to the whole, and no share is
 * below the least with which a slot works; what cannot be is refused with the setting to change.
 */
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';

const MIB = 1024 ** 2;

/** Shares of `slot.memory`; the JavaScript heap takes what they leave. */
export interface SlotFractions {
  /** Rings through which the slot receives frames: `slot.networkFraction`. */
  readonly network: number;
  /** State tables, sort and hash areas, caches: `slot.managedFraction`. */
  readonly managed: number;
}

/** Half of a slot is heap, because lambdas and their records live there; state is next, rings are small. */
export const DEFAULT_SLOT_FRACTIONS: SlotFractions = { network: 0.125, managed: 0.375 };

/** The division of a slot's memory. */
export interface SlotBudget {
  readonly networkBytes: number;
  readonly managedBytes: number;
  readonly heapBytes: number;
}

/** The smallest ring that still takes a useful frame. */
export const RING_BYTES_MIN = 64 * 1024;
/** A larger ring only adds latency: it would hold milliseconds of frames more. */
export const RING_BYTES_MAX = 4 * MIB;
/** One ring has to fit. */
export const NETWORK_BYTES_MIN = RING_BYTES_MIN;
/** One page of every column of a table has to fit. */
export const MANAGED_BYTES_MIN = MIB;
/** An idle worker with the engine loaded holds about 9 MB of heap; below this there is no room for records. */
export const HEAP_BYTES_MIN = 14 * MIB;

/** The settings that divide a slot's memory, with sizes in bytes. */
export interface SlotMemorySettings {
  readonly 'slot.memory': number;
  readonly 'slot.networkFraction': number;
  readonly 'slot.managedFraction': number;
}

/** The shares that settings name. */
export function fractionsOf(settings: SlotMemorySettings): SlotFractions {
  return {
    network: settings['slot.networkFraction'],
    managed: settings['slot.managedFraction'],
  };
}

/** The division of a slot's memory under the settings of its run. */
export function slotBudgetOf(settings: SlotMemorySettings): SlotBudget {
  return splitSlotMemory(settings['slot.memory'], fractionsOf(settings));
}

/** The share of the managed memory for a pre-aggregation, and about what a key of one number takes there. */
const PRE_AGGREGATE_FRACTION = 1 / 8;
const PRE_AGGREGATE_KEY_BYTES = 64;

/** The most keys that a pre-aggregation holds: as many as the setting says, where there is room for them. */
export function preAggregateKeysMax(keys: number, managedBytes: number): number {
  const room = (managedBytes * PRE_AGGREGATE_FRACTION) / PRE_AGGREGATE_KEY_BYTES;
  return Math.min(keys, Math.floor(room));
}

/**
 * Divides the memory of a slot. Throws `MEMORY_BUDGET_TOO_SMALL` naming the share that came out too small.
 *
 * @example
 * splitSlotMemory(512 * 1024 ** 2); // 64 MB network, 192 MB managed, 256 MB heap
 */
export function splitSlotMemory(
  bytes: number,
  fractions: SlotFractions = DEFAULT_SLOT_FRACTIONS,
): SlotBudget {
  const { network, managed } = fractions;
  const heap = 1 - network - managed;
  if (!(network > 0 && managed > 0 && heap > 0)) {
    throw new MillraceError(
      'OPTION_INVALID',
      `slot.networkFraction ${network} and slot.managedFraction ${managed} leave no heap.`,
      { advice: 'Both lie above 0 and together below 1; the rest is the JavaScript heap.' },
    );
  }
  const networkBytes = Math.floor(bytes * network);
  const managedBytes = Math.floor(bytes * managed);
  const heapBytes = Math.floor(bytes) - networkBytes - managedBytes;
  requireShare('rings', 'slot.networkFraction', network, networkBytes, NETWORK_BYTES_MIN);
  requireShare('state', 'slot.managedFraction', managed, managedBytes, MANAGED_BYTES_MIN);
  requireShare('the heap', 'the remaining fraction', heap, heapBytes, HEAP_BYTES_MIN);
  return { networkBytes, managedBytes, heapBytes };
}

function requireShare(
  what: string,
  setting: string,
  fraction: number,
  shareBytes: number,
  bytesMin: number,
): void {
  if (shareBytes >= bytesMin) return;
  throw new MillraceError(
    'MEMORY_BUDGET_TOO_SMALL',
    `slot.memory leaves ${formatBytes(shareBytes)} for ${what}, ` +
      `which takes at least ${formatBytes(bytesMin)}.`,
    { advice: `Raise slot.memory to ${needed(bytesMin, fraction)} or change ${setting}.` },
  );
}

/**
 * Bytes of each of the `channels` rings that a slot receives through, header included. Throws
 * `MEMORY_BUDGET_TOO_SMALL` when they cannot all have the least size.
 */
export function ringBytes(
  networkBytes: number,
  channels: number,
  fractions: SlotFractions = DEFAULT_SLOT_FRACTIONS,
): number {
  if (channels === 0) return RING_BYTES_MAX;
  const share = Math.floor(networkBytes / channels / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  if (share >= RING_BYTES_MIN) return Math.min(share, RING_BYTES_MAX);
  const bytesMin = channels * RING_BYTES_MIN;
  throw new MillraceError(
    'MEMORY_BUDGET_TOO_SMALL',
    `A slot receives through ${channels} rings of at least ${formatBytes(RING_BYTES_MIN)}, ` +
      `but has ${formatBytes(networkBytes)} for them.`,
    {
      advice:
        `Raise slot.memory to ${needed(bytesMin, fractions.network)} or slot.networkFraction, ` +
        'or lower the parallelism.',
    },
  );
}

/** Two cache lines, so that the rings of different threads never share a pair. */
const ALIGNMENT_BYTES = 128;

/** The slot memory of which `fraction` is `bytes`, in whole megabytes as a person would write it. */
function needed(bytes: number, fraction: number): string {
  return `${Math.ceil(bytes / fraction / MIB)}mb`;
}
