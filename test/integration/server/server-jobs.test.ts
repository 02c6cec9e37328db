import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, poll, TestServer } from './server-harness.js';
import { NO_FAULTS, NumberedInput } from './numbered-input.js';

const CHECKPOINTED = { 'execution.checkpointing.interval': '50ms' };

describe('a server', () => {
  let directory: string;
  let data: string;
  let server: TestServer;
  const servers: TestServer[] = [];

  async function begin(...words: readonly string[]): Promise<TestServer> {
    const started = await TestServer.start(data, '--uploads', ...words);
    servers.push(started);
    return started;
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-server-'));
    data = join(directory, 'data');
    server = await begin();
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((one) => one.release()));
    rmSync(directory, { recursive: true, force: true });
  });

  function numbered(name = 'numbers'): NumberedInput {
    return new NumberedInput(join(directory, name));
  }

  it('runs a job to its end and remembers it', async () => {
    const input = numbered();
    const jobid = await server.run('failing-often.mjs', {
      parallelism: 2,
      params: input.params,
      flinkConfiguration: CHECKPOINTED,
    });
    const job = await server.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(job).toMatchObject({ name: 'failing-often', slots: 2, restarts: 0 });
    expect(job.vertices.map(({ metrics }) => metrics['read-records'])).toContain(12_000);
    const { jobs } = await server.call<{ jobs: object[] }>('jobs');
    expect(jobs).toEqual([{ id: jobid, status: 'FINISHED' }]);
    // Its process and its checkpoints are gone.
    expect(await server.call('taskManagers')).toEqual({ taskmanagers: [] });
    expect(readdirSync(join(data, 'checkpoints'))).toEqual([]);
  });

  it('cancels a job, of which nothing stays but its record', async () => {
    const jobid = await server.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 0,
    );
    // Both come to be so as the job goes on; whatever never does lets the test run out of time.
    const shown = [
      /flink_taskmanager_job_task_numRecordsOut\{[^}]*\} [1-9]/,
      /flink_jobmanager_job_numberOfCompletedCheckpoints\{[^}]*\} [1-9]/,
    ];
    await poll(
      async () => (await fetch(`${server.url}/metrics`)).text(),
      (text) => shown.every((line) => line.test(text)),
    );
    const pid = await server.processOf(jobid);
    expect(isAlive(pid)).toBe(true);
    await server.call('cancelJob', { jobid, query: '?mode=cancel' });
    await server.until(jobid, ({ state }) => state === 'CANCELED');
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(join(data, 'checkpoints'))).toEqual([]);
    const again = await server.raw('PATCH', `/jobs/${jobid}?mode=cancel`);
    expect(again).toMatchObject({ status: 409, body: { code: 'JOB_NOT_RUNNING' } });
    const unknown = await server.raw('PATCH', `/jobs/${'0'.repeat(32)}`);
    expect(unknown).toMatchObject({ status: 404, body: { code: 'JOB_UNKNOWN' } });
  });

  it('stops a job with a savepoint, from which another goes on', async () => {
    const input = numbered();
    const run = { params: input.params, flinkConfiguration: CHECKPOINTED };
    const jobid = await server.run('failing-often.mjs', run);
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const triggerId = 'a'.repeat(32);
    const targetDirectory = join(directory, 'savepoints');
    const body = { targetDirectory, triggerId };
    // Asked twice, it is done once.
    for (let time = 0; time < 2; time++) {
      const trigger = await server.call('stopJob', { jobid }, body);
      expect(trigger).toEqual({ 'request-id': triggerId });
    }
    interface Status {
      readonly status: { readonly id: string };
      readonly operation?: { readonly location?: string };
    }
    const { operation } = await poll(
      () => server.call<Status>('savepointStatus', { jobid, triggerid: triggerId }),
      ({ status }) => status.id === 'COMPLETED',
    );
    expect(await server.job(jobid)).toMatchObject({ state: 'FINISHED' });
    expect(readdirSync(targetDirectory)).toHaveLength(1);
    expect(operation).toEqual({ location: join(targetDirectory, readdirSync(targetDirectory)[0]) });

    const savepointPath = operation?.location ?? '';
    const next = await server.run('failing-often.mjs', { ...run, parallelism: 2, savepointPath });
    await server.until(next, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);

    const disposal = await server.call<{ 'request-id': string }>(
      'disposeSavepoint',
      {},
      { 'savepoint-path': savepointPath },
    );
    await poll(
      () => server.call<Status>('disposalStatus', { triggerid: disposal['request-id'] }),
      ({ status }) => status.id === 'COMPLETED',
    );
    expect(existsSync(savepointPath)).toBe(false);
  });

  it('starts a job again whose process is killed, and leaves the others alone', async () => {
    const input = numbered();
    const other = await server.run('endless.mjs', {});
    await server.until(other, ({ state }) => state === 'RUNNING');
    const otherPid = await server.processOf(other);
    const jobid = await server.run('failing-often.mjs', {
      params: input.params,
      flinkConfiguration: {
        ...CHECKPOINTED,
        'restartStrategy.type': 'fixedDelay',
        'restartStrategy.fixedDelay.delay': '10ms',
      },
    });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 1,
    );
    process.kill(await server.processOf(jobid), 'SIGKILL');
    const job = await server.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(job.restarts).toBe(1);
    const { exceptionHistory } = await server.call<{
      exceptionHistory: { entries: { exceptionName: string }[] };
    }>('jobExceptions', { jobid });
    expect(exceptionHistory.entries.map((entry) => entry.exceptionName)).toEqual(['PROCESS_DIED']);
    const { latest, counts } = await server.call<{
      latest: { restored: object | null };
      counts: { restored: number };
    }>('checkpoints', { jobid });
    expect(counts.restored).toBe(1);
    expect(latest.restored).not.toBeNull();
    expect(await server.processOf(other)).toBe(otherPid);
    expect(await server.job(other)).toMatchObject({ state: 'RUNNING', restarts: 0 });
  });

  it('goes on with its jobs after it was killed', async () => {
    const input = numbered();
    const canceled = await server.run('endless.mjs', {});
    await server.call('cancelJob', { jobid: canceled });
    await server.until(canceled, ({ state }) => state === 'CANCELED');
    const jobid = await server.run('failing-often.mjs', {
      parallelism: 2,
      params: input.params,
      flinkConfiguration: CHECKPOINTED,
    });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 1,
    );
    const pid = await server.processOf(jobid);
    await server.kill();
    // Without its server the process of a job ends by itself.
    await poll(
      () => isAlive(pid),
      (alive) => !alive,
    );
    const next = await begin();
    const job = await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(job.name).toBe('failing-often');
    const { counts } = await next.call<{ counts: { restored: number } }>('checkpoints', { jobid });
    expect(counts.restored).toBe(1);
    expect(await next.job(canceled)).toMatchObject({ state: 'CANCELED' });
  });

  it('leaves its jobs for the next one when it ends in order', async () => {
    const jobid = await server.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const pid = await server.processOf(jobid);
    expect(await server.shutDown()).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(data, 'server.lock'))).toBe(false);
    const next = await begin();
    await next.until(jobid, ({ state }) => state === 'RUNNING');
  });

  it('keeps a job that never returns from the others, and ends it when it is canceled', async () => {
    const stuck = await server.run('endless.mjs', {
      params: { spinAt: 100 },
      flinkConfiguration: { 'task.cancellationTimeout': '100ms' },
    });
    await server.until(stuck, ({ state }) => state === 'RUNNING');
    const input = numbered();
    const jobid = await server.run('failing-often.mjs', { params: input.params });
    await server.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    const pid = await server.processOf(stuck);
    await server.call('cancelJob', { jobid: stuck });
    await server.until(stuck, ({ state }) => state === 'CANCELED');
    expect(isAlive(pid)).toBe(false);
  });

  it('tells a second server that the data is taken', async () => {
    await expect(TestServer.start(data)).rejects.toThrow(/SERVER_RUNNING/);
    const port = new URL(server.url).port;
    const elsewhere = join(directory, 'elsewhere');
    await expect(TestServer.start(elsewhere, '--port', port)).rejects.toThrow(/SERVER_RUNNING/);
  });
});
