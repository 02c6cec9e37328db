/** Servers as processes of their own, for what is measured of them, and what the system tells of a process. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from 'millrace/client';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const fixtures = new URL('../fixtures/jobs/', import.meta.url);

/** A server that listens; it may stand by. */
export async function startServer(data, ...words) {
  const flags = ['server', '--json', '--uploads', '--port', '0', '--data', data, ...words];
  const child = spawn(process.execPath, [cli, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const { promise, resolve, reject } = Promise.withResolvers?.() ?? withResolvers();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line);
    if (said.type === 'server') resolve(said);
  });
  void ended.then((code) => reject(new Error(`The server ended with code ${code}.`)));
  promise.catch(() => {});
  const { url } = await promise;
  const client = createClient({ url });
  return {
    url,
    client,
    pid: child.pid,
    ended,
    signal: (name) => child.kill(name),
    leads: async () => (await client.health().catch(() => null))?.status === 'leader',
    upload: (name) => client.upload(name, readFileSync(new URL(name, fixtures), 'utf8')),
    release: async () => {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** Asks until it is so; the milliseconds that it took. */
export async function until(isSo, everyMs = 20) {
  const beganMs = performance.now();
  while (!(await isSo())) await pause(everyMs);
  return performance.now() - beganMs;
}

export function pause(delayMs) {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Records that a job has written between its chains since its process began; -1 while it does not run. */
export async function recordsOf(client, jobid) {
  const job = await client.job({ jobid }).catch(() => null);
  if (job?.state !== 'RUNNING') return -1;
  return Math.max(...job.vertices.map(({ metrics }) => metrics['write-records']));
}

/** What a process holds, and the files of a directory; only where the system tells. */
export function heldBy(pid, directory) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssBytes: number('VmRSS') * 1024,
    threads: number('Threads'),
    descriptors: readdirSync(join('/proc', String(pid), 'fd')).length,
    files: readdirSync(directory, { recursive: true }).length,
  };
}
