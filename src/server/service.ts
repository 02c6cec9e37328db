/**
 * What a server does while it leads: jobs, bundles, reporters and what answers requests about them. Callers:
 * `server.ts`, which makes one when its term begins. Runs on: the server's thread. Invariant: everything that it writes
 * about jobs goes through the fence of the term.
 */
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { type ReporterSetup, Reporting } from '../reporters/reporting.js';
import type { JarRunRequest } from '../rest/cluster-schemas.js';
import { adoptProcess } from '../runtime/adopted-process.js';
import { bundleName, portableBundle } from '../runtime/job-bundle.js';
import { JobProcess, type ProcessRun } from '../runtime/job-process.js';
import { ForkedLink, type ProcessOutput } from '../runtime/process-link.js';
import { scopeFormatsOf } from '../runtime/scope-settings.js';
import { resolveSettings, type SettingsLayer } from '../runtime/settings.js';
import { StateReading } from '../runtime/state-reading.js';
import { BundleStore } from './bundle-store.js';
import { Dispatcher } from './dispatcher.js';
import { streamEvents, watchedIn } from './event-source.js';
import { handlersOf, textHandlersOf } from './handlers.js';
import type { Served } from './http-server.js';
import { JobLogs } from './job-logs.js';
import { JobStore } from './job-store.js';
import type { DataFence } from './leadership/data-fence.js';
import { MeasuredServer } from './measured-jobs.js';
import { isRunning, startOf } from './process-table.js';
import type { ServerOptions } from './server.js';
import { layersOfJobs, layersOfServedJobs, serverSettings } from './server-settings.js';
import { SlotPool } from './slot-pool.js';
import { streamTap, tapOptionsOf } from './tap-stream.js';

/** How long the process of a job may take to answer a server that has found it. */
const FOUND_TIMEOUT_MS = 10_000;
/** How long a module may take to define its job. */
const PLAN_TIMEOUT_MS = 60_000;

/** The term in which it serves. */
export interface ServiceWorld {
  /** Absolute. */
  readonly dataDirectory: string;
  readonly fence: DataFence;
  /** What reports its jobs. */
  readonly reporters: readonly ReporterSetup[];
  /** Where clients find the server. */
  address(): string;
  /** Ends the server when its reply is out. */
  shutDown(): void;
}

/** The service. */
export class Service implements Served {
  readonly handlers: Served['handlers'];
  readonly #dispatcher: Dispatcher;
  readonly #logs: JobLogs;
  readonly #opened: () => void;
  readonly #reporting: Reporting;
  readonly #showsRecords: boolean;
  readonly #bundles: BundleStore;
  readonly #states = new StateReading();

  constructor(options: ServerOptions, world: ServiceWorld) {
    this.#showsRecords = options.allowsTaps;
    const { dataDirectory, fence } = world;
    const store = new JobStore(nodeDisk, join(dataDirectory, 'jobs'), fence);
    const bundles = new BundleStore(nodeDisk, join(dataDirectory, 'bundles'));
    this.#bundles = bundles;
    const logDirectory = join(dataDirectory, 'log');
    const logged = { disk: nodeDisk, clock: systemClock, store, directory: logDirectory };
    this.#logs = new JobLogs({ ...logged, kept: options.logs });
    this.#opened = () => {
      const fields = { version: options.version, pid: process.pid, epoch: fence.epoch };
      this.#logs.server('info', `Serves ${world.address()}`, { fields });
    };
    this.#dispatcher = dispatcherOf(options, store, this.#logs);
    const measuredServer = new MeasuredServer(this.#dispatcher);
    this.#reporting = reportingOf(options, world.reporters, measuredServer);
    const parts = {
      clock: systemClock,
      disk: nodeDisk,
      dispatcher: this.#dispatcher,
      measuredServer,
      bundles,
      states: this.#states,
      showsRecords: options.allowsTaps,
      jobs: store,
      logs: this.#logs,
      logDirectory,
      uploads: options.allowsUploads ? bundles : null,
      defaults: { layers: layersOf(options, dataDirectory), baseDirectory: process.cwd() },
      checkpointDirectory: join(dataDirectory, 'checkpoints'),
      version: options.version,
      printed: options.printed,
      address: () => world.address(),
      shutDown: () => world.shutDown(),
    };
    this.handlers = { ...handlersOf(parts), ...textHandlersOf(parts) };
  }

