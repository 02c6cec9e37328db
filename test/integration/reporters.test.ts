/** Reporters of jobs that a program embeds, and of a server: what arrives, and what does not hold up anybody. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MetricPoint, type MetricReporter, run, type RunOptions, start } from 'millrace';
import { afterEach, describe, expect, it } from 'vitest';
import counted from '../fixtures/jobs/counted.mjs';
import { endless } from '../fixtures/jobs/sums.mjs';
import { endReceivers, httpReceiver } from '../unit/reporters/receivers.js';
import { poll, TestServer } from './server/server-harness.js';

afterEach(endReceivers);

/** The last value of a metric in a text for Prometheus, summed over its samples. */
function sumOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const SEEN = 'flink_taskmanager_job_task_operator_parity_records';
/** Reports once, at the end. */
const KEPT = { type: 'prometheusPushGateway', deleteOnShutdown: false, interval: '1h' } as const;

/** The warnings that the process gives meanwhile. */
async function warningsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const warnings: string[] = [];
  const warn = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', warn);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warn);
  return warnings;
}

describe('reporters of a job', () => {
  it.each([
    ['threads', { parallelism: 2, runtime: 'threads' }],
    ['the calling thread', { runtime: 'in-thread' }],
    ['a process of its own', { parallelism: 2, isolate: 'process' }],
  ] as const)('report its last word before it has finished, in %s', async (_, options) => {
    const { received, port } = await httpReceiver(202);
    const own: (readonly MetricPoint[])[] = [];
    const closed: string[] = [];
    const mine: MetricReporter = {
      report: (points) => void own.push(points),
      close: () => void closed.push('mine'),
    };
    const gate = { ...KEPT, hostUrl: `http://127.0.0.1:${port}` };
    // A last word that takes longer than two seconds, as on a busy machine, is given up, and that is told.
    const attempt = async (): Promise<readonly string[]> => {
      closed.length = 0;
      return warningsOf(() => run(counted, { ...options, reporters: { gate, mine } }));
    };
    await poll(attempt, (warnings) => !warnings.some((text) => text.includes('no answer within')));
    expect(closed).toEqual(['mine']);
    const text = received.at(-1)?.body ?? '';
    expect(sumOf(text, SEEN)).toBe(1000);
    expect(text).toContain('job_name="counted"');
    const written = own.at(-1)?.filter(({ name }) => name === 'written') ?? [];
    const values = written.map(({ value }) => (value.type === 'counter' ? value.value : 0));
    expect(values.reduce((sum, value) => sum + value, 0)).toBe(1000);
  });

  it('tell a webhook of rules that are broken, by what they are about', async () => {
    const { received, port } = await httpReceiver(204);
    const execution = await start(endless, {
      parallelism: 2,
      settings: {
        'metrics.reporter.pager.type': 'webhook',
        'metrics.reporter.pager.url': `http://127.0.0.1:${port}/hook`,
        'metrics.reporter.pager.interval': '50ms',
        'metrics.reporter.pager.rules': 'task.numRecordsIn > 100; dataSkew > 100 %; uptime < 0',
      },
    });
    const alertsOf = () => received.flatMap(({ body }) => JSON.parse(body).alerts);
    const alerts = await poll(alertsOf, (told) => told.length >= 2);
    for (const { status, rule, variables } of alerts) {
      expect({ status, rule }).toEqual({ status: 'firing', rule: 'task.numRecordsIn > 100' });
      expect(variables).toMatchObject({ job_name: execution.jobName });
    }
    const subtasks = alerts.map(({ variables }) => JSON.stringify(variables));
    expect(new Set(subtasks).size).toBe(alerts.length);
    execution.cancel();
    await execution.finished.catch(() => {});
  });

  it('report while it runs, also for Prometheus to come for', async () => {
    const { received, port } = await httpReceiver(202);
    // Of this process, and below those that the system gives to whoever asks for any.
    const scraped = 20_000 + (process.pid % 10_000);
    const own = { host: '127.0.0.1', port: `${scraped}-${scraped + 50}` };
    const page = `http://127.0.0.1:${scraped}/metrics`;
    const execution = await start(endless, {
      parallelism: 2,
      settings: {
        'metrics.reporter.gate.type': 'prometheusPushGateway',
        'metrics.reporter.gate.hostUrl': `http://127.0.0.1:${port}`,
        'metrics.reporter.gate.interval': '50ms',
      },
      reporters: { prom: { type: 'prometheus', ...own } },
    });
    await poll(
      () => received.map(({ body }) => sumOf(body, 'flink_taskmanager_job_task_numRecordsIn')),
      (sums) => (sums.at(-1) ?? 0) > (sums.find((sum) => sum > 0) ?? Infinity),
    );
    const text = await poll(
      async () => {
        const reply = await fetch(page).catch(() => null);
        return (await reply?.text()) ?? '';
      },
      (found) => found.includes('numRecordsIn'),
    );
    expect(text).toMatch(/flink_jobmanager_reporter_numReports\{[^}]*reporter="gate"\} [1-9]/);
    execution.cancel();
    await execution.finished.catch(() => {});
    // Its group is deleted at the end, and the port is free again.
    expect(received.at(-1)?.method).toBe('DELETE');
    await expect(fetch(page)).rejects.toThrow();
  });

  it('touch no job when their receivers are down, hang, or they throw', async () => {
    const silent = new Promise<void>(() => {});
    const options: RunOptions = {
      runtime: 'in-thread',
      reporters: {
        down: { type: 'graphite', host: '127.0.0.1', port: 1, timeout: '1s' },
        hangs: { report: () => silent, close: () => silent },
        throws: {
          open: () => {
            throw new Error('not today');
          },
        },
      },
    };
    const states: string[] = [];
    const warnings = await warningsOf(async () => states.push((await run(counted, options)).state));
    expect(states).toEqual(['FINISHED']);
    expect(
      warnings.filter((text) => text.includes('"throws" cannot begin: not today')),
    ).toHaveLength(1);
    expect(warnings.filter((text) => text.includes('"down" cannot report'))).toHaveLength(1);
  });

  it.each([
    [{ reporters: { a: { type: 'graphit' } } }, 'OPTION_INVALID', 'graphite'],
    [{ reporters: { 'a.b': { type: 'log' } } }, 'OPTION_INVALID', 'a.b'],
    [{ settings: { 'metrics.reporter.a.typ': 'log' } }, 'OPTION_INVALID', 'has no type'],
    [
      {
        reporters: { a: { type: 'log' } },
        settings: { 'metrics.scope.task': '<hots>.<task_name>' },
      },
      'OPTION_INVALID',
      '<hots>',
    ],
  ] as const)('are checked before anything runs: %j', async (options, code, text) => {
    const failure = await run(counted, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(`${String(failure)} ${String((failure as { advice?: string }).advice)}`).toContain(text);
  });
});

