/**
 * What is asked of a job in a child process beside its checkpoints, and waited for: how it would be planned at another
 * parallelism, to go on at it, what a restore would mean, and what its threads do. Callers: `job-process.ts`;
 * `isolated-process.ts` answers. Runs on: the thread of the parent. Invariant: every call is answered, at the latest
 * when the child has ended.
 */
import { fromWire, MillraceError, type WireError } from '../base/errors.js';
import type { PlanExplanation } from '../graph/explain.js';
import type { JobProfile, ThreadStack } from './job-profile.js';
import type { RescaleReport } from './rescaling.js';
import type { RestoreReport } from './restore-report.js';

/** What each call answers, by its name. */
export interface ProcessReplies {
  /** The job as it would run at a parallelism. */
  readonly plan: PlanExplanation;
  readonly rescale: RescaleReport;
  /** Of a job that need not run. */
  readonly restorePlan: RestoreReport;
  readonly profile: JobProfile;
  readonly stacks: readonly ThreadStack[];
}

/** A call: to plan, or to go on at, a parallelism; a profile of so many seconds; the stacks of now. */
export interface ProcessCall {
  readonly token: number;
  readonly name: keyof ProcessReplies;
  readonly value: number;
}

/** How a call ended. */
export type CallOutcome =
  | { readonly reply: ProcessReplies[keyof ProcessReplies] }
  | { readonly error: WireError };

interface Waiting {
  resolve(reply: never): void;
  reject(error: unknown): void;
}

/** The calls to one child. */
export class ProcessCalls {
  readonly #send: (call: ProcessCall) => void;
  readonly #waiting = new Map<number, Waiting>();
  #nextToken = 1;
  #hasEnded = false;

  constructor(send: (call: ProcessCall) => void) {
    this.#send = send;
  }

  /** Rejects with what the child answers, and with JOB_NOT_RUNNING when it is gone. */
  ask<N extends keyof ProcessReplies>(name: N, value: number): Promise<ProcessReplies[N]> {
    if (this.#hasEnded) return Promise.reject(gone());
    const token = this.#nextToken++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(token, { resolve, reject });
      this.#send({ token, name, value });
    });
  }

  answer(token: number, outcome: CallOutcome): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if ('reply' in outcome) waiting?.resolve(outcome.reply as never);
    else waiting?.reject(fromWire(outcome.error));
  }

  /** The child has ended. */
  end(): void {
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function gone(): MillraceError {
  return new MillraceError('JOB_NOT_RUNNING', 'The process of the job has ended.');
}
