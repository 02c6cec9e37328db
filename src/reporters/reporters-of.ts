/**
 * Makes reporters out of their configuration, before anything runs. Callers: `job-reporting.ts`, the server. Runs on:
 * the caller's thread.
 */
import { MillraceError } from '../base/errors.js';
import { datadogReporter } from './datadog-reporter.js';
import { gangliaReporter } from './ganglia-reporter.js';
import { graphiteReporter } from './graphite-reporter.js';
import { influxdbReporter } from './influxdb-reporter.js';
import { jolokiaReporter } from './jolokia-reporter.js';
import { logReporter } from './log-reporter.js';
import { metricFilter } from './metric-filter.js';
import { otelReporter } from './otel-reporter.js';
import { prometheusReporter } from './prometheus-reporter.js';
import { pushGatewayReporter } from './push-gateway-reporter.js';
import type { MetricReporter } from './reporter.js';
import { pairsOf, reporterConfigs, type ReporterSettings } from './reporter-config.js';
import type { OptionsOf, ReporterType } from './reporter-options.js';
import type { ReporterSetup } from './reporting.js';
import { statsdReporter } from './statsd-reporter.js';
import { webhookReporter } from './webhook-reporter.js';

const MAKERS: { readonly [T in ReporterType]: (options: OptionsOf<T>) => MetricReporter } = {
  prometheus: prometheusReporter,
  prometheusPushGateway: pushGatewayReporter,
  statsd: statsdReporter,
  graphite: graphiteReporter,
  influxdb: influxdbReporter,
  datadog: datadogReporter,
  otel: otelReporter,
  log: logReporter,
  ganglia: gangliaReporter,
  jmx: jolokiaReporter,
  webhook: webhookReporter,
};

/** The reporters. Throws OPTION_UNKNOWN and OPTION_INVALID. */
export function reportersOf(settings: ReporterSettings): readonly ReporterSetup[] {
  return reporterConfigs(settings).map(({ name, type, common, options, secrets }) => {
    // The options were checked by the table of the type.
    const make = MAKERS[type] as (options: unknown) => MetricReporter;
    return {
      name,
      reporter: make(options),
      intervalMs: common.interval,
      timeoutMs: common.timeout,
      filter: metricFilter(common['filter.includes'], common['filter.excludes']),
      delimiter: delimiterOf(name, common['scope.delimiter']),
      withoutVariables: wordsOf(common['scope.variables.excludes']),
      variables: pairsOf(common['scope.variables.additional'], ':', ','),
      secrets,
    };
  });
}

function delimiterOf(name: string, delimiter: string): string {
  if (delimiter !== '') return delimiter;
  throw new MillraceError(
    'OPTION_INVALID',
    `metrics.reporter.${name}.scope.delimiter must be at least one character.`,
  );
}

function wordsOf(text: string): readonly string[] {
  return text.split(/[;,]/).flatMap((word) => (word.trim() === '' ? [] : [word.trim()]));
}