  /** Runs the job of a module of this machine: its id. Rejects with what is wrong with it. */
  async run(module: string, request: JarRunRequest): Promise<string> {
    const { id: jarid } = await this.#bundles.add(
      bundleName(module),
      Buffer.from(await portableBundle(module)),
    );
    try {
      const call = { params: { jarid }, query: {}, body: request, upload: null };
      return (await this.handlers.runJar(call)).jobid;
    } finally {
      // A job has a copy of its own.
      this.#bundles.remove(jarid);
    }
  }

  /** Finds the jobs of the server before. Throws STORE_CORRUPT, OPTION_INVALID, LEADERSHIP_LOST. */
  open(): void {
    this.#opened();
    this.#dispatcher.recover();
    void this.#reporting.open();
  }

  streamEvents(reply: Parameters<Served['streamEvents']>[0], watch: string | undefined): void {
    const watched = watchedIn(watch, this.#dispatcher);
    reply.hijack();
    void streamEvents(reply.raw, this.#dispatcher, watched, systemClock);
  }

  async streamTap(...[reply, { params, query }]: Parameters<Served['streamTap']>): Promise<void> {
    const job = this.#dispatcher.job(params.jobid);
    const options = tapOptionsOf(job, params, query, this.#showsRecords);
    await streamTap(job, options, () => {
      reply.hijack();
      return reply.raw;
    });
  }

  /** Leaves the jobs for the next leader. */
  async close(): Promise<void> {
    await this.#states.close();
    await this.#reporting.close();
    await this.#dispatcher.close();
    this.#logs.server('info', 'Has ended; its jobs go on with the next server');
    this.#logs.close();
  }
}

/** What is planned only prints for nobody. */
function outputOf({ served }: ProcessRun): ProcessOutput {
  if (served !== null) return { file: served.output.path };
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return { stdout: nowhere, stderr: nowhere };
}

function dispatcherOf(options: ServerOptions, store: JobStore, logs: JobLogs): Dispatcher {
  const settings = serverSettings(options.layers);
  const protocol = `${options.version} ${process.versions.v8}`;
  return new Dispatcher({
    clock: systemClock,
    disk: nodeDisk,
    store,
    pool: new SlotPool(options.slots),
    admission: options.admission,
    planTimeoutMs: PLAN_TIMEOUT_MS,
    endedMax: options.endedMax,
    endedMs: settings['jobstore.expiration-time'],
    logs,
    orphanTimeoutMs: settings['taskmanager.registration.timeout'],
    protocol,
    launch: (run) => new JobProcess(run, new ForkedLink(run, outputOf(run))),
    find: ({ id, submission }) =>
      adoptProcess({
        directory: store.directoryOf(id),
        jobName: submission.jobName ?? '',
        settings: submission.settings,
        epoch: store.epoch,
        protocol,
        timeoutMs: FOUND_TIMEOUT_MS,
        runs: (pid) => {
          const start = startOf(nodeDisk, pid);
          return () => isRunning(nodeDisk, pid, start);
        },
      }),
    onDefect: (error) => {
      // The server ends with it, and tells of it then.
      if (MillraceError.is(error) && error.code === 'LEADERSHIP_LOST') return;
      logs.defect(error);
      options.onDefect(error);
    },
  });
}

/** A job of a server has one subtask of each operator unless it asks for more, and keeps its checkpoints on disk. */
function layersOf({ layers }: ServerOptions, data: string): readonly SettingsLayer[] {
  const values = {
    parallelism: 1,
    'execution.checkpointing.dir': join(data, 'checkpoints'),
    'execution.checkpointing.savepointDir': join(data, 'savepoints'),
  };
  return [{ origin: 'server', values }, ...layersOfServedJobs(layers)];
}

/** The reporters of a server, which report all of its jobs. Rejects with OPTION_UNKNOWN and OPTION_INVALID. */
export async function serverReporters({
  layers,
}: ServerOptions): Promise<readonly ReporterSetup[]> {
  const reporters = resolveSettings(layersOfJobs(layers))['metrics.reporters'];
  if (Object.keys(reporters).length === 0) return [];
  const { reportersOf } = await import('../reporters/reporters-of.js');
  return reportersOf(reporters);
}

function reportingOf(
  { layers, onDefect }: ServerOptions,
  reporters: readonly ReporterSetup[],
  server: MeasuredServer,
): Reporting {
  const settings = resolveSettings(layersOfJobs(layers));
  return new Reporting(reporters, {
    measure: () => server.points(systemClock.epochMs()),
    tell: (error) => onDefect(error),
    formats: scopeFormatsOf(settings),
  });
}
