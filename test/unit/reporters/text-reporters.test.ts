/** Reporters that send lines: StatsD, Graphite, InfluxDB, the log. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricPoint } from '../../../src/metrics/metric-point.js';
import { POINTS, STATISTICS } from './points.js';
import {
  endReceivers,
  httpReceiver,
  opened,
  report,
  tcpReceiver,
  udpReceiver,
  until,
} from './receivers.js';

afterEach(endReceivers);

const { sum: _, ...STATISTICS_SENT } = STATISTICS;
const TASK = 'host_example.task.map- a, b = c.1';

/** `name:value|g` lines; a gauge with a sign is added to what was. */
function statsdGauges(packets: readonly Buffer[]): Readonly<Record<string, number>> {
  const gauges: Record<string, number> = {};
  for (const line of packets.flatMap((packet) => packet.toString().split('\n'))) {
    const [, name = '', sign, number] = /^([^:|@\s]+):([+-]?)([\d.]+)\|g$/.exec(line) ?? [];
    if (name === '') throw new Error(`This is no gauge: ${line}`);
    const value = Number(`${sign ?? ''}${number}`);
    gauges[name] = sign === '' ? value : (gauges[name] ?? 0) + value;
  }
  return gauges;
}

describe('the reporter for StatsD', () => {
  it('sends every number as a gauge, negative ones by zero, in packets that fit', async () => {
    const { received, port } = await udpReceiver();
    const many = Array.from({ length: 200 }, (__, at): MetricPoint => {
      const [point] = POINTS;
      if (point === undefined) throw new Error('There are points.');
      return { ...point, name: `number${at}`, value: { type: 'gauge', value: at * 1e-7 } };
    });
    const all = [...POINTS, ...many];
    await report(await opened({ type: 'statsd', host: '127.0.0.1', port }), all);
    await until(() => received.some((packet) => packet.includes('number199')));
    const gauges = statsdGauges(received);
    const task = 'host_example.task.map--a,-b-=-c.1';
    expect(gauges[`${task}.numRecordsIn`]).toBe(1234);
    expect(gauges[`${task}.negative`]).toBe(-2.5);
    expect(gauges[`${task}.numRecordsInPerSecond.rate`]).toBe(61.5);
    expect(gauges[`${task}.number3`]).toBeCloseTo(3e-7, 12);
    const latency = Object.entries(gauges).filter(([name]) => name.includes('latency'));
    expect(latency.map(([, value]) => value)).toEqual(Object.values(STATISTICS_SENT));
    expect(received.every((packet) => packet.length <= 1432)).toBe(true);
    expect(received.length).toBeLessThan(20);
  });
});

describe('the reporter for Graphite', () => {
  const parsed = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, path = '', value = '', second = ''] =
          /^([^\s;,]+) (-?[\d.e+-]+) (\d{10})$/.exec(line) ?? [];
        if (path === '') throw new Error(`This is no line of Graphite: ${line}`);
        return [path, Number(value), Number(second)] as const;
      });

  it.each(['TCP', 'UDP'])('sends path, value and second by %s', async (protocol) => {
    const receiver = protocol === 'TCP' ? await tcpReceiver() : await udpReceiver();
    const { received, port } = receiver;
    await report(await opened({ type: 'graphite', host: '127.0.0.1', port, protocol }));
    await until(() => received.length > 0);
    const lines = parsed(received.map(String).join('\n'));
    expect(lines[0]).toEqual([
      'host_example.task.map-_a-_b_-_c.1.numRecordsIn',
      1234,
      1_700_000_000,
    ]);
    expect(lines).toHaveLength(4 + Object.keys(STATISTICS_SENT).length);
    expect(lines.map(([path]) => path.split('.').at(-1))).toContain('p999');
  });

  it('fails when nobody listens', async () => {
    const { port } = await tcpReceiver();
    const reporter = await opened({ type: 'graphite', host: '127.0.0.1', port });
    await endReceivers();
    await expect(report(reporter)).rejects.toThrow('ECONNREFUSED');
  });
});

