/**
 * Which codes are of failures that may pass: the part of the table in `error-codes.ts` that threads need. Callers:
 * `errors.ts`. Runs on: any thread. Invariant: the compiler compares it with the table.
 */
import type { ErrorCode, RetryableCode } from './error-codes.js';

const RETRYABLE: Readonly<Record<RetryableCode, true>> = {
  ASYNC_TIMEOUT: true,
  CHECKPOINT_FAILED: true,
  FILE_UNREADABLE: true,
  FILE_UNWRITABLE: true,
  NOT_LEADER: true,
  PROCESS_DIED: true,
  SERVER_UNREACHABLE: true,
  SINK_FAILED: true,
  SLOTS_EXHAUSTED: true,
  SOURCE_FAILED: true,
};

/** Whether the same attempt may succeed later without a change of program or configuration. */
export function isRetryable(code: ErrorCode): boolean {
  return Object.hasOwn(RETRYABLE, code);
}
