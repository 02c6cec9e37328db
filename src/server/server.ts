/**
 * `millrace server` without the command line: takes the data directory, listens, finds its jobs again, and ends in
 * order. Callers: the command line, which loads it late. Runs on: the server's thread. Invariant: what is said to be
 * taken has been taken, and nothing of a server that could not start is left.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { reportersOf } from '../reporters/reporters-of.js';
import { Reporting } from '../reporters/reporting.js';
import { entryUrl } from '../runtime/entry-url.js';
import { JobProcess } from '../runtime/job-process.js';
import { scopeFormatsOf } from '../runtime/scope-settings.js';
import { isReporterKey, resolveSettings, type SettingsLayer } from '../runtime/settings.js';
import { BundleStore } from './bundle-store.js';
import { lockData } from './data-lock.js';
import { Dispatcher } from './dispatcher.js';
import { ConsoleFiles } from './console-files.js';
import { streamEvents, watchedIn } from './event-source.js';
import { type HandlersWorld, handlersOf, textHandlersOf } from './handlers.js';
import { httpServer } from './http-server.js';
import { JobStore } from './job-store.js';
import { MeasuredServer } from './measured-jobs.js';
import type { Admission } from './served-job.js';
import { SlotPool } from './slot-pool.js';

/** What a server is started with. */
export interface ServerOptions {
  readonly host: string;
  /** 0 takes one that is free. */
  readonly port: number;
  /** Where jobs, bundles and, unless jobs say otherwise, checkpoints and savepoints are kept. */
  readonly dataDirectory: string;
  readonly slots: number;
  readonly admission: Admission;
  readonly allowsUploads: boolean;
  /** Null asks for none. */
  readonly token: string | null;
  /** Names by which the server may be called, besides addresses and `localhost`. */
  readonly allowedHosts: readonly string[];
  /** Settings of all jobs, which their own override; weakest first. */
  readonly layers: readonly SettingsLayer[];
  /** Ended jobs that are kept. */
  readonly endedMax: number;
  readonly version: string;
  /** Told of what went wrong in the server itself. */
  onDefect(error: unknown): void;
}

/** A server that listens. */
export interface Server {
  readonly url: string;
  /** Settles when the server has been asked to end, by a request or `close`. */
  readonly closing: Promise<void>;
  /** Ends it; its jobs go on with the next one. */
  close(): Promise<void>;
}

/** How long a module may take to define its job. */
const PLAN_TIMEOUT_MS = 60_000;

/** Starts a server. Rejects with SERVER_RUNNING, STORE_CORRUPT, OPTION_INVALID. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { host, port, allowedHosts, token, version } = options;
  const data = resolve(options.dataDirectory);
  const unlock = lockData(nodeDisk, data);
  try {
    const dispatcher = dispatcherOf(options, data);
    const bundles = new BundleStore(nodeDisk, join(data, 'bundles'));
    const measuredServer = new MeasuredServer(dispatcher);
    const reporting = reportingOf(options, measuredServer);
    let askToClose = (): void => {};
    const closing = new Promise<void>((resolved) => {
      askToClose = resolved;
    });
    const world: HandlersWorld = {
      clock: systemClock,
      disk: nodeDisk,
      dispatcher,
      measuredServer,
      bundles,
      jobs: jobStore(data),
      uploads: options.allowsUploads ? bundles : null,
      defaults: { layers: layersOf(options, data), baseDirectory: process.cwd() },
      checkpointDirectory: join(data, 'checkpoints'),
      version,
      address: () => url,
      shutDown: () => setImmediate(askToClose),
    };
    const http = httpServer({
      handlers: { ...handlersOf(world), ...textHandlersOf(world) },
      guard: { hosts: [host, ...allowedHosts], token },
      version,
      console: new ConsoleFiles(nodeDisk, consoleDirectory()),
      streamEvents: (reply, watch) => {
        const watched = watchedIn(watch, dispatcher);
        reply.hijack();
        void streamEvents(reply.raw, dispatcher, watched, systemClock);
      },
    });
    const url = await http.listen({ host, port }).catch((cause: unknown) => {
      throw notListening(host, port, cause);
    });
    try {
      dispatcher.recover();
    } catch (error) {
      await http.close();
      throw error;
    }
    void reporting.open();
    const close = async (): Promise<void> => {
      askToClose();
      await reporting.close();
      await dispatcher.close();
      await http.close();
      unlock();
    };
    return { url, closing, close };
  } catch (error) {
    unlock();
    throw error;
  }
}

function dispatcherOf(options: ServerOptions, data: string): Dispatcher {
  return new Dispatcher({
    clock: systemClock,
    disk: nodeDisk,
    store: jobStore(data),
    pool: new SlotPool(options.slots),
    admission: options.admission,
    planTimeoutMs: PLAN_TIMEOUT_MS,
    endedMax: options.endedMax,
    launch: (run, output) => new JobProcess(run, output),
    onDefect: (error) => options.onDefect(error),
  });
}

/** Beside the entries of the package. */
function consoleDirectory(): string {
  return join(dirname(fileURLToPath(entryUrl('server'))), 'console');
}

function jobStore(data: string): JobStore {
  return new JobStore(nodeDisk, join(data, 'jobs'));
}

/** A job of a server has one subtask of each operator unless it asks for more, and keeps its checkpoints on disk. */
function layersOf({ layers }: ServerOptions, data: string): readonly SettingsLayer[] {
  const values = {
    parallelism: 1,
    'execution.checkpointing.dir': join(data, 'checkpoints'),
    'execution.checkpointing.savepointDir': join(data, 'savepoints'),
  };
  // What is reported of jobs is for the server to report.
  const ofJobs = layers.map(({ origin, values: given }) => {
    const kept = Object.entries(given).filter(([key]) => !isReporterKey(key));
    return { origin, values: Object.fromEntries(kept) };
  });
  return [{ origin: 'server', values }, ...ofJobs];
}

/** The reporters of the server, which report all of its jobs. Throws OPTION_UNKNOWN and OPTION_INVALID. */
function reportingOf({ layers, onDefect }: ServerOptions, server: MeasuredServer): Reporting {
  const settings = resolveSettings(layers);
  return new Reporting(reportersOf(settings['metrics.reporters']), {
    measure: () => server.points(systemClock.epochMs()),
    tell: (error) => onDefect(error),
    formats: scopeFormatsOf(settings),
  });
}

function notListening(host: string, port: number, cause: unknown): MillraceError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new MillraceError('SERVER_RUNNING', `Something listens on ${host}:${port} already.`, {
      cause,
      advice: 'Choose another --port; 0 takes one that is free.',
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('OPTION_INVALID', `Cannot listen on ${host}:${port}: ${reason}`, {
    cause,
    advice: 'Give --host an address of this machine.',
  });
}
