/**
 * What the commands that name a job have in common: the module is imported, settings are layered, parameters
 * parsed. Callers: run and explain commands. Runs on: the main thread.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { importableUrl } from '../runtime/importable-url.js';
import { importJob, type RunnableJob } from '../runtime/job-import.js';
import { resolveSettings, type Settings, type SettingsLayer } from '../runtime/settings.js';
import { layersOfJobs } from '../server/server-settings.js';
import { CONFIG_VARIABLE, environmentLayers } from './config-environment.js';
import { fileLayers } from './config-file.js';
import type { JobOptions, RunOptions } from './program.js';

/** A job with everything a run needs. */
export interface JobCall {
  readonly job: RunnableJob;
  readonly params: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
}

/** Imports the job of `module` (a path) and resolves settings and parameters. */
export async function jobCall(module: string, options: JobOptions): Promise<JobCall> {
  const path = resolve(module);
  checkModule(path, module);
  const layers = layersOfJobs(await settingsLayers(options, process.env, process.cwd()));
  const settings = resolveSettings(layers);
  const params = paramsOf(options);
  const moduleUrl = await importableUrl(pathToFileURL(path).href);
  const job = await importNamed(moduleUrl, module, options.job ?? null);
  return { job, params, settings };
}

/** Imports the job; errors say what a person at the command line can do. */
async function importNamed(
  moduleUrl: string,
  module: string,
  name: string | null,
): Promise<RunnableJob> {
  try {
    return await importJob(moduleUrl, name, { isSlot: true });
  } catch (error) {
    if (error instanceof SyntaxError && !/^(file:|\/)/.test(error.stack ?? '')) {
      const { checkSyntax } = await import('../runtime/job-bundle.js');
      await checkSyntax(moduleUrl);
    }
    if (!MillraceError.is(error) || error.code !== 'JOB_NOT_FOUND') throw error;
    const { code, message, where, advice } = error;
    const hasJobs = name === null && !(advice ?? '').startsWith('Export');
    throw new MillraceError(code, message, {
      // A TypeScript module was compiled to a file that nobody knows.
      where: { ...where, file: module },
      advice: `${advice ?? ''}${hasJobs ? ' Choose one with --job.' : ''}`,
    });
  }
}

/** The flags that are settings. */
const FLAGS: Readonly<Record<string, string>> = {
  parallelism: '--parallelism',
  'execution.stateRecovery.path': '--from',
  'execution.stateRecovery.ignoreUnclaimedState': '--allow-non-restored',
  'execution.stateRecovery.claimMode': '--claim-mode',
};

/** All layers below the defaults of the table, weakest first: file, environment, `-D`, flags of their own. */
export async function settingsLayers(
  options: Pick<
    RunOptions,
    'config' | 'D' | 'parallelism' | 'from' | 'allowNonRestored' | 'claimMode'
  >,
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<readonly SettingsLayer[]> {
  const named = environment[CONFIG_VARIABLE] ?? '';
  const file = options.config ?? (named === '' ? null : named);
  const { parallelism, from, allowNonRestored, claimMode } = options;
  const own: Readonly<Record<string, unknown>> = {
    parallelism,
    'execution.stateRecovery.path': from,
    'execution.stateRecovery.ignoreUnclaimedState': allowNonRestored,
    'execution.stateRecovery.claimMode': claimMode,
  };
  return [
    ...(await fileLayers(file, directory)),
    ...environmentLayers(environment),
    ...(options.D ?? []).map((text) => {
      const [key, value] = pair(text, '-D');
      return { origin: `-D ${text}`, values: { [key]: value } };
    }),
    ...Object.entries(own).flatMap(([key, value]) =>
      value === undefined ? [] : [{ origin: FLAGS[key] ?? key, values: { [key]: value } }],
    ),
  ];
}

/** Throws FILE_NOT_FOUND with the nearest name unless the path is a file. */
export function checkModule(path: string, module: string): void {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info?.isFile() === true) return;
  const what = info === undefined ? 'There is no job module' : 'A job module is a file, unlike';
  const near = info === undefined ? nearestName(basename(path), modulesIn(dirname(path))) : null;
  throw new MillraceError('FILE_NOT_FOUND', `${what} "${module}".`, {
    where: { file: path },
    ...(near === null ? {} : { advice: `Did you mean "${near}"?` }),
  });
}

function modulesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => /\.[cm]?[jt]sx?$/.test(name));
}

/** The parameters of the job. */
export function paramsOf({ param = [] }: JobOptions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(param.map(parseParam));
}

/** Parameters are JSON where they can be read as such, else text. */
function parseParam(text: string): readonly [string, unknown] {
  const [name, value] = pair(text, '--param');
  try {
    return [name, JSON.parse(value)];
  } catch {
    return [name, value];
  }
}

function pair(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)];
  throw new MillraceError('OPTION_INVALID', `${flag} ${text} is not of the form key=value.`);
}
