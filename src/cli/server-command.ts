/**
 * `millrace server`: starts a server, says where it is, and waits until it is to end. Callers: `main.ts`. Runs on: the
 * main thread, which is the server's.
 */
import { availableParallelism } from 'node:os';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { entryUrl } from '../runtime/entry-url.js';
import type { Server, startServer } from '../server/server.js';
import type { CommandContext } from './command-context.js';
import { errorReport } from './error-report.js';
import { EXIT_OK } from './exit-codes.js';
import { settingsLayers } from './job-call.js';
import type { ServerOptions } from './server-program.js';
import { serverToken } from './server-token.js';

const ADMISSIONS = ['queue', 'refuse', 'shrink'] as const;
const SLOTS_PER_CORE = 4;
const SLOTS_MAX = 32_768;

/** Runs a server; the exit code. */
export async function serverCommand(
  options: ServerOptions,
  context: CommandContext,
  version: string,
): Promise<number> {
  const { json, stderr, style } = context;
  const layers = await settingsLayers(options, process.env, process.cwd());
  const slots = whole('--slots', options.slots, 1, SLOTS_MAX);
  const entry: { readonly startServer: typeof startServer } = await import(entryUrl('server'));
  const server = await entry.startServer({
    host: options.host ?? '127.0.0.1',
    port: whole('--port', options.port, 0, 65_535) ?? 8081,
    dataDirectory: options.data ?? 'millrace-data',
    slots: slots ?? SLOTS_PER_CORE * availableParallelism(),
    admission: admissionOf(options.admission ?? 'queue'),
    allowsUploads: options.uploads === true,
    token: serverToken(options.tokenFile, process.env),
    allowedHosts: options.allowHost ?? [],
    layers,
    endedMax: whole('--history', options.history, 0, 100_000) ?? 100,
    version,
    onDefect: (error) => {
      if (json !== null) json.error(error);
      else stderr.write(`${errorReport(error, { style, plan: null, directory: process.cwd() })}\n`);
    },
  });
  if (json !== null) json.line('server', { url: server.url, pid: process.pid });
  else stderr.write(`Millrace ${version} serves ${style.bold(server.url)}\n`);
  await untilAsked(server);
  await server.close();
  return EXIT_OK;
}

/** Until somebody asks it to end: the second time at once. */
function untilAsked({ closing }: Server): Promise<void> {
  return new Promise((resolve) => {
    void closing.then(resolve);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function admissionOf(given: string): (typeof ADMISSIONS)[number] {
  const found = ADMISSIONS.find((one) => one === given);
  if (found !== undefined) return found;
  throw new MillraceError('OPTION_INVALID', `There is no admission "${given}".`, {
    advice: didYouMean(given, ADMISSIONS),
  });
}

function whole(flag: string, given: string | undefined, min: number, max: number): number | null {
  if (given === undefined) return null;
  const value = given.trim() === '' ? Number.NaN : Number(given);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new MillraceError(
    'OPTION_INVALID',
    `${flag} is ${JSON.stringify(given)}; it must be a whole number from ${min} to ${max}.`,
  );
}
