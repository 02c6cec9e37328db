/**
 * The logs of a server: one of its own, and one for each job with what becomes of it and what its functions log.
 * Callers: `server.ts`, the dispatcher, the handlers. Runs on: the server's thread.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import type { LogLevel } from '../base/function-log.js';
import { type WireError, toWire } from '../base/errors.js';
import { functionLine, type JobLogLine } from '../rest/job-log-line.js';
import type { ExecutionEvent } from '../runtime/execution.js';
import { isTerminal, type JobRecord, nameOf } from './job-record.js';
import { type JobStore, OUTPUT } from './job-store.js';
import { JsonLog } from './json-log.js';
import { filesOf, type KeptFiles } from './rotating-file.js';

/** Names of the newest files. */
const JOB_LOG = 'job.log';
const SERVER_LOG = 'server.log';
/** Bytes of a log that are read for those who follow it. */
const FOLLOWED_BYTES = 1024 * 1024;

/** A file of a log. */
export type LogFile = ReturnType<typeof filesOf>[number];

/** What logs need. */
export interface JobLogsWorld {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly store: JobStore;
  /** Where the server's own is. */
  readonly directory: string;
  readonly kept: KeptFiles;
}

/** The logs. */
export class JobLogs {
  readonly #world: JobLogsWorld;
  readonly #ofJobs = new Map<string, JsonLog>();
  readonly #server: JsonLog;

  constructor(world: JobLogsWorld) {
    this.#world = world;
    world.disk.makeDirectory(world.directory);
    const path = join(world.directory, SERVER_LOG);
    this.#server = new JsonLog(world.disk, path, world.kept, {});
  }

  /** Something about the server. */
  server(level: LogLevel, msg: string, members: Partial<JobLogLine> = {}): void {
    this.#server.add({ level, time: this.#world.clock.epochMs(), ...members, msg });
  }

  /** Something that went wrong in the server. */
  defect(error: unknown): void {
    const { message, code, stack } = toWire(error);
    this.server('error', message, { fields: { code, stack } });
  }

  /** Something has happened to a job; `event` is null where only its state has changed. */
  changed(record: JobRecord, event: ExecutionEvent | null): void {
    const line = lineOf(record, event, this.#world.clock.epochMs());
    if (line === null) return;
    this.#logOf(record).add(line);
    if (event === null || event.type === 'state') {
      const { id, status } = record;
      this.server('info', `The job is ${status}`, { job: nameOf(record), jobId: id });
    }
    if (isTerminal(record.status)) this.forget(record.id);
  }

  /** A job goes on in the process in which it was. */
  found(record: JobRecord): void {
    const { id, pid, restarts: attempt } = record;
    const msg = `Goes on in process ${pid}, which an earlier server had started`;
    this.#logOf(record).add({ level: 'info', time: this.#world.clock.epochMs(), attempt, msg });
    this.server('info', msg, { job: nameOf(record), jobId: id });
  }

  /** Nothing more is written of a job for now. */
  forget(id: string): void {
    this.#ofJobs.get(id)?.close();
    this.#ofJobs.delete(id);
  }

  /** The log of a job: its end of so many bytes, or what is new after a line. */
  textOf(record: JobRecord, bytesMax: number | null, after: number | null): string {
    return textOf(this.#logOf(record), bytesMax, after);
  }

  serverText(bytesMax: number | null, after: number | null): string {
    return textOf(this.#server, bytesMax, after);
  }

  /** The files of a job: its log, and what it printed. */
  filesOf({ id }: JobRecord): readonly LogFile[] {
    const { disk, store } = this.#world;
    return filesOf(disk, store.directoryOf(id), [JOB_LOG, OUTPUT]);
  }

  serverFiles(): readonly LogFile[] {
    const { disk, directory } = this.#world;
    return filesOf(disk, directory, [SERVER_LOG]);
  }

  close(): void {
    for (const id of [...this.#ofJobs.keys()]) this.forget(id);
    this.#server.close();
  }

  #logOf(record: JobRecord): JsonLog {
    const { id } = record;
    let log = this.#ofJobs.get(id);
    if (log === undefined) {
      const { disk, store, kept } = this.#world;
      const base = { job: nameOf(record), jobId: id };
      log = new JsonLog(disk, join(store.directoryOf(id), JOB_LOG), kept, base);
      this.#ofJobs.set(id, log);
    }
    return log;
  }
}

function textOf(log: JsonLog, bytesMax: number | null, after: number | null): string {
  return log.text(bytesMax ?? (after === null ? Number.POSITIVE_INFINITY : FOLLOWED_BYTES), after);
}

/** The line of an event; null where there is nothing to say. */
function lineOf(record: JobRecord, event: ExecutionEvent | null, time: number): JobLogLine | null {
  const { status, restarts: attempt } = record;
  if (event === null || event.type === 'state') {
    const [failure] = status === 'FAILED' ? record.failures : [];
    if (failure === undefined) return { level: 'info', time, attempt, msg: `The job is ${status}` };
    return failed('error', 'The job has failed', failure.error, { time, attempt });
  }
  switch (event.type) {
    case 'log':
      return functionLine(event.line, attempt);
    case 'restart': {
      const { delayMs, vertices } = event;
      const what = vertices === null ? 'An attempt' : `An attempt of chains ${vertices.join(', ')}`;
      const head = `${what} has failed; the next one begins after ${delayMs} ms`;
      return failed('warn', head, event.error, { time, attempt });
    }
    case 'checkpoint': {
      const { id, kind, status: became, durationMs, bytes, path, error } = event.report;
      const fields = { id, kind, durationMs, bytes, path };
      if (became === 'failed' && error !== null) {
        return failed('warn', `The ${kind} ${id} failed`, error, { time, attempt });
      }
      return { level: 'info', time, attempt, fields, msg: `The ${kind} ${id} has ${became}` };
    }
    case 'restored': {
      const { checkpoint, path, mapping } = event;
      const fields = { path, ...mapping };
      return { level: 'info', time, attempt, fields, msg: `Goes on from checkpoint ${checkpoint}` };
    }
    case 'rescaled': {
      const { from, to } = event.report;
      return { level: 'info', time, attempt, msg: `Rescaled from ${from} to ${to}` };
    }
    case 'chainBroken':
      return failed('warn', 'The next checkpoint holds all state', event.error, { time, attempt });
    case 'badRecord': {
      const { error, file, line, byteOffset } = event.record;
      return failed('warn', 'A bad record', error, { time, attempt }, { file, line, byteOffset });
    }
  }
}

function failed(
  level: LogLevel,
  head: string,
  { message, code, where, advice, stack }: WireError,
  about: { readonly time: number; readonly attempt: number },
  more: object = {},
): JobLogLine {
  const { operator, uid, subtask } = where;
  return {
    level,
    ...about,
    ...(operator === undefined ? {} : { operator }),
    ...(uid === undefined ? {} : { uid }),
    ...(subtask === undefined ? {} : { subtask }),
    fields: { code, ...more, ...(advice === null ? {} : { advice }), stack },
    msg: `${head}: ${message}`,
  };
}
