import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../unit/cli/fake-terminal.js';
import { COLUMNS, ROWS, startOnTerminal, whyNoTerminal } from '../pseudo-terminal.js';
import { runCli, startCli } from '../run-cli.js';
import { poll, TestServer } from './server-harness.js';

describe('millrace top', () => {
  let data: string;
  let server: TestServer;
  let jobid: string;

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'millrace-top-'));
    server = await TestServer.start(data, '--uploads');
    jobid = await server.run('endless.mjs', {
      parallelism: 1,
      flinkConfiguration: { 'execution.checkpointing.interval': '100ms' },
    });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
  });
  afterAll(async () => {
    await server.release();
    rmSync(data, { recursive: true, force: true });
  });

  it('prints a snapshot with --json', async () => {
    const snapshot = async () => {
      const { code, stdout, stderr } = await runCli(['top', '-m', server.url, '--json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trim().split('\n')).toHaveLength(1);
      return JSON.parse(stdout);
    };
    const found = await poll(
      snapshot,
      ({ jobs: [one] }) => one.recordsPerSecond > 0 && one.checkpointAge !== null,
    );
    expect(found).toMatchObject({
      type: 'top',
      url: server.url,
      slotsAvailable: found.slotsTotal - 1,
    });
    expect(found.jobs).toHaveLength(1);
    const [one] = found.jobs;
    expect(one).toMatchObject({ jobid, name: 'endless', state: 'RUNNING', restarts: 0 });
    expect(one.residentBytes).toBeGreaterThan(10 * 1024 ** 2);
    expect(one.busy).toBeGreaterThan(0);
  });

  it('prints lines without a terminal until it is interrupted', async () => {
    const started = startCli(['top', '-m', server.url]);
    await started.seen('endless RUNNING: ');
    started.child.kill('SIGINT');
    const { code, stdout } = await started.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d http.* 1 job, 1 of \d+ slots taken\n/);
    expect(stdout).not.toContain('\x1b');
  });

  it('says that there is no server', async () => {
    const { code, stderr } = await runCli(['top', '-m', '127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toContain('SERVER_UNREACHABLE');
  });

  it.skipIf(whyNoTerminal() !== null)('listens to keys on a terminal', async () => {
    const started = startOnTerminal(`top -m ${server.url}`);
    await started.seen('Enter chains');
    started.child.stdin?.write('\x1b[B\r');
    await started.seen('Enter jobs only');
    // What was opened is asked for first.
    await started.seen('readings → map ×1');
    const terminal = new FakeTerminal(COLUMNS, ROWS);
    terminal.write(started.output.stdout);
    const text = terminal.lines().join('\n');
    expect(text).toContain('>  endless');
    expect(text).toContain('readings → map ×1');
    started.child.stdin?.write('q');
    const { code, stdout } = await started.finished;
    expect(code).toBe(0);
    const end = new FakeTerminal(COLUMNS, ROWS);
    end.write(stdout);
    expect(end.isCursorVisible).toBe(true);
    expect(end.lines()).toEqual([]);
  });
});
