/**
 * The exit codes of the command line, as `--help` documents them. Callers: every command. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';

/** Everything went as asked. */
export const EXIT_OK = 0;
/** The job failed while it ran, `doctor` found a problem, `state get` found nothing, or `state diff` a difference. */
export const EXIT_FAILED = 1;
/** The call, the configuration or the job is wrong; nothing has run. */
export const EXIT_USAGE = 2;
/** Interrupted by SIGINT or SIGTERM: 128 + SIGINT, as shells count it. */
export const EXIT_INTERRUPTED = 130;
/** The reader of the output went away, as `head` does: 128 + SIGPIPE. */
export const EXIT_BROKEN_PIPE = 141;

/** What a server could not do, though the call was right. */
const UNDONE: ReadonlySet<string> = new Set([
  'CHECKPOINT_FAILED',
  'CHECKPOINT_IN_USE',
  'JOB_NOT_RUNNING',
  'SERVER_UNREACHABLE',
  'SLOTS_EXHAUSTED',
]);

/** The exit code of an error that a server or the way to it gave. */
export function exitCodeOfRequest(error: unknown): number {
  return MillraceError.is(error) && UNDONE.has(error.code) ? EXIT_FAILED : exitCodeOfCall(error);
}

/** The exit code of an error that was thrown before a job ran: only a defect of the engine is no misuse. */
export function exitCodeOfCall(error: unknown): number {
  return MillraceError.is(error) && error.code === 'ASSERTION' ? EXIT_FAILED : EXIT_USAGE;
}
