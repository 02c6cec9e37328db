/**
 * Everything that a slot does only when its run takes checkpoints or goes on from one; loaded then. Callers:
 * `slot-run.ts`, and through it the slot builder and loop. Runs on: the slot's thread.
 */
import { assert } from '../base/assert.js';
import type { Disk } from '../base/disk.js';
import { stateDirectory } from '../checkpoint/checkpoint-paths.js';
import type { CheckpointTrigger, StatePiece } from '../checkpoint/contract.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { inlineBytesMax, SlotFileWriter } from '../checkpoint/slot-file-writer.js';
import type { SnapshotSource } from '../operator/contract.js';
import type { Vertex } from '../graph/physical-plan.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { BarrierAlignment } from './barrier-alignment.js';
import { ControlMemory, slotWord } from './control-layout.js';
import type { RunEvent } from './coordinator.js';
import type { RestorePlan } from './deployment.js';
import type { InputFrame } from './in-flight.js';
import { isOvertaken } from './overtaking.js';
import { recoveredFrames } from './recovered-frames.js';
import { type RestoredSubtask, RestoredState } from './restored-state.js';
import type { SlotRunParts } from './slot-run.js';
import { type PieceWriter, SlotSnapshots } from './slot-snapshots.js';
import {
  type InFlightAddress,
  SubtaskBarrier,
  type SubtaskBarrierParts,
} from './subtask-barrier.js';
import type { Subtask } from './subtask.js';
import type { TablesAhead } from './tables-ahead.js';
import { TriggerCells } from './trigger-cells.js';
import { receiverUid } from './vertex-uids.js';

/** The checkpoints of one slot. */
export class SlotCheckpointing {
  readonly snapshots: SlotSnapshots;
  readonly #parts: SlotRunParts;
  readonly #cells: TriggerCells;
  #restored: RestoredState | null;
  #closeRestored: () => void;
  /** Tables that were loaded before the slot was built; null once they are of no use. */
  #ahead: TablesAhead | null;
  #triggersSeen = 0;
  /** The newest checkpoint that the slot was told of. */
  #newestId = 0;

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
        tables: (tables) => report({ kind: 'tables', tables }),
        declined: (checkpoint, error, commits) => {
          event({ kind: 'slotDeclined', slot, checkpoint, error, commits });
        },
      },
    });
    this.#ahead = parts.ahead ?? null;
    const opened = openRestored(deployment.restore, parts.disk);
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
      this.#newestId = trigger.id;
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
  barrier(parts: Omit<SubtaskBarrierParts, 'collector' | 'overtaking'>): SubtaskBarrier {
    const timeoutMs = this.#overtakesAfterMs;
    const { vertices } = this.#parts.plan;
    const vertex = vertices[parts.vertexId];
    const overtaking =
      timeoutMs === null
        ? null
        : {
            timeoutMs,
            uid: receiverUid(vertex),
            outputs: vertex.outputs.map(({ edge }) => this.#addressOf(edge)),
          };
    const barrier = new SubtaskBarrier({ ...parts, overtaking, collector: this.snapshots });
    barrier.lastId = this.#newestId;
    return barrier;
  }

  /** From the start of a checkpoint until it overtakes what is under way; null where it never does. */
  get #overtakesAfterMs(): number | null {
    const { settings } = this.#parts.deployment;
    if (!settings['execution.checkpointing.unaligned.enabled']) return null;
    return settings['execution.checkpointing.alignedCheckpointTimeout'];
  }

  #addressOf(edge: number): InFlightAddress {
    const { edges, vertices } = this.#parts.plan;
    const receiver = vertices[edges[edge].to];
    return { uid: receiverUid(receiver), input: receiver.inputs.indexOf(edge) };
  }

  /** Whether barriers of an edge may overtake its rows. */
  mayOvertake(edge: number): boolean {
    return this.#overtakesAfterMs !== null && isOvertaken(this.#parts.plan.edges[edge]);
  }

  /** What aligns the barriers of channels, each of an input edge. */
  alignment(edges: readonly number[]): BarrierAlignment {
    const { settings } = this.#parts.deployment;
    const blocks = settings['execution.checkpointing.mode'] === 'exactlyOnce';
    const timeoutMs = this.#overtakesAfterMs;
    const inOrder = edges.map((edge) => !this.mayOvertake(edge));
    const overtaking = timeoutMs === null ? null : { timeoutMs, inOrder };
    return new BarrierAlignment(edges.length, this.#parts.clock, blocks, overtaking);
  }

  /** What was on its way to a subtask when the checkpoint was taken that the run goes on from. */
  async recovered(vertex: Vertex, subtask: number): Promise<readonly InputFrame[]> {
    if (this.#restored === null) return [];
    const { plan, clock } = this.#parts;
    const receiver = { plan, vertex, subtask, clock };
    return await recoveredFrames(this.#restored, receiverUid(vertex), receiver);
  }

  /** The state that a subtask goes on from; null for a run that begins. */
  stateOf(subtask: RestoredSubtask): SnapshotSource | null {
    const loadedOf = (uid: string, name: string) => this.#ahead?.loadedOf(uid, name, subtask) ?? 0;
    return this.#restored?.sourceFor(subtask, loadedOf) ?? null;
  }

  /** A table that holds the first part of what its subtask goes on from; null for none. */
  tableAhead(uid: string, spec: TableSpec, subtask: RestoredSubtask): StateTable | null {
    const ahead = this.#ahead;
    if (ahead === null || this.#restored === null) return null;
    const restored = this.#restored;
    return ahead.take(uid, spec, subtask, (name) => restored.keyedPieces(uid, name, subtask));
  }

  /** Subtasks of these vertices are closed: nothing of them goes into checkpoints. */
  forget(isOf: (vertex: number) => boolean): void {
    this.snapshots.forget(isOf);
  }

  /** What is built from now on goes on from there. */
  goOnFrom(restore: RestorePlan | null): void {
    this.#closeRestored();
    this.#ahead = null;
    const opened = openRestored(restore, this.#parts.disk);
    this.#restored = opened?.state ?? null;
    this.#closeRestored = opened?.close ?? (() => {});
  }

  close(): void {
    this.snapshots.close();
    this.#closeRestored();
  }

  #openWriter({ id, isShared }: CheckpointTrigger): PieceWriter {
    const { deployment, disk, slot } = this.#parts;
    const place = deployment.checkpointing;
    if (place === null || place.directory === null) return inlineWriter;
    return new SlotFileWriter({
      disk,
      root: place.directory,
      directory: stateDirectory(id, isShared),
      checkpoint: id,
      slot: slotWord(deployment.slots, slot),
      attempt: place.attempt,
      inlineBytesMax: inlineBytesMax(deployment.slots + 1, isShared),
    });
  }
}

/** The state that the run goes on from, null for a run that begins. */
function openRestored(
  restore: RestorePlan | null,
  disk: Disk,
): { readonly state: RestoredState; close(): void } | null {
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
