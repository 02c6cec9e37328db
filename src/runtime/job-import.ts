/**
 * How a slot gets hold of the job it must run: it imports the module that defines the job and takes the
 * definition at the moment `job()` is called, so that a script may define and run its job in one file. Callers:
 * `slot-thread.ts`, the command line; `api/job.ts` and `api/run.ts` look at the hook. Runs on: any thread.
 */
import { didYouMean } from '../base/nearest-name.js';
import { MillraceError } from '../base/errors.js';
import type { LogicalGraph } from '../graph/logical-graph.js';

/** What the runtime needs of a job definition; the api's definitions have this shape. */
export interface RunnableJob {
  readonly name: string;
  /** URL of the module that called `job()`, or null when it is not known. */
  readonly module: string | null;
  /** Whether `job()` was called while that module was being evaluated, so that importing it defines the job. */
  readonly isImportable: boolean;
  build(params: unknown): LogicalGraph;
}

/** The hook on `globalThis` by which definitions are taken. */
export interface JobHook {
  onJob(definition: RunnableJob): void;
  /** `run()` or `start()` was called on a definition while the module was imported. */
  onRun(definition: RunnableJob): void;
  /** Whether `run()` and `start()` must not run anything here. */
  readonly isSlot: boolean;
}

/** How long a module that has run another job may take to define the wanted one. */
const RUN_GRACE_MS = 3000;

const HOOK = Symbol.for('millrace.slot');

/** The hook of this thread, when something is importing a job here. */
export function jobHook(): JobHook | undefined {
  return (globalThis as { [HOOK]?: JobHook })[HOOK];
}

/**
 * Imports a module and gives the job of that name as soon as it is defined; `jobName` null takes the default
 * export, the job that the module runs itself, or the only one there is. Throws JOB_NOT_FOUND with the names that
 * were seen.
 */
export async function importJob(
  moduleUrl: string,
  jobName: string | null,
  options: { readonly isSlot: boolean },
): Promise<RunnableJob> {
  const seen: RunnableJob[] = [];
  let grace: ReturnType<typeof setTimeout> | null = null;
  const taken = new Promise<RunnableJob>((resolve, reject) => {
    const onJob = (definition: RunnableJob): void => {
      seen.push(definition);
      if (jobName !== null && definition.name === jobName) resolve(definition);
    };
    const onRun = (definition: RunnableJob): void => {
      if (jobName === null) return resolve(definition);
      // What stands behind the call may be about to define the wanted job, unless the module awaits the call.
      grace ??= setTimeout(() => reject(runsFirst(moduleUrl, jobName, definition)), RUN_GRACE_MS);
    };
    (globalThis as { [HOOK]?: JobHook })[HOOK] = { onJob, onRun, isSlot: options.isSlot };
  });
  // Stacks and the places of operators then name the user's TypeScript. Only here, where the whole thread is
  // for the job: a program that embeds the engine decides for itself.
  if (options.isSlot) process.setSourceMapsEnabled(true);
  const imported = import(moduleUrl).then((module: { readonly default?: unknown }) =>
    choose(moduleUrl, jobName, seen, module.default),
  );
  return Promise.race([taken, imported]).finally(() => {
    if (grace !== null) clearTimeout(grace);
  });
}

function runsFirst(moduleUrl: string, jobName: string, ran: RunnableJob): MillraceError {
  return new MillraceError(
    'JOB_NOT_FOUND',
    `The module runs job "${ran.name}" before it defines "${jobName}", and nothing runs in a slot.`,
    {
      where: { job: jobName, file: moduleUrl },
      advice: 'Define all jobs of a module before the first run() or start() in it.',
    },
  );
}

function choose(
  moduleUrl: string,
  jobName: string | null,
  seen: readonly RunnableJob[],
  exported: unknown,
): RunnableJob {
  const found =
    jobName === null
      ? (seen.find((job) => job === exported) ?? (seen.length === 1 ? seen[0] : undefined))
      : seen.find((job) => job.name === jobName);
  if (found !== undefined) return found;
  const names = seen.map((job) => job.name);
  const wanted = jobName === null ? 'no default export that is a job' : `no job "${jobName}"`;
  throw new MillraceError('JOB_NOT_FOUND', `The module defines ${wanted}.`, {
    where: { file: moduleUrl },
    advice:
      names.length === 0
        ? 'Export one: export default job("name", (flow) => { … }).'
        : didYouMean(jobName ?? 'default', names),
  });
}
