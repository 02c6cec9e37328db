/**
 * A typed client of a server: a function for every path of the table, and what goes beyond one request: uploads,
 * waiting for what takes its time, the stream of events. Callers: users, the command line. Runs on: the caller's
 * thread; it needs nothing but `fetch`.
 */
import type { ErrorCode } from '../base/error-codes.js';
import { MillraceError } from '../base/errors.js';
import { eventsOf, type RestEvent } from './event-reader.js';
import type {
  BodyOf,
  JsonPathName,
  ParamsOf,
  QueryOf,
  ReplyOf,
  TextPathName,
} from './path-types.js';
import { type PathDefinition, PATHS } from './paths.js';

/** Where the server is, and how to talk to it. */
export interface ClientOptions {
  /**
   * Such as `http://127.0.0.1:8081`. Of servers of which one leads and others stand by, several with commas between;
   * any that is up tells where the leader is.
   */
  readonly url: string;
  /** The token that the server asks for. */
  readonly token?: string;
  /** What requests are sent with, such as `tlsFetch`. Default: that of the platform. */
  readonly fetch?: typeof fetch;
}

/** Parameters of the path and of the query together. */
export type CallArguments<N extends JsonPathName> = ParamsOf<N> & QueryOf<N>;

/** A path as a function. */
export type CallOf<N extends JsonPathName> =
  BodyOf<N> extends undefined
    ? Record<never, never> extends CallArguments<N>
      ? (args?: CallArguments<N>) => Promise<ReplyOf<N>>
      : (args: CallArguments<N>) => Promise<ReplyOf<N>>
    : (args: CallArguments<N>, body: BodyOf<N>) => Promise<ReplyOf<N>>;

/** The functions, by the names of the paths; an upload has its own. */
export type PathCalls = { readonly [N in Exclude<JsonPathName, 'uploadJar'>]: CallOf<N> } & {
  readonly [N in TextPathName]: (args: ParamsOf<N> & QueryOf<N>) => Promise<string>;
};

/** How the parallelism of a job was changed; times are milliseconds. */
export interface RescalingDone {
  readonly from: number;
  readonly to: number;
  /** The checkpoint from which the job went on; null when it had that parallelism already. */
  readonly checkpoint: number | null;
  /** From the request until that checkpoint was durable, in which the job still worked. */
  readonly checkpointMs: number;
  /** From then until all subtasks ran again. */
  readonly restartMs: number;
}

/** Where a tap looks, and at what. */
export type TapArguments = ParamsOf<'tap'> & QueryOf<'tap'>;

