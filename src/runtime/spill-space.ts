/**
 * What an operator that may put things on disk has: a part of the managed memory of its slot, and a directory for the
 * rest. Callers: the slot builder. Runs on: the slot's thread.
 */
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Disk } from '../base/disk.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { splitSlotMemory } from '../memory/slot-budget.js';
import type { SpillSpace } from '../operator/chain-options.js';
import { isStateful } from '../operator/operator-spec.js';
import { countedDisk, type ScratchCounts } from '../storage/scratch-files.js';
import type { Deployment } from './deployment.js';

/** A slot, as far as it concerns what is put on disk. */
export interface SpillSlot {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly slot: number;
  readonly disk: Disk;
}

/**
 * Where operators put records aside: null for a job that has no end, or takes checkpoints, since such records have to
 * be worked off, and are in no snapshot.
 */
export function spillSpace(slot: SpillSlot, counts: ScratchCounts): SpillSpace | null {
  const { plan, deployment } = slot;
  const isBounded = plan.vertices.every(({ source }) => source?.connector.bounded !== false);
  return isBounded && deployment.checkpointing === null ? operatorSpace(slot, counts) : null;
}

/**
 * The space of each operator of a slot: all that keep something have equal parts of its memory. `counts` are those of
 * the subtask that it is for.
 */
export function operatorSpace(
  { plan, deployment, slot, disk }: SpillSlot,
  counts: ScratchCounts,
): SpillSpace {
  const { settings, baseDirectory } = deployment;
  const { managedBytes } = splitSlotMemory(settings['slot.memory'], {
    network: settings['slot.networkFraction'],
    managed: settings['slot.managedFraction'],
  });
  const localDirectory = settings['state.localDir'];
  return {
    budgetBytes: Math.floor(managedBytes / managedOperators(plan, slot)),
    disk: countedDisk(disk, counts),
    directory: localDirectory === null ? tmpdir() : resolve(baseDirectory, localDirectory),
  };
}

/** How many operators of a slot keep something, each of its subtasks counted. */
function managedOperators({ vertices }: PhysicalPlan, slot: number): number {
  let operators = 0;
  for (const vertex of vertices) {
    const subtasks = vertex.slots.filter((each) => each === slot).length;
    operators +=
      subtasks *
      vertex.operators.filter(({ spec }) => spec.kind === 'sort' || isStateful(spec)).length;
  }
  return operators;
}
