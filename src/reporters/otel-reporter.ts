/**
 * Metrics for collectors of OpenTelemetry, by OTLP over HTTP with JSON. Callers: `reporters-of.ts`. Runs on: the host's
 * thread.
 */
import { systemClock } from '../base/clock.js';
import { logicalName, type MetricPoint } from '../metrics/metric-point.js';
import { httpSend } from './http-send.js';
import type { MetricReporter } from './reporter.js';
import { pairsOf } from './reporter-config.js';
import type { OptionsOf } from './reporter-options.js';

/** Counts from the beginning on. */
const CUMULATIVE = 2;
const NANOS_IN_MS = 1_000_000n;

/** The reporter. */
export function otelReporter(options: OptionsOf<'otel'>): MetricReporter {
  const headers = {
    'content-type': 'application/json',
    ...pairsOf(options['exporter.headers'], '=', ','),
  };
  const resource = {
    attributes: attributesOf({
      'service.name': options['service.name'],
      ...(options['service.version'] === ''
        ? {}
        : { 'service.version': options['service.version'] }),
    }),
  };
  const startNanos = nanos(systemClock.epochMs());
  return {
    report: async (points, { atMs, signal }) => {
      const metrics = metricsOf(points, startNanos, nanos(atMs));
      const scope = { name: 'millrace' };
      const body = JSON.stringify({
        resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }],
      });
      const url = options['exporter.endpoint'];
      await httpSend({ method: 'POST', url, headers, body, signal });
    },
  };
}

/** All points of a name and form are one metric. */
function metricsOf(
  points: readonly MetricPoint[],
  startTimeUnixNano: string,
  timeUnixNano: string,
): readonly object[] {
  const forms = new Map<string, { readonly name: string; form: string; data: object[] }>();
  const add = (name: string, form: string, data: object): void => {
    const key = `${form} ${name}`;
    const known = forms.get(key) ?? { name, form, data: [] };
    known.data.push(data);
    forms.set(key, known);
  };
  for (const point of points) {
    const { value } = point;
    const name = ['flink', ...logicalName(point)].join('.');
    const common = {
      attributes: attributesOf(point.variables),
      startTimeUnixNano,
      timeUnixNano,
    };
    if (value.type === 'counter') add(name, 'sum', { ...common, asDouble: value.value });
    else if (value.type === 'gauge') add(name, 'gauge', { ...common, asDouble: value.value });
    else if (value.type === 'meter') {
      add(`${name}.count`, 'sum', { ...common, asDouble: value.count });
      add(`${name}.rate`, 'gauge', { ...common, asDouble: value.rate });
    } else if (value.type === 'histogram') {
      const { count, sum, min, p50, p75, p95, p98, p99, p999, max } = value.value;
      const quantiles = [
        [0, min],
        [0.5, p50],
        [0.75, p75],
        [0.95, p95],
        [0.98, p98],
        [0.99, p99],
        [0.999, p999],
        [1, max],
      ] as const;
      const quantileValues = quantiles.flatMap(([quantile, of]) =>
        of === null ? [] : [{ quantile, value: of }],
      );
      add(name, 'summary', { ...common, count: String(count), sum, quantileValues });
    }
  }
  return [...forms.values()].map(({ name, form, data }) => {
    // A counter of a function may go down.
    const kind = { aggregationTemporality: CUMULATIVE, isMonotonic: false };
    const ofForm = form === 'sum' ? { dataPoints: data, ...kind } : { dataPoints: data };
    return { name, [form]: ofForm };
  });
}

function attributesOf(variables: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(variables).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** 64-bit numbers are texts in the JSON of protobuf. */
function nanos(ms: number): string {
  return String(BigInt(Math.round(ms)) * NANOS_IN_MS);
}
