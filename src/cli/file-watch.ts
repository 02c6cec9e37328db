/**
 * Watches files that may be replaced, as editors do when they save: their directories are watched, and a file has
 * changed when its bytes have. Callers: the dev command. Runs on: the main thread. Invariant: a save in several steps
 * is told once, when the file has been still for a moment.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write, truncate and rename within a few milliseconds. */
const STILL_MS = 15;

/** Watches until it is closed. */
export class FileWatch {
  readonly #onChange: (files: readonly string[]) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  /** What is known of each watched file; null for one that is not there. */
  readonly #sums = new Map<string, string | null>();
  readonly #touched = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  /** `onChange` is given the files that have changed, sorted. */
  constructor(onChange: (files: readonly string[]) => void) {
    this.#onChange = onChange;
  }

  /** Watches these files, absolute paths, and no others any more. A file need not be there yet. */
  watch(files: readonly string[]): void {
    const wanted = new Set(files);
    for (const file of this.#sums.keys()) if (!wanted.has(file)) this.#sums.delete(file);
    for (const file of wanted) if (!this.#sums.has(file)) this.#sums.set(file, sumOf(file));
    const directories = new Set(files.map((file) => dirname(file)));
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) this.#watchDirectory(directory);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchDirectory(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const watcher = watch(directory, (_, name) => this.#touch(directory, name));
    // A directory that is deleted meanwhile has nothing to tell.
    watcher.on('error', () => {
      watcher.close();
      this.#watchers.delete(directory);
    });
    this.#watchers.set(directory, watcher);
  }

  /** `name` null says that some systems do not tell which. */
  #touch(directory: string, name: string | null): void {
    for (const file of this.#sums.keys()) {
      const isIt = dirname(file) === directory && (name === null || basename(file) === name);
      if (isIt) this.#touched.add(file);
    }
    if (this.#touched.size === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), STILL_MS);
  }

  #tell(): void {
    const changed: string[] = [];
    for (const file of this.#touched) {
      const sum = sumOf(file);
      if (!this.#sums.has(file) || sum === this.#sums.get(file)) continue;
      this.#sums.set(file, sum);
      changed.push(file);
    }
    this.#touched.clear();
    if (changed.length > 0) this.#onChange(changed.toSorted());
  }
}

function sumOf(file: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    // Between the two steps of a save it may not be there.
    return null;
  }
}
