/**
 * What a job is run with, from the fields of the form. Callers: the page for submitting. Runs on: the page's thread;
 * pure.
 */
import { MillraceError } from '../base/errors.js';
import type { JarRunRequest } from '../rest/cluster-schemas.js';

/** The fields, as they were filled in. */
export interface ProgramForm {
  readonly job: string;
  readonly parallelism: string;
  readonly params: string;
  readonly settings: string;
  readonly savepointPath: string;
  readonly claimMode: 'NO_CLAIM' | 'CLAIM';
  readonly allowNonRestored: boolean;
  readonly baseDirectory: string;
}

/** A field that is filled in with text. */
export type TextField = Exclude<keyof ProgramForm, 'claimMode' | 'allowNonRestored'>;

export const NO_PROGRAM: ProgramForm = {
  job: '',
  parallelism: '',
  params: '',
  settings: '',
  savepointPath: '',
  claimMode: 'NO_CLAIM',
  allowNonRestored: false,
  baseDirectory: '',
};

/** The request; fields that are empty are left out. Throws REQUEST_INVALID. */
export function programOf(form: ProgramForm): JarRunRequest {
  const filled = (name: TextField): string | null => form[name].trim() || null;
  const [job, parallelism, savepointPath, baseDirectory] = [
    filled('job'),
    filled('parallelism'),
    filled('savepointPath'),
    filled('baseDirectory'),
  ];
  return {
    ...(job === null ? {} : { entryClass: job }),
    ...(parallelism === null ? {} : { parallelism: subtasksIn(parallelism) }),
    ...(savepointPath === null ? {} : { savepointPath, ...restoreOf(form) }),
    ...(baseDirectory === null ? {} : { baseDirectory }),
    ...(filled('params') === null ? {} : { params: paramsOf(form.params) }),
    ...(filled('settings') === null ? {} : { flinkConfiguration: settingsOf(form.settings) }),
  };
}

function restoreOf({ claimMode, allowNonRestored }: ProgramForm): JarRunRequest {
  return {
    ...(claimMode === 'NO_CLAIM' ? {} : { claimMode }),
    ...(allowNonRestored ? { allowNonRestoredState: true } : {}),
  };
}

/** Whether it goes on from something, of which a plan is shown first. */
export function isRestore({ savepointPath }: ProgramForm): boolean {
  return savepointPath.trim() !== '';
}

/** The call that the form makes, for people. */
export function runCall(jarid: string, form: ProgramForm): string {
  try {
    return `POST /jars/${jarid}/run\n${JSON.stringify(programOf(form))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The command that does the same with the module at hand. */
export function runCommandLine(module: string, server: string, form: ProgramForm): string | null {
  let request: JarRunRequest;
  try {
    request = programOf(form);
  } catch {
    return null;
  }
  const { entryClass, parallelism, params, flinkConfiguration, savepointPath } = request;
  const words = [
    module,
    ...['--server', server],
    ...option('--job', entryClass),
    ...option('-p', parallelism),
    ...Object.entries(params ?? {}).flatMap(([name, value]) =>
      option('--param', `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`),
    ),
    ...Object.entries(flinkConfiguration ?? {}).flatMap(([key, value]) =>
      option('-D', `${key}=${value}`),
    ),
    ...option('--from', savepointPath),
    ...(request.claimMode === 'CLAIM' ? ['--claim-mode', 'claim'] : []),
    ...(request.allowNonRestoredState === true ? ['--allow-non-restored'] : []),
  ];
  const command = `millrace run ${words.map(quoted).join(' ')}`;
  const { baseDirectory } = request;
  return isText(baseDirectory) ? `cd ${quoted(baseDirectory)} && ${command}` : command;
}

function option(flag: string, value: string | number | null | undefined): readonly string[] {
  return value === null || value === undefined ? [] : [flag, String(value)];
}

function isText(value: string | null | undefined): value is string {
  return value !== null && value !== undefined;
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function subtasksIn(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new MillraceError('REQUEST_INVALID', `The parallelism ${text} is no whole number.`);
}

function paramsOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('REQUEST_INVALID', 'The parameters are no JSON.', {
      cause,
      advice: 'Write an object, such as {"days": 7}.',
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new MillraceError('REQUEST_INVALID', 'The parameters are no JSON object.', {
    advice: 'Write an object, such as {"days": 7}.',
  });
}

function settingsOf(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const pairs = lines.map((line) => {
    const at = line.indexOf('=');
    if (at > 0) return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
    throw new MillraceError('REQUEST_INVALID', `${JSON.stringify(line)} is no setting.`, {
      advice: 'Write one a line, as slot.memory=1gb.',
    });
  });
  return Object.fromEntries(pairs);
}