/** The client. */
export interface Client extends PathCalls {
  readonly url: string;
  /** Uploads a bundle: its id. */
  upload(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<string>;
  /**
   * Waits for a savepoint or stop that was asked for: where the savepoint is. Rejects with what it failed with, such as
   * CHECKPOINT_FAILED.
   */
  savepointDone(args: { readonly jobid: string; readonly triggerid: string }): Promise<string>;
  /** Waits for a checkpoint that was asked for: its number. */
  checkpointDone(args: { readonly jobid: string; readonly triggerid: string }): Promise<number>;
  /**
   * Waits for a change of the parallelism. Rejects with what it failed with, such as SLOTS_EXHAUSTED or RESCALE_FAILED.
   */
  rescalingDone(args: {
    readonly jobid: string;
    readonly triggerid: string;
  }): Promise<RescalingDone>;
  /** Waits for a disposal. */
  disposalDone(args: { readonly triggerid: string }): Promise<void>;
  /** The newest of what a job has printed; with `tail`, so many bytes of it. */
  output(args: { readonly jobid: string; readonly tail?: string }): Promise<string>;
  /**
   * All jobs first, then every change, until the server or the signal ends it. What is watched is told each second:
   * `load` for the rates of all jobs, ids of jobs for what flows through them.
   */
  events(signal?: AbortSignal, watch?: readonly string[]): AsyncIterableIterator<RestEvent>;
  /** Records as they pass: events `records`, which hold a `TapEvent`, and `end` with the error, or null. */
  tap(args: TapArguments, signal?: AbortSignal): AsyncIterableIterator<RestEvent>;
}

/** How often it is asked how something stands. */
const POLL_MS = 50;

/**
 * A client of the server at an address. Every function rejects with a MillraceError: that of the server, or
 * SERVER_UNREACHABLE.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:8081' });
 * const { jobs } = await client.jobsOverview();
 * await client.cancelJob({ jobid: jobs[0].jid });
 */
export function createClient(options: ClientOptions): Client {
  const link = new Link(options);
  const calls = Object.entries<PathDefinition>(PATHS).map(([name, definition]) => [
    name,
    (args?: Arguments, body?: unknown) => link.call(definition, args ?? {}, body),
  ]);
  const paths: PathCalls = Object.fromEntries(calls);
  return {
    ...paths,
    url: link.url,
    upload: (name, content) => link.upload(name, content),
    savepointDone: async (args) => {
      const { location } = await settled(() => paths.savepointStatus(args));
      return location ?? '';
    },
    checkpointDone: async (args) => {
      const { checkpointId } = await settled(() => paths.checkpointStatus(args));
      return checkpointId ?? 0;
    },
    rescalingDone: async (args) => {
      const { 'failure-cause': _, ...done } = await settled(() => paths.rescalingStatus(args));
      const none = { from: 0, to: 0, checkpoint: null, checkpointMs: 0, restartMs: 0 };
      return { ...none, ...done };
    },
    disposalDone: async (args) => {
      await settled(() => paths.disposalStatus(args));
    },
    output: ({ jobid, ...asked }) => paths.stdout({ taskmanagerid: jobid, ...asked }),
    events: (signal, watch = []) =>
      link.events(PATHS.events, watch.length === 0 ? {} : { watch: watch.join(',') }, signal),
    tap: (args, signal) => link.events(PATHS.tap, args, signal),
  };
}

type Arguments = Readonly<Record<string, string | undefined>>;

/** Servers that are asked for one reply, lest two that take each other for the leader are asked for ever. */
const HOPS_MAX = 4;

/** The connection. */
class Link {
  /** The first one that was named. */
  readonly url: string;
  readonly #urls: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;
  readonly #send: typeof fetch;
  /** The one that has answered last. */
  #current: string;

  constructor({ url, token, fetch: send = (...request) => fetch(...request) }: ClientOptions) {
    this.#send = send;
    this.#urls = url.split(',').map(addressOf);
    this.url = this.#urls[0] ?? '';
    this.#current = this.url;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async call(definition: PathDefinition, args: Arguments, body: unknown): Promise<unknown> {
    const { method, reply } = definition;
    const asked = askedPath(definition, args);
    if (reply === 'text') return this.#text(asked);
    if (body === undefined) return this.#json(asked, { method });
    return this.#json(asked, { method, body: JSON.stringify(body) }, 'application/json');
  }

  async upload(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<string> {
    const form = new FormData();
    form.set('jarfile', new Blob([content], { type: 'application/x-java-archive' }), name);
    const reply = await this.#json('/jars/upload', { method: 'POST', body: form });
    const { filename } = reply as ReplyOf<'uploadJar'>;
    return filename.split(/[\\/]/).at(-1) ?? '';
  }

  async #text(path: string): Promise<string> {
    const response = await this.#fetch(path, {});
    const text = await response.text();
    if (!response.ok) throw refused(response, text);
    return text;
  }

  async *events(
    definition: PathDefinition,
    args: Arguments,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<RestEvent> {
    const asked = askedPath(definition, args);
    const response = await this.#fetch(asked, signal === undefined ? {} : { signal });
    if (!response.ok || response.body === null) throw refused(response, await response.text());
    yield* eventsOf(response.body, signal);
  }

  async #json(path: string, request: RequestInit, type?: string): Promise<unknown> {
    const headers = type === undefined ? {} : { 'content-type': type };
    const response = await this.#fetch(path, { ...request, headers });
    const text = await response.text().catch((cause: unknown) => {
      throw this.#unreachable(cause);
    });
    if (!response.ok) throw refused(response, text);
    return parsed(response, text);
  }

