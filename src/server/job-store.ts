/**
 * The jobs of a server on disk: a directory for each, with its record, its module and its output. A record is replaced
 * as a whole, so that after a kill at any instant the old or the new one is there. Callers: the dispatcher, its jobs.
 * Runs on: the server's thread; blocks for its writes. Invariant: a job that was acknowledged is found again.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { DurableFiles } from '../checkpoint/durable-files.js';
import { readContent } from '../checkpoint/file-content.js';
import { resolveSettings } from '../runtime/settings.js';
import type { JobRecord } from './job-record.js';

const RECORD = 'job.json';
const MODULE = 'module.mjs';
/** Goes up when older servers could not read what is written. */
const VERSION = 1;

/** The store. */
export class JobStore {
  readonly #disk: Disk;
  readonly #files: DurableFiles;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#files = new DurableFiles(disk, 'always');
    this.#directory = directory;
    this.#files.makeDirectory(directory);
  }

  /** Where everything of a job is. */
  directoryOf(id: string): string {
    return join(this.#directory, id);
  }

  /** What the slots of a job import. */
  urlOf(id: string): string {
    return pathToFileURL(join(this.directoryOf(id), MODULE)).href;
  }

  /** A new job, with its module. */
  create(record: JobRecord, module: string): void {
    this.#files.makeDirectory(this.directoryOf(record.id));
    this.#files.copy(module, join(this.directoryOf(record.id), MODULE));
    this.save(record);
  }

  save(record: JobRecord): void {
    const directory = this.directoryOf(record.id);
    const aside = join(directory, `${RECORD}.tmp`);
    this.#disk.remove(aside);
    this.#files.write(aside, Buffer.from(JSON.stringify({ version: VERSION, record })));
    this.#files.move(aside, join(directory, RECORD));
    this.#files.syncDirectory(directory);
  }

  /** Removes everything of a job. */
  remove(id: string): void {
    // Without its record it is no job any more, also when the rest is cut short.
    this.#disk.remove(join(this.directoryOf(id), RECORD));
    this.#disk.removeTree(this.directoryOf(id));
  }

  /** All jobs, oldest first. What a submission that was cut short has left goes. Throws STORE_CORRUPT. */
  load(): readonly JobRecord[] {
    const records: JobRecord[] = [];
    for (const id of this.#disk.list(this.#directory)) {
      const record = this.#read(id);
      if (record === null) this.#disk.removeTree(this.directoryOf(id));
      else records.push(record);
    }
    return records.toSorted((a, b) => a.submission.submittedMs - b.submission.submittedMs);
  }

  #read(id: string): JobRecord | null {
    const file = join(this.directoryOf(id), RECORD);
    const content = readContent(this.#disk, file);
    if (content === null) return null;
    const { version, record } = parse(file, Buffer.from(content).toString());
    if (version !== VERSION || record === undefined) {
      throw corrupt(file, `It is of version ${String(version)}, and this server reads ${VERSION}.`);
    }
    // Settings that this version has and the one before had not take their defaults.
    const { 'metrics.reporters': _, ...ofJob } = record.submission.settings;
    const known = Object.entries(ofJob).filter(([, value]) => value !== null);
    const layer = { origin: file, values: Object.fromEntries(known) };
    const submission = { ...record.submission, settings: resolveSettings([layer]) };
    return { ...record, submission };
  }
}

function parse(
  file: string,
  content: string,
): { readonly version?: unknown; readonly record?: JobRecord } {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw corrupt(file, 'It is no JSON.', cause);
  }
}

function corrupt(file: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError('STORE_CORRUPT', `The record of a job cannot be read. ${reason}`, {
    where: { file },
    advice: 'Move its directory away to start without the job; its checkpoints stay.',
    ...(cause === undefined ? {} : { cause }),
  });
}
