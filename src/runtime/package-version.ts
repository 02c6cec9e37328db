/**
 * The version of the package. Callers: the command line, servers in programs. Runs on: the caller's thread.
 */
import { readFileSync } from 'node:fs';
import { entryUrl } from './entry-url.js';

/** As `package.json` has it. */
export function packageVersion(): string {
  const path = new URL('../package.json', entryUrl('index'));
  return JSON.parse(readFileSync(path, 'utf8')).version;
}
