/**
 * The way back from the tail of a loop to its head in the same slot. It takes everything at once, so that no subtask
 * of a loop ever waits for the loop to have room: what would fill it up grows here, within the memory for state, which
 * the slot's guard watches. Callers: an exchange port at the tail, the loop gate at the head. Runs on: the slot's
 * thread. Invariant: frames leave in the order in which they came.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Batch } from '../record/batch.js';
import { decodeFrame } from '../record/frame-codec.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import { FRAME_WATERMARK, type FrameKind, type Waker } from '../ring/contract.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import { encoded, type FrameSender } from './frame-sender.js';
import { watermarkOf } from './time-sender.js';

/** Frames that were taken out before the list is closed up. */
const GAP_MAX = 1024;

/** Both ends of the way back. */
export class FeedbackChannel implements FrameSender {
  readonly isEncoded = true;
  /** The last watermark of the tail. */
  watermarkMs = WATERMARK_MIN;
  /** Bytes of the frames that wait. */
  bytes = 0;
  readonly #loop: string;
  readonly #schemas: StreamSchemas;
  readonly #slot: Waker;
  readonly #frames: Uint8Array[] = [];
  #first = 0;
  #ended: 'no' | 'fed' | 'full' = 'no';

  /** `loop` is the head's name, for errors; `slot` wakes the slot of both ends. */
  constructor(loop: string, schemas: StreamSchemas, slot: Waker) {
    this.#loop = loop;
    this.#schemas = schemas;
    this.#slot = slot;
  }

  // The tail's end.

  send(batch: Batch): boolean {
    if (this.#ended === 'fed') throw tooLate(this.#loop);
    if (this.#ended === 'no') this.#push(encoded(batch));
    return true;
  }

  share(_batch: Batch, _frame: Uint8Array): void {
    assert(false, 'A loop feeds every record back to one head.');
  }

  settle(): boolean {
    return true;
  }

  sendControl(kind: FrameKind, payload: Uint8Array): boolean {
    if (kind === FRAME_WATERMARK) this.watermarkMs = watermarkOf(payload);
    this.#slot.wake();
    return true;
  }

  disown(): 'refused' {
    return 'refused';
  }

  announce(): void {
    assert(false, 'Jobs with loops take no checkpoints.');
  }

  readonly unsent = null;

  countTime(): void {
    // The edges of the loop tell what time it is there.
  }

  #push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.bytes += frame.byteLength;
    this.#slot.wake();
  }

  // The head's end.

  /** Frames that wait. */
  get frames(): number {
    return this.#frames.length - this.#first;
  }

  /** Takes the first frame out. */
  take(): { readonly batch: Batch; readonly bytes: number } {
    const frame = this.#frames[this.#first];
    this.#frames[this.#first++] = NO_FRAME;
    if (this.#first === this.#frames.length || this.#first === GAP_MAX) {
      this.#frames.splice(0, this.#first);
      this.#first = 0;
    }
    const bytes = frame.byteLength;
    this.bytes -= bytes;
    return { batch: decodeFrame(frame, 0, bytes, this.#schemas), bytes };
  }

  /**
   * The loop has ended. What comes after that is dropped when it had all its iterations, and fails the job when it
   * ended because nothing was fed back.
   */
  end(hadAllIterations: boolean): void {
    this.#ended = hadAllIterations ? 'full' : 'fed';
    this.#frames.length = 0;
    this.#first = 0;
    this.bytes = 0;
  }
}

const NO_FRAME = new Uint8Array(0);

function tooLate(loop: string): MillraceError {
  return new MillraceError(
    'LOOP_ENDED',
    `Records were fed back to the loop "${loop}" after it had ended.`,
    {
      where: { operator: loop },
      advice:
        'Feed records back as they come or when their round is over, by windows or timers of ' +
        'event time; not at the end of the input, nor by the wall clock.',
    },
  );
}
