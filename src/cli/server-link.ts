/**
 * How commands reach a server: the client for its address and token, and jobs by what people call them. Callers: the
 * commands that talk to a server. Runs on: the main thread.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { Client, createClient } from '../rest/client.js';
import type { tlsFetch, TlsOptions } from '../rest/tls-fetch.js';
import type { JobSummary } from '../rest/job-schemas.js';
import { entryUrl } from '../runtime/entry-url.js';
import { type CommandContext, reportCallError } from './command-context.js';
import { SERVER_VARIABLE } from './config-environment.js';
import { exitCodeOfRequest } from './exit-codes.js';
import type { ClientOptions } from './server-program.js';
import { readText, serverToken } from './server-token.js';

/** `millrace/client`, loaded late. */
interface ClientEntry {
  readonly createClient: typeof createClient;
  readonly tlsFetch: typeof tlsFetch;
}

const DEFAULT_ADDRESS = '127.0.0.1:8081';

/** The client of the server that the options, or the environment, name. */
export async function serverClient(options: ClientOptions): Promise<Client> {
  const { server, tokenFile, caFile, certFile } = options;
  const entry: ClientEntry = await import(entryUrl('client'));
  const url = server ?? (process.env[SERVER_VARIABLE] || DEFAULT_ADDRESS);
  const token = serverToken(tokenFile, process.env);
  const isTls = caFile !== undefined || certFile !== undefined;
  return entry.createClient({
    url,
    ...(token === null ? {} : { token }),
    ...(isTls ? { fetch: entry.tlsFetch(tlsOptions(caFile, certFile)) } : {}),
  });
}

/** Throws FILE_UNREADABLE. */
function tlsOptions(caFile: string | undefined, certFile: string | undefined): TlsOptions {
  const own = certFile === undefined ? null : readText(certFile, 'The file of the certificate');
  return {
    ...(caFile === undefined ? {} : { ca: readText(caFile, 'The file of whom to trust') }),
    ...(own === null ? {} : { cert: own, key: own }),
  };
}

/** What a request threw, told; the exit code. */
export async function reportRequestError(error: unknown, context: CommandContext): Promise<number> {
  await reportCallError(error, context);
  return exitCodeOfRequest(error);
}

/** A job by its id, the first digits of it, or its name. Throws JOB_UNKNOWN. */
export async function findJob(client: Client, given: string): Promise<JobSummary> {
  const { jobs } = await client.jobsOverview();
  const byId = jobs.filter(({ jid }) => jid.startsWith(given.toLowerCase()));
  const byName = jobs.filter(({ name }) => name === given);
  const live = byName.filter((job) => job['end-time'] < 0);
  const found = [byId, live, byName].find((some) => some.length > 0) ?? [];
  const [job] = found;
  if (job !== undefined && found.length === 1 && given !== '') return job;
  if (job === undefined) {
    throw new MillraceError('JOB_UNKNOWN', `The server has no job ${JSON.stringify(given)}.`, {
      advice: didYouMean(
        given,
        jobs.flatMap(({ jid, name }) => [name, jid]),
      ),
    });
  }
  throw new MillraceError('JOB_UNKNOWN', `There are ${found.length} jobs ${given}.`, {
    advice: `Name one by its id: ${found.map(({ jid }) => jid).join(', ')}.`,
  });
}
