/**
 * The worker threads of a run's slots. They are started before it is settled what they run, because starting takes
 * longer than planning; `deploy` then tells them. Callers: `start-run.ts`, `threaded-run.ts`. Runs on: the caller's
 * thread. Invariant: every thread is either deployed or terminated by whoever made it.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { resourceLimitsOf, type SlotMemorySettings } from '../memory/resource-limits.js';
import { entryUrl } from './entry-url.js';
import type { SlotThreadData } from './messages.js';

/** How a thread ended: with an error, or by itself. */
export type ThreadEnd = WireError | null;

/** The threads of slots 0, 1, … */
export class SlotThreads {
  /** By slot; settles when the thread is gone. Never rejects. */
  readonly ends: readonly Promise<ThreadEnd>[];
  readonly #workers: readonly Worker[];
  readonly #gone = new Set<number>();

  constructor(slots: number, settings: SlotMemorySettings) {
    const url = new URL(entryUrl('slot'));
    const resourceLimits = resourceLimitsOf(settings);
    this.#workers = Array.from(
      { length: slots },
      (_, slot) => new Worker(url, { name: `millrace-slot-${slot}`, resourceLimits }),
    );
    this.ends = this.#workers.map((worker, slot) => this.#endOf(worker, slot));
  }

  /** Tells a thread what it runs; its port to the coordinator closes when the thread ends. */
  deploy(data: Omit<SlotThreadData, 'port'>, port: MessagePort): void {
    const { slot } = data;
    // A thread that could not even start takes no port with it.
    if (this.#gone.has(slot)) port.close();
    else this.#workers[slot].postMessage({ ...data, port } satisfies SlotThreadData, [port]);
  }

  /** Ends the thread of a slot at once; resolves when it is gone. */
  async terminateSlot(slot: number): Promise<void> {
    await this.#workers[slot]?.terminate();
  }

  /** Ends all threads at once; resolves when they are gone. */
  async terminate(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    await Promise.all(this.ends);
  }

  #endOf(worker: Worker, slot: number): Promise<ThreadEnd> {
    return new Promise((resolve) => {
      let error: ThreadEnd = null;
      worker.on('error', (cause) => {
        error = threadError(cause);
      });
      worker.on('exit', () => {
        this.#gone.add(slot);
        resolve(error);
      });
    });
  }
}

function threadError(cause: unknown): WireError {
  const isOutOfMemory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (!isOutOfMemory) return toWire(cause);
  return toWire(
    new MillraceError('MEMORY_EXHAUSTED', 'A slot used up its JavaScript heap.', {
      cause,
      advice: 'Raise slot.memory, or keep less in variables of the job’s functions.',
    }),
  );
}
