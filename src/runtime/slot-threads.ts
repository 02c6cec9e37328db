/**
 * The worker threads of a run's slots. They are started before it is settled what they run, because starting takes
 * longer than planning; `deploy` then tells them. Callers: `start-run.ts`, `threaded-run.ts`. Runs on: the caller's
 * thread. Invariant: every thread is either deployed or terminated by whoever made it.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { collectsLate } from '../memory/late-collection.js';
import { resourceLimitsOf } from '../memory/resource-limits.js';
import type { SlotMemorySettings } from '../memory/slot-budget.js';
import { entryUrl } from './entry-url.js';
import type { SlotAheadData, SlotAheadDone, SlotThreadData } from './messages.js';
import type { SlotRequest } from './tap-listener.js';
import type { TapReport } from './tap-protocol.js';
import type { AheadTask } from './tables-ahead.js';

/** How a thread ended: with an error, or by itself. */
export type ThreadEnd = WireError | null;

/** A thread, and its end; `ended` never rejects. */
interface SlotThread {
  readonly worker: Worker;
  readonly ended: Promise<ThreadEnd>;
  isGone: boolean;
}

/** The threads of slots 0, 1, … */
export class SlotThreads {
  readonly #settings: SlotMemorySettings;
  readonly #threads: SlotThread[] = [];
  /** Threads that turned out to be too many, on their way out. */
  readonly #spare: SlotThread[] = [];

  constructor(slots: number, settings: SlotMemorySettings) {
    this.#settings = settings;
    this.resize(slots);
  }

  /** Starts the threads that are missing for so many slots, and ends those that are too many. */
  resize(slots: number): void {
    const spare = this.#threads.splice(slots);
    this.#spare.push(...spare);
    for (const { worker } of spare) void worker.terminate();
    const resourceLimits = resourceLimitsOf(this.#settings);
    for (let slot = this.#threads.length; slot < slots; slot++) {
      const name = `millrace-slot-${slot}`;
      const started = collectsLate(resourceLimits);
      const worker = new Worker(new URL(entryUrl('slot')), { name, resourceLimits });
      worker.once('online', started).once('exit', started);
      this.#threads.push(watched(worker));
    }
  }

  /** Tells a thread what it runs; its port to the coordinator closes when the thread ends. */
  deploy(data: Omit<SlotThreadData, 'port'>, port: MessagePort): void {
    const { slot } = data;
    const { worker, isGone } = this.#threads[slot];
    // A thread that could not even start takes no port with it.
    if (isGone) port.close();
    else worker.postMessage({ ...data, port } satisfies SlotThreadData, [port]);
  }

  /** Leaves a request for a thread that has been told what it runs, which looks for it when it is woken. */
  ask(slot: number, request: SlotRequest): void {
    this.#threads[slot].worker.postMessage(request);
  }

  /** Node's number of the thread of a slot. */
  threadIdOf(slot: number): number {
    return this.#threads[slot].worker.threadId;
  }

  /** Calls back with what threads see of their records. */
  onTapped(callback: (report: TapReport) => void): void {
    for (const { worker } of this.#threads) worker.on('message', callback);
  }

  /** Has threads load state for the run that they will be told of; settles when they have, or have ended. */
  async loadAhead(tasks: readonly AheadTask[]): Promise<void> {
    const loading = tasks.map((ahead, slot) => {
      const { worker, ended } = this.#threads[slot];
      const done = new Promise<SlotAheadDone>((resolve) => {
        worker.once('message', resolve);
      });
      worker.postMessage({ ahead } satisfies SlotAheadData);
      return Promise.race([done, ended]);
    });
    await Promise.all(loading);
  }

  /** How the thread of a slot ended; settles when it is gone, and never rejects. */
  endOf(slot: number): Promise<ThreadEnd> {
    return this.#threads[slot].ended;
  }

  /** Ends the thread of a slot at once. */
  terminateSlot(slot: number): void {
    void this.#threads[slot].worker.terminate();
  }

  /** Ends all threads at once; resolves when they are gone. */
  async terminate(): Promise<void> {
    const all = [...this.#threads, ...this.#spare];
    for (const { worker } of all) void worker.terminate();
    await Promise.all(all.map(({ ended }) => ended));
  }
}

function watched(worker: Worker): SlotThread {
  let error: ThreadEnd = null;
  worker.on('error', (cause) => {
    error = threadError(cause);
  });
  const ended = new Promise<ThreadEnd>((resolve) => {
    worker.on('exit', () => {
      thread.isGone = true;
      resolve(error);
    });
  });
  const thread: SlotThread = { worker, ended, isGone: false };
  return thread;
}

/** What nobody caught in a slot's thread comes from code that the job's functions, or its module, left running. */
function strayError(cause: unknown): MillraceError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new MillraceError(
    'USER_FUNCTION_FAILED',
    `Code that the job left running in a worker thread threw ${reason}.`,
    {
      cause,
      advice:
        'Functions of a job are synchronous: what they start and do not wait for, such as a ' +
        'promise, has nobody to report to. Do such work in a source or sink of your own.',
    },
  );
}

function threadError(cause: unknown): WireError {
  const isOutOfMemory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (!isOutOfMemory) return toWire(MillraceError.is(cause) ? cause : strayError(cause));
  return toWire(
    new MillraceError('MEMORY_EXHAUSTED', 'A slot used up its JavaScript heap.', {
      cause,
      advice: 'Raise slot.memory, or keep less in variables of the job’s functions.',
    }),
  );
}
