/**
 * Sinks that write a directory of part files: CSV, NDJSON, text and Parquet differ only in the
 * encoder. Every subtask writes hidden files of its own; `commit` renames them. Callers: the api.
 * Runs on: plan, commit and abort on the caller's thread; writers in the slots. Invariant: a file
 * with a visible name is complete, and only a commit makes, replaces or removes one.
 */
import { dirname, join, resolve } from 'node:path';
import type { Disk } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import { freshSeed } from '../../base/random.js';
import { type ByteSize, parseBytes } from '../../base/units.js';
import type { FileFormat } from '../../format/encode/file-encoder.js';
import type { Committable, PlainData, PlanContext, SinkConnector } from '../contract.js';
import type { FileSinkPlan, PartCommit, ReplacedPart } from './commit-parts.js';
import { type BucketOptions, type Buckets, bucketsOf, escaped } from './buckets.js';
import { isPart, isPendingOf, partNumber } from './part-name.js';

/** What to do when the directory already holds output. */
export type IfExists = 'fail' | 'replace' | 'append';

/** Options that all file sinks have. */
export interface FileSinkOptions<T = unknown> extends BucketOptions<T> {
  /**
   * When the directory already holds parts: `'fail'` (default) refuses; `'append'` adds to them;
   * `'replace'` removes them when the new ones are committed, and nothing else.
   */
  readonly ifExists?: IfExists;
  /** A part that has grown to this size is closed and the next one begun; default never. */
  readonly rollSize?: ByteSize;
  /** Whether files are made durable before they become visible; default true. */
  readonly sync?: boolean;
}

/** Options of sinks whose files may be compressed as a whole. */
export interface CompressionOptions {
  readonly compression?: 'none' | 'gzip';
}

/** What a kind of file sink is made of. */
export interface FileSinkParts<T> {
  readonly type: string;
  readonly directory: string;
  readonly options: FileSinkOptions<T>;
  /** Names of all options of this kind, for the check. */
  readonly known: readonly string[];
  /** Brings the encoder, when a writer is opened. */
  loadFormat(): Promise<FileFormat>;
  /** Whether whole files are packed. */
  readonly gzip: boolean;
}

const COMMON_OPTIONS = ['ifExists', 'rollSize', 'sync', 'bucketBy', 'maxOpenBuckets'];
const POLICIES: readonly string[] = ['fail', 'replace', 'append'];
const COMPRESSIONS: readonly string[] = ['none', 'gzip'];

/** A sink that writes part files. Throws `OPTION_UNKNOWN` and `OPTION_INVALID`. */
export function fileSink<T>(parts: FileSinkParts<T>): SinkConnector<T> {
  const { type, directory, options, gzip } = parts;
  checkOptions(parts);
  const rollBytes =
    options.rollSize === undefined
      ? Number.POSITIVE_INFINITY
      : parseBytes(options.rollSize, `${type}.rollSize`);
  const sync = options.sync ?? true;
  const buckets = bucketsOf(type, options);
  return {
    kind: 'sink',
    type,
    name: `${type} ${directory}`,
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: null,
    requires: buckets?.fields ?? [],
    plan: (context) => planOf(directory, { ifExists: options.ifExists, buckets, sync }, context),
    open: async (context) => {
      const format = await parts.loadFormat();
      const { FileSinkWriter } = await import('./file-sink-writer.js');
      const plan = planData(context.plan);
      return new FileSinkWriter({ plan, context, format, gzip, buckets, rollBytes, sync });
    },
    commit: async (committables, { plan, disk }) => {
      const { commitParts } = await import('./commit-parts.js');
      commitParts(disk, planData(plan), partCommits(committables), sync);
    },
    resume: ({ plan, disk, kept, isOwn }) => {
      if (isOwn) removePending(disk, planData(plan), partCommits(kept));
      const run = isOwn ? planData(plan).run : freshRun();
      // What savepoints hold may still become visible, and must not take the name of another part.
      const firstNumber = Math.max(
        nextNumber(disk, planData(plan), buckets),
        numberAfter(partCommits(kept).map(({ final }) => final)),
      );
      return { ...planData(plan), run, firstNumber };
    },
    abort: (plan, { disk, kept }) => removePending(disk, planData(plan), partCommits(kept)),
  };
}

function checkOptions<T>({ type, options, known }: FileSinkParts<T>): void {
  const names = [...COMMON_OPTIONS, ...known];
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new MillraceError('OPTION_UNKNOWN', `${type} has no option "${name}".`, {
      advice: didYouMean(name, names),
    });
  }
  if (options.ifExists !== undefined && !POLICIES.includes(options.ifExists)) {
    throw wrongChoice(type, 'ifExists', options.ifExists, POLICIES);
  }
}

