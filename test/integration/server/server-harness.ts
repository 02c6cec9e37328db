/** A server as a process of its own, and requests to it whose replies are checked against the table of paths. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inspect } from 'node:util';
import type { Client } from 'millrace/client';
import { expect } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { type PathDefinition, PATHS, type PathName } from '../../../src/rest/paths.js';
import type { Health } from '../../../src/rest/cluster-schemas.js';
import type { JobDetails } from '../../../src/rest/job-schemas.js';
import { signIn } from '../../../src/runtime/adoption-door.js';
import { isRunning } from '../../../src/server/process-table.js';
import { mismatch } from '../../unit/rest/schema-check.js';
import { fixture, type Started, startCli } from '../run-cli.js';

/** How often something is asked for that is to come about. */
const POLL_MS = 25;
/** How long, at most: less than a test may take, so that it is told what was waited for. */
const POLL_MS_MAX = 240_000;

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
}

export class TestServer {
  readonly url: string;
  readonly pid: number;
  readonly #started: Started;
  readonly #data: string;

  private constructor(started: Started, data: string, url: string, pid: number) {
    this.#started = started;
    this.#data = data;
    this.url = url;
    this.pid = pid;
  }

  static async start(data: string, ...words: readonly string[]): Promise<TestServer> {
    const flags = ['--json', '--port', '0', '--data', data, ...words];
    const started = startCli(['server', ...flags]);
    const ended = started.finished.then(({ stderr, stdout }) => {
      throw new Error(`The server did not start: ${stdout}${stderr}`);
    });
    await Promise.race([started.seen('"type":"server"'), ended]);
    ended.catch(() => {});
    const line = started.output.stdout.split('\n').find((text) => text.includes('"type":"server"'));
    const { url, pid } = JSON.parse(line ?? '{}');
    return new TestServer(started, data, url, pid);
  }

  /** What it has printed. */
  get printed(): string {
    const { stdout, stderr } = this.#started.output;
    return `${stdout}${stderr}`;
  }

  /** A request as any client sends it; nothing about the reply is checked. */
  async raw(
    method: string,
    path: string,
    { body, headers = {} }: { body?: string | FormData; headers?: Record<string, string> } = {},
  ): Promise<Reply<Record<string, never>>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const answered: unknown = await response.json();
    return { status: response.status, body: answered as Record<string, never> };
  }

  /** Calls a path of the table; the reply must be as the table says. */
  async call<T>(
    name: PathName,
    parts: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<T> {
    const { method, path, status, reply }: PathDefinition = PATHS[name];
    const filled = path.replaceAll(/:(\w+)/g, (_, part: string) => parts[part] ?? '');
    const query = parts['query'] ?? '';
    const headers = { 'content-type': 'application/json' };
    const answered = await this.raw(method, `${filled}${query}`, {
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers }),
    });
    expect(answered, `${method} ${filled}`).toMatchObject({ status });
    if (typeof reply !== 'string') expect(mismatch(reply, answered.body), filled).toBeNull();
    return answered.body as T;
  }

  /** Uploads a fixture; its id. */
  async upload(name: string, content: string | null = null): Promise<string> {
    const form = new FormData();
    const text = content ?? readFileSync(fixture(name), 'utf8');
    form.set('jarfile', new Blob([text], { type: 'application/x-java-archive' }), name);
    const { status, body } = await this.raw('POST', '/v1/jars/upload', { body: form });
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'success' } });
    return basename(body['filename'] ?? '');
  }

  /** Runs a fixture; the id of the job. */
  async run(name: string, request: object = {}): Promise<string> {
    const jarid = await this.upload(name);
    const { jobid } = await this.call<{ jobid: string }>('runJar', { jarid }, request);
    return jobid;
  }

  job(jobid: string): Promise<JobDetails> {
    return this.call('job', { jobid });
  }

  /** Waits until the job is as it should be. */
  until(jobid: string, isSo: (job: JobDetails) => boolean): Promise<JobDetails> {
    return poll(() => this.job(jobid), isSo);
  }

  /** Waits until the job has ended, after which it may be forgotten. */
  async untilEnded(jobid: string): Promise<void> {
    const ended: readonly unknown[] = ['FINISHED', 'FAILED', 'CANCELED', undefined];
    await poll(
      async () => (await this.raw('GET', `/jobs/${jobid}`)).body['state'] as unknown,
      (state) => ended.includes(state),
    );
  }

  /** For a client with the token that this one has not. */
  async untilRunning(client: Client, jobid: string): Promise<void> {
    await poll(
      () => client.job({ jobid }),
      ({ state }) => state === 'RUNNING',
    );
  }

  /** The id of the process of a job; null when it has none. */
  async processOf(jobid: string): Promise<number | null> {
    const { taskmanagers } = await this.call<{ taskmanagers: { id: string; path: string }[] }>(
      'taskManagers',
    );
    const path = taskmanagers.find(({ id }) => id === jobid)?.path ?? null;
    return path === null ? null : Number(path.slice(path.lastIndexOf('/') + 1));
  }

  /** As when the machine takes it away. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.#started.finished;
  }

  /** Stops and continues the process, as a debugger or a machine that is suspended does. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.pid, name);
  }

  /** The exit code of a server that ends by itself. */
  async ended(): Promise<number | null> {
    const { code } = await this.#started.finished;
    return code;
  }

  /** Waits until the server leads; its epoch. */
  async untilLeading(): Promise<number> {
    const { epoch } = await poll(
      () => this.call<Health>('health'),
      ({ status }) => status === 'leader',
    );
    return epoch ?? 0;
  }

  /** In order, over REST; its exit code. */
  async shutDown(): Promise<number | null> {
    await this.raw('DELETE', '/cluster');
    const { code } = await this.#started.finished;
    return code;
  }

  /** Ends it if it still runs, and with it what waits for the next server. */
  async release(): Promise<void> {
    this.#started.child.kill('SIGCONT');
    this.#started.child.kill('SIGTERM');
    await this.#started.finished;
    const jobs = join(this.#data, 'jobs');
    for (const id of existsSync(jobs) ? readdirSync(jobs) : []) {
      const pid = signIn(join(jobs, id))?.pid ?? null;
      if (isAlive(pid)) killProcess(pid);
    }
  }
}

/** Asks until the answer is as it should be; tells what it was when it does not come about. */
export async function poll<T>(ask: () => Promise<T> | T, isSo: (answer: T) => boolean): Promise<T> {
  const began = performance.now();
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (performance.now() - began > POLL_MS_MAX) {
      throw new Error(`Not so after ${POLL_MS_MAX} ms: ${isSo}; the last was ${inspect(answer)}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Whether a process is there; one that only waits for somebody to ask for its end is not. */
export function isAlive(pid: number | null): boolean {
  return pid !== null && isRunning(nodeDisk, pid, '');
}

/** Kills a process. Numbers that the system takes for many processes are none. */
export function killProcess(pid: number | null): void {
  expect(pid, 'of a process to be killed, which may have ended before').toBeGreaterThan(1);
  process.kill(Number(pid), 'SIGKILL');
}

/** Settles when a process is gone. */
export async function untilGone(pid: number | null): Promise<void> {
  await poll(
    () => isAlive(pid),
    (alive) => !alive,
  );
}
