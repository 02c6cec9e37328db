/** Reporters that speak to services: Prometheus and its gateway, Datadog, OpenTelemetry, Ganglia, tools of JMX. */
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricPoint } from '../../../src/metrics/metric-point.js';
import { prometheusText } from '../../../src/reporters/prometheus-text.js';
import { POINTS, STATISTICS } from './points.js';
import { endReceivers, httpReceiver, opened, report, udpReceiver, until } from './receivers.js';

afterEach(endReceivers);

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const { port } = await httpReceiver();
  await endReceivers();
  return port;
}

describe('the reporter for Prometheus', () => {
  it('answers at /metrics, on the first port of its range that is free', async () => {
    const { port } = await httpReceiver();
    await opened({ type: 'prometheus', port: `${port}-${port + 20}` });
    for (let next = port + 1; ; next++) {
      if (next > port + 20) throw new Error('It listens nowhere.');
      const reply = await fetch(`http://127.0.0.1:${next}/metrics`).catch(() => null);
      if (reply === null) continue;
      expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await reply.text()).toBe(prometheusText(POINTS));
      break;
    }
  });

  it('cannot begin where no port is free', async () => {
    const { port } = await httpReceiver();
    const failed = opened({ type: 'prometheus', port: String(port) });
    await expect(failed).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('the reporter for the gateway of Prometheus', () => {
  it('replaces its group, and deletes it at the end, as a user', async () => {
    const { received, port } = await httpReceiver(202);
    const reporter = await opened({
      type: 'prometheusPushGateway',
      hostUrl: `http://me:se%20cret@127.0.0.1:${port}/base/`,
      jobName: 'nightly/a',
      randomJobNameSuffix: false,
      groupingKey: 'instance=a b;path=x/y',
    });
    await report(reporter);
    await reporter.close?.();
    const path = Buffer.from('x/y').toString('base64url');
    const job = Buffer.from('nightly/a').toString('base64url');
    const url = `/base/metrics/job@base64/${job}/instance/a%20b/path@base64/${path}`;
    const authorization = `Basic ${Buffer.from('me:se cret').toString('base64')}`;
    expect(received.slice(0, 2)).toMatchObject([
      { method: 'PUT', url, body: prometheusText(POINTS), headers: { authorization } },
      { method: 'DELETE', url, body: '', headers: { authorization } },
    ]);
  });
});

describe('the reporter for Datadog', () => {
  interface Series {
    readonly metric: string;
    readonly type: string;
    readonly host: string;
    readonly tags: readonly string[];
    readonly points: readonly (readonly [number, number])[];
  }

  it('adds what counters have counted since the last report, in requests of a size', async () => {
    const { received, port } = await httpReceiver(202);
    const url = `http://127.0.0.1:${port}`;
    const options = { type: 'datadog', apikey: 'k3y', url, tags: 'env:test,team:a' };
    const reporter = await opened({ ...options, maxMetricsPerRequest: 5 });
    const [counter] = POINTS;
    if (counter === undefined) throw new Error('There are points.');
    const counted = (value: number): MetricPoint => ({
      ...counter,
      value: { type: 'counter', value },
    });
    await report(reporter);
    await report(reporter, [counted(1300)], 1_700_000_010_000);
    await report(reporter, [counted(7)], 1_700_000_020_000);
    expect(received.map(({ headers }) => headers['dd-api-key'])).toEqual(received.map(() => 'k3y'));
    expect(received.every((one) => one.method === 'POST' && one.url === '/api/v1/series')).toBe(
      true,
    );
    const series = received.map(({ body }) => (JSON.parse(body) as { series: Series[] }).series);
    expect(series.map(({ length }) => length)).toEqual([5, 5, 5, 1, 1]);
    const first = series.slice(0, 3).flat();
    expect(first[0]).toEqual({
      metric: 'host_example.task.map: a, b = c.1.numRecordsIn',
      type: 'count',
      host: 'host.example',
      tags: expect.arrayContaining(['env:test', 'team:a', 'tm_id:tm1', 'subtask_index:1']),
      points: [[1_700_000_000, 1234]],
    });
    expect(first.slice(1).every(({ type }) => type === 'gauge')).toBe(true);
    expect(series.slice(3).map(([one]) => one?.points)).toEqual([
      [[1_700_000_010, 66]],
      // A restart began it anew.
      [[1_700_000_020, 7]],
    ]);
  });

  it('uses the logical name where it is told to', async () => {
    const { received, port } = await httpReceiver(202);
    const url = `http://127.0.0.1:${port}/`;
    await report(await opened({ type: 'datadog', apikey: 'k', url, useLogicalIdentifier: true }));
    expect(received[0]?.body).toContain('"taskmanager.job.task.numRecordsIn"');
  });
});

describe('the reporter for OpenTelemetry', () => {
  it('exports OTLP in its JSON form', async () => {
    const { received, port } = await httpReceiver(200, '{}');
    const endpoint = `http://127.0.0.1:${port}/v1/metrics`;
    const reporter = await opened({
      type: 'otel',
      'exporter.endpoint': endpoint,
      'exporter.headers': 'x-key=abc, x-other=d=e',
      'service.name': 'shop',
      'service.version': '7',
    });
    await report(reporter);
    const [{ headers, body }] = received as [(typeof received)[0]];
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-key': 'abc' });
    expect(headers['x-other']).toBe('d=e');
    const { resourceMetrics } = JSON.parse(body);
    const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    expect(resourceMetrics[0].resource.attributes).toEqual([
      attribute('service.name', 'shop'),
      attribute('service.version', '7'),
    ]);
    const { metrics } = resourceMetrics[0].scopeMetrics[0];
    const task = 'flink.taskmanager.job.task';
    const data = {
      attributes: expect.arrayContaining([attribute('job_name', 'my "job"')]),
      startTimeUnixNano: expect.stringMatching(/^\d{19}$/),
      timeUnixNano: '1700000000123000000',
    };
    const sum = { aggregationTemporality: 2, isMonotonic: false };
    expect(metrics).toEqual([
      { name: `${task}.numRecordsIn`, sum: { ...sum, dataPoints: [{ ...data, asDouble: 1234 }] } },
      { name: `${task}.negative`, gauge: { dataPoints: [{ ...data, asDouble: -2.5 }] } },
      {
        name: `${task}.numRecordsInPerSecond.count`,
        sum: { ...sum, dataPoints: [{ ...data, asDouble: 1234 }] },
      },
      {
        name: `${task}.numRecordsInPerSecond.rate`,
        gauge: { dataPoints: [{ ...data, asDouble: 61.5 }] },
      },
      {
        name: `${task}.operator.my group.country.latency`,
        summary: {
          dataPoints: [
            {
              ...data,
              count: '4',
              sum: 10,
              quantileValues: expect.arrayContaining([{ quantile: 0.99, value: 4 }]),
            },
          ],
        },
      },
    ]);
  });
});

/** The form of XDR: big-endian numbers, texts with their length and padding to four bytes. */
function xdr(packet: Buffer): readonly (string | number)[] {
  const words: (string | number)[] = [];
  let at = 0;
  const number = (): number => {
    at += 4;
    return packet.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    const value = packet.subarray(at, at + length).toString();
    at += Math.ceil(length / 4) * 4;
    return value;
  };
  const kind = number();
  words.push(kind, text(), text(), number());
  // What a metric is, then attributes; or how its value is printed, and the value.
  if (kind === 128) {
    words.push(text(), text(), text(), number(), number(), number());
    for (let left = number(); left > 0; left--) words.push(text(), text());
  } else words.push(text(), text());
  if (at !== packet.length) throw new Error('The packet has more in it.');
  return words;
}

describe('the reporter for Ganglia', () => {
  it('tells what a metric is, then its value', async () => {
    const { received, port } = await udpReceiver();
    await report(await opened({ type: 'ganglia', host: '127.0.0.1', port, tmax: 30 }));
    await until(() => received.length === 2 * (4 + Object.keys(STATISTICS).length - 1));
    const [metadata = [], value = []] = received.map(xdr);
    const name = 'host_example.task.map__a__b___c.1.numRecordsIn';
    const host = expect.any(String);
    const kind = [128, host, name, 0, 'double', name, '', 3, 30, 0, 'GROUP', 'millrace'];
    expect(metadata).toEqual(kind);
    expect(value).toEqual([133, host, name, 0, '%s', '1234']);
  });
});

describe('the reporter for tools of JMX', () => {
  it('reads beans by name and pattern, lists and searches them, over GET and POST', async () => {
    const port = await freePort();
    await opened({ type: 'jmx', port: String(port) });
    const url = `http://127.0.0.1:${port}/jolokia`;
    const get = async (path: string) => JSON.parse(await (await fetch(`${url}${path}`)).text());
    const post = async (body: unknown) =>
      JSON.parse(await (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).text());
    expect(await get('')).toMatchObject({ status: 200, value: { protocol: '7.2' } });

    const domain = 'org.apache.flink.taskmanager.job.task';
    const { value: names } = await get(`/search/${domain}.*:*`);
    expect(names).toHaveLength(POINTS.length);
    const counter = names.find((name: string) => name.startsWith(`${domain}.numRecordsIn:`));
    expect(counter).toContain('job_name=my_job');
    expect(await get(`/read/${encodeURIComponent(counter)}`)).toMatchObject({
      status: 200,
      value: { Count: 1234 },
    });
    expect((await get(`/read/${encodeURIComponent(counter)}/Count`)).value).toBe(1234);
    const latency = `${domain}.operator.my_group.country.latency:subtask_index=1,*`;
    const answers = await post([
      { type: 'read', mbean: latency, attribute: ['99thPercentile', 'Mean'] },
      { type: 'read', mbean: 'java.lang:type=Memory' },
      { type: 'exec', mbean: counter },
      { type: 'list' },
    ]);
    expect(Object.values(answers[0].value)).toEqual([{ '99thPercentile': 4, Mean: 2.5 }]);
    expect(answers.map(({ status }: { status: number }) => status)).toEqual([200, 404, 400, 200]);
    const listed = answers[3].value[`${domain}.numRecordsIn`];
    expect(Object.values(listed)).toMatchObject([
      { attr: { Count: { type: 'double', rw: false } } },
    ]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    const wrong = await fetch(url, { method: 'POST', body: '{' });
    expect(JSON.parse(await wrong.text()).status).toBe(400);
  });
});
