/**
 * What the commands that name a job have in common: the module is imported, settings are layered, parameters
 * parsed. Callers: run and explain commands. Runs on: the main thread.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { importableUrl } from '../runtime/job-bundle.js';
import { importJob, type RunnableJob } from '../runtime/job-import.js';
import { resolveSettings, type Settings, type SettingsLayer } from '../runtime/settings.js';
import { environmentLayer, fileLayer } from './config-file.js';

/** Options of the commands, as commander gives them. */
export interface JobCallOptions {
  readonly parallelism?: string;
  readonly D: readonly string[];
  readonly config?: string;
  readonly param: readonly string[];
  readonly job?: string;
  readonly json?: boolean;
}

/** A job with everything a run needs. */
export interface JobCall {
  readonly job: RunnableJob;
  readonly params: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  readonly layers: readonly SettingsLayer[];
}

/** Imports the job of `module` (a path) and resolves settings and parameters. */
export async function jobCall(module: string, options: JobCallOptions): Promise<JobCall> {
  const path = resolve(module);
  if (!existsSync(path)) {
    throw new MillraceError('FILE_NOT_FOUND', `There is no job module "${module}".`, {
      where: { file: path },
    });
  }
  const layers = await settingsLayers(options);
  const settings = resolveSettings(layers);
  const moduleUrl = await importableUrl(pathToFileURL(path).href);
  const job = await importJob(moduleUrl, options.job ?? null, { isSlot: true });
  return { job, params: Object.fromEntries(options.param.map(parseParam)), settings, layers };
}

async function settingsLayers(options: JobCallOptions): Promise<readonly SettingsLayer[]> {
  const flags: Record<string, unknown> = Object.fromEntries(
    options.D.map((text) => pair(text, '-D')),
  );
  if (options.parallelism !== undefined) flags['parallelism'] = options.parallelism;
  return [
    ...(await fileLayer(options.config ?? null, process.cwd())),
    environmentLayer(process.env),
    { origin: 'command line', values: flags },
  ];
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
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new MillraceError('OPTION_INVALID', `${flag} ${text} is not of the form key=value.`);
}
