/**
 * `millrace logs`: prints the log of a job of a server, follows it, changes its level, or prints what the job has
 * printed. Callers: `jobs-command.ts`. Runs on: the main thread.
 */
import { MillraceError } from '../base/errors.js';
import { LOG_LEVELS, type LogLevel } from '../base/function-log.js';
import { didYouMean } from '../base/nearest-name.js';
import { pauseFor } from '../base/pause.js';
import type { Client } from '../rest/client.js';
import type { JobLogLine } from '../rest/job-log-line.js';
import { type CommandContext, outputStyle } from './command-context.js';
import { onInterrupts } from './interrupts.js';
import { logText } from './log-text.js';
import { findJob } from './server-link.js';
import type { LogsOptions } from './server-program.js';

/** How often it is asked what is new. */
const FOLLOW_MS = 400;

/** Does what the options say. */
export async function logsCommand(
  client: Client,
  given: string,
  options: LogsOptions,
  context: CommandContext,
): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  const { json, stdout } = context;
  if (options.level !== undefined) {
    const level = levelOf(options.level);
    await client.jobLogLevel({ jobid, level });
    if (json !== null) json.line('logLevel', { jobid, level });
    else stdout.write(`${name} ${jobid} logs from ${level} on.\n`);
  } else if (options.output === true) {
    const text = await client.output({ jobid });
    if (json === null) stdout.write(text);
    else json.line('output', { jobid, text });
  } else {
    await print(client, jobid, options.follow === true, context);
  }
}

/** Prints the log, and with `follows` what comes until the job has ended or somebody interrupts. */
async function print(
  client: Client,
  jobid: string,
  follows: boolean,
  context: CommandContext,
): Promise<void> {
  let isLeaving = false;
  let pause = pauseFor(0);
  const interrupts = onInterrupts({
    cancel: () => {
      isLeaving = true;
      pause.end();
    },
  });
  try {
    let after: string | undefined;
    for (;;) {
      // Asked before the log, so that nothing of a job that has ended is missed.
      const hasEnded = !follows || (await client.job({ jobid }))['end-time'] >= 0;
      const lines = linesIn(await client.jobLog({ jobid, after }));
      for (const line of lines) show(line, context);
      const seq = lines.at(-1)?.seq;
      if (seq !== undefined) after = String(seq);
      if (hasEnded || isLeaving) return;
      pause = pauseFor(FOLLOW_MS);
      await pause.over;
      if (isLeaving) return;
    }
  } finally {
    interrupts.release();
  }
}

function linesIn(text: string): readonly JobLogLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

function show(line: JobLogLine, context: CommandContext): void {
  if (context.json !== null) context.json.line('log', line);
  else context.stdout.write(`${logText(line, outputStyle(context))}\n`);
}

function levelOf(given: string): LogLevel {
  const found = LOG_LEVELS.find((one) => one === given);
  if (found !== undefined) return found;
  throw new MillraceError('OPTION_INVALID', `There is no level ${JSON.stringify(given)}.`, {
    advice: didYouMean(given, LOG_LEVELS),
  });
}
