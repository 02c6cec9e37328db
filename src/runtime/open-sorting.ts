/**
 * What a chain that sorts is given. Callers: the slot builder, which loads it for such chains. Runs on: the slot's
 * thread.
 */
import type { ChainTaskOptions } from '../operator/chain-options.js';
import { type SpillSlot, spillSpace } from './spill-space.js';

/** The parts of sorts, and the space of each. */
export async function openSorting(
  slot: SpillSlot,
): Promise<NonNullable<ChainTaskOptions['sorting']>> {
  return { parts: await import('../operator/sorting.js'), space: spillSpace(slot) };
}
