/**
 * `millrace profile`: in which functions a job spends its time, chain by chain, and the profiles themselves for the
 * developer tools of browsers and editors. Callers: `jobs-command.ts`. Runs on: the main thread.
 */
import { writeFileSync } from 'node:fs';
import { parse, resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { formatDuration } from '../base/units.js';
import type { Client } from '../rest/client.js';
import {
  type CpuProfile,
  type HotFunction,
  hotFunctions,
  profileOfVertex,
  type SeenStack,
  stacksOf,
  type ThreadProfile,
} from '../runtime/job-profile.js';
import { type CommandContext, outputStyle } from './command-context.js';
import { findJob } from './server-link.js';
import type { ProfileCommandOptions } from './server-program.js';
import { textTable } from './text-table.js';

const FUNCTIONS_SHOWN = 10;
/** Of each function, the lines in a terminal are no longer than that. */
const NAME_CHARS_MAX = 70;

/** What one chain did. */
interface ProfiledChain {
  readonly chain: string;
  readonly vertexid: string;
  /** Of the time of all threads, from 0 to 1. */
  readonly share: number;
  readonly functions: readonly (HotFunction & { readonly share: number })[];
}

/** Profiles a job for a while and prints what it did, and writes it. */
export async function profileCommand(
  client: Client,
  given: string,
  { operator, seconds, output }: ProfileCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { jid: jobid, name } = await findJob(client, given);
  const only = operator === undefined ? null : await chainWith(client, jobid, operator);
  const profile = await client.jobProfile({ jobid, seconds: secondsOf(seconds) });
  const threads = profile.threads as readonly ThreadProfile[];
  const chosen = profile.vertices.filter(({ id }) => only === null || id === only);
  const stacks = stacksOf({ threads });
  const total = sumOf(stacks);
  const chains = chosen
    .map(({ id, name: chain, number }) => chainOf(chain, id, number, stacks, total))
    .toSorted((a, b) => b.share - a.share);
  const waiting = sumOf(stacks.filter(({ isWaiting }) => isWaiting)) / Math.max(1, total);
  const number = only === null ? null : (chosen[0]?.number ?? null);
  const files = output === undefined ? [] : write(resolve(output), threads, number);
  const ms = profile['end-time'] - profile['start-time'];
  const { json, stdout } = context;
  if (json !== null) {
    return json.line('profile', { jobid, ms, threads: threads.length, waiting, chains, files });
  }
  const count = threads.length === 1 ? '1 thread' : `${threads.length} threads`;
  const head = `${name}, ${count} for ${formatDuration(ms)}, of which ${percent(waiting)} idle`;
  const tables = chains.filter(({ share }) => share > 0).map((chain) => tableOf(chain, context));
  const written = files.length === 0 ? [] : [`Written: ${files.join(', ')}`];
  stdout.write(`${[head, ...tables, ...written].join('\n\n')}\n`);
}

function chainOf(
  chain: string,
  vertexid: string,
  number: number,
  all: readonly SeenStack[],
  total: number,
): ProfiledChain {
  const stacks = all.filter(({ owner }) => owner?.vertex === number);
  const hits = sumOf(stacks);
  const functions = hotFunctions(stacks)
    .slice(0, FUNCTIONS_SHOWN)
    .map((one) => ({ ...one, share: one.hits / Math.max(1, hits) }));
  return { chain, vertexid, share: hits / Math.max(1, total), functions };
}

function tableOf({ chain, share, functions }: ProfiledChain, context: CommandContext): string {
  const columns = [{ head: chain }, { head: percent(share), isNumber: true }];
  const rows = functions.map((one) => [one.name.slice(0, NAME_CHARS_MAX), percent(one.share)]);
  return textTable(columns, rows, outputStyle(context)).join('\n');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function sumOf(stacks: readonly SeenStack[]): number {
  return stacks.reduce((sum, { hits }) => sum + hits, 0);
}

/** A file for each thread, whose name has the slot in it when there are several. */
function write(
  path: string,
  threads: readonly ThreadProfile[],
  vertex: number | null,
): readonly string[] {
  const { dir, name, ext } = parse(path);
  const files: string[] = [];
  for (const { slot, profile } of threads) {
    const of = slot < 0 ? 'host' : `slot-${slot}`;
    const file = threads.length === 1 ? path : resolve(dir, `${name}-${of}${ext}`);
    const kept: CpuProfile = vertex === null ? profile : profileOfVertex(profile, vertex);
    try {
      writeFileSync(file, JSON.stringify(kept));
    } catch (cause) {
      throw new MillraceError('FILE_UNWRITABLE', `The profile cannot be written.`, {
        cause,
        where: { file },
      });
    }
    files.push(file);
  }
  return files;
}

/** The chain that has an operator, or that is called so. */
async function chainWith(client: Client, jobid: string, operator: string): Promise<string> {
  const { vertices } = await client.jobFlow({ jobid });
  const found = vertices.find(
    ({ id, name, operators }) =>
      id === operator || name === operator || operators.some((one) => one.name === operator),
  );
  if (found !== undefined) return found.id;
  throw new MillraceError('OPERATOR_UNKNOWN', `The job has no operator "${operator}".`, {
    advice: didYouMean(
      operator,
      vertices.flatMap(({ name, operators }) => [name, ...operators.map((one) => one.name)]),
    ),
  });
}

function secondsOf(given: string | undefined): string | undefined {
  if (given === undefined || /^\d{1,2}(\.\d{1,3})?$/.test(given)) return given;
  throw new MillraceError('OPTION_INVALID', `${JSON.stringify(given)} is no number of seconds.`, {
    advice: 'Write --seconds with a number from 0.1 to 60.',
  });
}
