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

  /** `tables` is the live list of the slot's state tables; it grows while subtasks compile. */
  constructor(deployment: Deployment, slot: number, tables: readonly HeldTable[]) {
    const { settings } = deployment;
    const budget = slotBudgetOf(settings);
    this.#tables = tables;
    this.#managedBytes = budget.managedBytes;
    this.#backend = settings['state.backend'];
    // The caller's thread belongs to the embedding program: there the limit is V8's own, not the slot's.
    const isHost = slot === HOST_SLOT;
    this.#heap = new HeapGuard({
      slot,
      heapBytes: isHost ? getHeapStatistics().heap_size_limit : budget.heapBytes,
      externalBytes: isHost ? null : budget.managedBytes + budget.heapBytes,
      probe: threadHeapProbe(),
      framesPerSample: 1,
    });
  }

  /** Throws MEMORY_EXHAUSTED. */
  check(subtask: Subtask): void {
    const stateBytes = this.stateBytes();
    if (stateBytes > this.#managedBytes) throw this.#exhausted(subtask, stateBytes);
    this.#heap.frameDone(subtask.parts.name);
    const { usedHeapBytes, heapLimitBytes } = this.#heap.sample;
    subtask.parts.metrics.setMemory(usedHeapBytes, heapLimitBytes, stateBytes);
  }

  stateBytes(): number {
    let bytes = 0;
    for (const held of this.#tables) {
      const own = held.table.bytes;
      held.mostBytes = Math.max(own, held.mostBytes ?? 0);
      bytes += own;
    }
    return bytes;
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
