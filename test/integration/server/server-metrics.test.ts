/** Metrics of a server and its jobs: over REST with Flink's paths, for Prometheus, on the command line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli } from '../run-cli.js';
import { poll, TestServer } from './server-harness.js';

type Metrics = readonly { readonly id: string; readonly value?: string; readonly sum?: number }[];

describe('metrics of a server', () => {
  let directory: string;
  let server: TestServer;
  let jobid: string;
  let vertexid: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-metrics-'));
    server = await TestServer.start(join(directory, 'data'), '--uploads');
    jobid = await server.run('metered.mjs', { parallelism: 2 });
    const { vertices } = await server.until(jobid, ({ state }) => state === 'RUNNING');
    vertexid = vertices.find(({ name }) => name.includes('watch'))?.id ?? '';
    await poll(
      () => server.call<Metrics>('vertexMetrics', { jobid, vertexid }),
      (ids) =>
        [0, 1].every((at) =>
          ids.some(({ id }) => id === `${at}.watch__closely.of_sensors.values_max`),
        ),
    );
  });
  afterAll(async () => {
    await server.release();
    rmSync(directory, { recursive: true, force: true });
  });

  const sums = (names: string): Promise<Metrics> =>
    server.call('subtasksMetrics', { jobid, vertexid, query: `?get=${names}&agg=sum` });

  it('has those of functions behind the name of their operator', async () => {
    const ids = (
      await server.call<Metrics>('subtaskMetrics', { jobid, vertexid, subtaskindex: '0' })
    ).map(({ id }) => id);
    expect(ids).toContain('numRecordsIn');
    expect(ids).toContain('watch__closely.seen');
    expect(ids).toContain('watch__closely.of_sensors.values_p99');
    const ofVertex = await server.call<Metrics>('vertexMetrics', {
      jobid,
      vertexid,
      query: '?get=1.watch__closely.of_sensors.values_max',
    });
    expect(ofVertex).toEqual([{ id: '1.watch__closely.of_sensors.values_max', value: '2' }]);
  });

  it('counts in functions what the engine counts for the chain', async () => {
    const seen = 'watch__closely.sensor.no__1.seen,watch__closely.sensor.no__2.seen';
    const found = await sums(`${seen},numRecordsIn`);
    const [one = 0, two = 0, all = 0] = found.map(({ sum }) => sum);
    expect(one + two).toBeGreaterThan(0);
    expect(Math.abs(one + two - all)).toBeLessThanOrEqual(2 * 4096);
  });

  it('tells rates of meters, near what the source gives', async () => {
    const [rate] = await poll(
      () => sums('watch__closely.seen'),
      ([found]) => Math.abs((found?.sum ?? 0) - 5000) < 1500,
    );
    expect(rate?.id).toBe('watch__closely.seen');
  });

  it('has those of processes and of itself', async () => {
    const names = '?get=Status.JVM.Memory.Heap.Used,taskSlotsTotal,numRunningJobs';
    const ofServer = await server.call<Metrics>('jobManagerMetrics', { query: names });
    expect(ofServer.map(({ id }) => id).toSorted()).toEqual([
      'Status.JVM.Memory.Heap.Used',
      'numRunningJobs',
      'taskSlotsTotal',
    ]);
    const taskmanagerid = jobid;
    const cpu = 'Status.JVM.CPU.Time';
    const one = await server.call<Metrics>('taskManagerMetrics', {
      taskmanagerid,
      query: `?get=${cpu}`,
    });
    expect(Number(one[0]?.value)).toBeGreaterThan(1e6);
    const all = await server.call<Metrics>('taskManagersMetrics', { query: `?get=${cpu}&agg=sum` });
    expect(all[0]?.sum).toBeGreaterThanOrEqual(Number(one[0]?.value));
    const wrong = await server.raw('GET', `/jobs/${jobid}/vertices/${vertexid}/subtasks/2/metrics`);
    expect(wrong).toMatchObject({ status: 404, body: { code: 'PATH_UNKNOWN' } });
  });

  it('gives all of it to Prometheus, with variables as labels', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const name = 'flink_taskmanager_job_task_operator_sensor_seen';
    const line = text.split('\n').find((one) => one.startsWith(`${name}{`)) ?? '';
    for (const label of ['sensor="no. 1"', 'operator_name="watch, closely"', 'subtask_index="0"']) {
      expect(line).toContain(label);
    }
    const values = 'flink_taskmanager_job_task_operator_of_sensors_values';
    expect(text).toContain(`# TYPE ${values} summary\n`);
    expect(text).toMatch(new RegExp(`^${values}\\{[^}]*quantile="0.99"\\} 2$`, 'm'));
  });

  it('prints them on the command line, all or those that are named', async () => {
    const asked = ['metrics', 'metered', '-m', server.url];
    const table = await startCli(asked).finished;
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/numRestarts +0/);
    expect(table.stdout).toMatch(/watch__closely\.seen/);
    const { stdout } = await startCli([...asked, '--get', '*.values_m*,numRes*', '--json'])
      .finished;
    const [ofJob, ...chains] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ofJob).toMatchObject({ type: 'jobMetrics', jobid, metrics: [{ id: 'numRestarts' }] });
    const ids = chains.flatMap(({ metrics }) => metrics.map(({ id }: { id: string }) => id));
    expect(ids.toSorted()).toEqual(
      ['max', 'mean', 'median', 'min'].map((one) => `watch__closely.of_sensors.values_${one}`),
    );
  });
});
