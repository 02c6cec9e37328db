/**
 * The options of every reporter, as Flink names them, with types and defaults: `metrics.reporter.<name>.<option>`.
 * Callers: `reporter-config.ts` checks what is given, the documentation generator. Runs on: any thread; plain data.
 */

/** How an option is written. */
export type ReporterOption =
  | { readonly type: 'text'; readonly default: string | null; readonly isSecret?: true }
  | { readonly type: 'count'; readonly default: number; readonly min: number; readonly max: number }
  | { readonly type: 'duration'; readonly default: string }
  | { readonly type: 'boolean'; readonly default: boolean }
  | { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[] };

const PORT_MAX = 65_535;
const text = (byDefault: string) => ({ type: 'text', default: byDefault }) as const;
/** To be given. */
const needed = { type: 'text', default: null } as const;
const port = (byDefault: number) =>
  ({ type: 'count', default: byDefault, min: 1, max: PORT_MAX }) as const;
const flag = (byDefault: boolean) => ({ type: 'boolean', default: byDefault }) as const;
const secret = (byDefault: string | null) =>
  ({ type: 'text', default: byDefault, isSecret: true }) as const;
const choice = (...choices: readonly [string, ...string[]]) =>
  ({ type: 'choice', default: choices[0], choices }) as const;

/** Of all reporters. */
export const COMMON_OPTIONS = {
  interval: { type: 'duration', default: '10s' },
  timeout: { type: 'duration', default: '10s' },
  'filter.includes': text('*:*:*'),
  'filter.excludes': text(''),
  'scope.delimiter': text('.'),
  'scope.variables.excludes': text(''),
  'scope.variables.additional': text(''),
} as const satisfies Readonly<Record<string, ReporterOption>>;

/** Of each type. */
export const REPORTER_OPTIONS = {
  prometheus: { host: text('127.0.0.1'), port: text('9249') },
  prometheusPushGateway: {
    hostUrl: secret(null),
    jobName: text('millrace'),
    randomJobNameSuffix: flag(true),
    deleteOnShutdown: flag(true),
    groupingKey: text(''),
  },
  statsd: { host: text('localhost'), port: port(8125) },
  graphite: { host: text('localhost'), port: port(2003), protocol: choice('TCP', 'UDP') },
  influxdb: {
    scheme: choice('http', 'https'),
    host: text('localhost'),
    port: port(8086),
    db: text(''),
    username: text(''),
    password: secret(''),
    retentionPolicy: text(''),
    consistency: choice('ONE', 'ANY', 'ALL', 'QUORUM'),
    org: text(''),
    bucket: text(''),
    token: secret(''),
  },
  datadog: {
    apikey: secret(null),
    dataCenter: choice('US', 'EU'),
    url: text(''),
    tags: text(''),
    maxMetricsPerRequest: { type: 'count', default: 2000, min: 1, max: 100_000 },
    useLogicalIdentifier: flag(false),
  },
  otel: {
    'exporter.endpoint': text('http://localhost:4318/v1/metrics'),
    'exporter.headers': secret(''),
    'service.name': text('millrace'),
    'service.version': text(''),
  },
  log: { file: text('') },
  ganglia: {
    host: needed,
    port: port(8649),
    ttl: { type: 'count', default: 1, min: 1, max: 255 },
    tmax: { type: 'count', default: 60, min: 1, max: 86_400 },
    dmax: { type: 'count', default: 0, min: 0, max: 86_400 },
  },
  jmx: { host: text('127.0.0.1'), port: text('8789-8799') },
  webhook: { url: secret(null), rules: needed, authorization: secret('') },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ReporterOption>>>>;

/** A type of reporter. */
export type ReporterType = keyof typeof REPORTER_OPTIONS;
export const REPORTER_TYPES = Object.keys(REPORTER_OPTIONS) as readonly ReporterType[];

/** The classes of Flink that people know reporters by. */
export const FACTORY_CLASSES: Readonly<Record<string, ReporterType>> = {
  'org.apache.flink.metrics.prometheus.PrometheusReporterFactory': 'prometheus',
  'org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterFactory':
    'prometheusPushGateway',
  'org.apache.flink.metrics.statsd.StatsDReporterFactory': 'statsd',
  'org.apache.flink.metrics.graphite.GraphiteReporterFactory': 'graphite',
  'org.apache.flink.metrics.influxdb.InfluxdbReporterFactory': 'influxdb',
  'org.apache.flink.metrics.datadog.DatadogHttpReporterFactory': 'datadog',
  'org.apache.flink.metrics.otel.OpenTelemetryMetricReporterFactory': 'otel',
  'org.apache.flink.metrics.slf4j.Slf4jReporterFactory': 'log',
  'org.apache.flink.metrics.ganglia.GangliaReporterFactory': 'ganglia',
  'org.apache.flink.metrics.jmx.JMXReporterFactory': 'jmx',
};

type OptionValue<O> = O extends { readonly type: 'count' | 'duration' }
  ? number
  : O extends { readonly type: 'boolean' }
    ? boolean
    : string;

/** The options of a type, checked: durations in milliseconds. */
export type OptionsOf<T extends ReporterType> = {
  readonly [K in keyof (typeof REPORTER_OPTIONS)[T]]: OptionValue<(typeof REPORTER_OPTIONS)[T][K]>;
};
export type CommonOptions = {
  readonly [K in keyof typeof COMMON_OPTIONS]: OptionValue<(typeof COMMON_OPTIONS)[K]>;
};
