/**
 * `millrace run --serve`: application mode. The job runs with a REST interface and a console of its own, which end with
 * it. Callers: `main.ts`. Runs on: the main thread, which is the server's; the job has a process of its own. Invariant:
 * a command that was killed and is started again goes on with its job, and runs no second one; one for another job
 * leaves it alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import type { Client } from '../rest/client.js';
import { entryUrl } from '../runtime/entry-url.js';
import type { Server, startServer } from '../server/server.js';
import { KEPT_LOGS, slotsWithin, whole } from '../server/server-bounds.js';
import { type CommandContext, reportCallError } from './command-context.js';
import { errorReport } from './error-report.js';
import { EXIT_INTERRUPTED } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { checkModule, paramsOf, settingsLayers } from './job-call.js';
import { exitCodeOfEnd, followJob } from './job-following.js';
import { printedEnd } from './printed-tail.js';
import type { RunOptions } from './program.js';
import { serverClient } from './server-link.js';
import { serverToken } from './server-token.js';

const DATA_DEFAULT = 'millrace-app';
/** What the data directory is of: the module and the name of the job. */
const APPLICATION = 'application.json';
const PORT_DEFAULT = 8081;
/** The job of before, and those that ended earlier. */
const ENDED_MAX = 20;

/** Runs the job to its end; the exit code. Throws what is wrong with the call or the job. */
export async function serveCommand(
  module: string,
  options: RunOptions,
  context: CommandContext,
  version: string,
): Promise<number> {
  const { json, stderr, style } = context;
  const path = resolve(module);
  checkModule(path, module);
  const dataDirectory = resolve(options.data ?? DATA_DEFAULT);
  let cancel: () => void = () => {};
  const interrupts = onInterrupts({
    cancel: (message) => {
      if (message !== null) stderr.write(`${message}\n`);
      cancel();
    },
  });
  const entry: { readonly startServer: typeof startServer } = await import(entryUrl('server'));
  const server = await entry.startServer({
    host: options.host ?? '127.0.0.1',
    port: whole('--port', options.port, 0, 65_535) ?? PORT_DEFAULT,
    dataDirectory,
    slots: slotsWithin('--slots', undefined),
    admission: 'refuse',
    allowsUploads: false,
    allowsTaps: true,
    token: serverToken(options.tokenFile, process.env),
    allowedHosts: [],
    layers: await settingsLayers(options, process.env, process.cwd()),
    logs: KEPT_LOGS,
    endedMax: ENDED_MAX,
    version,
    printed: printedEnd,
    onDefect: (error) => {
      if (json !== null) json.error(error);
      else {
        const directory = process.cwd();
        stderr.write(`${errorReport(error, { style, plan: null, directory })}\n`);
      }
    },
  });
  try {
    if (json !== null) json.line('server', { url: server.url, pid: process.pid });
    else stderr.write(`Millrace ${version} serves ${style.bold(server.url)}\n`);
    await server.leading;
    const client = await serverClient({ ...options, server: server.url });
    const jobid = await jobOf(server, client, path, { ...options, data: dataDirectory });
    // One that has ended meanwhile needs no canceling.
    cancel = () => void client.cancelJob({ jobid }).catch(() => {});
    if (interrupts.isInterrupted) cancel();
    const job = await followJob(client, jobid, context, new AbortController().signal);
    if (job === null || interrupts.isInterrupted) return EXIT_INTERRUPTED;
    return await exitCodeOfEnd(client, job, context);
  } catch (error) {
    return reportCallError(error, context);
  } finally {
    await server.close();
    interrupts.release();
  }
}

/** The job that an earlier command has left, or a new one. Throws OPTION_INVALID when what is left is another job. */
async function jobOf(
  server: Server,
  client: Client,
  path: string,
  options: RunOptions & { readonly data: string },
): Promise<string> {
  const note = join(options.data, APPLICATION);
  const application = JSON.stringify({ module: path, job: options.job ?? null });
  const { jobs } = await client.jobsOverview();
  const left = jobs.find((job) => job['end-time'] < 0);
  if (left !== undefined) {
    if (existsSync(note) && readFileSync(note, 'utf8') === application) return left.jid;
    const what = `"${left.name}", which has not ended and is not of ${path}`;
    throw new MillraceError('OPTION_INVALID', `${options.data} holds the job ${what}.`, {
      advice: 'Go on with that one, or give another directory with --data.',
    });
  }
  writeFileSync(note, application, { flush: true });
  return server.submit(path, {
    params: paramsOf(options),
    ...(options.job === undefined ? {} : { job: options.job }),
  });
}
