import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../run-cli.js';
import { TestServer } from './server-harness.js';

const SECRET = 'hunter2-in-no-bundle';

describe('millrace doctor --bundle', () => {
  let directory: string;
  let server: TestServer;
  let jobid: string;
  let unpacked = 0;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-support-'));
    server = await TestServer.start(join(directory, 'data'), '--uploads');
    jobid = await server.run('logging.mjs', { params: { password: SECRET } });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
  });
  afterAll(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  const doctor = (words: readonly string[], env: Record<string, string> = {}) =>
    runCli(['doctor', ...words], { cwd: directory, env });

  /** Unpacks a bundle; its files by name, as text. */
  function unpack(file: string): ReadonlyMap<string, string> {
    const target = join(directory, `unpacked${unpacked++}`);
    mkdirSync(target);
    execFileSync('tar', ['-xzf', join(directory, file), '-C', target]);
    const root = join(target, 'millrace-support');
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(root, name)).isFile(),
    );
    return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  }

  it('has how the machine, a server and its jobs stand, without secrets', async () => {
    writeFileSync(
      join(directory, 'millrace.config.json'),
      JSON.stringify({
        slot: { memory: '256mb' },
        metrics: { reporter: { out: { type: 'datadog', apikey: SECRET } } },
      }),
    );
    const { code, stdout, stderr } = await doctor(
      ['--bundle', 'one.tgz', '-m', server.url, '-D', `metrics.reporter.out.proxyHost=a`, '--json'],
      { MILLRACE_TOKEN: SECRET, MILLRACE_PARALLELISM: '3', OTHER: SECRET },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const [found, written] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(found).toMatchObject({ type: 'doctor', problems: 0 });
    expect(written).toMatchObject({ type: 'bundle', path: join(directory, 'one.tgz') });
    expect(statSync(join(directory, 'one.tgz'))).toMatchObject({ size: written.bytes });
    expect(statSync(join(directory, 'one.tgz')).mode & 0o777).toBe(0o600);
    const files = unpack('one.tgz');
    expect([...files.keys()].map((name) => `millrace-support/${name}`).toSorted()).toEqual(
      written.files.toSorted(),
    );
    const json = (name: string) => JSON.parse(files.get(name) ?? 'null');
    expect(json('versions.json')).toMatchObject({ node: process.versions.node });
    expect(json('environment.json')).toMatchObject({
      MILLRACE_PARALLELISM: '3',
      MILLRACE_TOKEN: '******',
    });
    expect(json('environment.json')).not.toHaveProperty('OTHER');
    expect(files.get('configuration.json')).toContain('"slot.memory": "256mb"');
    expect(json('server/overview.json')).toMatchObject({ 'jobs-running': 1 });
    expect(json(`server/jobs/${jobid}/job.json`)).toMatchObject({ jid: jobid, state: 'RUNNING' });
    expect(json(`server/jobs/${jobid}/config.json`)['execution-config']['user-config']).toEqual({
      password: '******',
    });
    expect(files.get(`server/jobs/${jobid}/job.log`)).toContain('"jobId"');
    expect(files.get('server/server.log')).toContain('Serves http');
    expect([...files.values()].join('\n')).not.toContain(SECRET);
  });

  it('has what a server that is down has left', async () => {
    const { code, stdout } = await doctor(['--bundle', 'two.tgz', '--data', 'data']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/two\.tgz has \d+ files, .* tar -tzf two\.tgz\n$/);
    const files = unpack('two.tgz');
    expect(files.get('data/server.log')).toContain('Serves http');
    expect(JSON.parse(files.get(`data/jobs/${jobid}/job.json`) ?? '')).toMatchObject({
      record: { id: jobid },
    });
    expect([...files.values()].join('\n')).not.toContain(SECRET);
  });

  it('says in it what could not be had', async () => {
    writeFileSync(join(directory, 'broken.json'), '{');
    const { code } = await doctor([
      '--bundle',
      'three.tgz',
      '-m',
      '127.0.0.1:1',
      '--config',
      'broken.json',
    ]);
    expect(code).toBe(0);
    const files = unpack('three.tgz');
    expect(files.get('server/overview.json')).toContain('SERVER_UNREACHABLE');
    expect(files.get('configuration.json')).toContain('CONFIG_FILE_INVALID');
  });

  it('overwrites nothing', async () => {
    writeFileSync(join(directory, 'mine.tgz'), 'mine');
    const { code, stderr } = await doctor(['--bundle', 'mine.tgz']);
    expect(code).toBe(2);
    expect(stderr).toContain('OUTPUT_EXISTS');
    expect(readFileSync(join(directory, 'mine.tgz'), 'utf8')).toBe('mine');
    expect((await doctor(['--bundle', 'nowhere/x.tgz'])).stderr).toContain('FILE_UNWRITABLE');
  });
});
