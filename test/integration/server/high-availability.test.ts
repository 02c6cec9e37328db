import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'millrace/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Health } from '../../../src/rest/cluster-schemas.js';
import { NO_FAULTS, NumberedInput } from './numbered-input.js';
import { isAlive, poll, TestServer } from './server-harness.js';

const CHECKPOINTED = { 'execution.checkpointing.interval': '50ms' };
/** Longer than a busy machine lets a leader wait, which is not to be replaced before it is stopped. */
const TIMEOUT = ['-D', 'high-availability.lockfile.timeout=8s'];

describe('servers of which one leads, by files', () => {
  let directory: string;
  const servers: TestServer[] = [];

  async function begin(...words: readonly string[]): Promise<TestServer> {
    const data = join(directory, 'data');
    const flags = ['--uploads', '--ha', 'lockfile', ...TIMEOUT, ...words];
    const started = await TestServer.start(data, ...flags);
    servers.push(started);
    return started;
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-ha-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((one) => one.release()));
    rmSync(directory, { recursive: true, force: true });
  });

  async function runNumbered(server: TestServer, input: NumberedInput): Promise<string> {
    const jobid = await server.run('failing-often.mjs', {
      parallelism: 2,
      params: input.heldParams,
      flinkConfiguration: CHECKPOINTED,
    });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 1,
    );
    return jobid;
  }

  it('one takes over from another that is killed', async () => {
    const first = await begin();
    expect(await first.untilLeading()).toBe(1);
    const [second, third] = [await begin(), await begin()];
    const { status } = await poll(
      () => second.call<Health>('health'),
      ({ leader }) => leader === first.url,
    );
    expect(status).toBe('standby');
    const upload = await second.raw('GET', '/jobs');
    expect(upload).toMatchObject({ status: 503, body: { code: 'NOT_LEADER' } });

    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    // Clients find the leader by any that stands by.
    const client = createClient({ url: `${second.url},${third.url}` });
    expect((await client.job({ jobid })).state).toBe('RUNNING');
    await first.kill();
    const next = await Promise.race(
      [second, third].map(async (one) => {
        await one.untilLeading();
        return one;
      }),
    );
    input.release();
    const job = await next.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(job.name).toBe('failing-often');
    await poll(
      () => client.health().catch(() => null),
      (health) => health?.leader === next.url,
    );
  });

  it('one that was stopped and replaced does no harm when it goes on', async () => {
    const first = await begin();
    await first.untilLeading();
    const second = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    const pid = await first.processOf(jobid);
    const jarid = await first.upload('endless.mjs');
    first.signal('SIGSTOP');
    expect(await second.untilLeading()).toBe(2);
    await second.until(jobid, ({ state }) => state === 'RUNNING');
    // It is asked for something in the very moment in which it goes on.
    const asked = first.raw('POST', `/jars/${jarid}/run`, { body: '{}' }).catch(() => null);
    first.signal('SIGCONT');
    expect(await first.ended()).toBe(1);
    expect(first.printed).toContain('LEADERSHIP_LOST');
    expect(first.printed).toContain(second.url);
    const answer = await asked;
    if (answer !== null) expect(answer).toMatchObject({ body: { code: expect.any(String) } });
    input.release();
    await second.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    expect(isAlive(pid)).toBe(false);
    // Nothing of what it was asked for is there.
    const { jobs } = await second.call<{ jobs: { id: string }[] }>('jobs');
    expect(jobs.map(({ id }) => id)).toEqual([jobid]);
  });

  it('one is told why it does not start', async () => {
    const wrong = TestServer.start(directory, '--ha', 'zookeper');
    await expect(wrong).rejects.toThrow(/high-availability.type.*none, lockfile/s);
  });
});
