/**
 * Which thread runs a slot. Callers: what runs slots tells it to what looks into threads. Runs on: any thread; pure.
 */

/** The number of the thread that started the process. */
export const MAIN_THREAD = 0;

/** A thread that runs a slot. */
export interface SlotThreadId {
  readonly slot: number;
  /** Node's number of it, or MAIN_THREAD. */
  readonly threadId: number;
}
