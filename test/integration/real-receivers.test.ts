/**
 * Reporters against the systems that they are for, where these are installed, as by Debian's packages prometheus,
 * prometheus-pushgateway, influxdb, graphite-carbon and ganglia-monitor; elsewhere the tests of the wire forms have to
 * do.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobExecution, type RunOptions, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import metered from '../fixtures/jobs/metered.mjs';
import { poll } from './server/server-harness.js';

const INTERVAL = '200ms';

let directory = '';
let children: ChildProcess[] = [];
let execution: JobExecution | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-receiver-'));
});
afterEach(async () => {
  execution?.cancel();
  await execution?.finished.catch(() => {});
  execution = null;
  await Promise.all(children.map(ended));
  children = [];
  rmSync(directory, { recursive: true, force: true });
});

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function launch(command: string, ...words: readonly string[]): void {
  children.push(spawn(command, words, { cwd: directory, stdio: 'ignore' }));
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

async function report(options: { readonly type: string } & Record<string, string | number>) {
  const all: RunOptions = { runtime: 'in-thread', reporters: { tested: options } };
  execution = await start(metered, all);
}

async function textOf(url: string, init: RequestInit = {}): Promise<string> {
  const reply = await fetch(url, init).catch(() => null);
  return reply === null || !reply.ok ? '' : reply.text();
}

/** A test of a system that is there. */
const where = (path: string) => it.skipIf(!existsSync(path));

