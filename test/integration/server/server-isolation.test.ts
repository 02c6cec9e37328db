/** What jobs cannot do to each other and to their server. How fast they are beside each other, stress:server measures. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_FAULTS, NumberedInput } from './numbered-input.js';
import { poll, TestServer } from './server-harness.js';

describe('jobs of a server', () => {
  let directory: string;
  let data: string;
  let server: TestServer;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-isolation-'));
    data = join(directory, 'data');
    server = await TestServer.start(data, '--uploads', '--history', '3');
  });
  afterEach(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  it('are not touched by those that crash, leak or never return', async () => {
    const harm = await Promise.all(
      ['crash', 'leak', 'spin'].map((how) =>
        server.run('neighbour.mjs', {
          params: { how },
          flinkConfiguration: { 'slot.memory': '32mb', 'task.cancellationTimeout': '100ms' },
        }),
      ),
    );
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await server.run('failing-often.mjs', {
      params: input.params,
      flinkConfiguration: { 'execution.checkpointing.interval': '50ms' },
    });
    const job = await server.until(jobid, ({ state }) => state === 'FINISHED');
    expect(job.restarts).toBe(0);
    expect(input.faults()).toEqual(NO_FAULTS);
    // The one that crashes, and the one that leaks, end by themselves and say why.
    const codes = await Promise.all(
      harm.slice(0, 2).map(async (id) => {
        await server.until(id, ({ state }) => state === 'FAILED');
        const { exceptionHistory } = await server.call<{
          exceptionHistory: { entries: { exceptionName: string }[] };
        }>('jobExceptions', { jobid: id });
        return exceptionHistory.entries[0]?.exceptionName;
      }),
    );
    expect(codes[0]).toBe('USER_FUNCTION_FAILED');
    expect(['MEMORY_EXHAUSTED', 'PROCESS_DIED']).toContain(codes[1]);
    expect(await server.job(harm[2])).toMatchObject({ state: 'RUNNING' });
  });

  it.skipIf(!existsSync('/proc/self/fd'))('leave nothing behind in it', async () => {
    const jarid = await server.upload('neighbour.mjs');
    const port = Number(new URL(server.url).port).toString(16).toUpperCase().padStart(4, '0');
    /** Connections of clients that the server has open. */
    const connections = () =>
      readFileSync(`/proc/${server.pid}/net/tcp`, 'utf8')
        .split('\n')
        .filter((line) => new RegExp(`^ *\\d+: [0-9A-F]{8}:${port} [0-9A-F:]+ 01 `).test(line))
        .length;
    const held = () => ({
      descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
      threads: /^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1],
      files: readdirSync(data, { recursive: true }).filter((name) => !/beat-/.test(String(name)))
        .length,
    });
    const some = async (): Promise<void> => {
      const ids = await Promise.all(
        Array.from({ length: 4 }, () =>
          server.call<{ jobid: string }>('runJar', { jarid }, { params: { rate: 1e6 } }),
        ),
      );
      await Promise.all(ids.map(({ jobid }) => server.untilEnded(jobid)));
    };
    await some();
    // Those of the requests of this test are closed when nothing has come over them for a while.
    await poll(connections, (count) => count === 0);
    const before = held();
    await some();
    await some();
    await poll(connections, (count) => count === 0);
    await expect.poll(held).toEqual(before);
  });
});
