/**
 * Flink's own programs against a server: its command line, and the classes with which its client reads replies. They
 * run where there is Java and a Flink: `npm run bench:nexmark -- --rival flink` puts one together.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './server-harness.js';

const VERSION = '2.3.0';
const home =
  process.env['MILLRACE_FLINK_HOME'] ??
  join(tmpdir(), 'millrace-bench', `flink-${VERSION}`, 'home');
const jar = join(home, 'lib', `flink-dist-${VERSION}.jar`);
const reads = fileURLToPath(new URL('../../fixtures/flink/FlinkReads.java', import.meta.url));

const run = promisify(execFile);
/** A machine that does other things too takes its time to start a JVM. */
const TIMEOUT_MS = 300_000;

describe.skipIf(!isThere())('a server, to Flink', { timeout: TIMEOUT_MS }, () => {
  let directory: string;
  let server: TestServer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-flink-'));
    mkdirSync(join(directory, 'log'));
    server = await TestServer.start(join(directory, 'data'), '--uploads');
  });

  afterAll(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  async function running(): Promise<string> {
    const flinkConfiguration = { 'execution.checkpointing.interval': '1h' };
    const jobid = await server.run('endless.mjs', { flinkConfiguration });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    return jobid;
  }

  /** What a command of Flink's command line prints. */
  async function flink(command: string, ...words: readonly string[]): Promise<string> {
    const address = new URL(server.url).host;
    const { stdout, stderr } = await run(
      join(home, 'bin', 'flink'),
      [command, '-m', address, ...words],
      { env: { ...process.env, FLINK_LOG_DIR: join(directory, 'log') } },
    );
    return stdout + stderr;
  }

  it('is a cluster whose jobs are listed, saved, stopped and canceled', async () => {
    const stopped = await running();
    const canceled = await running();
    expect(await flink('checkpoint', stopped)).toMatch(/Checkpoint \d+ for job .* completed/);

    const target = join(directory, 'savepoints');
    const saved = await flink('savepoint', canceled, target);
    const [savepoint = ''] = readdirSync(target);
    expect(saved).toContain(join(target, savepoint));
    await flink('savepoint', '-dispose', join(target, savepoint));
    expect(readdirSync(target)).toEqual([]);

    expect(await flink('stop', '--savepointPath', target, stopped)).toMatch(/Savepoint completed/);
    expect(readdirSync(target)).toHaveLength(1);
    await flink('cancel', canceled);
    await server.until(canceled, ({ state }) => state === 'CANCELED');
    const listed = await flink('list', '-a');
    expect(listed).toContain(`${stopped} : endless (FINISHED)`);
    expect(listed).toContain(`${canceled} : endless (CANCELED)`);
  });

  it('gives replies that its client reads', async () => {
    const jobid = await running();
    await server.call('takeCheckpoint', { jobid }, {});
    const { vertices } = await server.job(jobid);
    const of = {
      jobid,
      taskmanagerid: jobid,
      vertexid: vertices[0]?.id,
      subtaskindex: 0,
      attempt: 0,
    };
    const { stdout } = await run('java', [
      ...['-cp', join(home, 'lib', '*'), reads, jar, server.url],
      ...Object.entries({ ...of, checkpointid: 1 }).map(([name, value]) => `${name}=${value}`),
    ]);
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => !/^(?:ok|404) /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ok')).length).toBeGreaterThan(35);
  });
});

function isThere(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return existsSync(jar);
  } catch {
    return false;
  }
}
