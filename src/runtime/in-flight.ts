/**
 * Frames on their way to a subtask, as a checkpoint that overtakes them keeps them: with their schemas, since the
 * registry of a run ends with it. Callers: exchange ports and input gates, by way of the alignment; restoring slots.
 * Runs on: the slot's thread. Invariant: what a capture keeps is all that came before the barrier of its checkpoint on
 * each channel and was not processed when the state was frozen, once, in order of each channel.
 */
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.js';
import { aligned } from '../record/frame-layout.js';
import type { Schema } from '../record/schema.js';
import { FRAME_BARRIER, FRAME_DATA, FRAME_FINISHED } from '../ring/contract.js';
import { triggerOf } from './barrier.js';
import type { FrameAhead } from './frame-receiver.js';

/** A frame and what it takes to read it. */
export interface InFlightFrame {
  readonly schema: Schema;
  readonly frame: Uint8Array;
  /** Rows before it have been processed. */
  readonly first: number;
}

/** A frame of an input edge. */
export interface InputFrame extends InFlightFrame {
  readonly input: number;
}

/** Length of the head, and of the frame. */
const PREFIX_BYTES = 8;

/** What precedes a frame; the schema only where it is another than that of the frame before. */
type Head = readonly [first: number, schema?: Schema];

/** Frames as the bytes of a piece. */
export function encodeInFlight(frames: readonly InFlightFrame[]): Uint8Array {
  let known: Schema | null = null;
  const parts = frames.map(({ schema, frame, first }) => {
    const head: Head = schema === known ? [first] : [first, schema];
    known = schema;
    return { head: serialize(head), frame };
  });
  const sizes = parts.map(({ head, frame }) => partBytes(head.length, frame.length));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, { head, frame }] of parts.entries()) {
    view.setUint32(at, head.length, true);
    view.setUint32(at + 4, frame.length, true);
    bytes.set(head, at + PREFIX_BYTES);
    bytes.set(frame, at + aligned(PREFIX_BYTES + head.length));
    at += sizes[index] ?? 0;
  }
  return bytes;
}

/** The frames of a piece, each in memory of its own. */
export function decodeInFlight(bytes: Uint8Array): readonly InFlightFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: InFlightFrame[] = [];
  let known: Schema | null = null;
  for (let at = 0; at < bytes.length; ) {
    const headBytes = view.getUint32(at, true);
    const frameBytes = view.getUint32(at + 4, true);
    const start = at + PREFIX_BYTES;
    const head = deserialize(bytes.slice(start, start + headBytes)) as Head;
    const [first] = head;
    known = head[1] ?? known;
    assert(known !== null, 'The first frame of a piece has its schema.');
    const from = at + aligned(PREFIX_BYTES + headBytes);
    frames.push({ schema: known, frame: bytes.slice(from, from + frameBytes), first });
    at += partBytes(headBytes, frameBytes);
  }
  return frames;
}

function partBytes(headBytes: number, frameBytes: number): number {
  return aligned(PREFIX_BYTES + headBytes) + aligned(frameBytes);
}

/** A channel whose barrier has not come yet. */
export interface CapturedChannel {
  readonly input: number;
  readonly ahead: FrameAhead;
}

/** Keeps what comes before the barriers of one checkpoint. */
export class InFlightCapture {
  readonly #checkpoint: number;
  readonly #frames: InputFrame[];
  #open: readonly CapturedChannel[];
  readonly #done: (frames: readonly InputFrame[] | null) => void;
  #isOver = false;

  /** `frames` are at hand already; `done` gets all, null when a channel has left the checkpoint out. */
  constructor(
    checkpoint: number,
    frames: readonly InputFrame[],
    channels: readonly CapturedChannel[],
    done: (frames: readonly InputFrame[] | null) => void,
  ) {
    this.#checkpoint = checkpoint;
    this.#frames = [...frames];
    this.#open = channels;
    this.#done = done;
  }

  /** Looks at what has come; to be called before anything is taken. True when there is no more to come. */
  step(): boolean {
    if (this.#isOver) return true;
    this.#open = this.#open.filter((channel) => !this.#read(channel));
    if (!this.#isOver && this.#open.length === 0) this.#end(this.#frames);
    return this.#isOver;
  }

  /** Gives it up. */
  abandon(): void {
    if (!this.#isOver) this.#end(null);
  }

  #end(frames: readonly InputFrame[] | null): void {
    this.#isOver = true;
    this.#done(frames);
  }

  /** Whether the channel has come to the barrier, or to its end. */
  #read({ input, ahead }: CapturedChannel): boolean {
    for (let next = ahead.next(); next !== null; next = ahead.next()) {
      const { kind, bytes: frame, schema } = next;
      if (kind === FRAME_DATA && schema !== null) {
        this.#frames.push({ input, schema, frame, first: 0 });
      }
      if (kind === FRAME_FINISHED) return true;
      if (kind !== FRAME_BARRIER) continue;
      const { id } = triggerOf(frame);
      // Barriers keep their order: one that was left out never comes.
      if (id > this.#checkpoint) this.abandon();
      if (id >= this.#checkpoint) return true;
    }
    return false;
  }
}
