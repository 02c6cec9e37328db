/**
 * Turns what the user wrote (paths, directories, globs) into the files to read, in a stable order.
 * A directory stands for the files directly in it; names that begin with a dot or an underscore are
 * left out unless the pattern itself names them, as markers and half-written files are called so.
 * Callers: file sources. Runs on: the caller's thread, at plan time.
 */
import { join, resolve, sep } from 'node:path';
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { globExpression, globRoot, isGlob } from './glob-pattern.js';

/** A file to read. */
export interface InputFile {
  /** Absolute, with the separators of the platform. */
  readonly path: string;
  /** As it is shown: relative to the base directory when it lies below it, with forward slashes. */
  readonly name: string;
  readonly bytes: number;
}

/** Directories below a glob's root that are looked at before the pattern is called a mistake. */
const DIRECTORIES_MAX = 100_000;

/** The files of all patterns, each once, in order of the patterns and by path within one. */
export function resolveFiles(
  disk: Disk,
  baseDirectory: string,
  patterns: readonly string[],
): readonly InputFile[] {
  const found = new Map<string, InputFile>();
  for (const pattern of patterns) {
    for (const path of pathsOf(disk, baseDirectory, pattern)) {
      const bytes = disk.stat(path)?.bytes ?? 0;
      found.set(path, { path, name: shownName(baseDirectory, path), bytes });
    }
  }
  return [...found.values()];
}

function shownName(baseDirectory: string, path: string): string {
  const base = baseDirectory.endsWith(sep) ? baseDirectory : baseDirectory + sep;
  return slashes(path.startsWith(base) ? path.slice(base.length) : path);
}

function pathsOf(disk: Disk, baseDirectory: string, pattern: string): readonly string[] {
  const path = resolve(baseDirectory, pattern);
  // A file whose name has brackets in it is still a file.
  const info = disk.stat(path);
  if (info !== null && !info.isDirectory) return [path];
  const paths = info === null ? globbed(disk, baseDirectory, pattern) : filesIn(disk, path);
  if (paths.length > 0) return paths;
  throw new MillraceError(
    'FILE_NOT_FOUND',
    info === null
      ? `${JSON.stringify(pattern)} matches no file in ${baseDirectory}.`
      : `The directory ${JSON.stringify(pattern)} in ${baseDirectory} holds no file to read.`,
    { where: { file: path }, advice: whatIsThere(disk, path) },
  );
}

function filesIn(disk: Disk, directory: string): readonly string[] {
  return disk
    .list(directory)
    .filter((name) => !isHidden(name))
    .map((name) => join(directory, name))
    .filter((path) => disk.stat(path)?.isDirectory === false);
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_');
}

function globbed(disk: Disk, baseDirectory: string, pattern: string): readonly string[] {
  if (!isGlob(pattern)) return [];
  const written = slashes(pattern).replace(/^(?:\.\/)+/, '');
  const rootPart = globRoot(written);
  const root = resolve(baseDirectory, rootPart === '' ? '.' : rootPart);
  const expression = globExpression(written.slice(rootPart.length));
  const named = /(?:^|[/{,])[._]/.test(written.slice(rootPart.length));
  const deep = written.includes('**');
  // Without `**` nothing deeper than the pattern itself can match, unless a choice holds slashes.
  const depthMax = deep ? Number.POSITIVE_INFINITY : written.split('/').length;
  const matches: string[] = [];
  const pending: { path: string; below: string; depth: number }[] = [
    { path: root, below: '', depth: 1 },
  ];
  let looked = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (++looked > DIRECTORIES_MAX) throw tooWide(pattern, root);
    for (const name of disk.list(next.path)) {
      if (isHidden(name) && !named) continue;
      const path = join(next.path, name);
      const below = next.below + name;
      const isDirectory = disk.stat(path)?.isDirectory ?? true;
      if (!isDirectory && expression.test(below)) matches.push(path);
      if (isDirectory && next.depth < depthMax) {
        pending.push({ path, below: `${below}/`, depth: next.depth + 1 });
      }
    }
  }
  return matches.toSorted();
}

function tooWide(pattern: string, root: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `${JSON.stringify(pattern)} spans more than ${DIRECTORIES_MAX} directories below ${root}.`,
    { advice: 'Begin the pattern with more of the path.' },
  );
}

/** Names what the nearest existing directory holds, since a wrong name is the usual cause. */
function whatIsThere(disk: Disk, path: string): string {
  let directory = path;
  while (disk.stat(directory)?.isDirectory !== true) {
    const parent = resolve(directory, '..');
    if (parent === directory) return 'Check the path.';
    directory = parent;
  }
  const names = disk.list(directory);
  if (names.length === 0) return `The directory ${directory} is empty.`;
  const more = names.length > 12 ? `, … (${names.length} in all)` : '';
  return `In ${directory} there is: ${names.slice(0, 12).join(', ')}${more}.`;
}

function slashes(path: string): string {
  return sep === '\\' ? path.replaceAll('\\', '/') : path;
}
