/**
 * `millrace metrics`: the metrics of a job of a server, those of its chains over their subtasks. Callers:
 * `jobs-command.ts`. Runs on: the main thread.
 */
import { formatCount } from '../base/units.js';
import type { Client } from '../rest/client.js';
import type { Aggregate, Metric } from '../rest/job-schemas.js';
import { type CommandContext, outputStyle } from './command-context.js';
import { findJob } from './server-link.js';
import type { MetricsOptions } from './server-program.js';
import { textTable } from './text-table.js';

/** Names asked for in one request, whose address must not be too long. */
const NAMES_MAX = 100;

/** A chain with its metrics. */
interface ChainMetrics {
  readonly chain: string;
  readonly vertexid: string;
  readonly metrics: readonly Aggregate[];
}

/** Prints the metrics of a job. */
export async function metricsCommand(
  client: Client,
  given: string,
  { get }: MetricsOptions,
  context: CommandContext,
): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  const isWanted = nameFilter(get);
  const { vertices } = await client.job({ jobid });
  const ofJob = await inParts(isWanted, await client.jobMetrics({ jobid }), (names) =>
    client.jobMetrics({ jobid, get: names }),
  );
  const chains: ChainMetrics[] = [];
  for (const { id: vertexid, name: chain } of vertices) {
    const all = await client.subtasksMetrics({ jobid, vertexid });
    const metrics = await inParts(isWanted, all, (names) =>
      client.subtasksMetrics({ jobid, vertexid, get: names }),
    );
    chains.push({ chain, vertexid, metrics });
  }
  const { json } = context;
  if (json === null) return print(name, ofJob, chains, context);
  json.line('jobMetrics', { jobid, metrics: ofJob });
  for (const chain of chains) json.line('chainMetrics', { jobid, ...chain });
}

/** Asks for the wanted ones of what there is. */
async function inParts<T>(
  isWanted: (name: string) => boolean,
  all: readonly { readonly id: string }[],
  ask: (names: string) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const names = all.map(({ id }) => id).filter(isWanted);
  const found: T[] = [];
  for (let from = 0; from < names.length; from += NAMES_MAX) {
    found.push(...(await ask(names.slice(from, from + NAMES_MAX).join(','))));
  }
  return found;
}

/** Names with `*` for anything, comma-separated; all without any. */
function nameFilter(get: string | undefined): (name: string) => boolean {
  if (get === undefined) return () => true;
  const patterns = get.split(',').map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`);
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

function print(
  job: string,
  ofJob: readonly Metric[],
  chains: readonly ChainMetrics[],
  context: CommandContext,
): void {
  const style = outputStyle(context);
  const tables = [
    textTable(
      [{ head: job }, { head: 'VALUE', isNumber: true }],
      ofJob.map(({ id, value = '' }) => [id, value === '' ? '' : numberOr(value)]),
      style,
    ),
    ...chains.map(({ chain, metrics }) =>
      textTable(
        [{ head: chain }, ...['SUM', 'LEAST', 'MOST'].map((head) => ({ head, isNumber: true }))],
        metrics.map(({ id, sum, min, max }) => [id, shown(sum), shown(min), shown(max)]),
        style,
      ),
    ),
  ];
  context.stdout.write(`${tables.map((lines) => lines.join('\n')).join('\n\n')}\n`);
}

function numberOr(value: string): string {
  const number = Number(value);
  return Number.isNaN(number) ? value : shown(number);
}

function shown(value: number | undefined): string {
  if (value === undefined) return '';
  return Number.isInteger(value) ? formatCount(value) : value.toPrecision(4);
}
