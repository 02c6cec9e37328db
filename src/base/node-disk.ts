/**
 * The real disk: the only owner of `node:fs` in the data plane. Callers: runtime wires it into readers and
 * writers. Runs on: any thread; every call blocks its thread for the length of the system call.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Disk, FileHandle, FileInfo } from './disk.js';
import type { ErrorCode } from './error-codes.js';
import { MillraceError } from './errors.js';
import { freshSeed } from './random.js';

class NodeFile implements FileHandle {
  readonly #path: string;
  readonly #descriptor: number;
  #open = true;

  constructor(path: string, flags: string | number) {
    this.#path = path;
    this.#descriptor = fs.openSync(path, flags);
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    return attempt('FILE_UNREADABLE', this.#path, () =>
      fs.readSync(this.#descriptor, target, offset, length, position),
    );
  }

  write(bytes: Uint8Array): void {
    attempt('FILE_UNWRITABLE', this.#path, () => {
      let written = 0;
      while (written < bytes.byteLength) written += fs.writeSync(this.#descriptor, bytes, written);
    });
  }

  bytes(): number {
    return attempt('FILE_UNREADABLE', this.#path, () => fs.fstatSync(this.#descriptor).size);
  }

  sync(): void {
    attempt('FILE_UNWRITABLE', this.#path, () => fs.fsyncSync(this.#descriptor));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#descriptor);
  }
}

/** The file system of the machine. */
export const nodeDisk: Disk = {
  openRead: (path) => attempt('FILE_UNREADABLE', path, () => new NodeFile(path, 'r')),
  createNew: (path) => attempt('FILE_UNWRITABLE', path, () => new NodeFile(path, 'wx')),
  openAppend: (path) => attempt('FILE_UNWRITABLE', path, () => new NodeFile(path, 'a')),
  createScratch: (directory) => attempt('FILE_UNWRITABLE', directory, () => scratchIn(directory)),
  stat: (path) => {
    const info = attempt('FILE_UNREADABLE', path, () =>
      fs.statSync(path, { throwIfNoEntry: false }),
    );
    return info === undefined ? null : describe(path, info);
  },
  list: (path) =>
    attempt('FILE_UNREADABLE', path, () =>
      fs.existsSync(path) ? fs.readdirSync(path).toSorted() : [],
    ),
  makeDirectory: (path) => {
    attempt('FILE_UNWRITABLE', path, () => fs.mkdirSync(path, { recursive: true }));
  },
  rename: (from, to) => attempt('FILE_UNWRITABLE', to, () => fs.renameSync(from, to)),
  remove: (path) => attempt('FILE_UNWRITABLE', path, () => fs.rmSync(path, { force: true })),
  removeDirectory: (path) => attempt('FILE_UNWRITABLE', path, () => removeEmpty(path)),
  removeTree: (path) =>
    attempt('FILE_UNWRITABLE', path, () => fs.rmSync(path, { recursive: true, force: true })),
  // Windows syncs only what may be written.
  syncFile: (path) => attempt('FILE_UNWRITABLE', path, () => syncPath(path, 'r+')),
  syncDirectory: (path) => attempt('FILE_UNWRITABLE', path, () => syncDirectory(path)),
};

/** O_RDWR and O_TMPFILE of open(2): a file that never has a name, which a killed process cannot leave behind. */
const NAMELESS = fs.constants.O_RDWR | fs.constants.O_DIRECTORY | 0o20000000;

/** Node.js closes what a thread has open when it ends; the system does so for a process. */
function scratchIn(directory: string): NodeFile {
  fs.mkdirSync(directory, { recursive: true });
  if (process.platform === 'linux') {
    try {
      return new NodeFile(directory, NAMELESS);
    } catch {
      // Not all file systems have them. What else is wrong is wrong below, too.
    }
  }
  const path = join(directory, `millrace-${process.pid}-${freshSeed()}`);
  const file = new NodeFile(path, 'wx+');
  fs.unlinkSync(path);
  return file;
}

/** Every file below `path`, depth first, in sorted order. */
export function walkFiles(path: string): readonly string[] {
  const found: string[] = [];
  for (const name of nodeDisk.list(path)) {
    const child = join(path, name);
    if (nodeDisk.stat(child)?.isDirectory === true) found.push(...walkFiles(child));
    else found.push(child);
  }
  return found;
}

/** The system itself refuses when something is in it, so that nothing goes that has just come. */
function removeEmpty(path: string): boolean {
  try {
    fs.rmdirSync(path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw cause;
  }
}

/** Directories cannot be opened for syncing on Windows, where renames are durable by themselves. */
function syncDirectory(path: string): void {
  if (process.platform !== 'win32') syncPath(path, 'r');
}

function syncPath(path: string, flags: string): void {
  const descriptor = fs.openSync(path, flags);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function describe(path: string, info: fs.Stats): FileInfo {
  return { path, bytes: info.size, isDirectory: info.isDirectory(), modifiedMs: info.mtimeMs };
}

function attempt<T>(code: ErrorCode, path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError(missing ? 'FILE_NOT_FOUND' : code, reason, {
      cause,
      where: { file: path },
    });
  }
}
