/**
 * Looks into the state of checkpoints on a thread of its own, which is there only while somebody looks. Callers: the
 * server. Runs on: the server's thread, which never waits for a disk here. Invariants: one request after the other, and
 * no more wait than a bound; one that takes too long or too much ends the thread and nothing else.
 */
import { Worker } from 'node:worker_threads';
import { fromWire, MillraceError, type WireError } from '../base/errors.js';
import type { StateList, StatePage, StatePageQuery } from '../savepoint/state-pages.js';
import { entryUrl } from './entry-url.js';

/** What is asked of the thread; null lists what there is. */
export interface StateRequest {
  readonly path: string;
  readonly query: StatePageQuery | null;
}

/** What it answers. */
export type StateAnswer =
  | { readonly value: StateList | StatePage; readonly error: null }
  | { readonly value: null; readonly error: WireError };

const WAITING_MAX = 32;
/** For so long the thread stays when nobody asks. */
const IDLE_MS = 30_000;

/** The thread. */
export class StateReading {
  readonly #timeoutMs: number;
  readonly #heapMb: number;
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(timeoutMs = 60_000, heapMb = 512) {
    this.#timeoutMs = timeoutMs;
    this.#heapMb = heapMb;
  }

  /** The operators of a checkpoint and their states. Rejects with what is wrong with it. */
  list(path: string): Promise<StateList> {
    return this.#ask({ path, query: null }) as Promise<StateList>;
  }

  /** Entries of a state. Rejects with what is wrong with the checkpoint or the request, and STATE_UNREADABLE. */
  page(path: string, query: StatePageQuery): Promise<StatePage> {
    return this.#ask({ path, query }) as Promise<StatePage>;
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #ask(request: StateRequest): Promise<unknown> {
    if (this.#waiting >= WAITING_MAX) throw busy();
    this.#waiting++;
    clearTimeout(this.#idle);
    const turn = this.#last.then(() => this.#asked(request));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      if (--this.#waiting === 0) {
        this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
      }
    }
  }

  #asked(request: StateRequest): Promise<unknown> {
    const worker = this.#running();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => void worker.terminate(), this.#timeoutMs);
      const over = (): void => {
        clearTimeout(late);
        worker.off('error', fail).off('exit', fail).off('message', take).unref();
      };
      const fail = (cause: unknown): void => {
        over();
        reject(this.#unreadable(request.path, cause));
      };
      const take = ({ value, error }: StateAnswer): void => {
        over();
        if (error === null) resolve(value);
        else reject(fromWire(error));
      };
      worker.on('error', fail).on('exit', fail).on('message', take);
      worker.ref();
      worker.postMessage(request);
    });
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL(entryUrl('state-reader')), {
      name: 'millrace-state',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb },
    });
    this.#worker = worker;
    // Whoever waits for an answer is told.
    worker.on('error', () => {});
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }

  #unreadable(path: string, cause: unknown): MillraceError {
    const bounds = `${this.#heapMb} MB and ${this.#timeoutMs / 1000} s`;
    return new MillraceError('STATE_UNREADABLE', `The state was not read within ${bounds}.`, {
      where: { file: path },
      advice: `Look with \`millrace state\` on the machine of the server.`,
      ...(cause instanceof Error ? { cause } : {}),
    });
  }
}

function busy(): MillraceError {
  return new MillraceError('SERVER_UNREACHABLE', 'Too many look into state at once.', {
    advice: 'Ask again later.',
  });
}