  /** Goes to the leader from servers that stand by, and from servers that are down to those that are up. */
  async #fetch(path: string, request: RequestInit): Promise<Response> {
    const headers = { ...this.#headers, ...(request.headers as Record<string, string>) };
    const untried = new Set([this.#current, ...this.#urls]);
    let failure: unknown = null;
    for (let hops = 0; hops < HOPS_MAX; hops++) {
      const [url] = untried;
      if (url === undefined) break;
      untried.delete(url);
      try {
        const response = await this.#send(`${url}${path}`, { ...request, headers });
        const leader = leaderIn(response, path);
        if (leader === null || hops === HOPS_MAX - 1) {
          this.#current = url;
          return response;
        }
        untried.clear();
        untried.add(leader);
      } catch (cause) {
        failure = cause;
        // Of any other failure it is not known whether the server has done what it was asked for.
        if (!isRefused(cause)) break;
      }
    }
    throw this.#unreachable(failure);
  }

  #unreachable(cause: unknown): MillraceError {
    const named = this.#urls.join(', ');
    return new MillraceError('SERVER_UNREACHABLE', `There is no answer from ${named}.`, {
      cause,
      advice: 'Start a server with `millrace server`, or name the one there is with --server.',
    });
  }
}

/** Where the leader is, as a server says that stands by; null in any other reply. */
function leaderIn({ status, headers }: Response, path: string): string | null {
  const location = headers.get('location');
  if (status !== 503 || location === null || !location.endsWith(path)) return null;
  return location.slice(0, -path.length);
}

/** Whether nobody listens at the address. */
function isRefused(error: unknown): boolean {
  const { cause } = Object(error) as { readonly cause?: { readonly code?: string } };
  return cause?.code === 'ECONNREFUSED';
}

/** A path with its parameters, and those of the query. */
function askedPath({ path }: PathDefinition, args: Arguments): string {
  const inPath = new Set([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name));
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(args[name] ?? ''),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    if (value !== undefined && !inPath.has(name)) query.set(name, value);
  }
  return query.size === 0 ? filled : `${filled}?${query.toString()}`;
}

/** Host and port alone will do. */
function addressOf(url: string): string {
  const full = /^https?:\/\//.test(url) ? url : `http://${url}`;
  if (URL.canParse(full)) return full.replace(/\/+$/, '');
  throw new MillraceError('OPTION_INVALID', `${JSON.stringify(url)} is no address of a server.`, {
    advice: 'Write, for example, 127.0.0.1:8081 or https://jobs.example.',
  });
}

function parsed(response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('SERVER_UNREACHABLE', `${response.url} answers no JSON.`, {
      cause,
      advice: 'Something else may listen there.',
    });
  }
}

/** The error that the server tells of. */
function refused(response: Response, text: string): MillraceError {
  const { code, message, advice } = parsed(response, text) as {
    readonly code?: ErrorCode;
    readonly message?: string;
    readonly advice?: string | null;
  };
  const said = message ?? `${response.url} answers ${response.status}.`;
  return new MillraceError(code ?? 'SERVER_UNREACHABLE', said, advice ? { advice } : {});
}

interface Standing<T> {
  readonly status: { readonly id: 'IN_PROGRESS' | 'COMPLETED' };
  readonly operation?: T;
}

interface Failable {
  readonly 'failure-cause'?: { readonly class: string; readonly 'stack-trace': string };
}

/** Asks until it is done. */
async function settled<T extends Failable>(ask: () => Promise<Standing<T>>): Promise<Partial<T>> {
  for (;;) {
    const { status, operation } = await ask();
    if (status.id === 'COMPLETED') {
      const failure = operation?.['failure-cause'];
      if (failure !== undefined) throw failed(failure);
      return operation ?? {};
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

function failed(cause: NonNullable<Failable['failure-cause']>): MillraceError {
  const [head = ''] = cause['stack-trace'].split('\n');
  return new MillraceError(cause.class as ErrorCode, head.replace(`${cause.class}: `, ''));
}
