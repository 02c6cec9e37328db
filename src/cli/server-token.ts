/**
 * The token of a server, from a file or the environment, so that no list of processes shows it. Callers: the server and
 * the commands that talk to one. Runs on: the main thread.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { TOKEN_VARIABLE } from './config-environment.js';

/** Null when there is none. Throws FILE_UNREADABLE, and OPTION_INVALID for an empty one. */
export function serverToken(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  if (file === undefined) return environment[TOKEN_VARIABLE] || null;
  const token = readText(file, 'The file of the token').trim();
  if (token !== '') return token;
  throw new MillraceError('OPTION_INVALID', 'The file of the token is empty.', {
    where: { file: resolve(file) },
  });
}

/** What a file holds that an option names. Throws FILE_UNREADABLE. */
export function readText(file: string, what: string): string {
  const path = resolve(file);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MillraceError('FILE_UNREADABLE', `${what} cannot be read.`, {
      cause,
      where: { file: path },
    });
  }
}
