/**
 * Metrics for the gateway of Prometheus, which keeps the newest for it to come for: for jobs that are gone before it
 * would. Callers: `reporters-of.ts`. Runs on: the host's thread.
 */
import { freshId } from '../base/random.js';
import { httpSend } from './http-send.js';
import { prometheusText } from './prometheus-text.js';
import type { MetricReporter } from './reporter.js';
import { pairsOf } from './reporter-config.js';
import type { OptionsOf } from './reporter-options.js';

/** The reporter. */
export function pushGatewayReporter({
  hostUrl,
  jobName,
  randomJobNameSuffix,
  deleteOnShutdown,
  groupingKey,
}: OptionsOf<'prometheusPushGateway'>): MetricReporter {
  const job = randomJobNameSuffix ? `${jobName}${freshId()}` : jobName;
  const key = Object.entries(pairsOf(groupingKey, '=', ';'));
  const path = [['job', job] as const, ...key].map(([name, value]) => segmentOf(name, value));
  const url = `${hostUrl.replace(/\/+$/, '')}/metrics/${path.join('/')}`;
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  return {
    report: (points, { signal }) =>
      httpSend({ method: 'PUT', url, headers, body: prometheusText(points), signal }),
    close: async () => {
      if (!deleteOnShutdown) return;
      await httpSend({ method: 'DELETE', url, headers: {}, body: null, signal: null });
    },
  };
}

/** A value with a slash, or none at all, goes as base64. */
function segmentOf(name: string, value: string): string {
  if (value !== '' && !value.includes('/')) return `${name}/${encodeURIComponent(value)}`;
  const encoded = Buffer.from(value).toString('base64url');
  return `${name}@base64/${encoded === '' ? '=' : encoded}`;
}
