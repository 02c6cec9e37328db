/**
 * A checkpoint's trigger as bytes: in a cell of control memory on its way to the roots of the job, in a barrier between
 * the rows of a channel on its way to everyone else. Callers: control-layout, the input gate, the subtask. Runs on: any
 * thread. Invariant: a barrier starts with its id as a float64, which the ring announces.
 */
import type { CheckpointTrigger } from '../checkpoint/contract.js';

/** Bytes of a trigger: id, time, flags. */
export const TRIGGER_BYTES = 24;

const FLAG_SAVEPOINT = 1;
const FLAG_FULL = 2;
const FLAG_SUSPEND = 4;
const FLAG_DRAIN = 8;
const FLAG_SHARED = 16;

/** Writes a trigger into `TRIGGER_BYTES` bytes, as three numbers. */
export function writeTrigger(trigger: CheckpointTrigger, into: Float64Array): void {
  into[0] = trigger.id;
  into[1] = trigger.timestampMs;
  into[2] =
    (trigger.kind === 'savepoint' ? FLAG_SAVEPOINT : 0) |
    (trigger.isFull ? FLAG_FULL : 0) |
    (trigger.isShared ? FLAG_SHARED : 0) |
    (trigger.stop === 'suspend' ? FLAG_SUSPEND : 0) |
    (trigger.stop === 'drain' ? FLAG_DRAIN : 0);
}

/** Reads what `writeTrigger` wrote. */
export function readTrigger(from: Float64Array): CheckpointTrigger {
  const [id, timestampMs, flags] = from;
  return {
    id,
    timestampMs,
    kind: (flags & FLAG_SAVEPOINT) === 0 ? 'checkpoint' : 'savepoint',
    isFull: (flags & FLAG_FULL) !== 0,
    isShared: (flags & FLAG_SHARED) !== 0,
    stop: (flags & FLAG_SUSPEND) !== 0 ? 'suspend' : (flags & FLAG_DRAIN) !== 0 ? 'drain' : 'none',
  };
}

/** The payload of the barrier of a checkpoint. */
export function barrierPayload(trigger: CheckpointTrigger): Uint8Array {
  const words = new Float64Array(TRIGGER_BYTES / 8);
  writeTrigger(trigger, words);
  return new Uint8Array(words.buffer);
}

/** The trigger in a barrier. */
export function triggerOf(payload: Uint8Array): CheckpointTrigger {
  return readTrigger(new Float64Array(payload.slice(0, TRIGGER_BYTES).buffer));
}
