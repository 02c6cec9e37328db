/**
 * Metrics for tools of JMX, by the protocol of Jolokia: beans under the names and with the attributes that Flink's JMX
 * reporter gives them, over HTTP. Callers: `reporters-of.ts`. Runs on: the host's thread.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { systemClock } from '../base/clock.js';
import { logicalName, type MetricPoint, type PointValue } from '../metrics/metric-point.js';
import { httpClose, httpListen } from './http-listen.js';
import type { MetricReporter } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** What a request asks for, whether it came as a path or as JSON. */
interface JolokiaRequest {
  readonly type: string;
  readonly mbean?: string;
  readonly attribute?: string | readonly string[];
}

type Attributes = Readonly<Record<string, number | string | null>>;
type Beans = ReadonlyMap<string, Attributes>;

const BODY_BYTES_MAX = 1024 * 1024;
const AGENT = { agent: '2.0.0', protocol: '7.2', info: { product: 'millrace' } };

/** The reporter. */
export function jolokiaReporter({ host, port }: OptionsOf<'jmx'>): MetricReporter {
  let server: Server | null = null;
  return {
    open: async ({ points }) => {
      const beans = (): Beans => beansOf(points());
      server = await httpListen(host, port, (request, response) => serve(request, response, beans));
    },
    close: () => httpClose(server),
  };
}

function serve(request: IncomingMessage, response: ServerResponse, beans: () => Beans): void {
  const send = (value: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(value));
  };
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (!/^\/jolokia(?:\/|$)/.test(pathname)) {
    response.writeHead(404).end('Jolokia is at /jolokia.\n');
    return;
  }
  if (request.method !== 'POST') return send(answer(requestOfPath(pathname), beans()));
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    const asked = parsed(Buffer.concat(chunks).toString());
    const now = beans();
    if (Array.isArray(asked)) send(asked.map((one: JolokiaRequest) => answer(one, now)));
    else send(asked === null ? failure(null, 400, 'The body is no JSON.') : answer(asked, now));
  });
}

function parsed(body: string): JolokiaRequest | JolokiaRequest[] | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' ? (value as JolokiaRequest) : null;
  } catch {
    return null;
  }
}

/** `/jolokia/read/<mbean>/<attribute>`, where `!/` is a slash in a name. */
function requestOfPath(pathname: string): JolokiaRequest {
  const [, , type = 'version', ...rest] = pathname
    .replaceAll('!/', '\u0000')
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('\u0000', '/').replaceAll('!!', '!'));
  const [mbean, attribute] = rest.filter((part) => part !== '');
  return {
    type: type === '' ? 'version' : type,
    ...(mbean === undefined ? {} : { mbean }),
    ...(attribute === undefined ? {} : { attribute: attribute.split(',') }),
  };
}

function answer(request: JolokiaRequest, beans: Beans): object {
  const { type, mbean, attribute } = request;
  const success = (value: unknown): object => {
    return { request, value, status: 200, timestamp: Math.floor(systemClock.epochMs() / 1000) };
  };
  if (type === 'version') return success(AGENT);
  if (type === 'list') return success(listOf(beans));
  const found = [...beans].filter(([name]) => mbean !== undefined && matches(mbean, name));
  if (type === 'search') return success(found.map(([name]) => name));
  if (type !== 'read') return failure(request, 400, `"${type}" is not served.`);
  const wanted = typeof attribute === 'string' ? [attribute] : attribute;
  const values = found.map(([name, attributes]): readonly [string, unknown] => {
    if (wanted === undefined) return [name, attributes];
    const chosen = wanted.map((one) => [one, attributes[one] ?? null] as const);
    return [name, wanted.length === 1 ? chosen[0]?.[1] : Object.fromEntries(chosen)];
  });
  if (mbean !== undefined && isPattern(mbean)) {
    const byName = found.map(([name, attributes]) => {
      const names = wanted ?? Object.keys(attributes);
      return [name, Object.fromEntries(names.map((one) => [one, attributes[one] ?? null]))];
    });
    return success(Object.fromEntries(byName));
  }
  const [only] = values;
  if (only === undefined) return failure(request, 404, `There is no bean ${mbean ?? ''}.`);
  return success(only[1]);
}

function failure(request: JolokiaRequest | null, status: number, error: string): object {
  return { request, status, error, error_type: 'javax.management.InstanceNotFoundException' };
}

/** By domain, then by properties, as Jolokia lists beans. */
function listOf(beans: Beans): object {
  const domains: Record<string, Record<string, object>> = {};
  for (const [name, attributes] of beans) {
    const at = name.indexOf(':');
    const domain = (domains[name.slice(0, at)] ??= {});
    const types = Object.entries(attributes).map(([attribute, value]) => {
      const type = typeof value === 'number' ? 'double' : 'java.lang.String';
      return [attribute, { rw: false, type, desc: attribute }];
    });
    domain[name.slice(at + 1)] = { attr: Object.fromEntries(types), desc: 'A metric.' };
  }
  return domains;
}

function beansOf(points: readonly MetricPoint[]): Beans {
  return new Map(points.map((point) => [nameOf(point), attributesOf(point.value)]));
}

/** The domain is the name without variables, the properties are the variables. */
function nameOf(point: MetricPoint): string {
  const domain = ['org.apache.flink', ...logicalName(point)].map(plain).join('.');
  const properties = Object.entries(point.variables)
    .map(([key, value]) => `${plain(key)}=${plain(value === '' ? '_' : value)}`)
    .toSorted();
  return `${domain}:${properties.join(',')}`;
}

/** What means something in the name of a bean, as Flink's reporter writes it. */
function plain(text: string): string {
  return text
    .replaceAll(/["<>\n\r]/g, '')
    .replaceAll(' ', '_')
    .replaceAll(/[,=;:?'*]/g, '-');
}

function attributesOf(value: PointValue): Attributes {
  if (value.type === 'counter') return { Count: value.value };
  if (value.type === 'meter') return { Count: value.count, Rate: value.rate };
  if (value.type !== 'histogram') return { Value: value.value };
  const { count, min, max, mean, stddev, p50, p75, p95, p98, p99, p999 } = value.value;
  return {
    Count: count,
    Min: min,
    Max: max,
    Mean: mean,
    StdDev: stddev,
    Median: p50,
    '75thPercentile': p75,
    '95thPercentile': p95,
    '98thPercentile': p98,
    '99thPercentile': p99,
    '999thPercentile': p999,
  };
}

function isPattern(mbean: string): boolean {
  return /[*?]/.test(mbean);
}

/** `*` at the end of the properties stands for any others. */
function matches(pattern: string, name: string): boolean {
  if (!isPattern(pattern)) return canonical(pattern) === name;
  const at = pattern.indexOf(':');
  const of = name.indexOf(':');
  if (at < 0 || !glob(pattern.slice(0, at)).test(name.slice(0, of))) return false;
  const wanted = pattern.slice(at + 1).split(',');
  const properties = name.slice(of + 1).split(',');
  const named = wanted.filter((property) => property !== '*');
  const isOpen = named.length < wanted.length;
  if (!isOpen && named.length !== properties.length) return false;
  return named.every((property) => properties.some((one) => glob(property).test(one)));
}

/** With its properties in order. */
function canonical(name: string): string {
  const at = name.indexOf(':');
  if (at < 0) return name;
  return `${name.slice(0, at)}:${name
    .slice(at + 1)
    .split(',')
    .toSorted()
    .join(',')}`;
}

function glob(text: string): RegExp {
  const escaped = text.replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
