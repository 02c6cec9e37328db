/** What `deploy/` says, as far as it can be tried without an engine for containers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from 'millrace/client';
import { createClient } from 'millrace/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createProgram } from '../../src/cli/program.js';
import { PATHS } from '../../src/rest/paths.js';
import { cliPath, fixture, type Started, startCommand } from './run-cli.js';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const textOf = (name: string): string => readFileSync(join(root, 'deploy', name), 'utf8');

interface Container {
  readonly args: readonly string[];
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly securityContext: object;
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } };
}

const stateful = parseAllDocuments(textOf('kubernetes/millrace.yaml'))
  .map((document) => document.toJS())
  .find(({ kind }) => kind === 'StatefulSet');
const pod = stateful.spec.template.spec;
const container: Container = pod.containers[0];

describe('what is deployed', () => {
  it('is told only what the server takes', () => {
    const nothing = async (): Promise<void> => {};
    const actions = new Proxy({}, { get: () => nothing });
    const program = createProgram('0', actions as Parameters<typeof createProgram>[1]);
    const server = program.commands.find((command) => command.name() === 'server');
    const known = new Set(server?.options.map(({ long }) => long));
    const texts = [
      container.args.join(' '),
      parse(textOf('compose.yaml')).services.millrace.command.join(' '),
      /^CMD (.*)$/m.exec(textOf('Dockerfile'))?.[1] ?? '',
      /^ExecStart=(.*)$/m.exec(textOf('millrace.service'))?.[1] ?? '',
    ];
    for (const text of texts) {
      expect(text).toContain('server');
      const flags = [...text.matchAll(/--[a-z-]+/g)].map(([flag]) => flag);
      expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    }
  });

  it('asks a path that there is how it does, and writes to its volume only', () => {
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      expect(container[probe].httpGet.path).toBe(PATHS.health.path);
    }
    expect(textOf('Dockerfile')).toContain(`8081${PATHS.health.path}'`);
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    expect(parse(textOf('compose.yaml')).services.millrace).toMatchObject({ read_only: true });
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
    expect(container.lifecycle.preStop.exec.command[1]).toContain('checkpoint-jobs.mjs');
  });

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
  it.skipIf(!hasSystemd)('is a unit that systemd understands', () => {
    const unit = join(root, 'deploy', 'millrace.service');
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
    // It looks at other units of the machine as well.
    expect(stderr.split('\n').filter((line) => line.includes('millrace'))).toEqual([]);
    expect(status).toBe(0);
  });
});

/** Whether a process can be given a root file system of its own, of which only some places may be written. */
const canBeReadOnly =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-rm', 'mount', '-o', 'remount,bind,ro', '/']).status === 0;

describe.skipIf(!canBeReadOnly)('a server on a root file system that is read-only', () => {
  let data: string;
  let server: Started;
  let client: Client;

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'millrace-deploy-'));
    mkdirSync(join(data, 'tmp'));
    writeFileSync(join(data, 'token'), 'open-sesame\n');
    const flags = `--json --uploads --port 0 --data '${data}/data' --token-file '${data}/token'`;
    const command = `mount --bind '${data}' '${data}' && mount -o remount,bind,ro / &&
      ! touch '${root}/deploy/written' 2>&1 && exec '${process.execPath}' '${cliPath}' server ${flags}`;
    const env = { TMPDIR: join(data, 'tmp') };
    server = startCommand('unshare', ['-rm', 'sh', '-c', command], { env, cwd: data });
    await server.seen('"type":"server"');
    const line = server.output.stdout.split('\n').find((text) => text.includes('"server"'));
    client = createClient({ url: JSON.parse(line ?? '{}').url, token: 'open-sesame' });
  });
  afterEach(async () => {
    server.child.kill('SIGKILL');
    await server.finished;
    rmSync(data, { recursive: true, force: true });
  });

  it('runs jobs, has them take checkpoints before it stops, and stops in order on SIGTERM', async () => {
    const health = await fetch(`${client.url}${PATHS.health.path}`);
    expect(health.status).toBe(200);
    const jarid = await client.upload('sums.mjs', readFileSync(fixture('sums.mjs'), 'utf8'));
    const flinkConfiguration = { 'execution.checkpointing.interval': '1h' };
    const { jobid } = await client.runJar({ jarid }, { entryClass: 'endless', flinkConfiguration });
    for (;;) {
      const { state } = await client.job({ jobid });
      if (state === 'RUNNING') break;
    }
    const script = join(root, 'deploy', 'checkpoint-jobs.mjs');
    const said = execFileSync(process.execPath, [script, client.url, join(data, 'token')], {
      encoding: 'utf8',
      cwd: root,
    });
    expect(said).toBe(`${jobid} checkpoint 1\n`);
    server.child.kill('SIGTERM');
    const { code, signal } = await server.finished;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(readdirSync(join(data, 'data', 'checkpoints', jobid))).toContain('chk-1');
  });
});