/** The line protocol: measurement, tags and fields with escaped commas, spaces and equals signs, then the time. */
function influxLine(line: string) {
  const parts = line.match(/(?:\\.|[^\\ ])+/g) ?? [];
  if (parts.length !== 3) throw new Error(`This is no line: ${line}`);
  const [head = '', fields = '', time = ''] = parts;
  const words = (text: string, separator: string): string[] =>
    text.match(new RegExp(`(?:\\\\.|[^\\\\${separator}])+`, 'g')) ?? [];
  const plain = (text: string): string => text.replaceAll(/\\([,= ])/g, '$1');
  const pairs = (texts: readonly string[]) =>
    Object.fromEntries(texts.map((text) => words(text, '=').map(plain)));
  const [measurement = '', ...tags] = words(head, ',');
  return {
    measurement: plain(measurement),
    tags: pairs(tags),
    fields: pairs(words(fields, ',')),
    time: Number(time),
  };
}

describe('the reporter for InfluxDB', () => {
  it('writes lines into a database of version 1', async () => {
    const { received, port } = await httpReceiver(204);
    const options = { type: 'influxdb', host: '127.0.0.1', port, db: 'flink', username: 'me' };
    await report(await opened({ ...options, password: 'pä:ss', retentionPolicy: 'week' }));
    const [{ method, url, headers, body }] = received as [(typeof received)[0]];
    expect(method).toBe('POST');
    expect(url).toBe('/write?db=flink&precision=ms&consistency=one&rp=week');
    const [, encoded = ''] = (headers.authorization ?? '').split(' ');
    expect(Buffer.from(encoded, 'base64').toString()).toBe('me:pä:ss');
    const lines = body.split('\n').map(influxLine);
    expect(lines[0]).toEqual({
      measurement: 'taskmanager_job_task_numRecordsIn',
      tags: POINTS[0]?.variables,
      fields: { count: '1234' },
      time: 1_700_000_000_123,
    });
    expect(lines.map(({ fields }) => Object.keys(fields))).toEqual([
      ['count'],
      ['value'],
      ['count', 'rate'],
      Object.keys(STATISTICS),
    ]);
    expect(lines[3]?.measurement).toBe('taskmanager_job_task_operator_my group_country_latency');
  });

  it('writes into a bucket of version 2, by a token', async () => {
    const { received, port } = await httpReceiver(204);
    const options = { type: 'influxdb', host: '127.0.0.1', port, bucket: 'b', org: 'o' };
    await report(await opened({ ...options, token: 't0k' }));
    expect(received[0]).toMatchObject({
      url: '/api/v2/write?org=o&bucket=b&precision=ms',
      headers: { authorization: 'Token t0k' },
    });
  });

  it('tells what the database answers', async () => {
    const { port } = await httpReceiver(401, '{"error":"no"}');
    const reporter = await opened({ type: 'influxdb', host: '127.0.0.1', port, db: 'x' });
    await expect(report(reporter)).rejects.toThrow('it answered 401: {"error":"no"}');
  });

  it('needs somewhere to write to', async () => {
    await expect(opened({ type: 'influxdb' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('the reporter for logs', () => {
  it('writes a block of lines by type, behind what is there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
    const file = join(directory, 'metrics.log');
    const reporter = await opened({ type: 'log', file });
    await report(reporter);
    await report(reporter);
    const [first, , ...rest] = readFileSync(file, 'utf8')
      .split(/^\S+ (?=====)/m)
      .slice(1);
    rmSync(directory, { recursive: true });
    expect(rest).toEqual([]);
    expect(first?.split('\n').slice(0, 7)).toEqual([
      '===== metrics report =====',
      '-- Counters --',
      `${TASK.replace('map-', 'map:')}.numRecordsIn: 1234`,
      '-- Gauges --',
      `${TASK.replace('map-', 'map:')}.negative: -2.5`,
      '-- Meters --',
      `${TASK.replace('map-', 'map:')}.numRecordsInPerSecond: rate=61.5, count=1234`,
    ]);
  });
});
