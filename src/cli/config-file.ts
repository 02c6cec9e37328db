/**
 * Configuration from a file: `millrace.config.{ts,mts,js,mjs,json,yaml,yml}` in the current directory, or the one that
 * is named. Callers: `job-call.ts`. Runs on: the main thread. Invariant: every value keeps the place it was given at,
 * as far as the format tells.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { importableUrl } from '../runtime/importable-url.js';
import type { SettingsLayer } from '../runtime/settings.js';
import { jsonKeyLines } from './json-key-lines.js';

const ENDINGS = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'];
/** Names that are looked for. */
export const CONFIG_NAMES: readonly string[] = ENDINGS.map((ending) => `millrace.config.${ending}`);

/** What a file holds: its values nested as written, and the lines of its dotted keys where they are known. */
interface ConfigFile {
  readonly values: unknown;
  readonly lines: ReadonlyMap<string, number>;
}

/** The layers of the file, one for each key: of `path` when it is not null, else of the file in `directory`. */
export async function fileLayers(
  path: string | null,
  directory: string,
): Promise<readonly SettingsLayer[]> {
  const file = path === null ? findFile(directory) : resolve(directory, path);
  if (file === null) return [];
  if (!existsSync(file)) {
    throw new MillraceError('CONFIG_FILE_INVALID', `There is no configuration file "${path}".`, {
      where: { file },
    });
  }
  const { values, lines } = await load(file);
  const name = relative(directory, file);
  const shown = name.startsWith('..') ? file : name;
  return flatten(values, file, '').map(([key, value]) => {
    const line = lines.get(key);
    return { origin: line === undefined ? shown : `${shown}:${line}`, values: { [key]: value } };
  });
}

/** Of two files nobody could tell which one holds, so only one is accepted. */
function findFile(directory: string): string | null {
  const found = CONFIG_NAMES.filter((name) => existsSync(join(directory, name)));
  if (found.length > 1) {
    throw new MillraceError(
      'CONFIG_FILE_INVALID',
      `There are several configuration files: ${found.join(', ')}.`,
      { where: { file: directory }, advice: 'Keep one of them, or choose one with --config.' },
    );
  }
  return found.length === 0 ? null : join(directory, found[0]);
}

function load(file: string): Promise<ConfigFile> | ConfigFile {
  if (file.endsWith('.json')) return loadJson(file);
  if (/\.ya?ml$/.test(file)) return loadYaml(file);
  return loadModule(file);
}

function loadJson(file: string): ConfigFile {
  const text = readFileSync(file, 'utf8');
  try {
    return { values: JSON.parse(text), lines: jsonKeyLines(text) };
  } catch (error) {
    const position = /position (\d+)/.exec(messageOf(error))?.[1];
    const line = position === undefined ? null : text.slice(0, Number(position)).split('\n').length;
    throw wrongFile(file, messageOf(error), { line });
  }
}

async function loadYaml(file: string): Promise<ConfigFile> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const counter = new LineCounter();
  const text = readFileSync(file, 'utf8');
  const document = parseDocument(text, { lineCounter: counter });
  const [error] = document.errors;
  if (error !== undefined) {
    // What is missing at the end of a file is missed behind its last line.
    const line = Math.min(error.linePos?.[0].line ?? 1, text.trimEnd().split('\n').length);
    throw wrongFile(file, error.message, { line });
  }
  const lines = new Map<string, number>();
  const visit = (node: unknown, prefix: string): void => {
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const name = `${prefix}${String(key.value)}`;
      if (key.range) lines.set(name, counter.linePos(key.range[0]).line);
      visit(value, `${name}.`);
    }
  };
  visit(document.contents, '');
  return { values: document.toJS() ?? {}, lines };
}

async function loadModule(file: string): Promise<ConfigFile> {
  try {
    const url = await importableUrl(pathToFileURL(file).href);
    // What the file throws is then shown at its own line, also when it is TypeScript.
    process.setSourceMapsEnabled(true);
    const module: { readonly default?: unknown } = await import(url);
    if (module.default !== undefined) return { values: module.default, lines: new Map() };
  } catch (error) {
    const isBundle = MillraceError.is(error) && error.code === 'JOB_NOT_IMPORTABLE';
    throw wrongFile(file, messageOf(error), { cause: isBundle ? error.cause : error });
  }
  throw new MillraceError('CONFIG_FILE_INVALID', 'The configuration file exports no settings.', {
    where: { file },
    advice: "Write export default { slot: { memory: '1gb' } }.",
  });
}

/** The error of a file that cannot be read as configuration; `message` is that of its parser. */
function wrongFile(
  file: string,
  message: string,
  details: { readonly line?: number | null; readonly cause?: unknown },
): MillraceError {
  const { line = null, cause } = details;
  const reason = (message.split('\n')[0] ?? '')
    // The compiler takes the file for a job, and the parser of YAML names the place, which is shown apart.
    .replace('The job does not compile: ', '')
    .replace(/ at line \d+, column \d+:$/, '');
  return new MillraceError('CONFIG_FILE_INVALID', `The configuration file is wrong: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    where: line === null ? { file } : { file, line },
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Nested objects become dotted keys, so that `slot: { memory: 1gb }` and `slot.memory: 1gb` are the same. */
function flatten(value: unknown, file: string, prefix: string): readonly [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MillraceError('CONFIG_FILE_INVALID', 'A configuration file holds keys and values.', {
      where: { file },
      advice: "Write, for example, slot.memory: '1gb'.",
    });
  }
  const flat: [string, unknown][] = [];
  const seen = new Set<string>();
  for (const [name, inner] of Object.entries(value)) {
    const key = `${prefix}${name}`;
    const isNested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    for (const entry of isNested ? flatten(inner, file, `${key}.`) : [[key, inner] as const]) {
      if (seen.has(entry[0])) throw givenTwice(entry[0], file);
      seen.add(entry[0]);
      // A key without a value, which YAML has as null, is as good as none.
      if (entry[1] !== null) flat.push([entry[0], entry[1]]);
    }
  }
  return flat;
}

function givenTwice(key: string, file: string): MillraceError {
  return new MillraceError('CONFIG_FILE_INVALID', `${key} is given twice.`, {
    where: { file },
    advice: 'Keep the nested or the dotted form.',
  });
}
