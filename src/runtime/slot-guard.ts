/**
 * Watches what a slot uses of its memory: state against the managed share, heap and buffers against theirs, and
 * fails the job by name before V8 fails the process. Callers: the slot loop, every few passes. Runs on: the slot's
 * thread.
 */
import { getHeapStatistics } from 'node:v8';
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import { HOST_SLOT } from '../graph/physical-plan.js';
import { HeapGuard } from '../memory/heap-guard.js';
import { threadHeapProbe } from '../memory/heap-probe.js';
import { slotBudgetOf } from '../memory/slot-budget.js';
import { ControlMemory, HELD, slotWord } from './control-layout.js';
import type { Deployment } from './deployment.js';
import type { HeldTable } from './slot-builder.js';
import type { Subtask } from './subtask.js';

const RAISE = 'Raise slot.memory or slot.managedFraction, use more slots, ';
/** What to do when state is too large for a slot, by state.backend. */
const ADVICE: Readonly<Record<string, string>> = {
  memory:
    `${RAISE}set state.backend to lsm, or give the state a time to live. Aggregations by key of ` +
    'bounded input go on from disk in a job that takes no checkpoints.',
  lsm:
    `${RAISE}or make what state.backend lsm keeps in memory smaller: keys with a ` +
    'timer, and what a single key holds.',
};

/** Guards one slot. */
export class SlotGuard {
  readonly #tables: readonly HeldTable[];
  readonly #heap: HeapGuard;
  readonly #managedBytes: number;
  readonly #backend: string;
  /** Where the ledger of the run finds what the thread holds. */
  readonly #held: Float64Array;

  /** `tables` is the live list of the slot's state tables; it grows while subtasks compile. */
  constructor(deployment: Deployment, slot: number, tables: readonly HeldTable[]) {
    const { settings } = deployment;
    const budget = slotBudgetOf(settings);
    this.#tables = tables;
    this.#managedBytes = budget.managedBytes;
    this.#backend = settings['state.backend'];
    const control = new ControlMemory(deployment.control, deployment.sourcePlans.length);
    this.#held = control.heldCells(slotWord(deployment.slots, slot));
    // The caller's thread belongs to the embedding program: there the limit is V8's own, not the slot's.
    const isHost = slot === HOST_SLOT;
    this.#heap = new HeapGuard({
      slot,
      heapBytes: isHost ? getHeapStatistics().heap_size_limit : budget.heapBytes,
      externalBytes: isHost ? null : budget.managedBytes + budget.heapBytes,
      probe: threadHeapProbe(),
      framesPerSample: 1,
    });
    this.tell();
  }

  /** Throws MEMORY_EXHAUSTED. */
  check(subtask: Subtask): void {
    const stateBytes = this.stateBytes();
    if (stateBytes > this.#managedBytes) throw this.#exhausted(subtask, stateBytes);
    this.#heap.frameDone(subtask.parts.name);
    this.tell();
    const { usedHeapBytes, heapLimitBytes } = this.#heap.sample;
    subtask.parts.metrics.setMemory(usedHeapBytes, heapLimitBytes, stateBytes);
  }

  /** Says what the thread holds, for the ledger of the run. */
  tell(): void {
    const { heldHeapBytes, externalBytes } = this.#heap.sample;
    this.#held[HELD.heapBytes] = heldHeapBytes;
    this.#held[HELD.bufferBytes] = externalBytes;
  }

  /** What all tables hold; each subtask says what its own do. */
  stateBytes(): number {
    let total = 0;
    const bySubtask = new Map<string, number>();
    for (const { table, vertex, subtask, purpose, metrics } of this.#tables) {
      const { bytes } = table;
      total += bytes;
      if (purpose !== 'state') continue;
      const place = `${vertex} ${subtask}`;
      const sum = bytes + (bySubtask.get(place) ?? 0);
      bySubtask.set(place, sum);
      metrics.setStateBytes(sum);
    }
    return total;
  }

  #exhausted(subtask: Subtask, bytes: number): MillraceError {
    const { name, uid, index } = subtask.parts;
    return new MillraceError(
      'MEMORY_EXHAUSTED',
      `State holds ${formatBytes(bytes)}; the slot has ${formatBytes(this.#managedBytes)} for it.`,
      { where: { operator: name, uid, subtask: index }, advice: ADVICE[this.#backend] },
    );
  }
}