describe('a receiver of metrics as it is installed', () => {
  where('/usr/bin/prometheus')('Prometheus comes for them', async () => {
    const [port, target] = [await freePort(), await freePort()];
    const config = file(
      'prometheus.yml',
      'scrape_configs:\n- job_name: millrace\n  scrape_interval: 1s\n' +
        `  static_configs:\n  - targets: ["127.0.0.1:${target}"]\n`,
    );
    launch(
      '/usr/bin/prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    );
    await report({ type: 'prometheus', port: String(target) });
    const ask = (query: string): Promise<string> =>
      textOf(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
    const seen = 'flink_taskmanager_job_task_operator_sensor_seen{sensor="no. 1"} > 0';
    const answer = await poll(
      () => ask(seen),
      (text) => text.includes('"result":[{'),
    );
    const [sample] = JSON.parse(answer).data.result;
    expect(sample.metric).toMatchObject({ job_name: 'metered', operator_name: 'watch, closely' });
    const quantile = 'flink_taskmanager_job_task_operator_of_sensors_values{quantile="0.99"}';
    expect(JSON.parse(await ask(quantile)).data.result[0].value[1]).toBe('2');
  });

  where('/usr/bin/prometheus-pushgateway')('the gateway of Prometheus keeps them', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    launch('/usr/bin/prometheus-pushgateway', `--web.listen-address=${url.slice(7)}`);
    await poll(
      () => textOf(`${url}/metrics`),
      (text) => text !== '',
    );
    await report({
      type: 'prometheusPushGateway',
      hostUrl: url,
      jobName: 'a/b',
      interval: INTERVAL,
      groupingKey: 'instance=one two',
    });
    const line =
      /^flink_taskmanager_job_task_operator_seen\{[^}]*instance="one two"[^}]*\} [\d.]+/m;
    const text = await poll(
      () => textOf(`${url}/metrics`),
      (found) => line.test(found),
    );
    expect(text).toMatch(/job="a\/b[0-9a-f]{32}"/);
    execution?.cancel();
    await execution?.finished.catch(() => {});
    expect(await textOf(`${url}/metrics`)).not.toContain('flink_');
  });

  where('/usr/bin/influxd')('InfluxDB takes them', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const config = file(
      'influxdb.conf',
      `reporting-disabled = true\nbind-address = "127.0.0.1:${other}"\n` +
        `[meta]\n  dir = "${directory}/meta"\n` +
        `[data]\n  dir = "${directory}/data"\n  wal-dir = "${directory}/wal"\n` +
        `[http]\n  bind-address = "127.0.0.1:${port}"\n`,
    );
    launch('/usr/bin/influxd', '-config', config);
    const url = `http://127.0.0.1:${port}/query`;
    const ask = (q: string, method = 'GET'): Promise<string> =>
      textOf(`${url}?${new URLSearchParams({ db: 'flink', q }).toString()}`, { method });
    await poll(
      () => ask('CREATE DATABASE flink', 'POST'),
      (text) => text !== '',
    );
    await report({ type: 'influxdb', host: '127.0.0.1', port, db: 'flink', interval: INTERVAL });
    const measurement = 'taskmanager_job_task_operator_sensor_seen';
    const answer = await poll(
      () => ask(`SELECT last("count"), "operator_name" FROM "${measurement}" WHERE sensor='no. 2'`),
      (text) => text.includes('"values"'),
    );
    const [, count, operator] = JSON.parse(answer).results[0].series[0].values[0];
    expect([count > 0, operator]).toEqual([true, 'watch, closely']);
  });

  where('/usr/bin/carbon-cache')('Graphite keeps them', async () => {
    const ports = [await freePort(), await freePort(), await freePort()];
    const config = file(
      'carbon.conf',
      `[cache]\nSTORAGE_DIR = ${directory}\nLOCAL_DATA_DIR = ${directory}/whisper\n` +
        `CONF_DIR = ${directory}\nLOG_DIR = ${directory}\nPID_DIR = ${directory}\nUSER =\n` +
        'LINE_RECEIVER_INTERFACE = 127.0.0.1\nPICKLE_RECEIVER_INTERFACE = 127.0.0.1\n' +
        'CACHE_QUERY_INTERFACE = 127.0.0.1\nMAX_CREATES_PER_MINUTE = inf\n' +
        `LINE_RECEIVER_PORT = ${ports[0]}\nPICKLE_RECEIVER_PORT = ${ports[1]}\n` +
        `CACHE_QUERY_PORT = ${ports[2]}\n`,
    );
    file('storage-schemas.conf', '[all]\npattern = .*\nretentions = 1s:1m\n');
    launch('/usr/bin/carbon-cache', `--config=${config}`, '--nodaemon', 'start');
    await report({ type: 'graphite', host: '127.0.0.1', port: ports[0] ?? 0, interval: INTERVAL });
    const kept = await poll(
      () => {
        const whisper = join(directory, 'whisper');
        if (!existsSync(whisper)) return undefined;
        const all = readdirSync(whisper, { recursive: true }).map(String);
        return all.find((path) => path.endsWith('/no__1/seen.wsp'));
      },
      (path) => path !== undefined,
    );
    expect(kept).toMatch(/\/metered\/watch-_closely\/0\/sensor\/no__1\/seen\.wsp$/);
    const fetched = await poll(
      () =>
        execFileSync('/usr/bin/whisper-fetch', [join(directory, 'whisper', kept ?? '')]).toString(),
      (text) => /\t[1-9]/.test(text),
    );
    expect(fetched).toMatch(/^\d{10}\t[1-9]\d*\.0+$/m);
  });

  where('/usr/sbin/gmond')('Ganglia knows them', async () => {
    const port = await freePort();
    const config = file(
      'gmond.conf',
      'globals {\n  daemonize = no\n  setuid = no\n  mute = no\n  deaf = no\n}\n' +
        'cluster {\n  name = "test"\n}\n' +
        `udp_recv_channel {\n  port = ${port}\n  bind = 127.0.0.1\n  family = inet4\n}\n` +
        `tcp_accept_channel {\n  port = ${port}\n  bind = 127.0.0.1\n}\n`,
    );
    launch('/usr/sbin/gmond', '-f', '-c', config);
    await report({ type: 'ganglia', host: '127.0.0.1', port, interval: INTERVAL });
    const known = await poll(
      () => {
        try {
          return execFileSync('bash', ['-c', `cat </dev/tcp/127.0.0.1/${port}`], {
            stdio: ['ignore', 'pipe', 'ignore'],
          }).toString();
        } catch {
          return '';
        }
      },
      (text) => /sensor\.no__1\.seen" VAL="[1-9]/.test(text),
    );
    expect(known).toMatch(/NAME="[^"]*metered\.watch__closely\.0\.sensor\.no__1\.seen" VAL="[1-9]/);
    expect(known).toContain('<EXTRA_ELEMENT NAME="GROUP" VAL="millrace"/>');
  });
});
