/**
 * Metrics for InfluxDB in its line protocol: of a database of version 1, or a bucket of version 2. Callers:
 * `reporters-of.ts`. Runs on: the host's thread.
 */
import { logicalName, type MetricPoint, type PointValue } from '../metrics/metric-point.js';
import { MillraceError } from '../base/errors.js';
import { basic, httpSend } from './http-send.js';
import type { MetricReporter } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** The reporter. Throws OPTION_INVALID when it has neither a database nor a bucket. */
export function influxdbReporter(options: OptionsOf<'influxdb'>): MetricReporter {
  const { scheme, host, port, username, password, token } = options;
  const url = `${scheme}://${host}:${port}${pathOf(options)}`;
  const authorization =
    token !== '' ? `Token ${token}` : username !== '' ? basic(`${username}:${password}`) : null;
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    ...(authorization === null ? {} : { authorization }),
  };
  return {
    report: async (points, { atMs, signal }) => {
      const lines = points.flatMap((point) => lineOf(point, atMs));
      if (lines.length === 0) return;
      await httpSend({ method: 'POST', url, headers, body: lines.join('\n'), signal });
    },
  };
}

function pathOf({ db, bucket, org, retentionPolicy, consistency }: OptionsOf<'influxdb'>): string {
  if (bucket !== '') {
    return `/api/v2/write?${new URLSearchParams({ org, bucket, precision: 'ms' }).toString()}`;
  }
  if (db === '') {
    throw new MillraceError('OPTION_INVALID', 'A reporter for InfluxDB needs a db or a bucket.', {
      advice: 'Set db for version 1, bucket, org and token for version 2.',
    });
  }
  const query = new URLSearchParams({
    db,
    precision: 'ms',
    consistency: consistency.toLowerCase(),
  });
  if (retentionPolicy !== '') query.set('rp', retentionPolicy);
  return `/write?${query.toString()}`;
}

/** The measurement is called as for Prometheus, without `flink_`; an empty tag is none. */
function lineOf(point: MetricPoint, atMs: number): readonly string[] {
  const fields = Object.entries(fieldsOf(point.value)).filter(([, value]) =>
    Number.isFinite(value),
  );
  if (fields.length === 0) return [];
  const measurement = logicalName(point).join('_').replaceAll(/[, ]/g, '\\$&');
  const tags = Object.entries(point.variables)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `,${tagText(key)}=${tagText(value)}`);
  const shown = fields.map(([name, value]) => `${name}=${String(value)}`).join(',');
  return [`${measurement}${tags.join('')} ${shown} ${Math.round(atMs)}`];
}

function fieldsOf(value: PointValue): Readonly<Record<string, number>> {
  if (value.type === 'text') return {};
  if (value.type === 'counter') return { count: value.value };
  if (value.type === 'gauge') return { value: value.value };
  if (value.type === 'meter') return { count: value.count, rate: value.rate };
  const found = Object.entries(value.value).flatMap(([name, number]) =>
    number === null ? [] : [[name, number]],
  );
  return Object.fromEntries(found);
}

/** A line end cannot be escaped in a tag, and a backslash before the end would take the separator with it. */
function tagText(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replace(/\\+$/, '')
    .replaceAll(/[,= ]/g, '\\$&');
}
