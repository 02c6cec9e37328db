/**
 * A disk in memory that knows what is durable. Bytes are durable once their file was synced, names once their directory
 * was; a loss of power keeps what was durable and, of the rest, all, nothing, or a seeded part, with sectors torn out of
 * files. Faults happen at operations by their number, so that a test can go through all of them. Like the disks it stands
 * for, it forgets the bytes of a sync that failed.
 */
import { posix } from 'node:path';
import type { Disk, FileHandle, FileInfo } from '../../src/base/disk.js';
import type { ErrorCode } from '../../src/base/error-codes.js';
import { MillraceError } from '../../src/base/errors.js';
import { SeededRandom } from '../../src/base/random.js';

/** Thrown by the operation at which the power goes or the process is killed, and by all after it until `restart`. */
export class Crash extends Error {}

/** What is left of what was not durable. */
export type Loss =
  | { readonly kind: 'kill' | 'all' }
  | { readonly kind: 'some' | 'torn'; readonly seed: number };

/** What goes wrong from the operation with the number `at` on, counted from 1, as long as `until` has not passed. */
export interface Fault {
  readonly at: number;
  /** `at` when not given: once. */
  readonly until?: number;
  readonly kind: 'crash' | 'EIO' | 'ENOSPC';
  /** Only operations of this name count. */
  readonly operation?: string;
  /** Only operations on paths that end so count. */
  readonly pathEnd?: string;
}

const { dirname, resolve } = posix;
const SECTOR_BYTES = 512;

class SimFile {
  bytes = new Uint8Array(0);
  /** Per byte: 1 durable, 0 not yet, 2 never. */
  states = new Uint8Array(0);

  append(bytes: Uint8Array): void {
    const length = this.bytes.length + bytes.length;
    const [content, states] = [new Uint8Array(length), new Uint8Array(length)];
    content.set(this.bytes);
    states.set(this.states);
    content.set(bytes, this.bytes.length);
    [this.bytes, this.states] = [content, states];
  }

  settle(from: number, to: number): void {
    this.states = this.states.map((state) => (state === from ? to : state));
  }

  truncate(length: number): void {
    this.bytes = this.bytes.slice(0, length);
    this.states = this.states.slice(0, length);
  }
}

type SimNode = SimFile | 'directory';

/** A change of names: each path gets a node, or none. */
interface Change {
  readonly entries: readonly (readonly [string, SimNode | null])[];
}

/** The simulated disk. Paths are absolute and have forward slashes. */
export class SimDisk implements Disk {
  #names = new Map<string, SimNode>([['/', 'directory']]);
  #durableNames = new Map<string, SimNode>([['/', 'directory']]);
  #changes: Change[] = [];
  #faults: readonly Fault[] = [];
  #isDown = false;
  /** Bytes that fit. */
  capacity = Number.POSITIVE_INFINITY;
  /** Called after an operation was counted and before it happens, for another process to come in between. */
  onOperation: () => void = () => undefined;
  /** Files without names that are open. */
  readonly scratch = new Set<SimFile>();
  /** Every operation since the last `restart`, for messages and to know how many there are. */
  readonly journal: string[] = [];

  /** The operations of the next life count from 1. */
  restart(loss: Loss, faults: readonly Fault[] = []): void {
    if (loss.kind !== 'kill') this.#losePower(loss);
    this.#isDown = false;
    this.#faults = faults;
    this.scratch.clear();
    this.journal.length = 0;
  }

  /** The process is killed so many operations from now. */
  crashIn(operations: number): void {
    this.#faults = [...this.#faults, { kind: 'crash', at: this.journal.length + operations }];
  }

  /** A disk with the same files, all of them durable. */
  copy(): SimDisk {
    const other = new SimDisk();
    for (const [path, node] of this.#names) {
      let copied: SimNode = 'directory';
      if (node instanceof SimFile) {
        copied = new SimFile();
        copied.append(node.bytes);
        copied.settle(0, 1);
      }
      other.#names.set(path, copied);
      other.#durableNames.set(path, copied);
    }
    return other;
  }