describe('reporters of a server', () => {
  it('report all of its jobs, which may have none of their own', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-reporters-'));
    const file = join(directory, 'metrics.log');
    const flags = [
      'type=log',
      `file=${file}`,
      'interval=100ms',
      'filter.includes=*:seen;jobmanager',
    ];
    const server = await TestServer.start(
      join(directory, 'data'),
      '--uploads',
      ...flags.flatMap((flag) => ['-D', `metrics.reporter.log.${flag}`]),
      '-D',
      'metrics.scope.operator=<job_name>/<operator_name>/<subtask_index>',
    );
    try {
      const jobid = await server.run('metered.mjs', { parallelism: 2 });
      await server.until(jobid, ({ state }) => state === 'RUNNING');
      const text = await poll(
        () => readFileSync(file, 'utf8'),
        // One subtask may come to its first record long before the other.
        (found) => /seen: rate=[1-9]/.test(found) && found.includes('/1.seen: '),
      );
      expect(text).toMatch(/^metered\/watch, closely\/1\.seen: rate=/m);
      expect(text).toMatch(/\.jobmanager\.numRunningJobs: 1$/m);
      const jarid = await server.upload('metered.mjs');
      const body = { flinkConfiguration: { 'metrics.reporter.own.type': 'log' } };
      const refused = await server.raw('POST', `/jars/${jarid}/run`, {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      expect(refused).toMatchObject({ status: 400, body: { code: 'OPTION_INVALID' } });
    } finally {
      await server.release();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('have secrets that nobody is shown', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-reporters-'));
    const { received, port } = await httpReceiver(403, 'wrong key s3cr3t-k3y');
    const flags = ['type=datadog', 'apikey=s3cr3t-k3y', `url=http://127.0.0.1:${port}`];
    const server = await TestServer.start(
      join(directory, 'data'),
      ...[...flags, 'interval=50ms'].flatMap((flag) => ['-D', `metrics.reporter.dd.${flag}`]),
    );
    try {
      await poll(
        () => received.length,
        (count) => count > 2,
      );
      expect(received[0]?.headers['dd-api-key']).toBe('s3cr3t-k3y');
      expect(JSON.stringify(await server.call('jobManagerConfig'))).not.toContain('s3cr3t');
      const printed = await poll(
        () => server.printed,
        (text) => text.includes('REPORTER_FAILED'),
      );
      expect(printed).toContain('wrong key ******');
      expect(printed).not.toContain('s3cr3t');
      expect(printed.split('REPORTER_FAILED')).toHaveLength(2);
    } finally {
      await server.release();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
