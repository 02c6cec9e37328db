/**
 * Uploaded bundles: a directory for each, with the file as it came and the module that jobs run. What is in a bundle is
 * compiled here and never run here. Callers: the handlers. Runs on: the server's thread. Invariant: the id of a bundle
 * is one part of a path, made here, so that no request leads out of the directory.
 */
import { dirname, join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { freshId } from '../base/random.js';
import { DurableFiles } from '../checkpoint/durable-files.js';
import { servedBundle } from '../runtime/job-bundle.js';
import { isArchive, unpackPackage } from './bundle-archive.js';

/** Uploaded bundles that are kept at most. */
const BUNDLES_MAX = 1000;
const ENDINGS = /\.[cm]?[jt]s$/;
const ID = /^[0-9a-f]{32}_[A-Za-z0-9._-]{1,128}$/;
/** No upload has such a name, since names begin with a letter, a digit or an underscore. */
const MODULE = '-module.mjs';
const UNPACKED = '-package';

/** A bundle. */
export interface Bundle {
  readonly id: string;
  /** As it was uploaded. */
  readonly name: string;
  readonly uploadedMs: number;
  /** The file that jobs run. */
  readonly module: string;
}

/** The store. */
export class BundleStore {
  readonly #disk: Disk;
  readonly #files: DurableFiles;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#files = new DurableFiles(disk, 'always');
    this.#directory = directory;
    this.#files.makeDirectory(directory);
    for (const name of disk.list(directory)) {
      if (!ID.test(name)) disk.removeTree(join(directory, name));
    }
  }

  /** Takes a bundle; where it is. Throws BUNDLE_INVALID. */
  async add(fileName: string, content: Uint8Array): Promise<Bundle & { readonly path: string }> {
    const name = safeName(fileName);
    if (!ENDINGS.test(name) && !isArchive(name)) throw wrongEnding(fileName);
    if (this.list().length >= BUNDLES_MAX) throw tooMany();
    const id = `${freshId()}_${name}`;
    const path = join(this.#directory, id);
    // Complete before it has its name, so that half an upload is never run.
    const aside = `${path}.tmp`;
    this.#files.makeDirectory(aside);
    try {
      const file = join(aside, name);
      this.#files.write(file, content);
      const code = await this.#compiled(file, fileName, content);
      this.#files.write(join(aside, MODULE), Buffer.from(code));
      this.#disk.rename(aside, path);
      this.#files.syncDirectory(this.#directory);
    } catch (error) {
      this.#disk.removeTree(aside);
      throw error;
    }
    return { ...this.get(id), path };
  }

  /** Newest first. */
  list(): readonly Bundle[] {
    return this.#disk
      .list(this.#directory)
      .filter((name) => ID.test(name))
      .map((id) => this.get(id))
      .toSorted((a, b) => b.uploadedMs - a.uploadedMs);
  }

  /** Throws BUNDLE_UNKNOWN. */
  get(id: string): Bundle {
    const directory = join(this.#directory, id);
    const info = ID.test(id) ? this.#disk.stat(directory) : null;
    if (info === null) throw this.#unknown(id);
    const name = id.slice(id.indexOf('_') + 1);
    return { id, name, uploadedMs: info.modifiedMs, module: join(directory, MODULE) };
  }

  /** Throws BUNDLE_UNKNOWN. Jobs have copies of their own. */
  remove(id: string): void {
    this.get(id);
    this.#disk.removeTree(join(this.#directory, id));
  }

  /** What jobs run; what was unpacked for it goes. */
  async #compiled(file: string, fileName: string, content: Uint8Array): Promise<string> {
    if (!isArchive(file)) return compiled(file, fileName);
    const unpacked = join(dirname(file), UNPACKED);
    this.#disk.makeDirectory(unpacked);
    const module = await unpackPackage(this.#disk, content, unpacked);
    const code = await compiled(module, fileName);
    this.#disk.removeTree(unpacked);
    return code;
  }

  #unknown(id: string): MillraceError {
    const known = this.#disk.list(this.#directory);
    return new MillraceError('BUNDLE_UNKNOWN', `There is no bundle ${JSON.stringify(id)}.`, {
      advice: known.length === 0 ? 'Upload one first.' : didYouMean(id, known),
    });
  }
}

/** The last part of a path, of characters that mean nothing to any file system. */
function safeName(fileName: string): string {
  const last = fileName.split(/[\\/]/).at(-1) ?? '';
  const name = last.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '');
  return name.slice(-128);
}

async function compiled(file: string, fileName: string): Promise<string> {
  try {
    return await servedBundle(file);
  } catch (cause) {
    if (!MillraceError.is(cause)) throw cause;
    const { line } = cause.where;
    throw new MillraceError('BUNDLE_INVALID', cause.message, {
      cause,
      where: { file: fileName, ...(line === undefined ? {} : { line }) },
      advice: 'Upload one file that holds everything it imports, as `millrace run --server` does.',
    });
  }
}

function wrongEnding(fileName: string): MillraceError {
  return new MillraceError('BUNDLE_INVALID', `${JSON.stringify(fileName)} is no module.`, {
    advice: 'Upload a file that ends in .js, .mjs, .ts or .mts, or a package that ends in .tgz.',
  });
}

function tooMany(): MillraceError {
  return new MillraceError('BUNDLE_INVALID', `There are ${BUNDLES_MAX} bundles already.`, {
    advice: 'Delete some with DELETE /jars/:jarid; jobs that run from them go on.',
  });
}
