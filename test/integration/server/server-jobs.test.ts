import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'millrace/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Checkpoints } from '../../../src/rest/job-schemas.js';
import type { RestorePlan } from '../../../src/rest/restore-schemas.js';
import { isAlive, killProcess, poll, TestServer } from './server-harness.js';
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

  it('tells at once that a job which is restarting takes no savepoint', async () => {
    const jobid = await server.run('failing.mjs', {
      flinkConfiguration: {
        ...CHECKPOINTED,
        'restartStrategy.type': 'fixedDelay',
        'restartStrategy.fixedDelay.delay': '1h',
      },
    });
    await server.until(jobid, ({ state }) => state === 'RESTARTING');
    for (const [asking, status] of [
      ['takeSavepoint', 'savepointStatus'],
      ['stopJob', 'savepointStatus'],
      ['takeCheckpoint', 'checkpointStatus'],
    ] as const) {
      const { 'request-id': triggerid } = await server.call<{ 'request-id': string }>(
        asking,
        { jobid },
        {},
      );
      const { operation } = await poll(
        () =>
          server.call<{ status: { id: string }; operation?: object }>(status, { jobid, triggerid }),
        (answer) => answer.status.id === 'COMPLETED',
      );
      expect(operation, asking).toMatchObject({ 'failure-cause': { class: 'JOB_NOT_RUNNING' } });
    }
    expect(await server.job(jobid)).toMatchObject({ state: 'RESTARTING' });
    await server.call('cancelJob', { jobid, query: '?mode=cancel' });
    await server.until(jobid, ({ state }) => state === 'CANCELED');
  });

  it('stops a job with a savepoint, from which another goes on', async () => {
    const input = numbered();
    const run = { params: input.heldParams, flinkConfiguration: CHECKPOINTED };
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
    input.release();
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

  it('tells what a restore would mean, and has a job go on by its id', async () => {
    const input = numbered();
    const run = { params: input.heldParams, flinkConfiguration: CHECKPOINTED };
    const jobid = await server.run('failing-often.mjs', run);
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const targetDirectory = join(directory, 'savepoints');
    const client = createClient({ url: server.url });
    const trigger = await client.stopJob({ jobid }, { targetDirectory });
    const triggerid = trigger['request-id'];
    const savepointPath = await client.savepointDone({ jobid, triggerid });
    const planOf = (jarid: string, body: object) =>
      server.call<RestorePlan>('planRestore', { jarid }, body);

    const same = await planOf(jobid, { savepointPath, parallelism: 2 });
    expect(same).toMatchObject({ unreadable: [], refusals: [], checkpoint: { kind: 'savepoint' } });
    expect(same.operators.length).toBeGreaterThan(0);
    for (const { fate, before, now } of same.operators) {
      expect(fate).toBe('restored');
      expect(before?.parallelism).toBeDefined();
      expect(now?.parallelism).toBeDefined();
    }
    // A job that has nothing to do with it.
    const stranger = await server.upload('endless.mjs');
    const other = await planOf(stranger, { savepointPath });
    expect(other.operators.some(({ fate }) => fate === 'lost')).toBe(true);
    expect(other.operators.some(({ fate }) => fate === 'new')).toBe(true);
    expect(other.refusals[0]).toMatchObject({ code: 'STATE_NOT_RESTORED' });
    const allowed = await planOf(stranger, { savepointPath, allowNonRestoredState: true });
    expect(allowed.refusals).toEqual([]);
    const asked = async (jarid: string, body: object) => {
      const path = `/jars/${jarid}/restore-plan`;
      const headers = { 'content-type': 'application/json' };
      const reply = await server.raw('POST', path, { body: JSON.stringify(body), headers });
      return [reply.status, reply.body['code']];
    };
    expect(await asked(stranger, {})).toEqual([400, 'REQUEST_INVALID']);
    const nowhere = { savepointPath: join(directory, 'nowhere') };
    expect(await asked(stranger, nowhere)).toEqual([404, 'CHECKPOINT_NOT_FOUND']);
    expect(await asked('0'.repeat(32), { savepointPath })).toEqual([404, 'JOB_UNKNOWN']);
    // Nothing of it was a job, and no process is left.
    expect((await server.call<{ jobs: object[] }>('jobs')).jobs).toHaveLength(1);

    input.release();
    const { jobid: next } = await server.call<{ jobid: string }>(
      'runJar',
      { jarid: jobid },
      { savepointPath },
    );
    await server.until(next, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    const { history } = await server.call<Checkpoints>('checkpoints', { jobid });
    const there = history.filter(({ discarded }) => discarded === false);
    expect(there.map((one) => one.external_path)).toEqual([savepointPath]);
  });

  it('starts a job again whose process is killed, and leaves the others alone', async () => {
    const input = numbered();
    const other = await server.run('endless.mjs', {});
    await server.until(other, ({ state }) => state === 'RUNNING');
    const otherPid = await server.processOf(other);
    const jobid = await server.run('failing-often.mjs', {
      params: input.heldParams,
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
    killProcess(await server.processOf(jobid));
    input.release();
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
      params: input.heldParams,
      flinkConfiguration: CHECKPOINTED,
    });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 1,
    );
    const pid = await server.processOf(jobid);
    await server.kill();
    killProcess(pid);
    input.release();
    const next = await begin();
    const job = await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(job.name).toBe('failing-often');
    const { counts } = await next.call<{ counts: { restored: number } }>('checkpoints', { jobid });
    expect(counts.restored).toBe(1);
    expect(await next.job(canceled)).toMatchObject({ state: 'CANCELED' });
  });

  it('has a job go on at another parallelism, which it keeps when the server is killed', async () => {
    const input = numbered();
    const jobid = await server.run('failing-often.mjs', {
      params: input.heldParams,
      flinkConfiguration: CHECKPOINTED,
    });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const rescaled = async (parallelism: number): Promise<object> => {
      const query = `?parallelism=${parallelism}`;
      const { 'request-id': triggerid } = await server.call<{ 'request-id': string }>(
        'rescaleJob',
        { jobid, query },
      );
      const { operation } = await poll(
        () =>
          server.call<{ status: { id: string }; operation?: object }>('rescalingStatus', {
            jobid,
            triggerid,
          }),
        ({ status }) => status.id === 'COMPLETED',
      );
      return operation ?? {};
    };
    expect(await rescaled(3)).toMatchObject({ from: 1, to: 3, checkpoint: expect.any(Number) });
    const { vertices, restarts, slots } = await server.job(jobid);
    expect({ restarts, slots }).toEqual({ restarts: 0, slots: 3 });
    expect(vertices.map(({ parallelism }) => parallelism)).toContain(3);
    expect(await rescaled(1000)).toMatchObject({
      'failure-cause': { class: 'PARALLELISM_INVALID' },
    });
    type Bounds = Record<string, { parallelism: { lowerBound: number; upperBound: number } }>;
    const bounds = await server.call<Bounds>('resourceRequirements', { jobid });
    for (const { parallelism } of Object.values(bounds)) parallelism.upperBound = 2;
    await server.call('requireResources', { jobid }, bounds);
    expect((await server.job(jobid)).slots).toBe(2);
    const [first] = Object.values(bounds);
    if (first !== undefined) first.parallelism.upperBound = 3;
    const path = `/jobs/${jobid}/resource-requirements`;
    const body = JSON.stringify(bounds);
    const headers = { 'content-type': 'application/json' };
    expect(await server.raw('PUT', path, { body, headers })).toMatchObject({
      status: 400,
      body: { code: 'FEATURE_UNSUPPORTED' },
    });
    expect(await server.raw('PATCH', `/jobs/${jobid}/rescaling`)).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_INVALID' },
    });
    await server.kill();
    input.release();
    const next = await begin();
    const job = await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(job.slots).toBe(2);
    expect(input.faults()).toEqual(NO_FAULTS);
  });

  it.each([30, 200])(
    'goes on exactly once when the process dies %d ms after it was to be rescaled',
    async (delayMs) => {
      const input = numbered();
      const jobid = await server.run('counting.mjs', {
        params: input.heldParams,
        flinkConfiguration: {
          ...CHECKPOINTED,
          'execution.checkpointing.incremental': 'true',
          'restartStrategy.type': 'fixedDelay',
          'restartStrategy.fixedDelay.delay': '10ms',
        },
      });
      await poll(
        () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
        ({ counts }) => counts.completed > 1,
      );
      const pid = await server.processOf(jobid);
      const { 'request-id': triggerid } = await server.call<{ 'request-id': string }>(
        'rescaleJob',
        { jobid, query: '?parallelism=3' },
      );
      await new Promise((resolve) => {
        setTimeout(resolve, delayMs);
      });
      killProcess(pid);
      input.release();
      const job = await server.until(jobid, ({ state }) => state === 'FINISHED');
      expect(input.faults()).toEqual(NO_FAULTS);
      expect(job.restarts).toBe(1);
      const { status } = await server.call<{ status: { id: string } }>('rescalingStatus', {
        jobid,
        triggerid,
      });
      expect(status.id).toBe('COMPLETED');
    },
  );

  it('leaves its jobs for the next one when it ends in order', async () => {
    const jobid = await server.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const pid = await server.processOf(jobid);
    expect(await server.shutDown()).toBe(0);
    expect(isAlive(pid)).toBe(false);
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
