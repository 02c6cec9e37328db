/**
 * Configuration from files and the environment as settings layers: `millrace.config.{ts,js,mjs,json,yaml,yml}`, then
 * `MILLRACE_*`. Callers: the commands. Runs on: the main thread of the command line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { importableUrl } from '../runtime/job-bundle.js';
import { SETTINGS, type SettingsLayer } from '../runtime/settings.js';

const NAMES = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map(
  (end) => `millrace.config.${end}`,
);

/** The layer of the configuration file: the named one, else the one in `directory`, else nothing. */
export async function fileLayer(
  path: string | null,
  directory: string,
): Promise<readonly SettingsLayer[]> {
  const found =
    path === null
      ? NAMES.map((name) => join(directory, name)).find((name) => existsSync(name))
      : resolve(directory, path);
  if (found === undefined) return [];
  if (!existsSync(found)) {
    throw new MillraceError('CONFIG_FILE_INVALID', 'The configuration file does not exist.', {
      where: { file: found },
    });
  }
  const values = flatten(await load(found), found, '');
  return [{ origin: `file ${found}`, values }];
}

/** The layer of the environment: `MILLRACE_SLOT_MEMORY` is `slot.memory`. */
export function environmentLayer(environment: NodeJS.ProcessEnv): SettingsLayer {
  const values: Record<string, string> = {};
  for (const key of Object.keys(SETTINGS)) {
    const value = environment[environmentName(key)];
    if (value !== undefined && value !== '') values[key] = value;
  }
  return { origin: 'environment', values };
}

/** The name of the environment variable of a setting. */
export function environmentName(key: string): string {
  return `MILLRACE_${key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

async function load(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(readFileSync(path, 'utf8'));
    if (/\.ya?ml$/.test(path)) {
      const { parse } = await import('yaml');
      return parse(readFileSync(path, 'utf8'));
    }
    const module: { readonly default?: unknown } = await import(
      await importableUrl(pathToFileURL(path).href)
    );
    return module.default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('CONFIG_FILE_INVALID', `The configuration file is wrong: ${reason}`, {
      cause,
      where: { file: path },
    });
  }
}

/** Nested objects become dotted keys, so that `slot: { memory: 1gb }` and `slot.memory: 1gb` are the same. */
function flatten(value: unknown, path: string, prefix: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MillraceError('CONFIG_FILE_INVALID', 'A configuration file holds keys and values.', {
      where: { file: path },
    });
  }
  const flat: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const isNested = typeof inner === 'object' && inner !== null;
    if (isNested) Object.assign(flat, flatten(inner, path, `${prefix}${key}.`));
    else flat[`${prefix}${key}`] = inner;
  }
  return flat;
}
