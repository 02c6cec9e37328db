/**
 * Names of the files that file sinks write. A part that is being written has a hidden name (it
 * begins with a dot, which every reader of directories skips), so a crash never shows half a file;
 * committing renames it. Callers: this folder. Runs on: any thread; pure.
 */

/** A committed part: `part-00003-12.csv.gz`. */
const PART = /^part-(\d{5,})-(\d+)\.[a-z0-9]+(\.gz)?$/;

/** The visible name of a subtask's part. */
export function partName(subtask: number, number: number, extension: string): string {
  return `part-${String(subtask).padStart(5, '0')}-${number}.${extension}`;
}

/** The name of a part while it is being written: that of its run and attempt keep writers apart. */
export function pendingName(name: string, run: string, attempt: string): string {
  return `.${name}.pending-${run}-${attempt}`;
}

/** Whether a name is that of a committed part. */
export function isPart(name: string): boolean {
  return PART.test(name);
}

/** The number in a part's name, which may have its bucket before it. */
export function partNumber(path: string): number {
  return Number(PART.exec(path.slice(path.lastIndexOf('/') + 1))?.[2] ?? -1);
}

/** Whether a name is that of a part which the run has not committed. */
export function isPendingOf(name: string, run: string): boolean {
  return name.startsWith('.part-') && name.includes(`.pending-${run}-`);
}
