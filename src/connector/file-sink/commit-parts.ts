/**
 * Makes parts visible. Callers: `file-sink.ts`. Runs on: the caller's thread. Invariant: committing
 * the same parts again changes nothing, so a commit that was cut short is repeated as a whole.
 */
import { dirname, join } from 'node:path';
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';

/** A part that was there before the run and goes when the run commits. */
export interface ReplacedPart {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** What a run has decided before it starts. Plain data. */
export interface FileSinkPlan {
  /** Absolute. */
  readonly directory: string;
  /** Tells the hidden files of this run from those of others. */
  readonly run: string;
  /** Number of each subtask's first part. */
  readonly firstNumber: number;
  readonly replaces: readonly ReplacedPart[];
}

/** A complete part that waits for its visible name. Plain data. */
export interface PartCommit {
  readonly pending: string;
  /** With the path of its bucket before it, which `/` divides. */
  readonly final: string;
}

/** Renames the parts, then removes those they replace, and buckets that are empty without them. */
export function commitParts(
  disk: Disk,
  plan: FileSinkPlan,
  parts: readonly PartCommit[],
  sync: boolean,
): void {
  const { directory } = plan;
  const directories = directoriesOf(parts.map(({ final }) => final));
  for (const bucket of directories) disk.makeDirectory(join(directory, bucket));
  for (const { pending, final } of parts) {
    const from = join(directory, pending);
    const to = join(directory, final);
    if (disk.stat(from) !== null) disk.rename(from, to);
    else if (disk.stat(to) === null) throw partLost(to);
  }
  const finals = new Set(parts.map((part) => part.final));
  for (const replaced of plan.replaces) {
    if (!finals.has(replaced.name)) removeUnchanged(disk, directory, replaced);
  }
  // Those further down first, so that what they leave behind is empty, too.
  for (const bucket of directoriesOf(plan.replaces.map(({ name }) => name)).toReversed()) {
    if (bucket !== '.' && !directories.includes(bucket)) {
      disk.removeDirectory(join(directory, bucket));
    }
  }
  // Those further down first, so that what is durable is whole.
  for (const bucket of sync ? [...directories].reverse() : []) {
    disk.syncDirectory(join(directory, bucket));
  }
}

/** The directory itself, then those of the buckets, each behind the one it is in. */
function directoriesOf(parts: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const add = (path: string): void => {
    if (found.has(path)) return;
    if (path !== '.') add(dirname(path));
    found.add(path);
  };
  add('.');
  for (const part of parts) add(dirname(part));
  return [...found];
}

/** A part of the same name that an earlier commit of this run made is another file, and stays. */
function removeUnchanged(disk: Disk, directory: string, replaced: ReplacedPart): void {
  const path = join(directory, replaced.name);
  const info = disk.stat(path);
  if (info?.bytes === replaced.bytes && info.modifiedMs === replaced.modifiedMs) disk.remove(path);
}

function partLost(path: string): MillraceError {
  return new MillraceError('SINK_FAILED', `A finished part is gone: ${path}.`, {
    where: { file: path },
    advice: 'Let nothing else remove files from the output directory while a job runs.',
  });
}
