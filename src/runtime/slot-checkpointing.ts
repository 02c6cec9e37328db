/**
 * Everything that a slot does only when its run takes checkpoints or goes on from one; loaded then. Callers:
 * `slot-run.ts`, and through it the slot builder and loop. Runs on: the slot's thread.
 */
import { assert } from '../base/assert.js';
import { stateDirectory } from '../checkpoint/checkpoint-paths.js';
import type { CheckpointTrigger, StatePiece } from '../checkpoint/contract.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { inlineBytesMax, SlotFileWriter } from '../checkpoint/slot-file-writer.js';
import type { SnapshotSource } from '../operator/contract.js';
import { BarrierAlignment } from './barrier-alignment.js';
import { ControlMemory, slotWord } from './control-layout.js';
import type { RunEvent } from './coordinator.js';
import { type RestoredSubtask, RestoredState } from './restored-state.js';
import type { SlotRunParts } from './slot-run.js';
import { type PieceWriter, SlotSnapshots } from './slot-snapshots.js';
import { SubtaskBarrier, type SubtaskBarrierParts } from './subtask-barrier.js';
import type { Subtask } from './subtask.js';
import { TriggerCells } from './trigger-cells.js';

/** The checkpoints of one slot. */
export class SlotCheckpointing {
  readonly snapshots: SlotSnapshots;
  readonly #parts: SlotRunParts;
  readonly #cells: TriggerCells;
  readonly #restored: RestoredState | null;
  readonly #closeRestored: () => void;
  #triggersSeen = 0;

  constructor(parts: SlotRunParts) {
    const { deployment, plan, slot, clock, report } = parts;
    this.#parts = parts;
    const control = new ControlMemory(deployment.control, plan.vertices.length);
    this.#cells = new TriggerCells(control, slotWord(deployment.slots, slot));
    const event = (one: RunEvent): void => report({ kind: 'event', event: one });
    this.snapshots = new SlotSnapshots({
      slot,
      clock,
      openWriter: (trigger) => this.#openWriter(trigger),
      reports: {
        acknowledged: (snapshot) => event({ kind: 'slotAcknowledged', snapshot }),
        declined: (checkpoint, error, commits) => {
          event({ kind: 'slotDeclined', slot, checkpoint, error, commits });
        },
      },
    });
    const opened = openRestored(parts);
    this.#restored = opened?.state ?? null;
    this.#closeRestored = opened?.close ?? (() => {});
  }

  /** Tells subtasks of the checkpoints that have begun, and writes a slice of what they have frozen. */
  pass(live: readonly Subtask[]): boolean {
    const { snapshots } = this;
    snapshots.live = live;
    snapshots.completed(this.#cells.completed);
    while (this.#triggersSeen < this.#cells.count) {
      const trigger = this.#cells.read(this.#triggersSeen++);
      snapshots.begin(trigger.id);
      for (const subtask of live) subtask.trigger(trigger);
    }
    const { isBusy } = snapshots;
    if (isBusy) snapshots.step();
    return isBusy;
  }

  /** All subtasks have finished: what they have frozen is still to be written. */
  finish(): void {
    while (this.snapshots.isBusy) this.snapshots.step();
  }

  /** What takes barriers through a subtask. */
  barrier(parts: Omit<SubtaskBarrierParts, 'collector'>): SubtaskBarrier {
    return new SubtaskBarrier({ ...parts, collector: this.snapshots });
  }

  /** What aligns the barriers of so many channels. */
  alignment(channels: number): BarrierAlignment {
    const { settings } = this.#parts.deployment;
    const blocks = settings['execution.checkpointing.mode'] === 'exactlyOnce';
    return new BarrierAlignment(channels, this.#parts.clock, blocks);
  }

  /** The state that a subtask goes on from; null for a run that begins. */
  stateOf(subtask: RestoredSubtask): SnapshotSource | null {
    return this.#restored?.sourceFor(subtask) ?? null;
  }

  close(): void {
    this.snapshots.close();
    this.#closeRestored();
  }

  #openWriter({ id, kind }: CheckpointTrigger): PieceWriter {
    const { deployment, disk, slot } = this.#parts;
    const place = deployment.checkpointing;
    if (place === null || place.directory === null) return inlineWriter;
    return new SlotFileWriter({
      disk,
      root: place.directory,
      directory: stateDirectory(id, kind, place.isIncremental),
      checkpoint: id,
      slot: slotWord(deployment.slots, slot),
      attempt: place.attempt,
      inlineBytesMax: inlineBytesMax(
        deployment.slots + 1,
        place.isIncremental && kind === 'checkpoint',
      ),
    });
  }
}

/** The state that the run goes on from, null for a run that begins. */
function openRestored({
  deployment,
  disk,
}: SlotRunParts): { readonly state: RestoredState; close(): void } | null {
  const { restore } = deployment;
  if (restore === null) return null;
  if (restore.path === null) {
    const read = ({ at }: StatePiece): Uint8Array => {
      assert('bytes' in at, 'State that is kept in memory is in no file.');
      return at.bytes;
    };
    return { state: new RestoredState(restore.manifest, read), close() {} };
  }
  const { manifest, reader } = openCheckpoint(disk, restore.path);
  const state = new RestoredState(manifest, (piece) => reader.read(piece));
  return { state, close: () => reader.close() };
}

/** Keeps state in the answer of the slot. */
const inlineWriter: PieceWriter = {
  write: (_piece, bytes) => ({ bytes }),
  seal: () => null,
  abort: () => {},
};
