/**
 * `millrace tap`: prints records of a job as they pass. Callers: `jobs-command.ts`. Runs on: the main thread.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { formatCount } from '../base/units.js';
import type { Client } from '../rest/client.js';
import type { TapEvent } from '../rest/tap-event.js';
import type { CommandContext } from './command-context.js';
import { onInterrupts } from './interrupts.js';
import { findJob } from './server-link.js';
import type { JobsCall } from './server-program.js';

/** Prints records until there are enough, the job has ended, or it is interrupted. */
export async function tapCommand(
  client: Client,
  { job, operator, options }: JobsCall & { readonly command: 'tap' },
  context: CommandContext,
): Promise<void> {
  const { jid: jobid } = await findJob(client, job);
  const vertexid = await chainOf(client, jobid, operator);
  const { to, input, filter, limit, sample } = options;
  const side = input === true ? ('input' as const) : undefined;
  const leaving = new AbortController();
  const interrupts = onInterrupts({ cancel: () => leaving.abort() });
  let newest: TapEvent | null = null;
  try {
    const asked = { jobid, vertexid, operator, to, side, filter, limit, sample };
    for await (const { type, data } of client.tap(asked, leaving.signal)) {
      if (type === 'end') throwIfFailed(data);
      else newest = print(data as TapEvent, context);
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    interrupts.release();
  }
  if (newest !== null) conclude(newest, filter !== undefined, context);
}

/** The chain with an operator of that name; one that is named by uid, or itself, is for the server to find. */
async function chainOf(client: Client, jobid: string, operator: string): Promise<string> {
  const { vertices } = await client.jobFlow({ jobid });
  const found = vertices.find(
    ({ id, name, operators }) =>
      id === operator || name === operator || operators.some((one) => one.name === operator),
  );
  const [first] = vertices;
  if (found !== undefined) return found.id;
  if (first !== undefined) return first.id;
  throw new MillraceError('OPERATOR_UNKNOWN', `The job has no operator "${operator}".`, {
    advice: didYouMean(operator, []),
  });
}

function print(event: TapEvent, { json, stdout }: CommandContext): TapEvent {
  for (const record of event.records) {
    if (json === null) stdout.write(`${JSON.stringify(record.record)}\n`);
    else json.line('record', record);
  }
  return event;
}

function conclude(event: TapEvent, isFiltered: boolean, { json, stderr }: CommandContext): void {
  const { shown, passed, looked } = event;
  if (json !== null) return json.line('counts', { shown, passed, looked });
  const searched = isFiltered ? `, ${formatCount(looked)} looked at` : '';
  stderr.write(`${formatCount(shown)} of ${formatCount(passed)} records shown${searched}\n`);
}

function throwIfFailed(data: unknown): void {
  if (data === null) return;
  const { code, message, advice } = data as {
    readonly code: MillraceError['code'] | null;
    readonly message: string;
    readonly advice: string | null;
  };
  throw new MillraceError(code ?? 'ASSERTION', message, advice === null ? {} : { advice });
}
