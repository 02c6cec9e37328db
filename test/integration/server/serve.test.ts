import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'millrace/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fixture, runCli, type Started, startCli } from '../run-cli.js';
import { poll, untilGone } from './server-harness.js';

describe('millrace run --serve', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-serve-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const words = (...more: readonly string[]) => ['--serve', '--port', '0', '--json', ...more];
  const linesOf = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));

  async function clientOf(started: Started): Promise<ReturnType<typeof createClient>> {
    await Promise.race([started.seen('"type":"server"'), started.finished]);
    const line = linesOf(started.output.stdout).find(({ type }) => type === 'server');
    expect(started.output).toMatchObject({ stderr: '' });
    return createClient({ url: line.url });
  }

  it('runs a job to its end, and the server with it', async () => {
    const run = ['run', fixture('served.ts'), ...words()];
    const { code, stdout, stderr } = await runCli(run, { cwd: directory });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const states = linesOf(stdout).flatMap(({ type, state }) => (type === 'job' ? [state] : []));
    expect(states.at(-1)).toBe('FINISHED');
    const failing = ['run', fixture('served.ts'), ...words('--param', 'fails=true')];
    const failed = await runCli(failing, { cwd: directory });
    expect(failed.code).toBe(1);
    expect(linesOf(failed.stdout).at(-1)).toMatchObject({ type: 'failure' });
    const wrong = await runCli(['run', fixture('nothing.ts'), ...words()], { cwd: directory });
    expect(wrong.code).toBe(2);
  });

  it('serves REST and console, takes no uploads, and cancels the job when interrupted', async () => {
    const run = ['run', fixture('endless.mjs'), '-p', '1', ...words('--param', 'rate=100')];
    const started = startCli(run, { cwd: directory });
    const client = await clientOf(started);
    const job = await poll(
      async () => (await client.jobsOverview()).jobs[0],
      (one) => one?.state === 'RUNNING',
    );
    expect(job).toMatchObject({ name: 'endless' });
    expect(await (await fetch(client.url)).text()).toContain('<title>Millrace');
    expect((await client.job({ jobid: job?.jid ?? '' })).slots).toBe(1);
    await expect(client.upload('x.mjs', '')).rejects.toMatchObject({ code: 'UPLOADS_DISABLED' });
    const [{ path = '' } = {}] = (await client.taskManagers()).taskmanagers;
    started.child.kill('SIGINT');
    const { code, stdout } = await started.finished;
    expect(code).toBe(130);
    expect(linesOf(stdout).at(-1)).toMatchObject({ type: 'job', state: 'CANCELED' });
    await untilGone(Number(path.split('/').at(-1)));
  });

  it('goes on with its job after it was killed', async () => {
    const flags = words('-D', 'execution.checkpointing.interval=50ms');
    const run = ['run', fixture('endless.mjs'), '-p', '1', ...flags];
    const killed = startCli(run, { cwd: directory });
    let client = await clientOf(killed);
    const first = await poll(
      async () => (await client.jobsLoad()).jobs[0],
      (one) => one !== undefined && one.checkpointed !== null,
    );
    killed.child.kill('SIGKILL');
    await killed.finished;
    const other = await runCli(['run', fixture('served.ts'), ...words()], { cwd: directory });
    expect(other.code).toBe(2);
    expect(linesOf(other.stdout).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'OPTION_INVALID', message: expect.stringContaining('"endless"') },
    });
    const again = startCli(run, { cwd: directory });
    client = await clientOf(again);
    const jobs = await poll(
      async () => (await client.jobsOverview()).jobs,
      ([one]) => one?.state === 'RUNNING',
    );
    expect(jobs.map(({ jid }) => jid)).toEqual([first?.jid]);
    again.child.kill('SIGINT');
    expect(await again.finished).toMatchObject({ code: 130 });
  });
});
