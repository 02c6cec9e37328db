/**
 * `mountServer`: the REST interface and the console inside a program's own HTTP server, behind its own prefix and its
 * own authentication, beside its own routes. Callers: users, by `millrace/server`. Runs on: the caller's thread; jobs
 * run in processes of their own, as those of `millrace server` do.
 */
import { MillraceError } from '../base/errors.js';
import {
  checkMembers,
  countCheck,
  functionCheck,
  nonEmptyText,
  type OptionCheck,
} from '../api/operator-options.js';
import { isPlainObject } from '../graph/plain-object.js';
import { packageVersion } from '../runtime/package-version.js';
import type { Admission } from './served-job.js';
import type { RawReply, RawRequest } from './http-server.js';
import type { KeptFiles } from './rotating-file.js';
import { RunningServer, type SubmitOptions } from './server.js';
import { historyWithin, KEPT_LOGS, slotsWithin } from './server-bounds.js';

/** How a server is mounted. */
export interface MountOptions {
  /** Where jobs, bundles, checkpoints and savepoints are kept; no other server may have it. */
  readonly dataDirectory: string;
  /** What paths of requests begin with, such as `/millrace`, unless the program cuts it off. Default: nothing. */
  readonly prefix?: string;
  /** Slots for all jobs together, 1 to 32 768. Default: four for each core. */
  readonly slots?: number;
  /** What becomes of a job for which there are not enough free slots. Default: `queue`. */
  readonly admission?: Admission;
  /** Whether bundles are taken over REST: whoever reaches it can then run any program here. Default: false. */
  readonly uploads?: boolean;
  /** Whether records of running jobs may be looked at. Default: true. */
  readonly taps?: boolean;
  /** How much is kept of the log of the server, and of that of each job. Default: four files of 8 MB. */
  readonly logs?: KeptFiles;
  /** Ended jobs that are kept, the newest. Default: 100. */
  readonly history?: number;
  /** Settings of all jobs, by their keys, which their own override. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Told of what goes wrong in the server itself. Default: a warning of the process. */
  readonly onDefect?: (error: unknown) => void;
}

/** A server in a program. */
export interface MountedServer {
  /**
   * Answers a request: for `http.createServer`, as a middleware of Express or Connect before any that reads bodies, or
   * with the raw request and reply of a hijacked route of Fastify. Asks for no token: who may come so far is for the
   * program to say. Pages of elsewhere are refused.
   */
  readonly handler: (request: RawRequest, response: RawReply) => void;
  /**
   * Runs the job of a module with all that it imports: its id, once it is planned and admitted. Rejects with what is
   * wrong with it, such as JOB_NOT_FOUND or FIELD_UNKNOWN.
   */
  submit(module: string | URL, options?: SubmitOptions): Promise<string>;
  /** Ends it; its jobs go on from their checkpoints with the next one that has the same directory. */
  close(): Promise<void>;
}

const ADMISSIONS: readonly unknown[] = ['queue', 'refuse', 'shrink'] satisfies Admission[];

/** Counts that have bounds of their own are checked where those are. */
const CHECKS: Readonly<Record<string, OptionCheck>> = {
  dataDirectory: nonEmptyText,
  prefix: (value) => (isPrefix(value) ? null : 'a path like /millrace'),
  slots: () => null,
  admission: (value) => (ADMISSIONS.includes(value) ? null : "'queue', 'refuse' or 'shrink'"),
  uploads: booleanCheck,
  taps: booleanCheck,
  logs: (value) => {
    const { bytesMax, files } = Object(value) as Partial<KeptFiles>;
    const isSo = countCheck(bytesMax) === null && countCheck(files) === null;
    return isSo ? null : 'an object { bytesMax, files } of whole numbers from 1 on';
  },
  history: () => null,
  settings: (value) => (isPlainObject(value) ? null : 'an object of settings by their keys'),
  onDefect: functionCheck,
};

function isPrefix(value: unknown): boolean {
  return typeof value === 'string' && /^(?:\/[^/?#]+)*$/.test(value);
}

function booleanCheck(value: unknown): string | null {
  return typeof value === 'boolean' ? null : 'true or false';
}

/**
 * Makes a server without a port of its own. Rejects with OPTION_UNKNOWN, OPTION_INVALID, SERVER_RUNNING,
 * STORE_CORRUPT.
 *
 * @example
 * const millrace = await mountServer({ dataDirectory: 'jobs', prefix: '/millrace' });
 * createServer((request, response) => {
 *   if (!mayAdminister(request)) response.writeHead(403).end();
 *   else if (request.url.startsWith('/millrace/')) millrace.handler(request, response);
 *   else application(request, response);
 * }).listen(8080);
 * await millrace.submit(new URL('./orders.ts', import.meta.url), { parallelism: 2 });
 */
export async function mountServer(options: MountOptions): Promise<MountedServer> {
  const at = { at: 'mountServer(...)', where: {} };
  if (!isPlainObject(options) || options.dataDirectory === undefined) {
    throw new MillraceError('OPTION_INVALID', 'mountServer takes an object with a dataDirectory.', {
      advice: "Write mountServer({ dataDirectory: 'jobs' }).",
    });
  }
  checkMembers({ ...options }, CHECKS, at);
  const { prefix = '', slots, history, settings = {}, onDefect = warn } = options;
  const server = new RunningServer({
    host: '127.0.0.1',
    port: 0,
    dataDirectory: options.dataDirectory,
    slots: slotsWithin('slots', slots),
    admission: options.admission ?? 'queue',
    allowsUploads: options.uploads === true,
    allowsTaps: options.taps !== false,
    logs: options.logs ?? KEPT_LOGS,
    token: null,
    // Names are for the program to check.
    allowedHosts: null,
    layers: [{ origin: 'settings of mountServer', values: settings }],
    endedMax: historyWithin('history', history),
    version: packageVersion(),
    printed: null,
    onDefect,
  });
  try {
    await server.startUnheard();
  } catch (error) {
    await server.close();
    throw error;
  }
  // Asked to end over REST.
  void server.closing.then(() => server.close()).catch(onDefect);
  return {
    handler: (request, response) => {
      const { url = '/' } = request;
      if (prefix !== '' && url.startsWith(`${prefix}/`)) request.url = url.slice(prefix.length);
      server.answer(request, response);
    },
    submit: (module, given) => server.submit(module, given),
    close: () => server.close(),
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
