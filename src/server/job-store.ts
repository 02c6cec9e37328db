/**
 * The jobs of a server on disk: a directory for each, with its record, its module and its output. A record is replaced
 * as a whole, so that after a kill at any instant the old or the new one is there. Callers: the dispatcher, its jobs.
 * Runs on: the server's thread; blocks for its writes. Invariants: a job that was acknowledged is found again; a server
 * that leads no longer changes nothing, since whatever changes is moved out of or into the directory of its term.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { DurableFiles } from '../checkpoint/durable-files.js';
import { readContent } from '../checkpoint/file-content.js';
import { resolveSettings } from '../runtime/settings.js';
import { damagedRecord, isRecord, type JobRecord } from './job-record.js';
import type { DataFence } from './leadership/data-fence.js';

const RECORD = 'job.json';
/** What the processes of a job print. */
export const OUTPUT = 'output.log';
/** What a record is called that could not be read. */
const DAMAGED = 'job.json.damaged';
const MODULE = 'module.mjs';
/** Goes up when older servers could not read what is written. */
const VERSION = 1;

/** The store. */
export class JobStore {
  readonly #disk: Disk;
  readonly #files: DurableFiles;
  readonly #directory: string;
  readonly #fence: DataFence;

  constructor(disk: Disk, directory: string, fence: DataFence) {
    this.#disk = disk;
    this.#files = new DurableFiles(disk, 'always');
    this.#directory = directory;
    this.#fence = fence;
    this.#files.makeDirectory(directory);
  }

  /** Number of the term in which it is written. */
  get epoch(): number {
    return this.#fence.epoch;
  }

  /** Does something else that only a leader may do. Throws LEADERSHIP_LOST. */
  fenced(action: () => void): void {
    this.#fence.guarded(action);
  }

  /** Where everything of a job is. */
  directoryOf(id: string): string {
    return join(this.#directory, id);
  }

  /** The file that a job runs. */
  moduleOf(id: string): string {
    return join(this.directoryOf(id), MODULE);
  }

  /** What the slots of a job import. */
  urlOf(id: string): string {
    return pathToFileURL(this.moduleOf(id)).href;
  }

  /** A new job, with its module. Throws LEADERSHIP_LOST, as all that changes something. */
  create(record: JobRecord, module: string): void {
    this.#fence.guarded(() => {
      this.#files.makeDirectory(this.directoryOf(record.id));
      this.#files.copy(module, this.moduleOf(record.id));
    });
    this.save(record);
  }

  save(record: JobRecord): void {
    const directory = this.directoryOf(record.id);
    const aside = join(this.#fence.directory, `${record.id}.json`);
    this.#fence.guarded(() => {
      this.#disk.remove(aside);
      this.#files.write(aside, Buffer.from(JSON.stringify({ version: VERSION, record })));
      this.#disk.rename(aside, join(directory, RECORD));
    });
    this.#files.syncDirectory(directory);
  }

  /** Removes everything of a job. */
  remove(id: string): void {
    const directory = this.directoryOf(id);
    if (this.#disk.stat(directory) === null) return;
    // It is wholly gone in one step, also when the rest is cut short.
    const aside = join(this.#fence.directory, id);
    this.#fence.guarded(() => this.#disk.rename(directory, aside));
    this.#disk.removeTree(aside);
  }

  /**
   * All jobs, oldest first. What a submission that was cut short has left goes; a job whose record is damaged is there
   * as one that has failed, with what is wrong. Throws STORE_CORRUPT for a record of a newer version.
   */
  load(): readonly JobRecord[] {
    const records: JobRecord[] = [];
    for (const id of this.#disk.list(this.#directory)) {
      const record = this.#read(id);
      if (record === null) this.remove(id);
      else records.push(record);
    }
    return records.toSorted((a, b) => a.submission.submittedMs - b.submission.submittedMs);
  }

  /** The damaged file stays for whoever can make sense of it. */
  #quarantine(id: string, error: MillraceError): JobRecord {
    const file = join(this.directoryOf(id), RECORD);
    const atMs = this.#disk.stat(file)?.modifiedMs ?? 0;
    const kept = join(this.directoryOf(id), DAMAGED);
    this.#fence.guarded(() => this.#disk.rename(file, kept));
    const record = damagedRecord(id, error, Math.round(atMs));
    this.save(record);
    return record;
  }

  #read(id: string): JobRecord | null {
    const file = join(this.directoryOf(id), RECORD);
    const content = readContent(this.#disk, file);
    if (content === null) return null;
    const stored = parsed(Buffer.from(content).toString());
    const { version } = stored;
    if (typeof version === 'number' && version > VERSION) throw newer(file, version);
    try {
      return recordIn(file, id, stored);
    } catch (error) {
      if (!MillraceError.is(error)) throw error;
      return this.#quarantine(id, error);
    }
  }
}

/** What a file holds. */
interface Stored {
  readonly version?: unknown;
  readonly record?: unknown;
}

/** Nothing, where it is no JSON. */
function parsed(content: string): Stored {
  try {
    return Object(JSON.parse(content));
  } catch {
    return {};
  }
}

function recordIn(file: string, id: string, { version, record }: Stored): JobRecord {
  if (version === undefined) throw corrupt(file, 'It is no JSON that a server has written.');
  if (version !== VERSION || !isRecord(record, id)) throw corrupt(file, 'Parts of it are missing.');
  // Settings that this version has and the one before had not take their defaults.
  const { 'metrics.reporters': _, ...ofJob } = record.submission.settings;
  const known = Object.entries(ofJob).filter(([, value]) => value !== null);
  try {
    const layer = { origin: file, values: Object.fromEntries(known) };
    return { ...record, submission: { ...record.submission, settings: resolveSettings([layer]) } };
  } catch (cause) {
    throw corrupt(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function corrupt(file: string, reason: string, cause?: unknown): MillraceError {
  return new MillraceError('STORE_CORRUPT', `The record of the job cannot be read. ${reason}`, {
    where: { file },
    advice: `It is kept as ${DAMAGED}; submit the job again from a checkpoint, which all stay.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Any older server would take all jobs of a newer one for damaged. */
function newer(file: string, version: number): MillraceError {
  return new MillraceError(
    'STORE_CORRUPT',
    `The record of a job is of version ${version}, and this server reads ${VERSION}.`,
    { where: { file }, advice: 'Start a server of the version that wrote it, or a newer one.' },
  );
}
