/**
 * `millrace run --server`: bundles the job, has a server run it, and follows it to its end unless it is detached. A
 * detached or interrupted command leaves the job running. Callers: `main.ts`. Runs on: the main thread. Invariant:
 * nothing of the job runs here.
 */
import { basename, resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { formatDuration } from '../base/units.js';
import type { Client } from '../rest/client.js';
import type { JobSummary } from '../rest/job-schemas.js';
import { portableBundle } from '../runtime/job-bundle.js';
import { resolveSettings } from '../runtime/settings.js';
import type { CommandContext } from './command-context.js';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { checkModule, paramsOf, settingsLayers } from './job-call.js';
import type { RunOptions } from './program.js';
import { reportRequestError, serverClient } from './server-link.js';

/** Submits the job; the exit code. */
export async function submitCommand(
  module: string,
  options: RunOptions,
  server: string,
  context: CommandContext,
): Promise<number> {
  try {
    const client = await serverClient({ ...options, server });
    const jobid = await submit(client, module, options);
    if (options.detached !== true) return await follow(client, jobid, context);
    if (context.json === null) context.stdout.write(`${jobid}\n`);
    else context.json.line('submitted', { jobid });
    return EXIT_OK;
  } catch (error) {
    return reportRequestError(error, context);
  }
}

async function submit(client: Client, module: string, options: RunOptions): Promise<string> {
  const path = resolve(module);
  checkModule(path, module);
  const layers = await settingsLayers(options, process.env, process.cwd());
  // Wrong ones are told here, with where each was given.
  resolveSettings(layers);
  const settings: Record<string, unknown> = Object.assign(
    {},
    ...layers.map(({ values }) => values),
  );
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const name = basename(path).replace(/\.[cm]?[jt]sx?$/, '.mjs');
  const jarid = await client.upload(name, await portableBundle(path));
  try {
    const { jobid } = await client.runJar(
      { jarid },
      {
        ...(options.job === undefined ? {} : { entryClass: options.job }),
        params: paramsOf(options),
        flinkConfiguration: Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
        baseDirectory: process.cwd(),
      },
    );
    return jobid;
  } finally {
    // A job has a copy of its own.
    await client.deleteJar({ jarid });
  }
}

/** Tells every state of the job until it has ended. */
async function follow(client: Client, jobid: string, context: CommandContext): Promise<number> {
  const leaving = new AbortController();
  const interrupts = onInterrupts({
    cancel: (message) => {
      if (message !== null) {
        context.stderr.write(`The job goes on; millrace cancel ${jobid} would end it.\n`);
      }
      leaving.abort();
    },
  });
  try {
    let state = '';
    for await (const { type, data } of client.events(leaving.signal)) {
      const job = jobIn(type, data, jobid);
      if (job === null || job.state === state) continue;
      state = job.state;
      tellState(job, context);
      if (job['end-time'] >= 0) return await end(client, job, context);
    }
    if (interrupts.isInterrupted || interrupts.isPipeBroken) return EXIT_INTERRUPTED;
    throw new MillraceError('SERVER_UNREACHABLE', `${client.url} has ended.`, {
      advice: `The job goes on when it is started again; millrace status ${jobid} tells.`,
    });
  } finally {
    interrupts.release();
  }
}

function jobIn(type: string, data: unknown, jobid: string): JobSummary | null {
  if (type === 'job') {
    const job = data as JobSummary;
    return job.jid === jobid ? job : null;
  }
  if (type !== 'jobs') return null;
  const { jobs } = data as { readonly jobs: readonly JobSummary[] };
  return jobs.find(({ jid }) => jid === jobid) ?? null;
}

function tellState(job: JobSummary, { json, stderr }: CommandContext): void {
  if (json !== null) json.line('job', job);
  else {
    const took = job['end-time'] < 0 ? '' : ` after ${formatDuration(job.duration)}`;
    stderr.write(`${job.name} ${job.jid} is ${job.state}${took}\n`);
  }
}

async function end(client: Client, job: JobSummary, context: CommandContext): Promise<number> {
  if (job.state === 'FINISHED') return EXIT_OK;
  const { 'root-exception': cause } = await client.jobExceptions({ jobid: job.jid });
  if (cause !== null && context.json === null) context.stderr.write(`${cause}\n`);
  if (cause !== null) context.json?.line('failure', { jobid: job.jid, cause });
  return EXIT_FAILED;
}
