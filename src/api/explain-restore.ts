/**
 * What a restore would mean, before it is done. Callers: users, through `millrace/state`. Runs on: the caller's thread.
 */
import { type RestoreReport, reportRestore } from '../runtime/restore-report.js';
import type { JobDefinition } from './job.js';
import { type RunOptions, settingsOf } from './run-options.js';

/**
 * What `run` with the same options would go on with: of the checkpoint that `execution.stateRecovery.path` names, which
 * operators go on, which begin, whose state would be lost, what cannot be read, and why the job would not start.
 * Nothing is run, written or committed.
 *
 * @example
 * const { operators, refusals } = explainRestore(sums, {
 *   settings: { 'execution.stateRecovery.path': 'savepoints/savepoint-3f2a91-0b1c2d3e4f5a' },
 * });
 *
 * @throws MillraceError CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT when the metadata is damaged, OPTION_INVALID when no
 * checkpoint is named, and what is wrong with the job.
 */
export function explainRestore<P>(
  job: JobDefinition<P>,
  options: RunOptions<P> = {},
): RestoreReport {
  return reportRestore({
    job,
    params: options.params,
    settings: settingsOf(options),
    baseDirectory: options.baseDirectory ?? process.cwd(),
    signal: null,
  });
}
