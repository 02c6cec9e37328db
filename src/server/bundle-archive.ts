/**
 * Packages as they come in an archive: unpacked within bounds, and the module found that `package.json` names.
 * Callers: `bundle-store.ts`. Runs on: the server's thread, which it lets go now and then.
 */
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { type TarFile, tarFiles } from './tar-files.js';

/** What an archive may hold. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;
const FILES_MAX = 20_000;
/** Files that are written at once. */
const FILES_AT_ONCE = 200;
const MANIFEST = 'package.json';
/** Of `exports`, besides names that only others know. */
const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default']);

/** Whether a file is such an archive, by its name. */
export function isArchive(name: string): boolean {
  return /\.(?:tgz|tar\.gz)$/.test(name);
}

/** Unpacks into a directory that is there; the path of the package's module. Throws BUNDLE_INVALID. */
export async function unpackPackage(
  disk: Disk,
  content: Uint8Array,
  directory: string,
): Promise<string> {
  const files = [...filesIn(await unzipped(content))];
  const made = new Set([directory]);
  for (const [at, file] of files.entries()) {
    if (at % FILES_AT_ONCE === FILES_AT_ONCE - 1) await new Promise(setImmediate);
    write(disk, join(directory, file.path), file.content, made);
  }
  const names = new Set(files.map(({ path }) => path));
  const manifest = files
    .filter(({ path }) => path === MANIFEST || path.endsWith(`/${MANIFEST}`))
    .toSorted((a, b) => depthOf(a.path) - depthOf(b.path))[0];
  if (manifest === undefined) throw invalid(`There is no ${MANIFEST} in it.`);
  const root = manifest.path.slice(0, -MANIFEST.length);
  const named = moduleOf(manifest);
  const module = [named, `${named}.js`, `${named}/index.js`]
    .map((name) => join(root, name).replaceAll('\\', '/'))
    .find((path) => names.has(path));
  if (module !== undefined) return join(directory, module);
  throw invalid(`${MANIFEST} names ${JSON.stringify(named)}, which is not in it.`);
}

async function unzipped(content: Uint8Array): Promise<Buffer> {
  try {
    return await promisify(gunzip)(content, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw invalid(`It holds more than ${UNPACKED_BYTES_MAX / 1024 ** 2} MB.`);
    }
    throw new MillraceError('BUNDLE_INVALID', 'The archive is not compressed by gzip.', { cause });
  }
}

function* filesIn(archive: Buffer): Generator<TarFile> {
  const seen = new Set<string>();
  for (const file of tarFiles(archive)) {
    if (seen.has(file.path)) throw invalid(`It has ${JSON.stringify(file.path)} twice.`);
    seen.add(file.path);
    if (seen.size > FILES_MAX) throw invalid(`It has more than ${FILES_MAX} files.`);
    yield file;
  }
}

function write(disk: Disk, path: string, content: Uint8Array, made: Set<string>): void {
  const parent = dirname(path);
  try {
    if (!made.has(parent)) disk.makeDirectory(parent);
    made.add(parent);
    const file = disk.createNew(path);
    try {
      file.write(content);
    } finally {
      file.close();
    }
  } catch (cause) {
    // As where one file has the name of the directory of another.
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

/** The module of a package, without `./` before it. */
function moduleOf({ content }: TarFile): string {
  let manifest: { readonly exports?: unknown; readonly main?: unknown };
  try {
    manifest = Object(JSON.parse(content.toString()));
  } catch {
    throw invalid(`Its ${MANIFEST} is no JSON.`);
  }
  const { exports, main } = manifest;
  const own = Object(exports) as Readonly<Record<string, unknown>>;
  const exported = target(Object.hasOwn(own, '.') ? own['.'] : exports);
  const named = exported ?? (typeof main === 'string' && main !== '' ? main : 'index.js');
  return named.replace(/^\.\//, '');
}

/** What `exports` says of the package itself; null for nothing that is of use here. */
function target(exported: unknown): string | null {
  if (typeof exported === 'string') return exported;
  if (typeof exported !== 'object' || exported === null) return null;
  if (Array.isArray(exported)) return exported.map(target).find((one) => one !== null) ?? null;
  for (const [condition, value] of Object.entries(exported)) {
    const found = CONDITIONS.has(condition) ? target(value) : null;
    if (found !== null) return found;
  }
  return null;
}

function depthOf(path: string): number {
  return path.split('/').length;
}

function invalid(reason: string): MillraceError {
  return new MillraceError('BUNDLE_INVALID', `The package cannot be used. ${reason}`, {
    advice:
      'Upload what `npm pack` makes of a package that is built, with a job in its main module.',
  });
}
