/**
 * `millrace list`, `status`, `cancel`, `stop`, `savepoint`, `checkpoint`, `rescale`, `logs` and `metrics`: asks a
 * server. Callers: `main.ts`. Runs on: the main thread.
 */
import { resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { formatBytes, formatCount, formatDuration } from '../base/units.js';
import type { Client } from '../rest/client.js';
import type { JobDetails, JobSummary } from '../rest/job-schemas.js';
import { type CommandContext, outputStyle } from './command-context.js';
import { EXIT_OK } from './exit-codes.js';
import { logsCommand } from './logs-command.js';
import { metricsCommand } from './metrics-command.js';
import { profileCommand } from './profile-command.js';
import { tapCommand } from './tap-command.js';
import { findJob, reportRequestError, serverClient } from './server-link.js';
import type { JobsCall, ListOptions, SavepointOptions, StopOptions } from './server-program.js';
import type { Style } from './style.js';
import { textTable } from './text-table.js';

/** Does what a call says; the exit code. */
export async function jobsCommand(call: JobsCall, context: CommandContext): Promise<number> {
  try {
    const client = await serverClient(call.options);
    await answer(client, call, context);
    return EXIT_OK;
  } catch (error) {
    return reportRequestError(error, context);
  }
}

function answer(client: Client, call: JobsCall, context: CommandContext): Promise<void> {
  switch (call.command) {
    case 'list':
      return list(client, call.options, context);
    case 'status':
      return status(client, call.job, context);
    case 'cancel':
      return cancel(client, call.job, context);
    case 'logs':
      return logsCommand(client, call.job, call.options, context);
    case 'metrics':
      return metricsCommand(client, call.job, call.options, context);
    case 'checkpoint':
      return checkpoint(client, call.job, context);
    case 'profile':
      return profileCommand(client, call.job, call.options, context);
    case 'tap':
      return tapCommand(client, call, context);
    case 'rescale':
      return rescale(client, call.job, call.parallelism, context);
    case 'stop':
      return stop(client, call.job, call.options, context);
    case 'savepoint':
      return savepoint(client, call.job, call.options, context);
  }
}

async function list(
  client: Client,
  { running = false, scheduled = false, all = false }: ListOptions,
  context: CommandContext,
): Promise<void> {
  const { jobs } = await client.jobsOverview();
  const isAny = !running && !scheduled;
  const chosen = jobs.filter((job) => {
    if (job['end-time'] >= 0) return all;
    const waits = job.state === 'CREATED' || job.state === 'INITIALIZING';
    return isAny || all || (waits ? scheduled : running);
  });
  const { json, stdout, stderr } = context;
  if (json !== null) {
    for (const job of chosen) json.line('job', job);
    return;
  }
  if (chosen.length === 0) {
    const ended = jobs.length === 0 ? '' : `; ${jobs.length} are listed with --all`;
    stderr.write(`No jobs${ended}.\n`);
    return;
  }
  const columns = [
    { head: 'JOB' },
    { head: 'NAME' },
    { head: 'STATE' },
    { head: 'TASKS', isNumber: true },
    { head: 'STARTED' },
    { head: 'FOR', isNumber: true },
  ];
  const style = outputStyle(context);
  const rows = chosen.map((job) => rowOf(job));
  stdout.write(`${textTable(columns, rows, style).join('\n')}\n`);
}

function rowOf(job: JobSummary): readonly string[] {
  const started = new Date(job['start-time']).toISOString().replace('T', ' ').slice(0, 19);
  const { jid, name, state, tasks, duration } = job;
  return [jid, name, state, formatCount(tasks.total), started, formatDuration(duration)];
}

async function status(client: Client, given: string, context: CommandContext): Promise<void> {
  const { jid: jobid } = await findJob(client, given);
  const [job, checkpoints] = await Promise.all([
    client.job({ jobid }),
    client.checkpoints({ jobid }),
  ]);
  const { json, stdout } = context;
  if (json !== null) return json.line('job', { ...job, checkpoints });
  const { counts, latest } = checkpoints;
  const lines = [
    `${job.name} ${job.jid} is ${job.state}, for ${formatDuration(job.duration)}`,
    `slots ${job.slots}, restarts ${job.restarts}`,
    `checkpoints ${counts.completed} completed, ${counts.failed} failed`,
  ];
  const newest = latest.completed;
  if (newest !== null) {
    const size = formatBytes(newest.state_size);
    lines.push(`last checkpoint ${newest.id}, ${size}: ${newest.external_path ?? 'in memory'}`);
  }
  lines.push('', ...vertexTable(job, outputStyle(context)));
  stdout.write(`${lines.join('\n')}\n`);
}

function vertexTable({ vertices }: JobDetails, style: Style): readonly string[] {
  const columns = [
    { head: 'CHAIN' },
    { head: 'STATE' },
    { head: 'SUBTASKS', isNumber: true },
    { head: 'RECORDS IN', isNumber: true },
    { head: 'RECORDS OUT', isNumber: true },
  ];
  const rows = vertices.map(({ name, status: state, parallelism, metrics }) => [
    name,
    state,
    String(parallelism),
    formatCount(metrics['read-records']),
    formatCount(metrics['write-records']),
  ]);
  return textTable(columns, rows, style);
}

async function cancel(client: Client, given: string, context: CommandContext): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  await client.cancelJob({ jobid });
  tell(context, 'canceling', { jobid }, `${name} ${jobid} is being canceled.`);
}

