import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import type { MetricPoint } from '../../../src/metrics/metric-point.js';
import { metricFilter } from '../../../src/reporters/metric-filter.js';
import type { MetricReporter } from '../../../src/reporters/reporter.js';
import { reportersOf } from '../../../src/reporters/reporters-of.js';
import { type ReporterSetup, Reporting } from '../../../src/reporters/reporting.js';
import { POINTS } from './points.js';
import { FORMATS } from './receivers.js';

function setupOf(name: string, reporter: MetricReporter): ReporterSetup {
  return {
    name,
    reporter,
    intervalMs: 100,
    timeoutMs: 250,
    filter: metricFilter('*', ''),
    delimiter: '.',
    withoutVariables: [],
    variables: {},
    secrets: ['s3cret'],
  };
}

describe('reporting', () => {
  const told: MillraceError[] = [];
  const world = {
    measure: () => POINTS,
    tell: (error: MillraceError) => void told.push(error),
    formats: FORMATS,
  };
  const countsOf = (reporting: Reporting, reporter: string) =>
    Object.fromEntries(
      reporting
        .points(world)
        .filter(({ variables }) => variables['reporter'] === reporter)
        .map(({ name, value }) => [name, value.type === 'counter' ? value.value : null]),
    );

  beforeEach(() => {
    told.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('reports in intervals and at the end, with what became of reports', async () => {
    const sizes: number[] = [];
    const calls: string[] = [];
    const reporting = new Reporting(
      [
        setupOf('own', {
          open: () => void calls.push('open'),
          report: (points) => void sizes.push(points.length),
          close: () => void calls.push('close'),
        }),
      ],
      world,
    );
    await reporting.open();
    await vi.advanceTimersByTimeAsync(350);
    await reporting.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sizes).toEqual(Array.from({ length: 4 }, () => POINTS.length + 3));
    expect(calls).toEqual(['open', 'close']);
    expect(told).toEqual([]);
    expect(countsOf(reporting, 'own')).toEqual({
      numReports: 4,
      numReportsFailed: 0,
      numReportsDropped: 0,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells a failure once until a report succeeds, without secrets', async () => {
    let works = false;
    const reporting = new Reporting(
      [
        setupOf('flaky', {
          report: () => {
            if (!works) throw new Error('refused: s3cret', { cause: new Error('ECONNREFUSED') });
          },
        }),
      ],
      world,
    );
    await reporting.open();
    await vi.advanceTimersByTimeAsync(550);
    expect(told.map(({ code, message }) => [code, message])).toEqual([
      [
        'REPORTER_FAILED',
        'The metric reporter "flaky" cannot report: refused: ******: ECONNREFUSED',
      ],
    ]);
    works = true;
    await vi.advanceTimersByTimeAsync(100);
    works = false;
    await vi.advanceTimersByTimeAsync(300);
    expect(told).toHaveLength(2);
    expect(countsOf(reporting, 'flaky')).toMatchObject({ numReports: 1, numReportsFailed: 8 });
    await reporting.close();
  });

  it('has one report under way, drops those that come due meanwhile, and gives it up', async () => {
    let underWay = 0;
    let most = 0;
    const signals: AbortSignal[] = [];
    const reporting = new Reporting(
      [
        setupOf('slow', {
          report: (_points, { signal }) => {
            most = Math.max(most, ++underWay);
            signals.push(signal);
            signal.addEventListener('abort', () => underWay--);
            return new Promise(() => {});
          },
        }),
        setupOf('other', { report: () => {} }),
      ],
      world,
    );
    await reporting.open();
    await vi.advanceTimersByTimeAsync(1050);
    expect(most).toBe(1);
    expect(told.map(({ message }) => message)).toEqual([
      'The metric reporter "slow" cannot report: no answer within 250 ms',
    ]);
    const counts = countsOf(reporting, 'slow');
    expect(counts['numReportsDropped']).toBeGreaterThan(5);
    expect(countsOf(reporting, 'other')['numReports']).toBe(10);
    let hasClosed = false;
    void reporting.close().then(() => (hasClosed = true));
    await vi.advanceTimersByTimeAsync(300);
    expect(hasClosed).toBe(true);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on without a reporter that cannot open, which is closed all the same', async () => {
    const calls: string[] = [];
    const reporting = new Reporting(
      [
        setupOf('broken', {
          open: () => Promise.reject(new Error('no port')),
          report: () => void calls.push('report'),
          close: () => void calls.push('close'),
        }),
      ],
      world,
    );
    await reporting.open();
    await vi.advanceTimersByTimeAsync(500);
    await reporting.close();
    expect(calls).toEqual(['close']);
    expect(told.map(({ message }) => message)).toEqual([
      'The metric reporter "broken" cannot begin: no port',
    ]);
  });

  it('gives a reporter other variables where it is told to', async () => {
    let seen: readonly MetricPoint[] = [];
    const setup = setupOf('own', { report: (points) => void (seen = points) });
    const reporting = new Reporting(
      [{ ...setup, withoutVariables: ['host', 'job_id'], variables: { zone: 'z1' } }],
      world,
    );
    await reporting.open();
    await reporting.close();
    expect(seen.every(({ variables }) => variables['zone'] === 'z1')).toBe(true);
    const names = new Set(seen.flatMap(({ variables }) => Object.keys(variables)));
    expect(names.has('host') || names.has('job_id')).toBe(false);
    expect(names.has('tm_id')).toBe(true);
  });
});

describe('the filter of metrics', () => {
  const chosen = (includes: string, excludes = ''): readonly string[] =>
    POINTS.filter(metricFilter(includes, excludes)).map(({ name }) => name);

  it.each([
    ['*:*:*', '', ['numRecordsIn', 'negative', 'numRecordsInPerSecond', 'latency']],
    ['*:numRecords*', '', ['numRecordsIn', 'numRecordsInPerSecond']],
    ['*:numRecords*:counter', '', ['numRecordsIn']],
    ['*:*:gauge,histogram', '', ['negative', 'latency']],
    ['*.operator.*', '', ['latency']],
    ['taskmanager.job.task', '*:n?gative', ['numRecordsIn', 'numRecordsInPerSecond']],
    ['*:negative ; *:latency', '', ['negative', 'latency']],
    ['jobmanager.*', '', []],
  ] as const)('%s without "%s"', (includes, excludes, names) => {
    const found = chosen(includes, excludes).filter((name) => !name.startsWith('lastCheckpoint'));
    expect(found).toEqual(names);
  });

  it.each(['*:*:*:*', '*:*:number'])('refuses %s', (pattern) => {
    expect(() => metricFilter(pattern, '')).toThrow(MillraceError);
  });
});

describe('the configuration of reporters', () => {
  it('knows reporters by Flink’s classes too', () => {
    const factory = 'org.apache.flink.metrics.graphite.GraphiteReporterFactory';
    const [setup] = reportersOf({
      stats: { 'factory.class': factory, interval: '1 min', 'scope.delimiter': '/' },
    });
    expect(setup).toMatchObject({ name: 'stats', intervalMs: 60_000, delimiter: '/' });
  });

  it.each([
    [{}, 'OPTION_INVALID', 'has no type'],
    [{ type: 'graphit' }, 'OPTION_INVALID', 'graphit'],
    [{ type: 'graphite', prot: 1 }, 'OPTION_UNKNOWN', 'metrics.reporter.x.prot'],
    [{ type: 'graphite', port: 0 }, 'OPTION_INVALID', 'a whole number from 1 to 65535'],
    [{ type: 'graphite', protocol: 'TPC' }, 'OPTION_INVALID', 'one of TCP, UDP'],
    [{ type: 'datadog' }, 'OPTION_INVALID', 'metrics.reporter.x.apikey must be given'],
    [{ type: 'statsd', interval: '0s' }, 'OPTION_INVALID', 'interval'],
    [{ type: 'statsd', 'scope.delimiter': '' }, 'OPTION_INVALID', 'delimiter'],
    [{ type: 'influxdb', db: 'x', password: { a: 's3cret' } }, 'OPTION_INVALID', 'password'],
  ] as const)('refuses %j', (options, code, text) => {
    let error: unknown;
    try {
      reportersOf({ x: options });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(text);
    expect(JSON.stringify(error)).not.toContain('s3cret');
  });
});
