/**
 * Checkpoints and savepoints that the embedding program has asked for and waits for. Callers: `execution.ts`,
 * `job-process.ts`. Runs on: the caller's thread. Invariant: every request is answered, at the latest when its attempt
 * ends; between two attempts at once.
 */
import { fromWire, MillraceError } from '../base/errors.js';
import type { CheckpointOutcome, CheckpointRequest } from '../checkpoint/checkpoint-protocol.js';
import type { CheckpointKind, CheckpointReport, StopMode } from '../checkpoint/contract.js';
import type { Settings } from './settings.js';

interface Waiting {
  resolve(report: CheckpointReport): void;
  reject(error: unknown): void;
}

/** How a savepoint is taken. */
export interface SavepointOptions {
  /** Where its directory is made; `execution.checkpointing.savepointDir` when left out. */
  readonly directory?: string;
  /** Ends the job with it. With `drain`, operators also emit what they hold back, so that nothing is left to go on. */
  readonly stop?: 'suspend' | 'drain';
}

/** The requests of one job. */
export class CheckpointRequests {
  readonly #takesCheckpoints: boolean;
  readonly #send: (request: CheckpointRequest) => boolean;
  readonly #waiting = new Map<number, Waiting>();
  #nextToken = 1;
  #hasEnded = false;

  /** `send` is false while no attempt runs that could answer. */
  constructor(settings: Settings, send: (request: CheckpointRequest) => boolean) {
    this.#takesCheckpoints = settings['execution.checkpointing.interval'] !== null;
    this.#send = send;
  }

  checkpoint(): Promise<CheckpointReport> {
    return this.#ask('checkpoint', 'none', null);
  }

  savepoint({
    directory = null,
    stop = 'none',
  }: Partial<SavepointTarget>): Promise<CheckpointReport> {
    return this.#ask('savepoint', stop, directory);
  }

  /** A checkpoint with which this attempt ends, and from which another one is to go on. */
  suspend(): Promise<CheckpointReport> {
    return this.#ask('checkpoint', 'suspend', null);
  }

  #ask(kind: CheckpointKind, stop: StopMode, target: string | null): Promise<CheckpointReport> {
    if (!this.#takesCheckpoints) return Promise.reject(takesNone(kind));
    if (this.#hasEnded) return Promise.reject(attemptEnded());
    const token = this.#nextToken++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(token, { resolve, reject });
      if (this.#send({ token, kind, stop, target })) return;
      this.#waiting.delete(token);
      reject(isRestarting(kind));
    });
  }

  answer(token: number, outcome: CheckpointOutcome): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if ('report' in outcome) waiting?.resolve(outcome.report);
    else waiting?.reject(fromWire(outcome.error));
  }

  /** The attempt has ended, and nobody answers any more. */
  endAttempt(): void {
    for (const { reject } of this.#waiting.values()) reject(attemptEnded());
    this.#waiting.clear();
  }

  /** The job has ended. */
  end(): void {
    this.#hasEnded = true;
    this.endAttempt();
  }
}

interface SavepointTarget {
  readonly directory: string | null;
  readonly stop: StopMode;
}

/** The error of what was asked of an attempt that has ended. */
export function attemptEnded(): MillraceError {
  return new MillraceError('CHECKPOINT_FAILED', 'The attempt of the job has ended meanwhile.');
}

/** As in Flink, a job takes none while not all of its tasks run. */
function isRestarting(kind: CheckpointKind): MillraceError {
  return new MillraceError('CHECKPOINT_FAILED', `No ${kind} was taken: the job is restarting.`, {
    advice: 'Ask again when it is RUNNING.',
  });
}

function takesNone(kind: CheckpointKind): MillraceError {
  return new MillraceError('CHECKPOINT_FAILED', `The job takes no checkpoints, so no ${kind}.`, {
    advice: 'Set execution.checkpointing.interval.',
  });
}
