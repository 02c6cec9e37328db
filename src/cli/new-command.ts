/**
 * `millrace new`: makes a project with a job, its test and what else it needs. Callers: `main.ts`. Runs on: the main
 * thread. Invariant: nothing that is there already is changed.
 */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { CommandContext } from './command-context.js';
import { EXIT_OK } from './exit-codes.js';
import { projectFiles, TEMPLATES, type Template } from './new-templates.js';
import type { NewOptions } from './program.js';

/** Makes the project; the exit code. Throws OPTION_INVALID, OUTPUT_EXISTS, FILE_UNWRITABLE. */
export function newCommand(
  given: string,
  { template = 'batch' }: NewOptions,
  version: string,
  { json, stdout }: CommandContext,
): number {
  const chosen = templateOf(template);
  const directory = resolve(given);
  checkEmpty(directory, given);
  const files = projectFiles(chosen, packageName(basename(directory)), version);
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { flag: 'wx' });
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('FILE_UNWRITABLE', `The project cannot be written: ${reason}`, {
      cause,
      where: { file: directory },
    });
  }
  const names = Object.keys(files);
  if (json !== null) json.line('project', { directory, template: chosen, files: names });
  else {
    const place = relative(process.cwd(), directory);
    const there = place === '' ? [] : [`  cd ${place}`];
    const next = [...there, '  npm install', '  npm start', '  npm test'];
    stdout.write(`${given} has ${names.join(', ')}. Now:\n${next.join('\n')}\n`);
  }
  return EXIT_OK;
}

function templateOf(given: string): Template {
  const names = Object.keys(TEMPLATES) as Template[];
  const found = names.find((name) => name === given);
  if (found !== undefined) return found;
  throw new MillraceError('OPTION_INVALID', `There is no template ${JSON.stringify(given)}.`, {
    advice: didYouMean(given, names),
  });
}

/** What a repository or an editor begins with does not count. */
function checkEmpty(directory: string, given: string): void {
  if (!existsSync(directory)) return;
  const isFile = !statSync(directory).isDirectory();
  if (!isFile && readdirSync(directory).every((name) => /^\.(?:git|idea|vscode)$/.test(name)))
    return;
  throw new MillraceError('OUTPUT_EXISTS', `${given} is ${isFile ? 'a file' : 'not empty'}.`, {
    where: { file: directory },
    advice: 'Name a directory that is not there, or an empty one.',
  });
}

/** A name that npm takes. */
function packageName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'jobs' : plain;
}
