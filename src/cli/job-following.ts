/**
 * Following a job of a server to its end. Callers: the commands that submit one. Runs on: the main thread.
 */
import { MillraceError } from '../base/errors.js';
import { formatDuration } from '../base/units.js';
import type { Client } from '../rest/client.js';
import type { JobSummary } from '../rest/job-schemas.js';
import type { CommandContext } from './command-context.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';

/**
 * Tells every state of a job until it has ended: how it stands then; null when the signal has ended the following.
 * Rejects with SERVER_UNREACHABLE when the server ends before.
 */
export async function followJob(
  client: Client,
  jobid: string,
  context: CommandContext,
  leaving: AbortSignal,
): Promise<JobSummary | null> {
  let state = '';
  for await (const { type, data } of client.events(leaving)) {
    const job = jobIn(type, data, jobid);
    if (job === null || job.state === state) continue;
    state = job.state;
    tellState(job, context);
    if (job['end-time'] >= 0) return job;
  }
  if (leaving.aborted) return null;
  throw new MillraceError('SERVER_UNREACHABLE', `${client.url} has ended.`, {
    advice: `The job goes on when it is started again; millrace status ${jobid} tells.`,
  });
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

/** Tells why a job has failed; the exit code. */
export async function exitCodeOfEnd(
  client: Client,
  job: JobSummary,
  context: CommandContext,
): Promise<number> {
  if (job.state === 'FINISHED') return EXIT_OK;
  const { 'root-exception': cause } = await client.jobExceptions({ jobid: job.jid });
  if (cause !== null && context.json === null) context.stderr.write(`${cause}\n`);
  if (cause !== null) context.json?.line('failure', { jobid: job.jid, cause });
  return EXIT_FAILED;
}
