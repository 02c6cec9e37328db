/**
 * What a request to run a bundle asks for, checked and put over the server's own settings. Callers: the handlers. Runs
 * on: the server's thread; pure.
 */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../base/errors.js';
import type { JarRunRequest } from '../rest/cluster-schemas.js';
import { resolveSettings, type Settings, type SettingsLayer } from '../runtime/settings.js';
import type { Submission } from './job-record.js';

/** What holds for every job. */
export interface SubmissionDefaults {
  readonly layers: readonly SettingsLayer[];
  readonly baseDirectory: string;
}

const CLAIM_MODES = { CLAIM: 'claim', NO_CLAIM: 'noClaim', LEGACY: 'legacy' } as const;

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Throws OPTION_UNKNOWN and OPTION_INVALID. */
export function submissionOf(
  bundle: string,
  request: JarRunRequest,
  { layers, baseDirectory }: SubmissionDefaults,
  submittedMs: number,
): Submission {
  const { entryClass, programArgsList, params, baseDirectory: asked, flinkConfiguration } = request;
  const { savepointPath, allowNonRestoredState, parallelism } = request;
  const claimMode = request.claimMode ?? request.restoreMode;
  const own: Readonly<Record<string, unknown>> = {
    parallelism: parallelism ?? undefined,
    'execution.stateRecovery.path': isGiven(savepointPath) ? path(savepointPath) : undefined,
    'execution.stateRecovery.ignoreUnclaimedState': allowNonRestoredState ?? undefined,
    'execution.stateRecovery.claimMode': isGiven(claimMode) ? CLAIM_MODES[claimMode] : undefined,
  };
  if (asked !== undefined && !isAbsolute(asked)) {
    throw new MillraceError('OPTION_INVALID', 'baseDirectory is not an absolute path.');
  }
  const settings = resolveSettings([
    ...layers,
    { origin: 'flinkConfiguration', values: flinkConfiguration ?? {} },
    { origin: 'request', values: own },
  ]);
  refuseLatest(settings);
  refuseReporters(settings);
  return {
    bundle,
    jobName: entryClass ?? null,
    params: { ...parsedArguments(programArgsList ?? []), ...params },
    settings,
    baseDirectory: asked ?? baseDirectory,
    submittedMs,
  };
}

/**
 * That of a job once more: what the request leaves out is as it was, but for what the job had gone on from. Throws
 * OPTION_UNKNOWN and OPTION_INVALID.
 */
export function submissionAgain(
  earlier: Submission,
  request: JarRunRequest,
  submittedMs: number,
): Submission {
  const { bundle, jobName, params, settings, baseDirectory } = earlier;
  const kept = Object.entries(settings).filter(
    ([key, value]) =>
      value !== null && key !== 'metrics.reporters' && !key.startsWith('execution.stateRecovery.'),
  );
  const layers = [{ origin: 'job', values: Object.fromEntries(kept) }];
  const again = submissionOf(bundle, request, { layers, baseDirectory }, submittedMs);
  return {
    ...again,
    jobName: again.jobName ?? jobName,
    params: { ...params, ...again.params },
  };
}

/** A path of the request, which Flink's clients write as a URL. */
export function path(text: string): string {
  if (!text.startsWith('file:')) return text;
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw new MillraceError('OPTION_INVALID', `${JSON.stringify(text)} is no file.`, { cause });
  }
}

/** Which job would be the latest of a name is not plain where several may have it. */
function refuseLatest(settings: Settings): void {
  if (settings['execution.stateRecovery.path'] !== 'latest') return;
  throw new MillraceError('OPTION_INVALID', 'A server does not look for the latest checkpoint.', {
    advice: 'Name the checkpoint or savepoint by its path; GET /jobs/:jobid/checkpoints tells it.',
  });
}

/** They would be started once more by every process of the job. */
function refuseReporters(settings: Settings): void {
  const [name] = Object.keys(settings['metrics.reporters']);
  if (name === undefined) return;
  throw new MillraceError(
    'OPTION_INVALID',
    `The job has a metric reporter of its own, "${name}".`,
    {
      advice: 'Give it to the server, whose reporters report all of its jobs.',
    },
  );
}

/** `--name value` and `name=value`, JSON where it can be read as such. Throws OPTION_INVALID. */
export function parsedArguments(words: readonly string[]): Readonly<Record<string, unknown>> {
  const params: Record<string, unknown> = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, name, value] = /^(?:--?)?([A-Za-z_][\w.-]*)=([\s\S]*)$/.exec(word) ?? [];
    const flag = /^--?([A-Za-z_][\w.-]*)$/.exec(word)?.[1];
    if (name !== undefined) params[name] = jsonOr(value ?? '');
    else if (flag !== undefined && at + 1 < words.length) params[flag] = jsonOr(words[++at] ?? '');
    else throw noParameter(word);
  }
  return params;
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function noParameter(word: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `The argument ${JSON.stringify(word)} is no parameter.`,
    {
      advice: 'Write --name value or name=value.',
    },
  );
}
