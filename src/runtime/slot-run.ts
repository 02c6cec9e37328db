/**
 * Runs one slot from building to closing, the same in a worker thread, on the caller's thread and in the
 * in-thread runtime. Callers: `slot-thread.ts`, `host-slot.ts`. Runs on: the slot's thread.
 */
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { Random } from '../base/random.js';
import type { BadRecord } from '../connector/contract.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { regionsOf } from '../graph/regions.js';
import type { Parker } from '../ring/contract.js';
import { BlockingParker } from '../ring/parker.js';
import { closeAfterFailure, closeAll } from './close-all.js';
import { ControlMemory, slotWord } from './control-layout.js';
import type { CoordinatorEvent } from './coordinator.js';
import type { Deployment } from './deployment.js';
import type { SlotMessage } from './messages.js';
import { buildSlot, type HeldTable, type SlotParts } from './slot-builder.js';
import type { SlotCheckpointing } from './slot-checkpointing.js';
import { SlotGuard } from './slot-guard.js';
import { SlotLoop } from './slot-loop.js';
import type { SlotRegions, SlotSubtasks } from './slot-regions.js';
import { SUBTASK_FINISHED, type Subtask } from './subtask.js';
import { type TapDesk, TapListener } from './tap-listener.js';
import { TapSites } from './tap-site.js';
import type { TablesAhead } from './tables-ahead.js';

/** What a slot is run with. */
export interface SlotRunParts {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly slot: number;
  readonly clock: Clock;
  readonly disk: Disk;
  /** Whether the thread belongs to the slot, so that it may wait in `Atomics.wait`. */
  readonly mayBlock: boolean;
  readonly shuffle: Random | null;
  /**
   * How the slot parks when it may not block, or must not because something in it is asynchronous; `awaitsAnswers` says
   * whether calls of its functions are under way.
   */
  asyncParker(word: Int32Array, awaitsAnswers: () => boolean): Parker;
  yieldToEvents(): Promise<void>;
  report(message: SlotMessage): void;
  /** Who looks at records of the slot. */
  readonly tapDesk: TapDesk;
  /** Tables that were loaded before it was known from when the run goes on. */
  readonly ahead?: TablesAhead | null;
}

/** Runs the slot to its end and reports it; throws what building or a subtask threw. */
export async function runSlot(parts: SlotRunParts): Promise<void> {
  const { plan, deployment, slot, report } = parts;
  const tables: HeldTable[] = [];
  const taps = new TapSites();
  const checkpointing = await openCheckpointing(parts);
  const slotParts: SlotParts = {
    plan,
    deployment,
    slot,
    clock: parts.clock,
    disk: parts.disk,
    tables,
    taps,
    checkpointing,
    onBadRecord: (vertex, record) => reportBadRecord(parts, vertex, record),
    onLog: (line) => report({ kind: 'log', line }),
  };
  const subtasks = [...(await buildSlot(slotParts))];
  const all = { subtasks, live: [...subtasks] };
  for (const subtask of subtasks) subtask.parts.metrics.setState('RUNNING');
  const guard = new SlotGuard(deployment, slot, tables);
  report({ kind: 'event', event: { kind: 'slotReady', slot } });
  try {
    // What gives regions up and builds them again is loaded by runs that have several.
    const regions = regionsOf(plan).some((region) => region > 0)
      ? (await import('./slot-regions.js')).slotRegions(parts, slotParts, all)
      : null;
    const outcome = await loopOf(parts, slotParts, all, guard, regions).run();
    if (outcome === 'canceled') markEnded(subtasks, 'CANCELED');
    guard.stateBytes();
  } catch (error) {
    markEnded(subtasks, 'FAILED');
    closeAfterFailure(subtasks);
    await Promise.allSettled(subtasks.map(({ closed }) => closed));
    throw error;
  } finally {
    checkpointing?.close();
  }
  closeAll(subtasks);
  await Promise.all(subtasks.map(({ closed }) => closed));
  // What functions left behind, such as a promise that was rejected and that nobody waits for, fails the thread now.
  await parts.yieldToEvents();
  report({ kind: 'event', event: { kind: 'slotEnded', slot } });
}

/** What takes part in checkpoints is loaded by runs that take some. */
async function openCheckpointing(parts: SlotRunParts): Promise<SlotCheckpointing | null> {
  const { checkpointing, restore } = parts.deployment;
  if (checkpointing === null && restore === null) return null;
  const { SlotCheckpointing } = await import('./slot-checkpointing.js');
  return new SlotCheckpointing(parts);
}

function markEnded(subtasks: readonly Subtask[], state: 'CANCELED' | 'FAILED'): void {
  for (const subtask of subtasks) {
    if (subtask.status !== SUBTASK_FINISHED) subtask.parts.metrics.setState(state);
  }
}

function loopOf(
  parts: SlotRunParts,
  slotParts: SlotParts,
  { subtasks, live }: SlotSubtasks,
  guard: SlotGuard,
  regions: SlotRegions | null,
): SlotLoop {
  const { plan, deployment, slot, report } = parts;
  const { taps, checkpointing: checkpoints } = slotParts;
  const control = new ControlMemory(deployment.control, plan.vertices.length);
  const index = slotWord(deployment.slots, slot);
  const word = control.parkerWord(index);
  const commandWord = control.commandWord(index);
  return new SlotLoop(live, {
    clock: parts.clock,
    blockingParker: parts.mayBlock ? new BlockingParker(word) : null,
    asyncParker: parts.asyncParker(word, () => subtasks.some((one) => one.awaitsAnswers)),
    yieldToEvents: parts.yieldToEvents,
    command: () => Atomics.load(commandWord, 0),
    finished: (subtask) => {
      subtask.parts.metrics.setState('FINISHED');
      report({ kind: 'event', event: finishedEvent(slot, subtask, checkpoints) });
    },
    guard: (subtask) => guard.check(subtask),
    shuffle: parts.shuffle,
    checkpoints,
    taps: new TapListener(taps, control.askedWord(index), parts.tapDesk, parts.clock, regions),
    regions,
  });
}

/** What a subtask leaves behind. */
function finishedEvent(
  slot: number,
  { parts, commits, progress }: Subtask,
  checkpoints: SlotCheckpointing | null,
): CoordinatorEvent {
  const { vertexId: vertex, index: subtask, barrier } = parts;
  const held = checkpoints?.snapshots.finished(vertex, subtask, commits) ?? commits;
  const snapshot = { vertex, subtask, source: progress, commits: held };
  return { kind: 'subtaskFinished', slot, checkpoint: barrier?.lastId ?? 0, snapshot };
}

function reportBadRecord(parts: SlotRunParts, vertex: Vertex, record: BadRecord): void {
  parts.report({
    kind: 'badRecord',
    record: { vertex: vertex.id, ...record },
  });
}
