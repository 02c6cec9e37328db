/**
 * What goes into a support bundle: what `doctor` has found, versions, configuration, and how a server and its jobs
 * stand, with the ends of their logs. Callers: `doctor-command.ts`. Runs on: the main thread. Invariants: values whose
 * names say that they are secrets are hidden; no record, no state, no output and no code of a job is in it; what cannot
 * be had is there as the error that it gave.
 */
import { existsSync, readdirSync } from 'node:fs';
import { release, version as kernelVersion } from 'node:os';
import { join } from 'node:path';
import { toWire } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { shown, withoutSecrets } from '../base/secrets.js';
import { readContent } from '../checkpoint/file-content.js';
import type { Client } from '../rest/client.js';
import type { JobSummary } from '../rest/job-schemas.js';
import type { SettingsLayer } from '../runtime/settings.js';
import type { Check } from './doctor-checks.js';
import type { ArchivedFile } from './tar-archive.js';

/** What a bundle is made of. */
export interface SupportParts {
  /** Of this package. */
  readonly version: string;
  readonly checks: readonly Check[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Rejects where the configuration cannot be read. */
  layers(): Promise<readonly SettingsLayer[]>;
  /** Null where no server is to be asked. */
  readonly client: Client | null;
  /** Where a server keeps its jobs, read where none is asked; null for none. */
  readonly dataDirectory: string | null;
}

/** The newest jobs that are looked into, and bytes of the end of a log. */
const JOBS_MAX = 50;
const SERVER_LOG_BYTES = 1024 ** 2;
const JOB_LOG_BYTES = 256 * 1024;
const ROOT = 'millrace-support';

/** The files of the bundle. */
export async function supportFiles(parts: SupportParts): Promise<readonly ArchivedFile[]> {
  const files = new Gathered();
  files.add('doctor.json', parts.checks);
  files.add('versions.json', {
    millrace: parts.version,
    ...process.versions,
    platform: process.platform,
    arch: process.arch,
    release: release(),
    kernel: kernelVersion(),
    execArgv: process.execArgv,
  });
  files.add('environment.json', ownVariables(parts.environment));
  await files.ask('configuration.json', async () => (await parts.layers()).map(readableLayer));
  if (parts.client !== null) await addServer(files, parts.client);
  else if (parts.dataDirectory !== null) await addData(files, parts.dataDirectory);
  return files.all;
}

/** The files so far. */
class Gathered {
  readonly all: ArchivedFile[] = [];

  add(name: string, value: unknown): void {
    const content = `${JSON.stringify(withoutSecrets(value), null, 2)}\n`;
    this.all.push({ name: `${ROOT}/${name}`, content });
  }

  /** What is asked for, or the error in its place; null for an error. */
  async ask<T>(name: string, ask: () => Promise<T>): Promise<T | null> {
    try {
      const value = await ask();
      this.add(name, value);
      return value;
    } catch (error) {
      this.add(name, { error: toWire(error) });
      return null;
    }
  }

  async askText(name: string, ask: () => Promise<string | Uint8Array>): Promise<void> {
    try {
      this.all.push({ name: `${ROOT}/${name}`, content: await ask() });
    } catch (error) {
      this.add(name, { error: toWire(error) });
    }
  }
}

async function addServer(files: Gathered, client: Client): Promise<void> {
  const overview = await files.ask('server/overview.json', () => client.overview());
  // One that does not answer is not asked for more.
  if (overview === null) return;
  await files.ask('server/config.json', () => client.config());
  await files.ask('server/settings.json', () => client.jobManagerConfig());
  await files.ask('server/environment.json', () => client.environment());
  await files.ask('server/processes.json', () => client.taskManagers());
  await files.askText('server/server.log', () =>
    client.jobManagerLog({ tail: String(SERVER_LOG_BYTES) }),
  );
  const listed = await files.ask('server/jobs.json', () => client.jobsOverview());
  const newest = (listed?.jobs ?? []).toSorted(
    (a, b) => b['last-modification'] - a['last-modification'],
  );
  for (const job of newest.slice(0, JOBS_MAX)) await addJob(files, client, job);
}

async function addJob(files: Gathered, client: Client, { jid: jobid }: JobSummary): Promise<void> {
  const folder = `server/jobs/${jobid}`;
  await files.ask(`${folder}/job.json`, () => client.job({ jobid }));
  await files.ask(`${folder}/config.json`, () => client.jobConfig({ jobid }));
  await files.ask(`${folder}/flow.json`, () => client.jobFlow({ jobid }));
  await files.ask(`${folder}/memory.json`, () => client.jobMemory({ jobid }));
  await files.ask(`${folder}/exceptions.json`, () => client.jobExceptions({ jobid }));
  await files.ask(`${folder}/checkpoints.json`, () => client.checkpoints({ jobid }));
  await files.ask(`${folder}/checkpointing.json`, () => client.checkpointConfig({ jobid }));
  await files.askText(`${folder}/job.log`, () =>
    client.jobLog({ jobid, tail: String(JOB_LOG_BYTES) }),
  );
}

/** What a server that is down has left: its log, and records and logs of its newest jobs. */
async function addData(files: Gathered, directory: string): Promise<void> {
  await files.askText('data/server.log', async () =>
    endOf(join(directory, 'log', 'server.log'), SERVER_LOG_BYTES),
  );
  const jobs = join(directory, 'jobs');
  const ids = existsSync(jobs) ? readdirSync(jobs).filter((id) => /^[0-9a-f]{32}$/.test(id)) : [];
  const changed = (id: string): number =>
    nodeDisk.stat(join(jobs, id, 'job.json'))?.modifiedMs ?? 0;
  const newest = ids.toSorted((a, b) => changed(b) - changed(a)).slice(0, JOBS_MAX);
  for (const id of newest) {
    await files.ask(`data/jobs/${id}/job.json`, async () =>
      JSON.parse(Buffer.from(endOf(join(jobs, id, 'job.json'))).toString()),
    );
    await files.askText(`data/jobs/${id}/job.log`, async () =>
      endOf(join(jobs, id, 'job.log'), JOB_LOG_BYTES),
    );
  }
}

/** The end of a file from the first whole line on; empty where there is none. */
function endOf(path: string, bytesMax = Number.POSITIVE_INFINITY): Uint8Array {
  const bytes = readContent(nodeDisk, path, bytesMax) ?? new Uint8Array();
  return bytes.byteLength < bytesMax ? bytes : bytes.subarray(bytes.indexOf(10) + 1);
}

/** Where a setting was given may hold its value too. */
function readableLayer({ origin, values }: SettingsLayer): object {
  return { origin: origin.replace(/=.*$/s, ''), values: readable(values) };
}

/** Variables of Millrace and of Node; others may be anybody's. */
function ownVariables(environment: SupportParts['environment']): object {
  const own = Object.entries(environment).filter(([name]) =>
    /^(?:MILLRACE_.*|NODE_.*|UV_THREADPOOL_SIZE|TZ|LANG|LC_ALL|CI|TERM)$/.test(name),
  );
  return readable(Object.fromEntries(own));
}

function readable(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      // An address may hold a name and a password.
      return [name, shown(name, value ?? null).replaceAll(/\/\/[^/@\s]*@/g, '//******@')];
    }),
  );
}
