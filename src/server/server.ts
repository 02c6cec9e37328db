/**
 * `millrace server` without the command line: listens, leads or stands by until it does, finds the jobs there are, and
 * ends in order. Callers: the command line, which loads it late. Runs on: the server's thread. Invariant: what is said
 * to be taken has been taken, and nothing of a server that could not start is left.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import type { Health } from '../rest/cluster-schemas.js';
import { entryUrl } from '../runtime/entry-url.js';
import type { SettingsLayer } from '../runtime/settings.js';
import { ConsoleFiles } from './console-files.js';
import { httpServer, type RawReply, type RawRequest } from './http-server.js';
import type { Election, Term } from './leadership/election.js';
import { electionOf } from './leadership/election-of.js';
import { identityOf } from './process-table.js';
import { restTls } from './rest-tls.js';
import type { KeptFiles } from './rotating-file.js';
import type { Admission } from './served-job.js';
import { type ServerSettings, serverSettings } from './server-settings.js';
import { serverReporters, Service } from './service.js';

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
  /** Whether records of jobs may be looked at. */
  readonly allowsTaps: boolean;
  /** Null asks for none. */
  readonly token: string | null;
  /** Names by which the server may be called, besides addresses and `localhost`; null allows any. */
  readonly allowedHosts: readonly string[] | null;
  /** Settings of the server and of all jobs, which their own override; weakest first. */
  readonly layers: readonly SettingsLayer[];
  /** How much is kept of the log of the server, and of that of each job. */
  readonly logs: KeptFiles;
  /** Ended jobs that are kept. */
  readonly endedMax: number;
  readonly version: string;
  /** The end of what its process has printed; null for one within a program, whose output is its own. */
  readonly printed: ((bytesMax: number) => string) | null;
  /** Told of what went wrong in the server itself. */
  onDefect(error: unknown): void;
}

/** What a job is run with. */
export interface SubmitOptions {
  /** Which job of the module; needed where it exports several. */
  readonly job?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly parallelism?: number;
  /** Settings of the job, by their keys. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of 32 hex digits; a job that is there already is not run again. Default: a fresh one. */
  readonly id?: string;
}

/** A server that listens. */
export interface Server {
  readonly url: string;
  /**
   * Runs the job of a module of this machine with all that it imports: its id, once it is planned and admitted. Rejects
   * with NOT_LEADER, and with what is wrong with the job, such as JOB_NOT_FOUND or FIELD_UNKNOWN.
   */
  submit(module: string | URL, options?: SubmitOptions): Promise<string>;
  /** Settles with its epoch when the server leads; never for one that is closed before. */
  readonly leading: Promise<number>;
  /**
   * Settles when the server has been asked to end, by a request or `close`. Rejects when it can go on no longer: with
   * LEADERSHIP_LOST, or with what kept it from taking over.
   */
  readonly closing: Promise<void>;
  /** Ends it; its jobs go on with the next one. */
  close(): Promise<void>;
}

/**
 * Starts a server, which leads, or with high availability may stand by first. Rejects with SERVER_RUNNING,
 * STORE_CORRUPT, OPTION_INVALID, ELECTION_FAILED.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = new RunningServer(options);
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** A server, from its start to its end; `startServer` gives one that listens. */
export class RunningServer implements Server {
  readonly closing: Promise<void>;
  readonly leading: Promise<number>;
  readonly #options: ServerOptions;
  readonly #data: string;
  readonly #settings: ServerSettings;
  readonly #election: Election;
  readonly #http: ReturnType<typeof httpServer>;
  #url = '';
  #term: Term | null = null;
  /** What a server has that leads. */
  #service: Service | null = null;
  #onLeading: (epoch: number) => void = () => {};
  #askToClose: () => void = () => {};
  #giveUp: (error: unknown) => void = () => {};

  constructor(options: ServerOptions) {
    const { host, allowedHosts, token, version } = options;
    this.#options = options;
    this.#data = resolve(options.dataDirectory);
    this.#settings = serverSettings(options.layers);
    this.#election = electionOf(this.#settings, nodeDisk, this.#data);
    this.closing = new Promise((resolved, reject) => {
      this.#askToClose = resolved;
      this.#giveUp = reject;
    });
    this.closing.catch(() => {});
    this.leading = new Promise((resolved) => {
      this.#onLeading = resolved;
    });
    this.#http = httpServer({
      served: () => this.#service,
      health: () => this.#health(),
      guard: { hosts: allowedHosts && [host, ...allowedHosts], token },
      version,
      console: new ConsoleFiles(nodeDisk, consoleDirectory()),
      tls: restTls(this.#settings, nodeDisk),
    });
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const { host, port } = this.#options;
    this.#url = await this.#http.listen({ host, port }).catch((cause: unknown) => {
      throw notListening(host, port, cause);
    });
    await this.#begin();
  }

  /** Leads without a port of its own: requests come by `answer`. */
  async startUnheard(): Promise<void> {
    if (this.#settings['security.ssl.rest.enabled']) {
      throw new MillraceError('OPTION_INVALID', 'A server without a port speaks no TLS.', {
        advice: 'Leave out security.ssl.rest.enabled: TLS is for the server that it is mounted in.',
      });
    }
    await this.#http.ready();
    await this.#begin();
  }

  /** A request that was heard elsewhere. */
  answer(request: RawRequest, response: RawReply): void {
    this.#http.routing(request, response);
  }

  async submit(
    module: string | URL,
    { job, params, parallelism, settings, id }: SubmitOptions = {},
  ): Promise<string> {
    if (this.#service === null) {
      throw new MillraceError('NOT_LEADER', 'The server does not lead.', {
        advice: 'Submit the job to the server that does, or when this one does.',
      });
    }
    const path = module instanceof URL ? fileURLToPath(module) : resolve(module);
    const texts = Object.entries(settings ?? {}).map(([key, value]) => [key, String(value)]);
    return this.#service.run(path, {
      entryClass: job ?? null,
      params: params ?? {},
      parallelism: parallelism ?? null,
      flinkConfiguration: Object.fromEntries(texts),
      jobId: id ?? null,
      baseDirectory: process.cwd(),
    });
  }

  async #begin(): Promise<void> {
    const leads = this.#lead();
    if (this.#settings['high-availability.type'] === 'none') await leads;
    else leads.catch(this.#giveUp);
  }

  async close(): Promise<void> {
    this.#askToClose();
    await this.#election.close();
    await this.#service?.close();
    await this.#http.close();
    await this.#term?.resign();
  }

  async #lead(): Promise<void> {
    const url = this.#settings['rest.address'] ?? this.#url;
    // Before it leads, as one that is configured wrongly is not to.
    const reporters = await serverReporters(this.#options);
    const term = await this.#election.lead({ url, process: identityOf(nodeDisk, process.pid) });
    if (term === null) return;
    this.#term = term;
    void term.lost.then((error) => this.#giveUp(error));
    const service = new Service(this.#options, {
      dataDirectory: this.#data,
      fence: term.fence,
      reporters,
      address: () => url,
      shutDown: () => setImmediate(this.#askToClose),
    });
    service.open();
    this.#service = service;
    this.#onLeading(term.fence.epoch);
  }

  #health(): Health {
    const epoch = this.#service === null ? null : (this.#term?.fence.epoch ?? null);
    const leader = this.#election.leader?.url ?? null;
    return { status: epoch === null ? 'standby' : 'leader', epoch, leader };
  }
}

/** Beside the entries of the package. */
function consoleDirectory(): string {
  return join(dirname(fileURLToPath(entryUrl('server'))), 'console');
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
