/**
 * Paths as people read them: those below the current directory without it. Callers: reports and views. Runs on: the
 * main thread; pure.
 */
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path (or `file:` URL) relative to `directory` when it lies below it, else as it is. */
export function shortPath(path: string, directory: string): string {
  const file = path.startsWith('file:') ? fileURLToPath(path) : path;
  const short = relative(directory, file);
  return short === '' || short.startsWith('..') ? file : short;
}

/** A text without the directory in front of the paths it names. */
export function withoutDirectory(text: string, directory: string): string {
  return text.replaceAll(directory.endsWith(sep) ? directory : directory + sep, '');
}