async function checkpoint(client: Client, given: string, context: CommandContext): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  const { 'request-id': triggerid } = await client.takeCheckpoint({ jobid }, {});
  const id = await client.checkpointDone({ jobid, triggerid });
  tell(context, 'checkpoint', { jobid, id }, `${name} has taken checkpoint ${id}.`);
}

async function rescale(
  client: Client,
  given: string,
  parallelism: string,
  context: CommandContext,
): Promise<void> {
  if (!/^[1-9]\d{0,4}$/.test(parallelism)) {
    throw new MillraceError('PARALLELISM_INVALID', `${parallelism} is no parallelism.`, {
      advice: 'Write rescale <job> <parallelism>, with a whole number from 1 on.',
    });
  }
  const { jid: jobid, name } = await findJob(client, given);
  const { 'request-id': triggerid } = await client.rescaleJob({ jobid, parallelism });
  const done = await client.rescalingDone({ jobid, triggerid });
  const { from, to, checkpoint: id, restartMs } = done;
  const away = formatDuration(Math.round(restartMs));
  const sentence =
    id === null
      ? `${name} runs at a parallelism of ${to} already.`
      : `${name} runs at a parallelism of ${to}, before ${from}; it was away for ${away}.`;
  tell(context, 'rescaled', { jobid, ...done }, sentence);
}

async function stop(
  client: Client,
  given: string,
  { drain = false, savepointPath }: StopOptions,
  context: CommandContext,
): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  const target = savepointPath === undefined ? {} : { targetDirectory: resolve(savepointPath) };
  const { 'request-id': triggerid } = await client.stopJob({ jobid }, { drain, ...target });
  const location = await client.savepointDone({ jobid, triggerid });
  tell(context, 'savepoint', { jobid, location }, `${name} has stopped with ${location}`);
}

async function savepoint(
  client: Client,
  given: string | undefined,
  { savepointPath, dispose }: SavepointOptions,
  context: CommandContext,
): Promise<void> {
  if (dispose !== undefined && given === undefined) {
    const path = resolve(dispose);
    const { 'request-id': id } = await client.disposeSavepoint({}, { 'savepoint-path': path });
    await client.disposalDone({ triggerid: id });
    return tell(context, 'disposed', { path }, `${path} is deleted.`);
  }
  if (given === undefined || dispose !== undefined) {
    throw new MillraceError(
      'OPTION_INVALID',
      'A savepoint is taken of one job, or one is deleted.',
      {
        advice: 'Write savepoint <job>, or savepoint --dispose <savepoint>.',
      },
    );
  }
  const { jid: jobid, name } = await findJob(client, given);
  const target = savepointPath === undefined ? {} : { 'target-directory': resolve(savepointPath) };
  const { 'request-id': triggerid } = await client.takeSavepoint({ jobid }, target);
  const location = await client.savepointDone({ jobid, triggerid });
  tell(context, 'savepoint', { jobid, location }, `${name} has taken ${location}`);
}

function tell(
  { json, stdout }: CommandContext,
  type: string,
  members: object,
  sentence: string,
): void {
  if (json === null) stdout.write(`${sentence}\n`);
  else json.line(type, members);
}
