/**
 * Servers that choose their leader by a real ZooKeeper. Where its jars are is told by MILLRACE_TEST_ZOOKEEPER, a
 * directory, or they are in the cache of those who have started one before; without them, or without Java, nothing is
 * run here.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_FAULTS, NumberedInput } from './numbered-input.js';
import { poll, TestServer } from './server-harness.js';

/** The jars of ZooKeeper and of what it needs; null when there are none. */
function jars(): string | null {
  const given = process.env['MILLRACE_TEST_ZOOKEEPER'];
  if (given !== undefined) return given;
  const cache = join(homedir(), '.cache', 'millrace-servers');
  if (!existsSync(cache)) return null;
  const found = readdirSync(cache).find((name) => name.startsWith('zookeeper-'));
  return found === undefined ? null : join(cache, found);
}

const JARS = jars();
const hasJava = spawnSync('java', ['-version']).status === 0;
/** Longer than a busy machine lets a leader wait, which is not to be replaced before it is stopped. */
const SESSION = ['-D', 'high-availability.zookeeper.client.session-timeout=8s'];

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

class ZooKeeper {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(directory: string): Promise<ZooKeeper> {
    const port = await freePort();
    mkdirSync(directory, { recursive: true });
    const config = join(directory, 'zoo.cfg');
    writeFileSync(
      config,
      `tickTime=200\nminSessionTimeout=400\ndataDir=${directory}/data\nclientPort=${port}\n` +
        'clientPortAddress=127.0.0.1\nadmin.enableServer=false\n',
    );
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const flags = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const words = [...flags, '-cp', `${JARS ?? ''}/*`, main, config];
    const child = spawn('java', words, { stdio: 'ignore' });
    await poll(
      () => listens(port),
      (does) => does,
    );
    return new ZooKeeper(port, child);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }
}

describe.skipIf(JARS === null || !hasJava)('servers of which one leads, by ZooKeeper', () => {
  let directory: string;
  let zookeeper: ZooKeeper;
  const servers: TestServer[] = [];

  async function begin(...words: readonly string[]): Promise<TestServer> {
    const quorum = `127.0.0.1:${zookeeper.port}`;
    const flags = ['--uploads', '--ha', 'zookeeper', '--ha-quorum', quorum, ...SESSION, ...words];
    const started = await TestServer.start(join(directory, 'data'), ...flags);
    servers.push(started);
    return started;
  }

  async function runNumbered(server: TestServer, input: NumberedInput): Promise<string> {
    const jobid = await server.run('failing-often.mjs', {
      params: input.heldParams,
      flinkConfiguration: { 'execution.checkpointing.interval': '50ms' },
    });
    await poll(
      () => server.call<{ counts: { completed: number } }>('checkpoints', { jobid }),
      ({ counts }) => counts.completed > 1,
    );
    return jobid;
  }

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'));
    zookeeper = await ZooKeeper.start(join(directory, 'zookeeper'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((one) => one.release()));
    await zookeeper.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('one takes over from another that is killed, and from one that ends in order', async () => {
    const first = await begin();
    expect(await first.untilLeading()).toBe(1);
    const second = await begin();
    const standby = { status: 'standby', epoch: null, leader: first.url };
    await poll(
      () => second.call<{ leader: string | null }>('health'),
      ({ leader }) => leader !== null,
    );
    expect(await second.call('health')).toEqual(standby);
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    await first.kill();
    expect(await second.untilLeading()).toBe(2);
    input.release();
    await second.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
    const third = await begin();
    expect(await second.shutDown()).toBe(0);
    expect(await third.untilLeading()).toBe(3);
    expect(await third.job(jobid)).toMatchObject({ state: 'FINISHED' });
  });

  it('one that was stopped and replaced does no harm when it goes on', async () => {
    const first = await begin();
    await first.untilLeading();
    const second = await begin();
    const input = new NumberedInput(join(directory, 'numbers'));
    const jobid = await runNumbered(first, input);
    first.signal('SIGSTOP');
    expect(await second.untilLeading()).toBe(2);
    first.signal('SIGCONT');
    expect(await first.ended()).toBe(1);
    expect(first.printed).toContain('LEADERSHIP_LOST');
    input.release();
    await second.until(jobid, ({ state }) => state === 'FINISHED');
    expect(input.faults()).toEqual(NO_FAULTS);
  });

  it('a leader that has lost ZooKeeper ends, and one that stands by waits for it', async () => {
    const first = await begin();
    await first.untilLeading();
    const second = await begin();
    await zookeeper.stop();
    expect(await first.ended()).toBe(1);
    expect(first.printed).toContain('could not be reached');
    expect(await second.call('health')).toMatchObject({ status: 'standby' });
    zookeeper = await ZooKeeper.start(join(directory, 'another'));
    const wrong = await begin('--ha-cluster-id', 'other');
    // It knows nothing of terms, and the data do.
    expect(await wrong.untilLeading()).toBe(2);
  });
});

describe('servers without ZooKeeper', () => {
  it('are told that nobody answers, or where it is to be named', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-zookeeper-'));
    try {
      const unsaid = TestServer.start(directory, '--ha', 'zookeeper');
      await expect(unsaid).rejects.toThrow(/OPTION_INVALID.*--ha-quorum/s);
      const nobody = await TestServer.start(
        directory,
        ...['--ha', 'zookeeper', '--ha-quorum', '127.0.0.1:1'],
        ...['-D', 'high-availability.zookeeper.client.connection-timeout=200ms'],
      );
      expect(await nobody.ended()).toBe(1);
      expect(nobody.printed).toContain('ELECTION_FAILED');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
