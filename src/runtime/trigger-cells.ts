/**
 * Where a slot is told of checkpoints: how many triggers there were, the newest checkpoint that has completed, and the
 * newest triggers. Callers: the coordinator writes, the slot reads. Runs on: either's thread. Invariant: a trigger is
 * there before it is counted, and stays until as many others have come as may be under way.
 */
import type { CheckpointTrigger } from '../checkpoint/contract.js';
import { readTrigger, TRIGGER_BYTES, writeTrigger } from './barrier.js';
import type { ControlMemory } from './control-layout.js';

/** Checkpoints that may be under way at once. */
export const CONCURRENT_CHECKPOINTS_MAX = 4;

/** The cells of one slot. */
export class TriggerCells {
  readonly #words: Int32Array;
  readonly #cells: readonly Float64Array[];

  /** `word` is the place of the slot's words. */
  constructor(control: ControlMemory, word: number) {
    const { memory, byteOffset } = control.triggerCells(word);
    this.#words = new Int32Array(memory, byteOffset, 2);
    this.#cells = Array.from(
      { length: CONCURRENT_CHECKPOINTS_MAX },
      (_, cell) =>
        new Float64Array(memory, byteOffset + 8 + cell * TRIGGER_BYTES, TRIGGER_BYTES / 8),
    );
  }

  /** How many checkpoints the slot has been told of; one that has seen fewer has triggers to read. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** The newest checkpoint that has completed; 0 before the first. */
  get completed(): number {
    return Atomics.load(this.#words, 1);
  }

  complete(checkpoint: number): void {
    Atomics.store(this.#words, 1, checkpoint);
  }

  /** Tells the slot of a checkpoint. */
  add(trigger: CheckpointTrigger): void {
    writeTrigger(trigger, this.#cells[this.count % CONCURRENT_CHECKPOINTS_MAX]);
    Atomics.add(this.#words, 0, 1);
  }

  /** The trigger of this number, from 0, which is one of the newest. */
  read(number: number): CheckpointTrigger {
    return readTrigger(this.#cells[number % CONCURRENT_CHECKPOINTS_MAX]);
  }
}
