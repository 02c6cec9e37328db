import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DoorSign } from '../../../src/runtime/adoption-door.js';
import { FramedSocket } from '../../../src/runtime/framed-socket.js';
import { NO_FAULTS, NumberedInput } from './numbered-input.js';
import { isAlive, killProcess, poll, TestServer, untilGone } from './server-harness.js';

const CHECKPOINTED = { 'execution.checkpointing.interval': '50ms' };

describe('a server that comes after another', () => {
  let directory: string;
  let data: string;
  const servers: TestServer[] = [];
  const pids = new Set<number | null>();

  async function begin(...words: readonly string[]): Promise<TestServer> {
    const started = await TestServer.start(data, '--uploads', ...words);
    servers.push(started);
    return started;
  }

  /** Its process, which must not stay when a test has failed. */
  async function processOf(server: TestServer, jobid: string): Promise<number | null> {
    const pid = await server.processOf(jobid);
    pids.add(pid);
    return pid;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-found-'));
    data = join(directory, 'data');
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((one) => one.release()));
    for (const pid of pids) if (isAlive(pid)) killProcess(pid);
    pids.clear();
    rmSync(directory, { recursive: true, force: true });
  });

  interface Checkpoints {
    readonly counts: { readonly completed: number; readonly restored: number };
  }
  const checkpointsOf = (server: TestServer, jobid: string): Promise<Checkpoints> =>
    server.call('checkpoints', { jobid });

  /** Waits until more checkpoints than that have completed; how many have. */
  async function untilCompleted(server: TestServer, jobid: string, more: number): Promise<number> {
    const { counts } = await poll(
      () => checkpointsOf(server, jobid),
      (answer) => answer.counts.completed > more,
    );
    return counts.completed;
  }

  const recordsOf = async (server: TestServer, jobid: string): Promise<number> => {
    const { vertices } = await server.job(jobid);
    return Math.max(...vertices.map(({ metrics }) => metrics['write-records'] ?? 0));
  };

  async function done(
    server: TestServer,
    status: 'savepointStatus' | 'rescalingStatus',
    jobid: string,
    triggerid: string,
  ): Promise<object> {
    const { operation } = await poll(
      () =>
        server.call<{ status: { id: string }; operation?: object }>(status, { jobid, triggerid }),
      (answer) => answer.status.id === 'COMPLETED',
    );
    return operation ?? {};
  }

  async function runNumbered(server: TestServer, input: NumberedInput): Promise<string> {
    const { heldParams: params } = input;
    const request = { parallelism: 2, params, flinkConfiguration: CHECKPOINTED };
    const jobid = await server.run('counting.mjs', request);
    await untilCompleted(server, jobid, 1);
    return jobid;
  }

  it('goes on with a job in the process in which it was, and commands it', async () => {
    const first = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    const pid = await processOf(first, jobid);
    const records = await recordsOf(first, jobid);
    const before = await untilCompleted(first, jobid, 2);
    const { 'start-time': startTime } = await first.job(jobid);
    await first.kill();

    let server = await begin();
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    await poll(
      () => server.processOf(jobid),
      (found) => found === pid,
    );
    // What it counts goes on, and nothing was restored.
    const now = await untilCompleted(server, jobid, before);
    await poll(
      () => recordsOf(server, jobid),
      (found) => found > records,
    );
    expect(await server.job(jobid)).toMatchObject({ restarts: 0, 'start-time': startTime });
    expect((await checkpointsOf(server, jobid)).counts.restored).toBe(0);

    const savepoint = await server.call<{ 'request-id': string }>(
      'takeSavepoint',
      { jobid },
      { 'target-directory': join(directory, 'savepoints') },
    );
    const taken = await done(server, 'savepointStatus', jobid, savepoint['request-id']);
    expect(taken).toEqual({ location: expect.stringContaining('savepoint') });
    const rescaling = await server.call<{ 'request-id': string }>('rescaleJob', {
      jobid,
      query: '?parallelism=3',
    });
    const rescaled = await done(server, 'rescalingStatus', jobid, rescaling['request-id']);
    expect(rescaled).toMatchObject({ from: 2, to: 3 });

    // Once more, at what it has become meanwhile.
    await untilCompleted(server, jobid, now);
    await server.kill();
    server = await begin();
    await poll(
      () => server.processOf(jobid),
      (found) => found === pid,
    );
    expect(await server.job(jobid)).toMatchObject({ slots: 3, restarts: 0 });
    input.release();
    await server.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(data, 'jobs', jobid, 'process.json'))).toBe(false);
  });

  it('cancels what it has found', async () => {
    const first = await begin();
    const jobid = await first.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await untilCompleted(first, jobid, 1);
    const pid = await processOf(first, jobid);
    await first.kill();
    const next = await begin();
    await poll(
      () => next.processOf(jobid),
      (found) => found === pid,
    );
    await next.call('cancelJob', { jobid });
    await next.until(jobid, ({ state }) => state === 'CANCELED');
    expect(isAlive(pid)).toBe(false);
  });

  it('that stood by goes on with the processes of the leader', async () => {
    // Longer than a busy machine lets a leader wait, which is not to be replaced before it is stopped.
    const flags = ['--ha', 'lockfile', '-D', 'high-availability.lockfile.timeout=8s'];
    const first = await begin(...flags);
    await first.untilLeading();
    const second = await begin(...flags);
    const jobid = await first.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    const completed = await untilCompleted(first, jobid, 1);
    const pid = await processOf(first, jobid);
    // One that is stopped, not dead: it does not hinder the other, nor end the process when it goes on.
    first.signal('SIGSTOP');
    expect(await second.untilLeading()).toBe(2);
    await poll(
      () => second.processOf(jobid),
      (found) => found === pid,
    );
    const now = await untilCompleted(second, jobid, completed);
    first.signal('SIGCONT');
    expect(await first.ended()).toBe(1);
    await untilCompleted(second, jobid, now);
    expect(await second.processOf(jobid)).toBe(pid);
    expect(await second.job(jobid)).toMatchObject({ state: 'RUNNING', restarts: 0 });
  });

  it('hears the end of a job that ended without a server', async () => {
    const first = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    await processOf(first, jobid);
    await first.kill();
    input.release();
    // Everything is written, and the process waits for somebody to tell.
    await poll(
      () => input.faults(),
      ({ missing }) => missing === 0,
    );
    const next = await begin();
    await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect((await checkpointsOf(next, jobid)).counts.restored).toBe(0);
  });

  it('goes on from the checkpoint where the process is gone', async () => {
    const first = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    const pid = await processOf(first, jobid);
    await first.kill();
    killProcess(pid);
    input.release();
    const next = await begin();
    const { restarts } = await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(restarts).toBe(0);
    expect(input.faults()).toEqual(NO_FAULTS);
    expect((await checkpointsOf(next, jobid)).counts.restored).toBe(1);
  });

  it('shows jobs that have ended as the one before did', async () => {
    const first = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const finished = await runNumbered(first, input);
    input.release();
    await first.until(finished, ({ state }) => state === 'FINISHED');
    const failed = await first.run('failing.mjs', {});
    await first.until(failed, ({ state }) => state === 'FAILED');
    const told = async (server: TestServer, jobid: string): Promise<readonly unknown[]> => {
      const { now: _, ...job } = await server.job(jobid);
      const vertexid = job.vertices[0]?.id ?? '';
      const { history } = await server.call<{ history: { id: number }[] }>('checkpoints', {
        jobid,
      });
      const checkpointid = String(history[0]?.id);
      const { now: __, ...vertex } = await server.call<{ now: number }>('vertex', {
        jobid,
        vertexid,
      });
      const log = await server.call<unknown>('jobExceptions', { jobid });
      const details =
        history.length === 0
          ? null
          : await server.call<object>('checkpointDetails', { jobid, checkpointid });
      const names = ['checkpoints', 'checkpointConfig', 'jobPlan', 'jobConfig'] as const;
      const rest = await Promise.all(names.map((name) => server.call<object>(name, { jobid })));
      const logged = await (await fetch(`${server.url}/jobs/${jobid}/log`)).text();
      return [job, vertex, log, details, logged, ...rest];
    };
    const before = [await told(first, finished), await told(first, failed)];
    expect(JSON.stringify(before[1])).toContain('bad record 4321');
    expect(before[0]?.[3]).not.toBeNull();
    await first.kill();
    const next = await begin();
    expect([await told(next, finished), await told(next, failed)]).toEqual(before);
  });

  it('is sent away by a process that has a server of its term or a later one', async () => {
    const server = await begin();
    const jobid = await server.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await untilCompleted(server, jobid, 0);
    await processOf(server, jobid);
    const file = join(data, 'jobs', jobid, 'process.json');
    const sign: DoorSign = JSON.parse(readFileSync(file, 'utf8'));
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const told = async (hello: object): Promise<unknown> => {
      const socket = new FramedSocket(connect(sign.address));
      socket.greet(hello);
      return socket.hello();
    };
    const { secret } = sign;
    expect(await told({ secret, epoch: 1, protocol: '' })).toEqual({
      refused: expect.stringContaining('The term 1 is over'),
    });
    expect(await told({ secret, epoch: 0, protocol: '' })).toMatchObject({
      refused: expect.any(String),
    });
    expect(await told({ secret: '0'.repeat(64), epoch: 2, protocol: '' })).toBeNull();
    expect(await told({ epoch: 2 })).toBeNull();
    expect(await told({ secret: 'x'.repeat(100_000), epoch: 2, protocol: '' })).toBeNull();
    await untilCompleted(server, jobid, 3);
  });

  it('finds no process when none is to outlive its server', async () => {
    const first = await begin('-D', 'taskmanager.registration.timeout=0');
    const jobid = await first.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await untilCompleted(first, jobid, 0);
    const pid = await processOf(first, jobid);
    await first.kill();
    await untilGone(pid);
  });

  it('comes too late for a process that has waited long enough', async () => {
    const first = await begin('-D', 'taskmanager.registration.timeout=100ms');
    const jobid = await first.run('endless.mjs', { flinkConfiguration: CHECKPOINTED });
    await untilCompleted(first, jobid, 0);
    const pid = await processOf(first, jobid);
    await first.kill();
    await untilGone(pid);
    const next = await begin();
    await next.until(jobid, ({ state }) => state === 'RUNNING');
    await poll(
      () => checkpointsOf(next, jobid),
      ({ counts }) => counts.restored === 1,
    );
  });
});
