/**
 * Gives every subtask its slot as Flink's slot sharing does: within a group, slot i holds subtask i
 * of every vertex; groups use disjoint slots; so a job needs, per group, as many slots as its
 * widest vertex has subtasks. Callers: `plan.ts`. Runs on: any thread; pure.
 */
import { HOST_SLOT } from './physical-plan.js';
import type { Placement } from './placement.js';

/** Slots of the subtasks of each vertex, and how many worker slots there are. */
export interface SlotAssignment {
  readonly slotsOf: readonly (readonly number[])[];
  readonly slots: number;
}

/** Assigns slots; groups take theirs in the order in which they first appear. */
export function assignSlots(placements: readonly Placement[]): SlotAssignment {
  const widthOf = new Map<string, number>();
  for (const { host, slotSharingGroup, parallelism } of placements) {
    if (host) continue;
    widthOf.set(slotSharingGroup, Math.max(widthOf.get(slotSharingGroup) ?? 0, parallelism));
  }
  const firstSlotOf = new Map<string, number>();
  let slots = 0;
  for (const [group, width] of widthOf) {
    firstSlotOf.set(group, slots);
    slots += width;
  }
  const slotsOf = placements.map(({ host, slotSharingGroup, parallelism }) => {
    if (host) return [HOST_SLOT];
    const first = firstSlotOf.get(slotSharingGroup) ?? 0;
    return Array.from({ length: parallelism }, (_, subtask) => first + subtask);
  });
  return { slotsOf, slots };
}
