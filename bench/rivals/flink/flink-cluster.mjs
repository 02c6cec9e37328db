/**
 * A Flink cluster on the loopback: one JobManager and one TaskManager with as many slots as asked for. Callers:
 * `flink-nexmark.mjs`. Runs on: the caller's thread; the cluster in two processes of its own. Invariant: `stop` ends
 * the two processes that `start` started, and no others.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flinkDirectory, flinkHome } from './flink-home.mjs';
import { installJar, JAR, MAIN_CLASS } from './flink-jar.mjs';

/** Ports of its own, beside those of a Flink that may be running. */
const REST_PORT = 18_081;
const RPC_PORT = 16_123;
const START_MS_MAX = 120_000;
const POLL_MS = 100;
/** Clock ticks of a second in `/proc`. */
const TICKS = 100;

/** @typedef {'none' | 'exactly-once'} Guarantee */

export class FlinkCluster {
  #home;
  #environment;
  #taskManager = null;

  /**
   * @param {object} options
   * @param {number} options.slots
   * @param {Guarantee} options.guarantee none: state on the heap and no checkpoints; exactly-once: RocksDB, incremental
   *   checkpoints every 10 s
   * @param {(message: string) => void} options.tell
   */
  static async start({ slots, guarantee, tell }) {
    const cluster = new FlinkCluster();
    cluster.#home = flinkHome(tell);
    installJar(cluster.#home);
    const run = join(flinkDirectory, 'run');
    rmSync(run, { recursive: true, force: true });
    mkdirSync(join(run, 'conf'), { recursive: true });
    mkdirSync(join(run, 'tmp'));
    cluster.#configure(run, slots, guarantee);
    cluster.#environment = {
      ...process.env,
      FLINK_CONF_DIR: join(run, 'conf'),
      FLINK_LOG_DIR: join(run, 'log'),
      FLINK_PID_DIR: join(run, 'pid'),
      FLINK_IDENT_STRING: 'millrace',
    };
    mkdirSync(join(run, 'log'));
    mkdirSync(join(run, 'pid'));
    cluster.#script('jobmanager.sh', 'start');
    cluster.#script('taskmanager.sh', 'start');
    await cluster.#ready(slots);
    const pids = readFileSync(join(run, 'pid', 'flink-millrace-taskexecutor.pid'), 'utf8');
    cluster.#taskManager = Number(pids.trim().split('\n').at(-1));
    return cluster;
  }

  #configure(run, slots, guarantee) {
    const given = join(this.#home, 'conf');
    const conf = join(run, 'conf');
    for (const name of readdirSync(given).filter((file) => file.startsWith('log'))) {
      copyFileSync(join(given, name), join(conf, name));
    }
    // What lets Flink into the insides of newer Javas, as the distribution has it.
    const [, javaOptions] = /^ *all: (.*)$/m.exec(readFileSync(join(given, 'config.yaml'), 'utf8'));
    const settings = {
      'env.java.opts.all': javaOptions,
      'jobmanager.rpc.address': 'localhost',
      'jobmanager.bind-host': 'localhost',
      'jobmanager.rpc.port': RPC_PORT,
      'jobmanager.memory.process.size': '1600m',
      'taskmanager.host': 'localhost',
      'taskmanager.bind-host': 'localhost',
      'taskmanager.numberOfTaskSlots': slots,
      'taskmanager.memory.process.size': '8g',
      'rest.address': 'localhost',
      'rest.bind-address': 'localhost',
      'rest.port': REST_PORT,
      'io.tmp.dirs': join(run, 'tmp'),
      'pipeline.object-reuse': true,
      'parallelism.default': slots,
      ...(guarantee === 'none'
        ? { 'state.backend.type': 'hashmap', 'taskmanager.memory.managed.size': '256m' }
        : {
            'state.backend.type': 'rocksdb',
            'execution.checkpointing.incremental': true,
            'execution.checkpointing.dir': `file://${join(run, 'checkpoints')}`,
            'execution.checkpointing.interval': '10s',
            'execution.checkpointing.mode': 'EXACTLY_ONCE',
          }),
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key}: ${value}`);
    writeFileSync(join(conf, 'config.yaml'), `${lines.join('\n')}\n`);
  }

  #script(name, ...args) {
    const command = join(this.#home, 'bin', name);
    execFileSync(command, args, { env: this.#environment, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async #ready(slots) {
    const deadline = performance.now() + START_MS_MAX;
    while (performance.now() < deadline) {
      const overview = await this.#get('overview').catch(() => null);
      if (overview?.['slots-total'] === slots) return;
      await sleep(POLL_MS);
    }
    this.stop();
    throw new Error(
      `Flink did not come up in ${START_MS_MAX / 1000} s; see ${flinkDirectory}/run/log.`,
    );
  }

  async #get(path) {
    const response = await fetch(`http://localhost:${REST_PORT}/${path}`);
    if (!response.ok) throw new Error(`Flink answers ${response.status} to ${path}.`);
    return response.json();
  }

  /**
   * Runs statements of SQL, the last of which is a job, to its end.
   *
   * @param {string} sql divided by blank lines
   * @param {string | null} resultPath where the last one's result goes, as CSV without a header; null: it gives none
   * @returns {Promise<{ elapsedMs: number, cpuSeconds: number, peakRssBytes: number }>} of the job in the JobManager's
   *   eyes, and of the TaskManager
   */
  async run(sql, resultPath = null) {
    const file = join(flinkDirectory, 'run', 'job.sql');
    writeFileSync(file, sql);
    const before = new Set((await this.#jobs()).map(({ jid }) => jid));
    const cpuBefore = this.#cpuSeconds();
    const client = join(this.#home, 'bin', 'flink');
    const jar = join(this.#home, 'lib', JAR);
    const { stdout, stderr, status } = spawnSync(
      client,
      ['run', '-c', MAIN_CLASS, jar, file, ...(resultPath === null ? [] : [resultPath])],
      {
        env: this.#environment,
        encoding: 'utf8',
      },
    );
    const cpuSeconds = this.#cpuSeconds() - cpuBefore;
    const job = (await this.#jobs()).find(({ jid }) => !before.has(jid));
    if (status !== 0 || job?.state !== 'FINISHED') {
      const said = `${stdout}\n${stderr}`
        .split('\n')
        .filter((line) => /Caused by|Exception/.test(line));
      throw new Error(
        `Flink: the job is ${job?.state ?? 'not there'}. ${said.join(' ').slice(0, 2000)}`,
      );
    }
    return { elapsedMs: job.duration, cpuSeconds, peakRssBytes: this.#peakRssBytes() };
  }

  async #jobs() {
    return (await this.#get('jobs/overview')).jobs;
  }

  /** User and system time of the TaskManager with all its threads. */
  #cpuSeconds() {
    const stat = readFileSync(`/proc/${this.#taskManager}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  #peakRssBytes() {
    const status = readFileSync(`/proc/${this.#taskManager}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  stop() {
    this.#script('taskmanager.sh', 'stop');
    this.#script('jobmanager.sh', 'stop');
  }
}
