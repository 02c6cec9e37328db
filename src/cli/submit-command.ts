/**
 * `millrace run --server`: bundles the job, has a server run it, and follows it to its end unless it is detached. A
 * detached or interrupted command leaves the job running. Callers: `main.ts`. Runs on: the main thread. Invariant:
 * nothing of the job runs here.
 */
import { resolve } from 'node:path';
import type { Client } from '../rest/client.js';
import type { JarRunRequest } from '../rest/cluster-schemas.js';
import { bundleName, portableBundle } from '../runtime/job-bundle.js';
import { resolveSettings } from '../runtime/settings.js';
import { layersOfJobs } from '../server/server-settings.js';
import type { CommandContext } from './command-context.js';
import { EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { checkModule, paramsOf, settingsLayers } from './job-call.js';
import { exitCodeOfEnd, followJob } from './job-following.js';
import type { RunOptions } from './program.js';
import { reportRequestError, serverClient } from './server-link.js';

/** Submits the job, or shows what its restore would mean; the exit code. */
export async function submitCommand(
  module: string,
  options: RunOptions,
  server: string,
  context: CommandContext,
): Promise<number> {
  try {
    const client = await serverClient({ ...options, server });
    if (options.plan === true) {
      const { tellRestorePlan } = await import('./restore-plan-command.js');
      const call = withBundle(client, module, options, (...asked) => client.planRestore(...asked));
      return tellRestorePlan(await call, context);
    }
    const call = withBundle(client, module, options, (...asked) => client.runJar(...asked));
    const { jobid } = await call;
    if (options.detached !== true) return await follow(client, jobid, context);
    if (context.json === null) context.stdout.write(`${jobid}\n`);
    else context.json.line('submitted', { jobid });
    return EXIT_OK;
  } catch (error) {
    return reportRequestError(error, context);
  }
}

/** Has the server do something with the bundle of the job, which it keeps no longer than that. */
async function withBundle<T>(
  client: Client,
  module: string,
  options: RunOptions,
  call: (jar: { readonly jarid: string }, request: JarRunRequest) => Promise<T>,
): Promise<T> {
  const path = resolve(module);
  checkModule(path, module);
  const layers = layersOfJobs(await settingsLayers(options, process.env, process.cwd()));
  // Wrong ones are told here, with where each was given.
  resolveSettings(layers);
  const settings: Record<string, unknown> = Object.assign(
    {},
    ...layers.map(({ values }) => values),
  );
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const jarid = await client.upload(bundleName(path), await portableBundle(path));
  try {
    return await call(
      { jarid },
      {
        ...(options.job === undefined ? {} : { entryClass: options.job }),
        params: paramsOf(options),
        flinkConfiguration: Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
        baseDirectory: process.cwd(),
      },
    );
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
    const job = await followJob(client, jobid, context, leaving.signal);
    if (job !== null) return await exitCodeOfEnd(client, job, context);
    return EXIT_INTERRUPTED;
  } finally {
    interrupts.release();
  }
}
