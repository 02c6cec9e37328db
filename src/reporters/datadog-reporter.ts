/**
 * Metrics for Datadog over HTTP: counters as what was added since the last report, all else as gauges. Callers:
 * `reporters-of.ts`. Runs on: the host's thread.
 */
import { logicalName, type MetricPoint, numbersOf } from '../metrics/metric-point.js';
import { grownBy } from '../metrics/read-task-metrics.js';
import { httpSend } from './http-send.js';
import type { MetricReporter, ReporterContext } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

interface Series {
  readonly metric: string;
  readonly type: 'gauge' | 'count';
  readonly host: string;
  readonly tags: readonly string[];
  readonly points: readonly (readonly [second: number, value: number])[];
}

const SITES: Readonly<Record<string, string>> = { US: 'datadoghq.com', EU: 'datadoghq.eu' };

/** The reporter. */
export function datadogReporter(options: OptionsOf<'datadog'>): MetricReporter {
  const { apikey, dataCenter, maxMetricsPerRequest, tags, useLogicalIdentifier } = options;
  const site = options.url === '' ? `https://api.${SITES[dataCenter]}` : options.url;
  const url = `${site.replace(/\/+$/, '')}/api/v1/series`;
  const headers = { 'content-type': 'application/json', 'dd-api-key': apikey };
  const ownTags = tags.split(',').filter((tag) => tag.trim() !== '');
  let context: ReporterContext | null = null;
  /** Counts at the last report, by what identifies them. */
  let before = new Map<string, number>();

  const seriesOf = (
    point: MetricPoint,
    second: number,
    counts: Map<string, number>,
  ): readonly Series[] => {
    const name = useLogicalIdentifier
      ? logicalName(point).join('.')
      : (context?.identifier(point) ?? '');
    const { host = '', ...others } = point.variables;
    const ofPoint = Object.entries(others).map(([key, value]) => `${key}:${value}`);
    const allTags = [...ownTags, ...ofPoint];
    return numbersOf(point.value).flatMap(([ending, value]): readonly Series[] => {
      if (!Number.isFinite(value)) return [];
      const metric = ending === '' ? name : `${name}.${ending}`;
      const common = { metric, host, tags: allTags };
      if (point.value.type !== 'counter') {
        return [{ ...common, type: 'gauge', points: [[second, value]] }];
      }
      const key = JSON.stringify([metric, allTags]);
      const last = before.get(key) ?? 0;
      counts.set(key, value);
      return [{ ...common, type: 'count', points: [[second, grownBy(last, value)]] }];
    });
  };

  return {
    open: (given) => {
      context = given;
    },
    report: async (points, { atMs, signal }) => {
      const second = Math.floor(atMs / 1000);
      const counts = new Map<string, number>();
      const all = points.flatMap((point) => seriesOf(point, second, counts));
      for (let from = 0; from < all.length; from += maxMetricsPerRequest) {
        const body = JSON.stringify({ series: all.slice(from, from + maxMetricsPerRequest) });
        await httpSend({ method: 'POST', url, headers, body, signal });
      }
      // What did not arrive is added the next time.
      before = counts;
    },
  };
}