  /** Every file with its content, by path. */
  files(): ReadonlyMap<string, Uint8Array> {
    const found = [...this.#names].flatMap(([path, node]) =>
      node instanceof SimFile ? [[path, node.bytes] as const] : [],
    );
    return new Map(found.toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }

  /** Puts other bytes into a file, behind the back of whoever uses the disk. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    const node = this.#names.get(path);
    if (!(node instanceof SimFile)) throw new Error(`no file ${path}`);
    const bytes = change(node.bytes.slice());
    const damaged = new SimFile();
    if (bytes === null) this.#change([[path, null]]);
    else {
      damaged.append(bytes);
      this.#change([[path, damaged]]);
    }
  }

  openRead(path: string): FileHandle {
    const at = this.#begin('openRead', path, 'FILE_UNREADABLE');
    const node = this.#names.get(at);
    if (node === undefined) throw failure('FILE_NOT_FOUND', at, 'ENOENT');
    return this.#handle(at, node);
  }

  createNew(path: string): FileHandle {
    const at = this.#begin('createNew', path, 'FILE_UNWRITABLE');
    this.#needDirectory(dirname(at));
    if (this.#names.has(at)) throw failure('FILE_UNWRITABLE', at, 'EEXIST');
    const file = new SimFile();
    this.#change([[at, file]]);
    return this.#handle(at, file);
  }

  openAppend(path: string): FileHandle {
    const at = this.#begin('openAppend', path, 'FILE_UNWRITABLE');
    const known = this.#names.get(at);
    if (known !== undefined) return this.#handle(at, known);
    this.#needDirectory(dirname(at));
    const file = new SimFile();
    this.#change([[at, file]]);
    return this.#handle(at, file);
  }

  createScratch(directory: string): FileHandle {
    const at = this.#begin('createScratch', directory, 'FILE_UNWRITABLE');
    const file = new SimFile();
    this.scratch.add(file);
    return { ...this.#handle(at, file), close: () => void this.scratch.delete(file) };
  }

  stat(path: string): FileInfo | null {
    const at = this.#begin('stat', path, 'FILE_UNREADABLE');
    const node = this.#names.get(at);
    if (node === undefined) return null;
    const isDirectory = node === 'directory';
    const bytes = isDirectory ? 0 : node.bytes.length;
    return { path, bytes, isDirectory, modifiedMs: 0 };
  }

  list(path: string): readonly string[] {
    const at = this.#begin('list', path, 'FILE_UNREADABLE');
    return this.#children(at);
  }

  makeDirectory(path: string): void {
    const at = this.#begin('makeDirectory', path, 'FILE_UNWRITABLE');
    const missing: string[] = [];
    for (let each = at; !this.#names.has(each); each = dirname(each)) missing.unshift(each);
    const above = missing[0] === undefined ? at : dirname(missing[0]);
    if (this.#names.get(above) !== 'directory') throw failure('FILE_UNWRITABLE', at, 'ENOTDIR');
    for (const each of missing) this.#change([[each, 'directory']]);
  }

  rename(from: string, to: string): void {
    const target = resolve(to);
    const at = this.#begin('rename', from, 'FILE_UNWRITABLE');
    const node = this.#names.get(at);
    if (node === undefined) throw failure('FILE_NOT_FOUND', at, 'ENOENT');
    this.#needDirectory(dirname(target));
    if (node === 'directory') throw new Error('directories are not renamed here');
    this.#change([
      [at, null],
      [target, node],
    ]);
  }

  remove(path: string): void {
    const at = this.#begin('remove', path, 'FILE_UNWRITABLE');
    if (this.#names.get(at) === 'directory') throw failure('FILE_UNWRITABLE', at, 'EISDIR');
    if (this.#names.has(at)) this.#change([[at, null]]);
  }

  removeDirectory(path: string): boolean {
    const at = this.#begin('removeDirectory', path, 'FILE_UNWRITABLE');
    if (this.#children(at).length > 0) return false;
    if (this.#names.has(at)) this.#change([[at, null]]);
    return true;
  }

  /** One operation for every file and directory, as the real one has. */
  removeTree(path: string): void {
    const at = this.#begin('removeTree', path, 'FILE_UNWRITABLE');
    for (const name of this.#children(at)) this.removeTree(`${at}/${name}`);
    if (this.#names.has(at)) this.#change([[at, null]]);
  }

  syncFile(path: string): void {
    const file = this.openRead(path);
    try {
      file.sync();
    } finally {
      file.close();
    }
  }

  syncDirectory(path: string): void {
    const at = this.#begin('syncDirectory', path, 'FILE_UNWRITABLE');
    this.#needDirectory(at);
    const left: Change[] = [];
    for (const change of this.#changes) {
      const isInside = change.entries.some(([each]) => dirname(each) === at);
      if (isInside) this.#apply(change);
      else left.push(change);
    }
    this.#changes = left;
  }

  #handle(path: string, node: SimNode): FileHandle {
    const fileOf = (): SimFile => {
      if (node instanceof SimFile) return node;
      throw failure('FILE_UNREADABLE', path, 'EISDIR');
    };
    return {
      read: (target, offset, length, position) => {
        this.#begin('read', path, 'FILE_UNREADABLE');
        const bytes = fileOf().bytes.subarray(position, position + length);
        target.set(bytes, offset);
        return bytes.length;
      },
      write: (bytes) => this.#write(path, fileOf(), bytes),
      bytes: () => {
        this.#begin('bytes', path, 'FILE_UNREADABLE');
        return fileOf().bytes.length;
      },
      sync: () => {
        try {
          this.#begin('sync', path, 'FILE_UNWRITABLE');
        } catch (error) {
          if (!(error instanceof Crash)) fileOf().settle(0, 2);
          throw error;
        }
        fileOf().settle(0, 1);
      },
      close: () => undefined,
    };
  }

  #write(path: string, file: SimFile, bytes: Uint8Array): void {
    const wasDown = this.#isDown;
    try {
      this.#begin('write', path, 'FILE_UNWRITABLE');
    } catch (error) {
      // What fails or is cut off has written something.
      if (!wasDown) file.append(bytes.subarray(0, Math.floor(bytes.length / 2)));
      throw error;
    }
    const fitting = Math.max(0, Math.min(bytes.length, this.capacity - this.#used()));
    file.append(bytes.subarray(0, fitting));
    if (fitting < bytes.length) throw failure('FILE_UNWRITABLE', path, 'ENOSPC');
  }

  #used(): number {
    if (this.capacity === Number.POSITIVE_INFINITY) return 0;
    let bytes = 0;
    for (const file of this.scratch) bytes += file.bytes.length;
    for (const node of this.#names.values()) bytes += node === 'directory' ? 0 : node.bytes.length;
    return bytes;
  }

  /** Counts an operation, which fails when a fault is due. */
  #begin(operation: string, path: string, code: ErrorCode): string {
    const at = resolve(path);
    if (this.#isDown) throw new Crash(`${operation} ${at} after the crash`);
    this.journal.push(`${operation} ${at}`);
    this.onOperation();
    for (const fault of this.#faults) {
      const { operation: named = '', pathEnd = '' } = fault;
      const isMeant = (each: string): boolean =>
        (named === '' || each.startsWith(`${named} `)) && each.endsWith(pathEnd);
      if (!isMeant(`${operation} ${at}`)) continue;
      const count = this.journal.filter(isMeant).length;
      if (count < fault.at || count > (fault.until ?? fault.at)) continue;
      this.journal.push(`${operation} ${at} ${fault.kind}`);
      if (fault.kind === 'crash') {
        this.#isDown = true;
        throw new Crash(`${operation} ${at}`);
      }
      throw failure(code, at, fault.kind);
    }
    return at;
  }

  #needDirectory(path: string): void {
    if (this.#names.get(path) !== 'directory') throw failure('FILE_NOT_FOUND', path, 'ENOENT');
  }

  #children(path: string): readonly string[] {
    const inside = path === '/' ? path : `${path}/`;
    return [...this.#names.keys()]
      .filter((each) => each.startsWith(inside) && !each.includes('/', inside.length))
      .map((each) => each.slice(inside.length))
      .filter((name) => name !== '')
      .toSorted();
  }

  #change(entries: Change['entries']): void {
    for (const [path, node] of entries) {
      if (node === null) this.#names.delete(path);
      else this.#names.set(path, node);
    }
    this.#changes.push({ entries });
  }

  #apply({ entries }: Change): void {
    for (const [path, node] of entries) {
      if (node === null) this.#durableNames.delete(path);
      else this.#durableNames.set(path, node);
    }
  }

  #losePower(loss: Loss): void {
    const random = 'seed' in loss ? new SeededRandom(loss.seed) : null;
    for (const change of this.#changes)
      if (random !== null && random.below(2) === 1) this.#apply(change);
    this.#changes = [];
    this.#names = new Map(this.#durableNames);
    // Whatever is in a directory that was lost is lost as well.
    for (const path of [...this.#names.keys()].toSorted()) {
      if (path !== '/' && this.#names.get(dirname(path)) !== 'directory') this.#names.delete(path);
    }
    this.#durableNames = new Map(this.#names);
    for (const node of new Set(this.#names.values())) {
      if (node instanceof SimFile) loseBytes(node, loss, random);
    }
  }
}

/** What was not durable goes from the end, and with torn files out of the middle too. */
function loseBytes(file: SimFile, loss: Loss, random: SeededRandom | null): void {
  const durable = file.states.lastIndexOf(1) + 1;
  const kept = random === null ? 0 : random.below(file.bytes.length - durable + 1);
  file.truncate(durable + kept);
  for (let at = 0; at < file.bytes.length; at++) {
    const isSector = at % SECTOR_BYTES === 0 || at === durable;
    if (file.states[at] === 2) file.bytes[at] = 0;
    else if (file.states[at] === 0 && loss.kind === 'torn' && isSector && random?.below(2) === 1) {
      file.bytes.fill(0, at, Math.min(file.bytes.length, at + SECTOR_BYTES));
    }
  }
  file.settle(0, 1);
}

function failure(code: ErrorCode, path: string, errno: string): MillraceError {
  const cause = Object.assign(new Error(errno), { code: errno });
  return new MillraceError(code, `${errno}: ${path}`, { cause, where: { file: path } });
}
