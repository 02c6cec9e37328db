import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'millrace/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fixture, runCli, startCli } from '../run-cli.js';
import { poll, TestServer } from './server-harness.js';

const TOKEN = 'open-sesame';

describe('the command line of a server', () => {
  let data: string;
  let directory: string;
  let server: TestServer;
  let client: ReturnType<typeof createClient>;

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'millrace-server-cli-'));
    writeFileSync(join(data, 'token'), `${TOKEN}\n`);
    const flags = ['--uploads', '--token-file', join(data, 'token')];
    server = await TestServer.start(join(data, 'data'), ...flags);
    client = createClient({ url: server.url, token: TOKEN });
  });
  afterAll(async () => {
    await server.release();
    rmSync(data, { recursive: true, force: true });
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-submit-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const options = () => ({
    cwd: directory,
    env: { MILLRACE_SERVER: server.url, MILLRACE_TOKEN: TOKEN },
  });
  const cli = (...words: readonly string[]) => runCli(words, options());
  const submit = (...words: readonly string[]) => cli('run', '-m', server.url, ...words);

  async function jsonOf(...words: readonly string[]): Promise<Record<string, never>[]> {
    const { code, stdout, stderr } = await cli(...words, '--json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const lines = stdout.trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  it('prints records of a job as they pass, and how many passed', async () => {
    const [told] = await jsonOf('run', '-m', server.url, '-d', fixture('endless.mjs'));
    const jobid = String(told?.['jobid']);
    await poll(
      () => client.job({ jobid }),
      ({ state }) => state === 'RUNNING',
    );
    const words = ['tap', jobid, 'map', '--filter', 'sensor in (2, 4)'];
    const lines = await jsonOf(...words, '--limit', '3');
    const records = lines.filter(({ type }) => type === 'record');
    expect(records).toHaveLength(3);
    for (const { record } of records) expect([2, 4]).toContain(record['sensor']);
    expect(lines.at(-1)).toMatchObject({ type: 'counts', shown: 3 });
    const plain = await cli('tap', 'endless', 'readings', '--limit', '2');
    expect(plain.stdout).toMatch(/^(\{"sensor":\d\}\n){2}$/);
    expect(plain.stderr).toMatch(/^2 of [\d.,]+(?: [KMG])? records shown\n$/);
    const wrong = await cli('tap', 'endless', 'map', '--filter', 'sensr = 2');
    expect(wrong.stderr).toContain('Did you mean "sensor"?');
    expect((await cli('tap', 'endless', 'mapp')).stderr).toContain('Did you mean "map"?');
    await client.cancelJob({ jobid });
    await poll(
      () => client.job({ jobid }),
      ({ state }) => state === 'CANCELED',
    );
  });

  it('runs a TypeScript job of several files where it was submitted', async () => {
    const { code, stderr } = await submit(fixture('served.ts'));
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/served [0-9a-f]{32} is FINISHED/);
    const parts = readdirSync(join(directory, 'labels')).map((name) =>
      readFileSync(join(directory, 'labels', name), 'utf8'),
    );
    expect(
      parts
        .join('')
        .match(/odd,2|even,1/g)
        ?.toSorted(),
    ).toEqual(['even,1', 'odd,2']);
    // The bundle is gone; the job has a copy.
    expect((await client.listJars()).files).toEqual([]);
  });

  it('tells why a job has failed, with the line of the module', async () => {
    const { code, stderr } = await submit(fixture('served.ts'), '--param', 'fails=true');
    expect(code).toBe(1);
    expect(stderr).toContain('USER_FUNCTION_FAILED');
    expect(stderr).toMatch(/It was told to fail[\s\S]*served\.ts:13/);
  });

  it('submits, lists, looks at, saves, stops and cancels', async () => {
    const checkpointed = ['-D', 'execution.checkpointing.interval=50ms'];
    const started = await submit(fixture('endless.mjs'), '-d', '-p', '2', ...checkpointed);
    expect(started).toMatchObject({ code: 0 });
    const jobid = started.stdout.trim();
    await server.untilRunning(client, jobid);
    expect(await jsonOf('list', '-r')).toMatchObject([
      { type: 'job', jid: jobid, name: 'endless' },
    ]);
    expect(await jsonOf('list', '-s')).toEqual([]);
    const table = await cli('list');
    expect(table.stdout).toContain(jobid);
    expect((await cli('status', 'endless')).stdout).toContain('slots 2');
    expect(await jsonOf('rescale', jobid, '1')).toMatchObject([
      { type: 'rescaled', jobid, from: 2, to: 1 },
    ]);
    const wider = await cli('rescale', 'endless', '2');
    expect(wider.stdout).toMatch(/^endless runs at a parallelism of 2, before 1; .* away for /);
    expect((await cli('rescale', 'endless', '2')).stdout).toContain('of 2 already');
    expect((await cli('rescale', 'endless', 'two')).stderr).toContain('PARALLELISM_INVALID');
    expect(await jsonOf('status', jobid.slice(0, 8))).toMatchObject([{ jid: jobid, slots: 2 }]);
    expect(await jsonOf('checkpoint', jobid)).toMatchObject([{ type: 'checkpoint', jobid }]);
    const [taken] = await jsonOf('savepoint', jobid, '-p', 'mine');
    expect(taken).toMatchObject({ type: 'savepoint', jobid });
    expect(readdirSync(join(directory, 'mine'))).toHaveLength(1);
    const [stopped] = await jsonOf('stop', jobid, '--drain', '-p', 'mine');
    expect(stopped).toMatchObject({ type: 'savepoint', jobid });
    expect(await jsonOf('list')).toEqual([]);
    expect(await jsonOf('savepoint', '--dispose', stopped?.['location'] ?? '')).toHaveLength(1);

    // Goes on from the savepoint of the first, by a relative path.
    const path = `mine/${readdirSync(join(directory, 'mine'))[0]}`;
    const run = [fixture('endless.mjs'), '-d', '-s', path, ...checkpointed, '--json'];
    const { stdout } = await submit(...run);
    const second = JSON.parse(stdout).jobid;
    await server.untilRunning(client, second);
    const restored = async (): Promise<string | null> =>
      (await client.checkpoints({ jobid: second })).latest.restored?.external_path ?? null;
    expect(await poll(restored, (found) => found !== null)).toBe(join(directory, path));
    expect(await jsonOf('cancel', second)).toMatchObject([{ type: 'canceling', jobid: second }]);
    for await (const { data: event } of client.events()) {
      const { jobs = [event] } = event as { jobs?: unknown[] };
      if (JSON.stringify(jobs).includes('"CANCELED"')) break;
    }
    const late = await cli('stop', second);
    expect(late).toMatchObject({ code: 1 });
    expect(late.stderr).toContain('JOB_NOT_RUNNING');
  });

  it('keeps what a job has printed', async () => {
    const { code } = await submit(fixture('printing.mjs'));
    expect(code).toBe(0);
    const [{ jid = '' } = {}] = await jsonOf('list', '--all');
    const here = await cli('run', fixture('printing.mjs'));
    const lines = (text: string): string[] => text.trim().split('\n').toSorted();
    expect(lines((await cli('logs', jid, '--output')).stdout)).toEqual(lines(here.stdout));
  });

  it('keeps what the server has printed', async () => {
    const printed = await client.jobManagerStdout({});
    expect(printed).toContain('"type":"server"');
    expect(printed).toContain(server.url);
    expect(await client.jobManagerStdout({ tail: '5' })).toBe(printed.slice(-5));
  });

  it('leaves a job alone that it followed', async () => {
    const started = startCli(['run', '-m', server.url, fixture('endless.mjs')], options());
    await started.seen('is RUNNING');
    started.child.kill('SIGINT');
    expect(await started.finished).toMatchObject({ code: 130 });
    const [job] = await jsonOf('list');
    expect(job).toMatchObject({ state: 'RUNNING' });
    await jsonOf('cancel', job?.['jid'] ?? '');
  });

  it('says what is wrong with a call', async () => {
    const wrong = async (...words: readonly string[]): Promise<string> => {
      const { code, stderr } = await cli(...words);
      return `${code} ${stderr.split(' ')[0]}`;
    };
    expect(await wrong('status', 'nothing')).toBe('2 JOB_UNKNOWN');
    expect(await wrong('list', '-m', '127.0.0.1:1')).toBe('1 SERVER_UNREACHABLE');
    expect(await wrong('list', '-m', 'http://')).toBe('2 OPTION_INVALID');
    expect(await wrong('savepoint')).toBe('2 OPTION_INVALID');
    expect(await wrong('list', '--token-file', 'nowhere')).toBe('2 FILE_UNREADABLE');
    expect(await wrong('run', '-m', server.url, 'nowhere.ts')).toBe('2 FILE_NOT_FOUND');
    const misspelt = ['run', '-m', server.url, fixture('served.ts'), '-D', 'paralellism=2'];
    expect(await wrong(...misspelt)).toBe('2 OPTION_UNKNOWN');
    const noToken = await runCli(['list', '-m', server.url], { cwd: directory });
    expect(noToken).toMatchObject({ code: 2 });
    expect(noToken.stderr).toContain('REQUEST_FORBIDDEN');
    const local = await cli('run', fixture('served.ts'), '-d');
    expect(local).toMatchObject({ code: 2 });
    expect(local.stderr).toContain('--server');
  });

  it('keeps the log of a job, follows it, and changes its level while it runs', async () => {
    const [submitted] = await jsonOf('run', '-m', server.url, '-d', fixture('logging.mjs'));
    const jid: string = submitted?.['jobid'] ?? '';
    const following = startCli(['logs', '-f', jid], options());
    await following.seen('INFO  watch[0] tenth');
    expect(following.output.stdout).toContain('"password":"******"');
    expect(following.output.stdout).not.toContain('DEBUG');
    expect((await cli('logs', jid, '--level', 'debug')).stdout).toContain('logs from debug on');
    await following.seen('DEBUG watch[0] each');
    await cli('cancel', jid);
    const { code, stdout } = await following.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('INFO  The job is CANCELED');
    const lines = await jsonOf('logs', jid);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at));
    expect(lines.at(-1)).toMatchObject({ type: 'log', job: 'logging', jobId: jid });
    const wrong = await cli('logs', jid, '--level', 'debgu');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Did you mean "debug"?');
    const { logs } = await client.taskManagerLogs({ taskmanagerid: jid });
    expect(logs.map(({ name }) => name)).toEqual(['job.log', 'output.log']);
    const file = { taskmanagerid: jid, filename: 'job.log' };
    const whole = await client.taskManagerLog({ taskmanagerid: jid });
    expect(await client.taskManagerLogFile(file)).toBe(whole);
    await expect(
      client.taskManagerLogFile({ ...file, filename: 'job.json' }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const ofServer = await client.jobManagerLog({});
    expect(ofServer).toContain(`"jobId":"${jid}"`);
    expect((await client.jobManagerLogs()).logs.map(({ name }) => name)).toEqual(['server.log']);
    expect(await client.jobManagerLogFile({ filename: 'server.log' })).toContain('Serves http');
  });
});
