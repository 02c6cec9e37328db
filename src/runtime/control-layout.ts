/**
 * The layout of a run's control memory: split counters of the sources and words of the loops, then a parker word, a
 * command word, the level of logs, the triggers of checkpoints and what the thread holds for each slot, then the
 * watermarks of subtasks that align theirs. Callers: deploy, slots, coordinator. Runs on: any thread. Invariant: words
 * of different slots lie two cache lines apart.
 */
import { createParkerWord, PARKER_BYTES } from '../ring/parker.js';

/** Commands that the coordinator writes into a slot's command word. */
export const COMMAND_RUN = 0;
export const COMMAND_CANCEL = 1;
/** Sources stop; held-back results are dropped. */
export const COMMAND_STOP = 2;
/** Sources stop; held-back results are emitted. */
export const COMMAND_DRAIN = 3;

/** Words of different owners do not share a pair of cache lines. */
const COUNTER_BYTES = 128;
const COMMAND_BYTES = 128;
/** Behind the command: how often something was asked of the slot. */
const ASKED_OFFSET = 4;
const TRIGGERS_OFFSET = 8;
/** Behind the triggers. */
const LOG_LEVEL_OFFSET = 124;
const HELD_OFFSET = PARKER_BYTES + COMMAND_BYTES;
const HELD_BYTES = 128;
const SLOT_BYTES = HELD_OFFSET + HELD_BYTES;

/** What the thread of a slot holds, by place in its cells: the pages of its heap, and buffers that are its own. */
export const HELD = { heapBytes: 0, bufferBytes: 1 } as const;

/** Bytes of the control memory of a plan; `slots` counts the host slot too. */
export function controlBytes(vertices: number, slots: number, alignmentCells = 0): number {
  return vertices * COUNTER_BYTES + slots * SLOT_BYTES + alignmentCells * 8;
}

/** The place of a slot's words: the host slot's come behind those of the worker slots. */
export function slotWord(workerSlots: number, slot: number): number {
  return slot < 0 ? workerSlots : slot;
}

/** Where the words are by which the heads of a loop agree, behind the split counter of their vertex. */
const LOOP_OFFSET = 64;
const LOOP_WORDS = 3;

/** The watermarks of subtasks that align theirs, behind everything else. */
export function alignmentCells(
  memory: SharedArrayBuffer,
  vertices: number,
  slots: number,
  cells: number,
): Float64Array {
  return new Float64Array(memory, controlBytes(vertices, slots), cells);
}

/** Views of the control memory. */
export class ControlMemory {
  readonly #memory: SharedArrayBuffer;
  readonly #slotsOffset: number;

  constructor(memory: SharedArrayBuffer, vertices: number) {
    this.#memory = memory;
    this.#slotsOffset = vertices * COUNTER_BYTES;
  }

  /** Index of the next unclaimed split of a source vertex. */
  nextSplit(vertex: number): Int32Array {
    return new Int32Array(this.#memory, vertex * COUNTER_BYTES, 1);
  }

  /** The words of the loop whose head is a vertex, which has no splits. */
  loopWords(vertex: number): Int32Array {
    return new Int32Array(this.#memory, vertex * COUNTER_BYTES + LOOP_OFFSET, LOOP_WORDS);
  }

  /** The word a slot parks on; `slot` is its index, the host slot's is the number of worker slots. */
  parkerWord(slot: number): Int32Array {
    return createParkerWord(this.#memory, this.#slotsOffset + slot * SLOT_BYTES);
  }

  /** The current command of a slot. */
  commandWord(slot: number): Int32Array {
    return this.#word(slot, 0);
  }

  /** Goes up with every request that waits for a slot. */
  askedWord(slot: number): Int32Array {
    return this.#word(slot, ASKED_OFFSET);
  }

  /** The lowest level that the functions of a slot log, by its number. */
  logLevelWord(slot: number): Int32Array {
    return this.#word(slot, LOG_LEVEL_OFFSET);
  }

  /** What the thread of a slot holds; see `HELD`. Zeros before it has begun. */
  heldCells(slot: number): Float64Array {
    const byteOffset = this.#slotsOffset + slot * SLOT_BYTES + HELD_OFFSET;
    return new Float64Array(this.#memory, byteOffset, Object.keys(HELD).length);
  }

  /** Where a slot is told of checkpoints, by `TriggerCells`. */
  triggerCells(slot: number): { readonly memory: SharedArrayBuffer; readonly byteOffset: number } {
    const byteOffset = this.#slotsOffset + slot * SLOT_BYTES + PARKER_BYTES + TRIGGERS_OFFSET;
    return { memory: this.#memory, byteOffset };
  }

  /** A word behind the one that the slot parks on. */
  #word(slot: number, offset: number): Int32Array {
    const byteOffset = this.#slotsOffset + slot * SLOT_BYTES + PARKER_BYTES + offset;
    return new Int32Array(this.#memory, byteOffset, 1);
  }

  /** Gives a slot a command; a cancellation is never taken back by a later stop. */
  command(slot: number, command: number): void {
    const word = this.commandWord(slot);
    if (Atomics.load(word, 0) !== COMMAND_CANCEL) Atomics.store(word, 0, command);
  }
}
