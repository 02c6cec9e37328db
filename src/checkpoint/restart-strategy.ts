/**
 * Whether and when a failed job is started again: Flink's strategies as arithmetic, without clock or randomness of
 * their own. Callers: runtime, once for each failure. Runs on: the caller's thread. Invariant: a failure that would
 * come again whatever happens, such as state that does not fit the job, starts nothing again.
 */
import type { ErrorCode } from '../base/error-codes.js';
import type { WireError } from '../base/errors.js';
import type { Random } from '../base/random.js';

/** Which strategy, and its numbers. */
export type RestartPolicy =
  | { readonly type: 'none' }
  | { readonly type: 'fixedDelay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly type: 'failureRate';
      /** More failures than this within the interval end the job. */
      readonly maxFailuresPerInterval: number;
      readonly failureRateIntervalMs: number;
      readonly delayMs: number;
    }
  | {
      readonly type: 'exponentialDelay';
      readonly initialBackoffMs: number;
      readonly maxBackoffMs: number;
      readonly backoffMultiplier: number;
      /** The delay begins anew when the job has run for so long without a failure. */
      readonly resetBackoffThresholdMs: number;
      /** Share of the delay by which it is longer or shorter at random. */
      readonly jitterFactor: number;
    };

/** Codes of failures that another attempt would meet again. */
const NOT_RESTARTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CHECKPOINT_FENCED',
  'CHECKPOINT_VERSION_UNSUPPORTED',
  'FEATURE_UNSUPPORTED',
  'FIELD_UNKNOWN',
  'JOB_MISMATCH',
  'JOB_NOT_FOUND',
  'JOB_NOT_IMPORTABLE',
  'MEMORY_BUDGET_TOO_SMALL',
  'OPTION_INVALID',
  'OPTION_UNKNOWN',
  'OUTPUT_EXISTS',
  'PARALLELISM_INVALID',
  'SCHEMA_CONFLICT',
  'STATE_INCOMPATIBLE',
  'STATE_NOT_RESTORED',
  'TYPE_MISMATCH',
]);

/** Decides over the failures of one job. */
export class RestartStrategy {
  readonly #policy: RestartPolicy;
  readonly #random: Random;
  #failures = 0;
  /** When the last failures were, oldest first. */
  #recent: readonly number[] = [];
  #backoffMs = 0;

  constructor(policy: RestartPolicy, random: Random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** After how many ms the job is to be started again; null for not at all. `nowMs` is of a monotonic clock. */
  failed(error: WireError, nowMs: number): number | null {
    if (isFinal(error)) return null;
    const policy = this.#policy;
    this.#failures++;
    const before = this.#recent.at(-1) ?? Number.NEGATIVE_INFINITY;
    switch (policy.type) {
      case 'none':
        return null;
      case 'fixedDelay':
        return this.#failures > policy.attempts ? null : policy.delayMs;
      case 'failureRate': {
        const since = nowMs - policy.failureRateIntervalMs;
        this.#recent = [...this.#recent.filter((atMs) => atMs > since), nowMs];
        return this.#recent.length > policy.maxFailuresPerInterval ? null : policy.delayMs;
      }
      case 'exponentialDelay': {
        const { initialBackoffMs, maxBackoffMs, backoffMultiplier } = policy;
        // The wait before the last attempt was no time in which the job ran.
        const ranMs = nowMs - before - this.#backoffMs;
        const begins = this.#backoffMs === 0 || ranMs >= policy.resetBackoffThresholdMs;
        const next = begins ? initialBackoffMs : this.#backoffMs * backoffMultiplier;
        this.#backoffMs = Math.min(next, maxBackoffMs);
        this.#recent = [nowMs];
        const jitter = 1 + policy.jitterFactor * (2 * this.#random.next() - 1);
        return Math.min(maxBackoffMs, Math.max(initialBackoffMs, this.#backoffMs * jitter));
      }
    }
  }
}

/** Also when something else only carries the cause. */
function isFinal(error: WireError): boolean {
  for (let at: WireError | null | undefined = error; at != null; at = at.cause) {
    if (at.code !== null && NOT_RESTARTED.has(at.code as ErrorCode)) return true;
  }
  return false;
}
