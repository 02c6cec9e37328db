/**
 * Explains jobs without running them. Callers: users. Runs on: the caller's thread.
 */
import { type ExplainedJob, explainJob } from '../runtime/explain-job.js';
import type { JobDefinition } from './job.js';
import { type RunOptions, settingsOf } from './run-options.js';

export type { ExplainedJob };

/**
 * The plan that `run` would run with the same options: chains and where they run, what crosses each edge and why the
 * chain ends there, what sources read, what a restart promises. Neither sources nor sinks are touched.
 *
 * @example
 * console.log(explain(busiestOrigins, { parallelism: 4 }).text);
 *
 * @throws MillraceError when the job is wrong: GRAPH_INVALID, FIELD_UNKNOWN, PARALLELISM_INVALID, …
 */
export function explain<P>(job: JobDefinition<P>, options: RunOptions<P> = {}): ExplainedJob {
  return explainJob({
    job,
    params: options.params,
    settings: settingsOf(options),
    baseDirectory: options.baseDirectory ?? process.cwd(),
    signal: null,
  });
}
