/** Rules of alerts: when they fire, when that is over, and how a receiver hears of it that is away for a while. */
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricPoint } from '../../../src/metrics/metric-point.js';
import { type Alert, alertRules, AlertStates } from '../../../src/reporters/alert-rules.js';
import { reportersOf } from '../../../src/reporters/reporters-of.js';
import { endReceivers, httpReceiver, opened, report } from './receivers.js';

afterEach(endReceivers);

const SECOND = 1000;

function age(value: number, job_name = 'shop'): MetricPoint {
  const name = 'lastCheckpointAge';
  return {
    scope: 'jmJob',
    groups: [],
    name,
    variables: { job_name },
    value: { type: 'gauge', value },
  };
}

function told(alerts: readonly Alert[]): readonly unknown[] {
  return alerts.map(({ status, value, variables }) => [status, variables['job_name'], value]);
}

describe('rules of alerts', () => {
  it('fire when it has been so for their time, once, and tell when it is over', () => {
    const states = new AlertStates(alertRules('lastCheckpointAge > 10s for 20s'));
    expect(states.judge([age(11 * SECOND)], 0)).toEqual([]);
    expect(states.judge([age(21 * SECOND)], 10 * SECOND)).toEqual([]);
    expect(states.judge([age(31 * SECOND)], 20 * SECOND)).toEqual([
      {
        status: 'firing',
        rule: 'lastCheckpointAge > 10s for 20s',
        metric: 'lastCheckpointAge',
        value: 31 * SECOND,
        threshold: 10 * SECOND,
        sinceMs: 0,
        variables: { job_name: 'shop' },
      },
    ]);
    expect(states.judge([age(41 * SECOND)], 30 * SECOND)).toEqual([]);
    expect(told(states.judge([age(2)], 40 * SECOND))).toEqual([['resolved', 'shop', 2]]);
    expect(states.judge([age(2)], 50 * SECOND)).toEqual([]);
  });

  it('begin anew where it was not so in between', () => {
    const states = new AlertStates(alertRules('lastCheckpointAge > 10s for 20s'));
    for (const [value, atMs] of [
      [11, 0],
      [1, 10],
      [11, 20],
      [11, 30],
    ] as const) {
      expect(states.judge([age(value * SECOND)], atMs * SECOND)).toEqual([]);
    }
    expect(told(states.judge([age(12 * SECOND)], 40 * SECOND))).toHaveLength(1);
  });

  it('are about each thing by itself, and are over when it is gone', () => {
    const states = new AlertStates(alertRules('lastCheckpointAge>=5s; jmJob.x < 1'));
    const both = [age(5000, 'one'), age(4999, 'two')];
    expect(told(states.judge(both, 0))).toEqual([['firing', 'one', 5000]]);
    const later = [age(6000, 'one'), age(6000, 'two')];
    expect(told(states.judge(later, 1))).toEqual([['firing', 'two', 6000]]);
    expect(told(states.judge([age(6000, 'two')], 2))).toEqual([['resolved', 'one', null]]);
  });

  it('name metrics by the end of their logical name, numbers by their ending', () => {
    const rate: MetricPoint = {
      scope: 'task',
      groups: [],
      name: 'numRecordsInPerSecond',
      variables: { job_name: 'shop' },
      value: { type: 'meter', count: 5, rate: 0.5 },
    };
    const fires = (rule: string): boolean =>
      new AlertStates(alertRules(rule)).judge([rate], 0).length > 0;
    expect(fires('numRecordsInPerSecond.rate < 1')).toBe(true);
    expect(fires('task.numRecordsInPerSecond.count >= 5')).toBe(true);
    expect(fires('RecordsInPerSecond.rate < 1')).toBe(false);
    expect(fires('numRecordsInPerSecond < 1')).toBe(false);
  });

  it('have units of time, of bytes and of per cent', () => {
    const thresholds = alertRules('a > 2min; b > 3mb; c < 80 %; d <= -1.5').map((one) => {
      return one.threshold;
    });
    expect(thresholds).toEqual([120_000, 3 * 1024 * 1024, 80, -1.5]);
  });

  it.each(['', ';', 'a', 'a > b', 'a = 1', 'a > 1 parsec', 'a > 1 for ever', 'a > 1 for 5s x'])(
    'are refused as %j',
    (text) => {
      expect(() => alertRules(text)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    },
  );
});

describe('the reporter for webhooks', () => {
  it('posts what has changed, with its authorization, and nothing when nothing has', async () => {
    const { received, port } = await httpReceiver(204);
    const reporter = await opened({
      type: 'webhook',
      url: `http://127.0.0.1:${port}/hooks/abc`,
      authorization: 'Bearer s3cret',
      rules: 'lastCheckpointAge > 10s',
    });
    await report(reporter, [age(1)], 1);
    expect(received).toEqual([]);
    await report(reporter, [age(11_000)], 2);
    await report(reporter, [age(12_000)], 3);
    await report(reporter, [age(1)], 4);
    expect(received).toHaveLength(2);
    const [first] = received;
    expect(first).toMatchObject({ method: 'POST', url: '/hooks/abc' });
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer s3cret',
    });
    const bodies = received.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ version, atMs }) => [version, atMs])).toEqual([
      [1, 2],
      [1, 4],
    ]);
    expect(bodies.flatMap(({ alerts }) => told(alerts))).toEqual([
      ['firing', 'shop', 11_000],
      ['resolved', 'shop', 1],
    ]);
  });

  it('posts again what did not arrive, in order, and says no secret when it fails', async () => {
    const away = await httpReceiver(503, 'not now');
    const url = `http://127.0.0.1:${away.port}/hooks/k3y`;
    const reporter = await opened({ type: 'webhook', url, rules: 'lastCheckpointAge > 10s' });
    const failed = report(reporter, [age(11_000)], 1);
    await expect(failed).rejects.toThrow('it answered 503: not now');
    await expect(failed).rejects.not.toThrow('k3y');
    await expect(report(reporter, [age(1)], 2)).rejects.toThrow('503');
    const last = JSON.parse(away.received.at(-1)?.body ?? '{}');
    expect(told(last.alerts)).toEqual([
      ['firing', 'shop', 11_000],
      ['resolved', 'shop', 1],
    ]);
  });

  it('has secrets in its url and authorization', () => {
    const rules = 'lastCheckpointAge > 1s';
    const options = { type: 'webhook', url: 'http://a/k3y', authorization: 't0ken', rules };
    expect(reportersOf({ pager: options })[0]?.secrets).toEqual(['http://a/k3y', 't0ken']);
    expect(() => reportersOf({ pager: { type: 'webhook', rules } })).toThrow('url');
    expect(() => reportersOf({ pager: { ...options, rules: 'x' } })).toThrow('no rule');
  });
});
