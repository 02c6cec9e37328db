/**
 * The disk contract: the synchronous file operations the data plane needs, so that a simulation can pass
 * another disk. `node-disk.ts` is the real one. Callers: formats, connectors, storage, checkpoint.
 * Runs on: any thread.
 */

/** What `stat` tells of a path. */
export interface FileInfo {
  readonly path: string;
  readonly bytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

/** An open file. Offsets and lengths are bytes. */
export interface FileHandle {
  /** Reads up to `length` bytes at `position` into `target` from `offset`; 0 at the end of the file. */
  read(target: Uint8Array, offset: number, length: number, position: number): number;
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): void;
  /** Current length of the file. */
  bytes(): number;
  /** Makes everything written so far durable. */
  sync(): void;
  close(): void;
}

/** The file operations of the engine. Each throws `FILE_NOT_FOUND`, `FILE_UNREADABLE` or `FILE_UNWRITABLE`. */
export interface Disk {
  openRead(path: string): FileHandle;
  /** Creates the file; fails when it exists, so that no writer ever overwrites another's file. */
  createNew(path: string): FileHandle;
  /** Writes to the end of a file, which is made when there is none. */
  openAppend(path: string): FileHandle;
  /**
   * A file without a name in a directory, which is made when missing: it is written and read through this handle only,
   * and gone when that is closed or its thread ends, however it ends.
   */
  createScratch(directory: string): FileHandle;
  stat(path: string): FileInfo | null;
  /** Names inside a directory, sorted; empty when there is no such directory. */
  list(path: string): readonly string[];
  makeDirectory(path: string): void;
  /** Renames within one file system, atomically. */
  rename(from: string, to: string): void;
  /** Removes a file; silent when it is gone already. */
  remove(path: string): void;
  /** Removes a directory that is empty; whether it is gone now. One in which something is stays. */
  removeDirectory(path: string): boolean;
  /** Removes a directory and everything below it; silent when it is gone already. */
  removeTree(path: string): void;
  /** Makes everything that anyone has written to a file durable. */
  syncFile(path: string): void;
  /** Makes creations, renames and removals inside a directory durable. */
  syncDirectory(path: string): void;
}