/** Whether files are packed as a whole. Throws `OPTION_INVALID`. */
export function isGzip(type: string, { compression = 'none' }: CompressionOptions): boolean {
  if (!COMPRESSIONS.includes(compression)) {
    throw wrongChoice(type, 'compression', compression, COMPRESSIONS);
  }
  return compression === 'gzip';
}

/** The error of an option that is not one of its choices. */
export function wrongChoice(
  type: string,
  option: string,
  value: unknown,
  choices: readonly string[],
): MillraceError {
  return new MillraceError('OPTION_INVALID', `${type}: ${option} cannot be ${String(value)}.`, {
    advice: `Choose from ${choices.join(', ')}.`,
  });
}

/** Plan and committables come back as the plain data they were handed out as. */
function planData(plan: PlainData): FileSinkPlan {
  return plan as FileSinkPlan;
}

function partCommits(committables: readonly Committable[]): readonly PartCommit[] {
  return committables as readonly PartCommit[];
}

interface PlanChoices {
  readonly ifExists: IfExists | undefined;
  readonly buckets: Buckets | null;
  readonly sync: boolean;
}

function planOf(
  directory: string,
  { ifExists = 'fail', buckets, sync }: PlanChoices,
  context: PlanContext,
): FileSinkPlan {
  const { disk } = context;
  const path = resolve(context.baseDirectory, directory);
  const info = disk.stat(path);
  if (info !== null && !info.isDirectory) {
    throw new MillraceError('OUTPUT_EXISTS', `${directory} is a file, not a directory.`, {
      where: { file: path },
      advice: 'Name a directory; the parts are written into it.',
    });
  }
  const existing = partsBelow(disk, path, buckets, 0);
  if (existing.length > 0 && ifExists === 'fail') throw outputExists(directory, path, existing);
  makeDirectory(disk, path, sync);
  return {
    directory: path,
    run: freshRun(),
    firstNumber: ifExists === 'append' ? numberAfter(existing) : 0,
    replaces: ifExists === 'replace' ? existing.map((name) => replacedPart(disk, path, name)) : [],
  };
}

/** Tells the hidden files of a job from those of others. */
function freshRun(): string {
  return freshSeed().toString(36);
}

/** One that is there may have been made by a process that died before its entry was durable. */
function makeDirectory(disk: Disk, path: string, sync: boolean): void {
  const above = dirname(path);
  if (disk.stat(above) === null) makeDirectory(disk, above, sync);
  disk.makeDirectory(path);
  if (sync) disk.syncDirectory(above);
}

function numberAfter(parts: readonly string[]): number {
  return parts.reduce((highest, name) => Math.max(highest, partNumber(name)), -1) + 1;
}

/** Above all parts there are, so that none that was committed is written again. */
function nextNumber(disk: Disk, plan: FileSinkPlan, buckets: Buckets | null): number {
  const parts = partsBelow(disk, plan.directory, buckets, 0);
  return Math.max(plan.firstNumber, numberAfter(parts));
}

/** Parts in a directory and, with buckets, in those below it that may be of buckets. */
function partsBelow(
  disk: Disk,
  directory: string,
  buckets: Buckets | null,
  depth: number,
): readonly string[] {
  const names = disk.list(directory);
  const parts = names.filter(isPart);
  if (buckets === null) return parts;
  const { fields } = buckets;
  if (fields !== null && depth === fields.length) return parts;
  const inside = names
    .filter((name) => !/^[._]/.test(name) && !isPart(name))
    .filter((name) => fields === null || name.startsWith(`${escaped(fields[depth])}=`))
    .filter((name) => disk.stat(join(directory, name))?.isDirectory === true)
    .flatMap((name) =>
      partsBelow(disk, join(directory, name), buckets, depth + 1).map((part) => `${name}/${part}`),
    );
  return [...parts, ...inside];
}

function replacedPart(disk: Disk, directory: string, name: string): ReplacedPart {
  const info = disk.stat(join(directory, name));
  return { name, bytes: info?.bytes ?? 0, modifiedMs: info?.modifiedMs ?? 0 };
}

function removePending(disk: Disk, plan: FileSinkPlan, kept: readonly PartCommit[]): void {
  const wanted = new Set(kept.map(({ pending }) => pending));
  for (const name of disk.list(plan.directory)) {
    if (isPendingOf(name, plan.run) && !wanted.has(name)) disk.remove(join(plan.directory, name));
  }
}

function outputExists(directory: string, path: string, existing: readonly string[]): MillraceError {
  const shown = existing.slice(0, 3).join(', ');
  const more = existing.length > 3 ? `, … (${existing.length} files)` : '';
  return new MillraceError(
    'OUTPUT_EXISTS',
    `The directory ${JSON.stringify(directory)} already holds results: ${shown}${more}.`,
    {
      where: { file: path },
      advice: "Set ifExists to 'replace' or 'append', or choose another directory.",
    },
  );
}
